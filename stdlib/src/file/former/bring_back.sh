# $1 path, $2 temporary prefix, $3 keep folder, $4 run, $5 name of the kept file.
path=$1 prefix=$2 folder=$3 run=$4 name=$5
drop_undo
find_kept || exit 71
if [ -n "$kept" ] && [ -e "$prefix$name.copy" ]; then
    # It was copied and not yet removed.
    rm -rf -- "$kept" || exit 71
elif [ -n "$kept" ]; then
    # What of it was left is kept until the run is forgotten.
    if [ -e "$prefix$name.part" ] && [ -e "$path" ]; then mv -T -- "$path" "$folder/$name.rest" || exit 71; fi
    if [ -e "$path" ] || [ -L "$path" ]; then
        echo "something else is there" >&2
        exit 71
    fi
    if [ "$(stat -c %m -- "${path%/*}/")" = "$(stat -c %m -- "${kept%/*}/")" ]; then
        : >"$prefix$name.back" || exit 71
        mv -T -- "$kept" "$path" || exit 71
    else
        cp -a --reflink=auto -T -- "$kept" "$prefix$name.undo" && mv -T -- "$prefix$name.undo" "$path" || exit 71
        rm -rf -- "$kept"
    fi
fi
drop_area
clear_temporary
for mark in "$prefix$name.copy" "$prefix$name.part"; do
    if [ -e "$mark" ]; then rm -f -- "$mark"; fi
done
