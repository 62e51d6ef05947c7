# Writes a text over a file, in place. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in it, $5 nonce,
# $6 mode, $7 owner:group or empty, $8 the mode meanwhile or empty, $9 a command that looks at "$1" first, or empty, ${10} how
# the file was seen (inode, mode, owner, group, size, time), ${11} its hash, ${12} that of the text, which comes from standing input.
mode=$6 owner=$7 meanwhile=$8 checks=$9
shift 9
seen=$1 hash=$2 text=$3
fail() {
    rm -f -- "$staged" "$made" "$kept" "$kept.part"
    exit "$1"
}
# As if nothing had happened, as long as nobody else has written to it.
back_out() {
    if hash_now && { [ "$hash_of" = "$hash" ] || { is_mixture && pour "$kept" "$hash_of"; }; }; then
        dress && same_text "$hash" && fail "$1"
    fi
    exit "$1"
}
home || exit 75
clear "$made" "$staged" "$kept" "$kept.part"
# Who may not give a file away must not take it over silently.
if ! [ -O "$path" ] && ! [ -O / ]; then exit 74; fi
if [ -L "$path" ] || ! [ -f "$path" ]; then exit 76; fi
exec 7<"$path"
same "$seen" "$hash" || exit 76
dd of="$staged" bs=64k conv=fsync status=none || fail 75
[ "$(sha256sum <"$staged")" = "$text  -" ] || fail 71
if [ -n "$checks" ]; then sh -c "$checks" sh "$staged" </dev/null >&2 || fail 73; fi
copy_to "$kept" "$hash" || fail 75
record poured /proc/self/fd/7 -L || fail 75
is_in_its_place && same "$seen" "$hash" || fail 76
if [ -n "$meanwhile" ]; then chmod -- "$meanwhile" /proc/self/fd/7 || back_out 71; fi
if [ -n "$owner" ]; then chown -- "$owner" /proc/self/fd/7 || back_out 72; fi
pour "$staged" "$hash" || {
    if [ $? != 76 ]; then back_out 71; fi
    # Written to at the last moment, it goes back with what was written.
    chown --reference="$kept" -- /proc/self/fd/7 && chmod --reference="$kept" -- /proc/self/fd/7 || exit 71
    fail 76
}
chmod -- "$mode" /proc/self/fd/7 || back_out 71
is_in_its_place || back_out 76
# Somebody else wrote to it: theirs is what is there, and what was there before stays kept.
same_text "$text" || exit 76
# What it is like now: undo of a later run may put a copy of it back.
record poured /proc/self/fd/7 -L || exit 75
rm -f -- "$staged"
