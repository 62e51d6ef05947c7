# Carries a folder to another place of its mount file by file, where it cannot be renamed as a whole: an overlay does not
# rename what is in its lower layer. What is there already stays; a folder with something new in it does, too.
carry() { # FROM TO
    folders=$folder/$name.folders
    if ! [ -e "$folders" ]; then
        (cd "$1" && find . -type d -print0 | tar -c -f "$folders.new" --format=posix --numeric-owner --xattrs \
            --no-recursion --null -T -) && mv -fT -- "$folders.new" "$folders" || return
    fi
    if ! [ -d "$2" ]; then mkdir -- "$2" || return; fi
    # Root's alone, until all is in them: who will own one could exchange it for a link.
    tar -x --no-same-owner --no-same-permissions -f "$folders" -C "$2" || return
    (cd "$1" && find . ! -type d -print0 | xargs -0 -r sh -c '
        to=$1
        shift
        for one do
            if ! [ -e "$to/$one" ] && ! [ -L "$to/$one" ]; then mv -T -- "$one" "$to/$one" || exit 255; fi
        done' sh "$2") || return
    find "$1" -depth -type d -exec rmdir -- {} + 2>/dev/null
    # Their times, which the files have changed.
    tar -x -p -f "$folders" -C "$2" --numeric-owner --xattrs || return
    if [ -e "$1" ]; then return 1; fi
    rm -f -- "$folders"
}
