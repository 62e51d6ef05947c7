# $1 path, $2 temporary prefix, $3 keep folder, $4 run, $5 name of the kept file, $6 "new" or "old".
path=$1 prefix=$2 folder=$3 run=$4 name=$5
if [ "$6" = new ]; then
    rm -f -- "$path" || exit 71
else
    drop_undo
    find_kept || exit 71
    if [ -n "$kept" ]; then
        # Not `-ef`, which looks at where links lead; and mv refuses two names of one link.
        if [ "$(stat -c %d:%i -- "$kept")" = "$(stat -c %d:%i -- "$path" 2>/dev/null)" ]; then
            rm -f -- "$kept" || exit 71
        elif ln -T -- "$kept" "$prefix$name.undo" 2>/dev/null; then
            mv -fT -- "$kept" "$path" || exit 71
        else
            cp -a --reflink=auto -T -- "$kept" "$prefix$name.undo" || exit 71
            mv -fT -- "$prefix$name.undo" "$path" || exit 71
            rm -f -- "$kept"
        fi
    fi
fi
# The temporary file goes last: while it is there, undo has something to do.
drop_area
clear_temporary
