# What a tree is and what is in it. Arguments: its path; the paths to leave out as a regular expression; `target`
# where things will be placed. Prints NUL-separated fields: kind, user, where kept files go, free bytes, what has
# capabilities in a source, then three for each entry.
LC_ALL=C
export LC_ALL
for tool in find xargs tar; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 127; }
done
tree=$1 near=$1 kind=absent keeps='' free=
if [ -d "$tree" ]; then
    kind=directory
elif [ -e "$tree" ] || [ -L "$tree" ]; then
    kind=other
else
    near=${tree%/*}
    near=${near:-/}
    [ -d "$near" ] || kind=orphan
fi
user=$(id -u) || exit
if [ "$3" = target ] && [ "$kind" != orphan ]; then
    home=/var/lib
    [ "$user" = 0 ] || home=${HOME:-/}
    free=$(stat -f -c '%a %S' "$near") || exit
    free=$((${free% *} * ${free#* }))
    mount=$(findmnt -n -o TARGET -T "$near" | tail -n 1) && home_mount=$(findmnt -n -o TARGET -T "$home" | tail -n 1) || exit
    if [ "$mount" = "$home_mount" ]; then
        [ "$user" = 0 ] || keeps=$home
    elif [ "$user" = 0 ]; then
        keeps=$mount
    else
        keeps=nowhere
    fi
fi
capable=
if [ "$kind" = directory ]; then
    cd "$tree" || exit
    # Whoever has given some has getcap, too.
    [ "$3" = target ] || capable=$(getcap -r . 2>/dev/null)
fi
printf '%s\0' "$kind" "$user" "$keeps" "$free" "$capable"
[ "$kind" = directory ] || exit 0
exec find . -ignore_readdir_race -regextype posix-extended -regex "$2" -prune -o \
    -printf '%y %m %U %G %s %T@ %D %i\0%P\0%l\0'
