# Places a file. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in it, $5 nonce, $6 "new" or "old",
# $7 mode or empty, $8 owner:group or empty, $9 a command that looks at "$1" first, or empty; of an old file ${10} how it was
# seen (inode, mode, owner, group, size, time) and ${11} its hash, empty for a large one.
# The content comes from standing input. Whoever owns the folder may exchange names: the open file is what is changed.
fail() {
    rm -f -- "$temporary" "$temporary.old"
    if [ "$1" != 75 ]; then rm -f -- "$made" "$folder/$name"; fi
    if [ -n "$kept" ]; then rm -f -- "$kept"; fi
    exit "$1"
}
kept=
home || exit 75
clear "$made" "$temporary" "$temporary.old"
if [ "$6" = old ]; then
    # Who may not give a file away must not take it over silently.
    if ! [ -O "$path" ] && ! [ -O / ]; then exit 74; fi
    if [ -L "$path" ] || ! [ -f "$path" ]; then exit 76; fi
    exec 7<"$path"
    same "${10}" "${11}" || exit 76
fi
set -C
exec 8>"$temporary"
set +C
dd of=/proc/self/fd/8 bs=64k conv=notrunc,fsync status=none || fail 71
if [ "$6" = old ]; then
    cp --attributes-only --preserve=all -L -T -- /proc/self/fd/7 /proc/self/fd/8 || fail 71
    touch -- /proc/self/fd/8 || fail 71
fi
if [ -n "$8" ]; then chown -- "$8" /proc/self/fd/8 || fail 72; fi
if [ -n "$7" ]; then chmod -- "$7" /proc/self/fd/8 || fail 71; fi
if [ -n "$9" ]; then sh -c "$9" sh "$temporary" </dev/null >&2 || fail 73; fi
record file /proc/self/fd/8 -L || fail 75
if [ "$6" = new ]; then
    if ! ln -L -T -- /proc/self/fd/8 "$path" 2>/dev/null; then
        if [ -e "$path" ] || [ -L "$path" ]; then fail 76; fi
        # A file system without hard links, or a folder that is gone.
        mv -nT -- "$temporary" "$path" || fail 71
        [ "$path" -ef /proc/self/fd/8 ] || fail 76
    fi
    rm -f -- "$temporary"
    exit 0
fi
# A large file and one with other names are kept by one more name, all others by a copy: who watches a file by its inode shall
# see it go.
if [ -n "${11}" ] && [ "$(stat -L -c %h /proc/self/fd/7)" = 1 ]; then
    cp --preserve=all -L --reflink=auto -T -- /proc/self/fd/7 "$folder/$name.part" &&
        mv -fT -- "$folder/$name.part" "$folder/$name" || fail 75
elif make_area; then
    kept=$area/$name
    ln -T -- "$path" "$kept" || fail 75
else
    cp --preserve=all -L --reflink=auto -T -- /proc/self/fd/7 "$folder/$name" || fail 75
fi
ln -T -- "$path" "$temporary.old" 2>/dev/null
# Nothing may stand between this comparison and the rename.
if [ -L "$path" ] || ! [ "$path" -ef /proc/self/fd/7 ]; then fail 76; fi
if ! mv -fT -- "$temporary" "$path"; then
    if [ "$(findmnt -n -o TARGET -T "$path" 2>/dev/null | tail -n 1)" = "$path" ]; then fail 77; fi
    fail 71
fi
# Written to in place until now, it goes back with what was written.
if ! same "${10}" "${11}"; then
    if [ "$path" -ef /proc/self/fd/8 ]; then
        # Without hard links it is another file, with the same in it.
        [ -e "$temporary.old" ] || cp --remove-destination --preserve=all -L -T -- /proc/self/fd/7 "$temporary.old" || exit 71
        mv -fT -- "$temporary.old" "$path" || exit 71
    fi
    fail 76
fi
if ! [ "$path" -ef /proc/self/fd/8 ]; then fail 76; fi
rm -f -- "$temporary.old"
