# Takes a placed file or link back. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in it, $5 nonce,
# $6 "file" or "link", $7 "new" or "old", $8 the hash of what was placed, or where the link leads; of an old file $9 its
# former hash. Prints `left` where what is there is not ours.
gone=$temporary.gone
# What somebody wrote to in place, right before all went dark, is kept until the run is forgotten.
drop() {
    old=$temporary.old
    if [ -f "$old" ] && ! [ -L "$old" ] && ! [ "$old" -ef "$path" ] && ! [ "$old" -ef "$kept" ]; then
        case $(sha256sum <"$old") in
        "$text  -" | "$former  -") ;;
        *)
            # shellcheck disable=SC2174 # Each folder is named.
            mkdir -p -m 700 -- "$folder/aside" "$folder/aside/$name" && mv -nT -- "$old" "$folder/aside/$name/${path##*/}" || exit 71
            echo "edited $folder/aside/$name/${path##*/}"
            ;;
        esac
    fi
    rm -f -- "$temporary" "$old"
}
# What was moved and is not ours, in its place again.
put_back() {
    if [ -d "$gone" ] && ! [ -L "$gone" ]; then
        mv -nT -- "$gone" "$path" && ! [ -e "$gone" ]
    else
        ln -P -T -- "$gone" "$path" && rm -f -- "$gone"
    fi
}
# What is there is ours, and as it was placed. Opens it as 7 where it is a file.
is_ours() {
    if [ "$sort" = link ]; then
        [ -L "$1" ] && proof link "$1" && [ "$(readlink -- "$1"; echo .)" = "$text$newline." ]
    else
        [ -f "$1" ] && ! [ -L "$1" ] && exec 7<"$1" && proof file /proc/self/fd/7 -L || return
        if same_text "$text"; then return; fi
        # Undo of a later attempt has put back what that one had found: it goes further back, if there is anything further.
        if [ -n "$former" ] && same_text "$former"; then return 1; fi
        back=$folder/back-$(stat -L -c %i /proc/self/fd/7)
        if ! [ -e "$back" ]; then return 1; fi
        read -r text <"$back"
        same_text "$text"
    fi
}
# $1 is still the open file, and as it was placed.
is_still() {
    if [ "$sort" = link ]; then is_ours "$1"; else same_text "$text" && [ "$1" -ef /proc/self/fd/7 ] && ! [ -L "$1" ]; fi
}
sort=$6 text=$8 former=${9-}
kept=$folder/$name
if ! { [ -e "$kept" ] || [ -L "$kept" ]; } && area; then kept=$area/$name; fi
# An undo that broke off had moved it, and not yet looked at it again.
if { [ -e "$gone" ] || [ -L "$gone" ]; } && ! { [ -e "$path" ] || [ -L "$path" ]; }; then
    if is_ours "$gone"; then rm -f -- "$gone"; else put_back || exit 71; fi
fi
if ! { [ -e "$path" ] || [ -L "$path" ]; }; then
    drop
    if [ "$7" = new ]; then exit 0; fi
    exit 76
fi
if ! is_ours "$path"; then
    drop
    if is_ours "$gone"; then rm -f -- "$gone"; fi
    echo left
    exit 0
fi
if [ "$7" = new ]; then
    mv -T -- "$path" "$gone" || exit 71
    if ! is_still "$gone"; then
        put_back
        exit 76
    fi
    drop
    rm -f -- "$gone"
    exit 0
fi
if ! { [ -e "$kept" ] || [ -L "$kept" ]; }; then
    echo "what was there before is no longer kept" >&2
    exit 78
fi
if [ "$sort" = file ] && [ -n "$9" ] && [ "$(sha256sum <"$kept")" != "$9  -" ]; then
    echo "what is kept in $kept was changed" >&2
    exit 78
fi
drop
# Its own inode comes back where it was kept by a second name.
ln -P -T -- "$kept" "$temporary" 2>/dev/null || cp -a --remove-destination --reflink=auto -T -- "$kept" "$temporary" || exit 71
if [ "$sort" = file ]; then
    record back "$temporary" || exit 75
    hash=$(sha256sum <"$temporary") && printf '%s\n' "${hash%% *}" >"$folder/back-$(stat -c %i -- "$temporary")" || exit 75
fi
ln -P -T -- "$path" "$temporary.old" 2>/dev/null
is_still "$path" || { drop; exit 76; }
mv -fT -- "$temporary" "$path" || exit 71
# Without hard links, the open file tells.
if [ "$sort" = file ] && ! [ -e "$temporary.old" ] && ! same_text "$text"; then
    cp --remove-destination --preserve=all -L -T -- /proc/self/fd/7 "$temporary.old" && mv -fT -- "$temporary.old" "$path" || exit 71
    exit 76
fi
if [ -e "$temporary.old" ] || [ -L "$temporary.old" ]; then
    if ! is_still "$temporary.old"; then
        mv -fT -- "$temporary.old" "$path"
        exit 76
    fi
fi
drop
