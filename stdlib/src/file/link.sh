# Makes or turns a symbolic link. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in it, $5 nonce,
# $6 "new" or "old", $7 target; of an old one $8 how it was seen (inode, owner, group) and $9 where it leads.
fail() {
    rm -f -- "$temporary" "$temporary.old"
    if [ "$1" != 75 ]; then rm -f -- "$made" "$folder/$name"; fi
    exit "$1"
}
# Whether $1 is as the former link was seen.
was() { [ -L "$1" ] && [ "$(stat -c '%i %u %g' -- "$1")" = "$seen" ] && [ "$(readlink -- "$1"; echo .)" = "$target$newline." ]; }
home || exit 75
seen=$8 target=$9
clear "$made" "$temporary" "$temporary.old"
ln -sT -- "$7" "$temporary" || exit 71
record link "$temporary" || fail 75
if [ "$6" = new ]; then
    if ! ln -P -T -- "$temporary" "$path" 2>/dev/null; then
        if [ -e "$path" ] || [ -L "$path" ]; then fail 76; fi
        mv -nT -- "$temporary" "$path" || fail 71
        proof link "$path" || fail 76
    fi
    rm -f -- "$temporary"
    exit 0
fi
was "$path" || fail 76
cp -a -T -- "$path" "$folder/$name" || fail 75
ln -P -T -- "$path" "$temporary.old" 2>/dev/null
was "$path" || fail 76
mv -fT -- "$temporary" "$path" || fail 71
if [ -L "$temporary.old" ] && ! was "$temporary.old"; then
    if proof link "$path"; then mv -fT -- "$temporary.old" "$path"; fi
    fail 76
fi
rm -f -- "$temporary.old"
