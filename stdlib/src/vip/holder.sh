# Says yes when an interface has the address $1.
if command -v ip >/dev/null; then
    ip -o -4 addr show to "$1/32" | while read -r _ interface _; do
        if [ "$interface" != lo ]; then echo yes; fi
    done | head -n 1
    exit 0
fi
named=
while read -r line; do
    case $line in
    *"-- $1") named=1 ;;
    *'/32 host LOCAL'*) if [ -n "$named" ]; then echo yes; exit 0; fi ;;
    *) named= ;;
    esac
done </proc/net/fib_trie
