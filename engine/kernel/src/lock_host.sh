# Holds the host's lock until standard input closes or is silent for 20 s. $1: who holds it, as JSON.
# Prints `locked`, or `held` and the holder. dash has no `read -t`, hence timeout and dd.
umask 077
if ! { exec 9>>/run/haengine.lock; } 2>/dev/null; then echo unwritable; exit 0; fi
if ! flock -n 9; then echo held; cat /run/haengine.lock; exit 0; fi
printf '%s %s\n' "$$" "$1" >/run/haengine.lock
echo locked
while [ -n "$(timeout 20 dd bs=64 count=1 2>/dev/null 9>&-)" ]; do :; done
: >/run/haengine.lock
