# $1 directory, $2 depth or empty, $3 find's letter of a kind or empty, $4 glob of names or empty, $5 text or empty.
# Prints "missing", or "found" and the paths, each with a zero byte behind it.
for tool in find ${5:+grep}; do
    if ! command -v "$tool" >/dev/null; then
        echo "\`$tool\` is not installed" >&2
        exit 1
    fi
done
if ! [ -e "$1" ]; then
    echo missing
    exit
fi
if ! [ -d "$1" ]; then
    echo "it is no directory" >&2
    exit 1
fi
echo found
directory=${1%/}/ depth=$2 kind=$3 glob=$4 text=$5
set -- "$directory" -mindepth 1
if [ -n "$depth" ]; then set -- "$@" -maxdepth "$depth"; fi
if [ -n "$kind" ]; then set -- "$@" -type "$kind"; fi
if [ -n "$glob" ]; then set -- "$@" -name "$glob"; fi
if [ -z "$text" ]; then
    find "$@" -print0
else
    # grep says 1 where nothing fits, which is no failure; what could not be read is one.
    find "$@" -type f -exec sh -c '
        text=$1
        shift
        grep -lZF -e "$text" -- "$@"
        [ "$?" -le 1 ]' sh "$text" {} +
fi
