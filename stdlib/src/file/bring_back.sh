# Brings back what was removed. $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in it, $5 nonce,
# $6 `directory` or another sort. Prints `left` where nothing was removed, and something else is there.
sort=$6
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
if is_there "$temporary.gone"; then
    if ! is_there "$path"; then ln -P -T -- "$temporary.gone" "$path" || exit 71; fi
    rm -f -- "$temporary.gone" "$folder/$name" "$folder/$name.part"
    exit 0
fi
kept=$folder/$name
if ! is_there "$kept" && area; then kept=$area/$name; fi
if ! is_there "$kept"; then
    if is_there "$path"; then echo left; else exit 78; fi
    rm -f -- "$folder/$name.folders" "$folder/$name.folders.new"
    exit 0
fi
if [ "$sort" = directory ]; then
    if [ -e "$folder/$name.folders" ] || [ "$(stat -f -c %T -- "$kept")" = overlayfs ]; then
        carry "$kept" "$path" || exit 76
        exit 0
    fi
    if is_there "$path"; then exit 76; fi
    mv -nT -- "$kept" "$path" && ! [ -e "$kept" ] || exit 76
    exit 0
fi
if ! ln -P -T -- "$kept" "$path" 2>/dev/null; then
    # It is kept on another mount, or something is there.
    if is_there "$path"; then
        [ "$(stat -c %d:%i -- "$kept")" = "$(stat -c %d:%i -- "$path")" ] || exit 76
    else
        rm -f -- "$temporary"
        cp -a --remove-destination --reflink=auto -T -- "$kept" "$temporary" && ln -P -T -- "$temporary" "$path" || exit 71
        rm -f -- "$temporary"
    fi
fi
rm -f -- "$kept" "$kept.part"
