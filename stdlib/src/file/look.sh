# $1 path, $2 up to what size the content is brought along. Prints what is left over, how many
# levels are missing, then what is there: see look.rs.
# shellcheck disable=SC2086 # $found is a list of words.
up=0
folder=${1%/*}
while [ -n "$folder" ] && ! [ -e "$folder" ] && ! [ -L "$folder" ]; do
    folder=${folder%/*} up=$((up + 1))
done
if ! [ -d "${folder:-/}" ]; then up=-1; elif ! [ -x "${folder:-/}" ]; then up=-2; fi
echo "${leftovers:--} $up"
if ! [ -L "$1" ] && ! [ -e "$1" ]; then exit 0; fi
found=$(stat -c '%f %u %g %s %.9Y %i %U %G' -- "$1") || exit
echo "$found"
if [ -L "$1" ]; then
    echo target
    readlink -n -- "$1"
elif [ -f "$1" ]; then
    set -- "$1" "$2" $found
    if [ "$6" -le "$2" ]; then
        echo content
        cat -- "$1"
    else
        sha256sum <"$1"
    fi
fi
