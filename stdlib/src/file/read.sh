# $1 path, $2 the size up to which it is read. Prints "missing", "sort SORT", "size SIZE", or "content" and the content.
if ! [ -e "$1" ]; then
    folder=${1%/*}
    if [ -d "${folder:-/}" ] && ! [ -x "${folder:-/}" ]; then
        echo "$folder may not be entered" >&2
        exit 1
    fi
    echo missing
elif [ -f "$1" ]; then
    size=$(stat -Lc %s -- "$1") || exit
    if [ "$size" -gt "$2" ]; then
        echo "size $size"
    else
        echo content
        cat -- "$1"
    fi
elif [ -d "$1" ]; then
    echo sort a directory
else
    echo sort no regular file
fi
