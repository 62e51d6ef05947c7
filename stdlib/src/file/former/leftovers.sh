# Goes before look.sh, and tells it what temporary files are there. $1 path, $2 how their names begin, $3 up to what
# size the content is brought along.
leftovers=-
for stale in "$2"[0-9]*; do
    case ${stale#"$2"} in *[!0-9a-z.]*) continue ;; esac
    if [ -e "$stale" ] || [ -L "$stale" ]; then leftovers=$leftovers,${stale#"$2"}; fi
done
set -- "$1" "$3"
