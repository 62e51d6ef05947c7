# After look.sh. $1 path, $4 the path as /proc/self/mountinfo writes it. Of a directory it prints "MOUNTED" and a hash
# over the names, modes, owners, sizes, times and link targets of all that is in it.
if [ -L "$1" ] || ! [ -d "$1" ]; then exit 0; fi
if ! command -v find >/dev/null; then
    echo "find is not installed" >&2
    exit 1
fi
mounted=0
while read -r _ _ _ _ point _; do
    case $point in
    "$4" | "$4"/*) mounted=1 ;;
    esac
done </proc/self/mountinfo
echo "$mounted"
if [ "$mounted" = 1 ]; then exit 0; fi
find "$1" -mindepth 1 \( -type f -printf '%P\t%y %m %U %G %T@ %s\0' -o -printf '%P\t%y %m %U %G %T@ %l\0' \) |
    LC_ALL=C sort -z | sha256sum
