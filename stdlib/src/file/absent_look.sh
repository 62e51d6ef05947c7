# After digest.sh and look.sh. $1 path, $3 the path as /proc/self/mountinfo writes it. Of a directory it prints "MOUNTED" and
# its digest.
if [ -L "$1" ] || ! [ -d "$1" ]; then exit 0; fi
if ! command -v find >/dev/null; then
    echo "find is not installed" >&2
    exit 1
fi
mounted=0
while read -r _ _ _ _ point _; do
    case $point in
    "$3" | "$3"/*) mounted=1 ;;
    esac
done </proc/self/mountinfo
echo "$mounted"
if [ "$mounted" = 1 ]; then exit 0; fi
digest "$1"
