# Lets another host take an address without a moment in which nobody serves it.
# $1: the address; $2: the file that keepalived tracks, or nothing; $3: keepalived's unit; $4: seconds of overlap.
# Exit status 4: the address is not here; 5: nobody took it.
#
#   this host     eth0 ──────┐ lo ─────────────────────────┐
#   the next one             └ eth0 ───────────────────────────────
#                            give                     clients have learned it
#
# Who still sends here is served here: the address stays on the loopback interface until everybody has learned where
# it is. Only at the beginning does this host also say that it has it.
address=$1 file=$2 unit=$3 overlap=$4
interface=$(ip -o -4 addr show to "$address/32" | while read -r _ name _; do [ "$name" = lo ] || echo "$name"; done | head -n 1)
if [ -z "$interface" ]; then exit 4; fi
silence=/proc/sys/net/ipv4/conf/$interface/arp_ignore
before=$(cat "$silence")
here() { ip -o -4 addr show dev "$interface" to "$address/32" | grep -q .; }
give() { if [ -n "$file" ]; then echo 1 >"$file"; else systemctl stop "$unit"; fi; }
stay() { if [ -n "$file" ]; then echo 0 >"$file"; else systemctl start "$unit"; fi; }
back() {
    stay
    echo "$before" >"$silence"
    ip addr del "$address/32" dev lo 2>/dev/null
}
trap back EXIT
trap 'exit 1' HUP INT TERM
ip addr add "$address/32" dev lo || exit 1
give || exit 1
sleep 0.3
# Whoever has it by now answers for it.
echo 1 >"$silence" || exit 1
sleep 0.3
stay || exit 1
# Where nobody else has it, it comes back at once.
sleep 1
if here; then exit 5; fi
sleep "$overlap"
