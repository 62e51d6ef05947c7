# $1 path, $2 temporary prefix, $3 keep folder, $4 run, $5 name of the kept file,
# $6 "new" or "old", $7 mode or empty, $8 owner:group or empty, $9 a command that looks at "$1" first, or empty.
# The content comes from standing input. The temporary file is there from the first step to the last: while it is,
# undo has something to do.
path=$1 prefix=$2 folder=$3 run=$4 name=$5
temporary=$prefix$name
fail() {
    rm -f -- "$temporary"
    exit "$1"
}
clear_temporary
if [ "$6" = old ]; then
    # Who may not give a file away must not take it over silently.
    if ! [ -O "$path" ] && ! [ -O / ]; then fail 74; fi
    cp -a --attributes-only -T -- "$path" "$temporary" || fail 71
fi
dd of="$temporary" bs=64k conv=fsync status=none || fail 71
if [ -n "$8" ]; then chown -- "$8" "$temporary" || fail 72; fi
if [ -n "$7" ]; then chmod -- "$7" "$temporary" || fail 71; fi
if [ -n "$9" ]; then sh -c "$9" sh "$temporary" </dev/null >&2 || fail 73; fi
if [ "$6" = old ]; then keep || fail 75; fi
if ! mv -fT -- "$temporary" "$path"; then
    find_kept && [ -n "$kept" ] && rm -f -- "$kept"
    drop_area
    fail 71
fi
