# Takes back what was written in place, in place. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in
# it, $5 nonce, $6 the hash of what was written, $7 that of what was there, $8 the mode meanwhile or empty. Prints `left` where
# what is there is not ours, `edited PLACE` where it is kept what somebody else wrote into ours, and `former PLACE` where that
# is kept what was there before.
text=$6 former=$7 meanwhile=$8
aside=$folder/aside/$name
whole=
# What is there is not what we opened then: it stays. Who moved ours away before it was whole has what was there before.
leave() {
    if [ -e "$staged" ] && [ -e "$made" ] && [ -e "$kept" ]; then
        # shellcheck disable=SC2174 # Each folder is named.
        mkdir -p -m 700 -- "$folder/aside" "$aside" && mv -fT -- "$kept" "$aside/${path##*/}" || exit 71
        echo "former $aside/${path##*/}"
    fi
    rm -f -- "$staged"
    echo left
    exit 0
}
# Keeps what somebody wrote into what was half written, under a name that nothing has.
keep_aside() {
    # shellcheck disable=SC2174 # Each folder is named.
    mkdir -p -m 700 -- "$folder/aside" "$aside" || return
    place=$aside/${path##*/}
    while [ -e "$place" ]; do place=$place.more; done
    copy_to "$place" "$hash_of"
}
# Written to at the last moment, it is as if undo had not begun.
overtaken() {
    if [ "$1" != 76 ]; then exit 71; fi
    chmod -- "$mode" /proc/self/fd/7
    if [ -n "$whole" ]; then rm -f -- "$whole"; fi
    exit 76
}
# Undo of a later attempt has put back what that one had found.
is_put_back() {
    back=$folder/back-$(stat -L -c %i /proc/self/fd/7)
    [ -e "$back" ] && read -r text <"$back" && [ "$hash_of" = "$text" ]
}
if [ -L "$path" ] || ! [ -f "$path" ]; then exit 76; fi
exec 7<"$path"
proof poured /proc/self/fd/7 -L || leave
if ! [ -e "$kept" ]; then
    echo "what was there before is no longer kept" >&2
    exit 78
fi
if [ "$(sha256sum <"$kept")" != "$former  -" ]; then
    echo "what is kept in $kept was changed" >&2
    exit 78
fi
hash_now || exit 71
if [ "$hash_of" != "$former" ]; then
    if ! [ -e "$staged" ]; then
        # Whole as it is, it is what a broken-off undo is compared with.
        [ "$hash_of" = "$text" ] || is_put_back || exit 76
        copy_to "$staged" "$hash_of" || exit 75
        whole=$staged
    elif ! is_mixture; then
        keep_aside && copy_to "$staged" "$hash_of" || exit 75
    fi
    mode=$(stat -L -c %a /proc/self/fd/7)
    if [ -n "$meanwhile" ]; then chmod -- "$meanwhile" /proc/self/fd/7 || exit 71; fi
    pour "$kept" "$hash_of" || overtaken $?
    same_text "$former" && is_in_its_place || exit 76
fi
dress || exit 71
printf '%s\n' "$former" >"$folder/back-$(stat -L -c %i /proc/self/fd/7)" || exit 75
for place in "$aside"/*; do
    if [ -e "$place" ]; then echo "edited $place"; fi
done
rm -f -- "$staged"
