# $1 path, $2 how names of temporary files begin, $3 up to what size the content is brought along.
# Prints "LEFTOVERS MISSING", then what is there: see look.rs.
left=- up=0
for stale in "$2"[0-9]*; do
    case ${stale#"$2"} in *[!0-9a-z.]*) continue ;; esac
    if [ -e "$stale" ] || [ -L "$stale" ]; then left=$left,${stale#"$2"}; fi
done
folder=${1%/*}
while [ -n "$folder" ] && ! [ -e "$folder" ] && ! [ -L "$folder" ]; do
    folder=${folder%/*} up=$((up + 1))
done
if ! [ -d "${folder:-/}" ]; then up=-1; elif ! [ -x "${folder:-/}" ]; then up=-2; fi
echo "$left $up"
if ! [ -L "$1" ] && ! [ -e "$1" ]; then exit 0; fi
found=$(stat -c '%f %u %g %s %.9Y %i %U %G' -- "$1") || exit
echo "$found"
if [ -L "$1" ]; then
    echo target
    readlink -n -- "$1"
elif [ -f "$1" ]; then
    set -- "$1" "$3" $found
    if [ "$6" -le "$2" ]; then
        echo content
        cat -- "$1"
    else
        sha256sum <"$1"
    fi
fi
