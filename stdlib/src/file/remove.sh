# Removes what is at a path, to where it is kept. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in
# it, $5 nonce, $6 `file`, `link`, `special` or `directory`, $7 how it was seen (of a directory its inode, mode, owner and group
# alone; of a special one nothing), $8 its hash, digest or target; empty for a large file.
sort=$6 seen=$7 what=$8
facts='%i %f %u %g %s %.9Y'
if [ "$sort" = directory ]; then facts='%i %f %u %g'; fi
is_seen() {
    [ -z "$seen" ] || [ "$(stat -c "$facts" -- "$1")" = "$seen" ] || return
    case $sort in
    file) [ -z "$what" ] || [ "$(sha256sum <"$1")" = "$what  -" ] ;;
    link) [ "$(readlink -- "$1"; echo .)" = "$what$newline." ] ;;
    directory) [ "$(digest "$1")" = "$what  -" ] ;;
    esac
}
home || exit 75
make_area || area=
is_seen "$path" || exit 76
kept=${area:-$folder}/$name
if [ "$sort" = directory ]; then
    if [ -z "$area" ]; then exit 75; fi
    if [ "$(stat -f -c %T -- "$path")" != overlayfs ]; then
        mv -T -- "$path" "$kept" || exit 71
        if is_seen "$kept"; then exit 0; fi
        mv -nT -- "$kept" "$path"
        exit 76
    fi
    # Its inode is another one at the new place.
    if carry "$path" "$kept" && [ "$(digest "$kept")" = "$what  -" ]; then exit 0; fi
    carry "$kept" "$path"
    exit 76
fi
gone=$kept
if [ -z "$area" ]; then
    cp -a --reflink=auto -T -- "$path" "$kept.part" && mv -fT -- "$kept.part" "$kept" || exit 75
    gone=$temporary.gone
fi
mv -T -- "$path" "$gone" || exit 71
if ! is_seen "$gone"; then
    if [ -d "$gone" ] && ! [ -L "$gone" ]; then mv -nT -- "$gone" "$path"; else ln -P -T -- "$gone" "$path" && rm -f -- "$gone" "$kept"; fi
    exit 76
fi
if [ -z "$area" ]; then
    rm -f -- "$gone"
elif [ "$sort" = file ] && [ -n "$what" ] && [ "$(stat -c %h -- "$kept")" = 1 ]; then
    # Who watches it by its inode shall see it go, unless it has other names.
    cp -a --reflink=auto -T -- "$kept" "$kept.part" && mv -fT -- "$kept.part" "$kept" || exit 75
fi
