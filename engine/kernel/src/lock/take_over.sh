# Ends what a dead run still does on a host, and then its lock; `at_work` goes before it. $1: the process that holds the
# lock; $2: the word in the arguments of that run's shells. A command has ten seconds to come to its end by itself: what
# is half done costs more than the wait.
# shellcheck disable=SC2086 # $groups is a list of them.
n=0
while [ -n "$2" ] && groups=$(at_work "$2" "$1") && [ -n "$groups" ] && [ $n -lt 140 ]; do
    case $n in
    100) kill -s TERM -- $groups 2>/dev/null ;;
    120) kill -s KILL -- $groups 2>/dev/null ;;
    esac
    sleep 0.1
    n=$((n + 1))
done
kill -TERM "-$1" 2>/dev/null || kill -TERM "$1" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || exit 0; sleep 0.1; done
kill -KILL "$1"
