# Holds the host's lock until standard input closes or is silent for 20 s; `at_work` and `who` go before it. $1: who holds it,
# as JSON; $2: a word that is in the arguments of all shells of the same connection.
# Prints `locked` and who the host is, or `held`, the holder, and that word. dash has no `read -t`, hence timeout and dd.
umask 077
if ! { exec 9>>/run/haengine.lock; } 2>/dev/null; then printf unwritable; who; exit 0; fi
if ! flock -n 9; then echo held; cat /run/haengine.lock; exit 0; fi
printf '%s %s\n%s\n' "$$" "$1" "$2" >/run/haengine.lock
printf locked
who 9>&-
while said=$(timeout 20 dd bs=64 count=1 2>/dev/null 9>&-); silent=$?; [ -n "$said" ]; do :; done
# Whoever held it is dead, and its last commands may still be at work: nobody shall begin beside them. Ten minutes are
# enough for a command that hangs.
n=0
while [ "$silent" != 124 ] && [ -n "$2" ] && [ -n "$(at_work "$2" "$$" 9>&-)" ] && [ $n -lt 3000 ]; do
    sleep 0.2 9>&-
    n=$((n + 1))
done
: >/run/haengine.lock
