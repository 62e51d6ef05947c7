# Goes before what works in a placed tree. Whoever owns a folder of it may exchange that for a link at any moment: each folder
# is entered, the kernel says where that led, and from then on only names in it are named. $within is for the shells that
# lists of paths are handed to.
facts='%i %a %u %g %s %.9Y'

# Enters the tree $1, seen with device and inode $2, or `-` where nobody has looked. Sets $root and $device.
enter_tree() {
    cd -P -- "$1" 2>/dev/null || return
    root=$(readlink /proc/self/cwd; echo .) root=${root%??} device=$(stat -c %d:%i .) || return
    if [ "$2" != - ] && [ "$2" != "$device" ]; then return 1; fi
    device=${device%:*}
    export stage root device old
}

# Whether all that is in the folder $1 of what the list $2 names was seen as it is.
all_seen() {
    ! (cd "$1" && xargs -0 -r stat -c "$facts" -- <"$2" 2>/dev/null) | grep -qvxF -f "$stage/seen"
}

# Whether the file system has hard links.
links_work() {
    rm -f -- "$stage/linked"
    ln -- "$stage/seen" "$stage/linked" 2>/dev/null
}

# Makes the folders of the paths of the list $1 below $2, in the staging folder.
make_folders() {
    in_parts "$1" '
    at=
    for one do
        case $one in */*) if [ "${one%/*}" != "$at" ]; then at=${one%/*} && printf "%s\0" "$at"; fi ;; esac
    done' | (cd "$2" && xargs -0 -r mkdir -p --)
}

# Hands the list $1 over to the shell $2, in parts.
in_parts() { xargs -0 -r -n 500 sh -c "$within$2" sh <"$1"; }

within='
# Goes to the folder $1 of the tree, called $here; a link may lead elsewhere.
go() {
    case $1 in .) here=$root ;; *) here=${root%/}/$1 ;; esac
    cd -P -- "$here" 2>/dev/null
}

# Enters the folder $1 of the tree, and fails where that led elsewhere. Not every shell asks the kernel where it is.
enter() { go "$1" && [ "$(readlink /proc/self/cwd)" = "$here" ]; }

# Calls `act` in each folder $at of the tree, with what of the given paths is in it: as ./NAME, or as it is called in $from.
each_folder() {
    at=
    for one do
        case $one in */*) folder=${one%/*} ;; *) folder=. ;; esac
        if [ "$folder" != "$at" ]; then
            [ -z "$at" ] || { enter "$at" && act "$@"; } || exit 255
            at=$folder
            set --
        fi
        if [ -n "$from" ]; then set -- "$@" "$from/$one"; else set -- "$@" "./${one##*/}"; fi
    done
    enter "$at" && act "$@" || exit 255
}

# Whether both names mean one thing, be it a link.
is_one() {
    if [ -L "$1" ] || [ -L "$2" ]; then
        [ "$(stat -c %d:%i -- "$1")" = "$(stat -c %d:%i -- "$2")" ]
    else
        [ "$1" -ef "$2" ]
    fi
}

# Gives rights. Each item is INODE MODE OWNER ./PATH.
give_rights() {
    for item do
        inode=${item%% *} item=${item#* }
        mode=${item%% *} item=${item#* }
        owner=${item%% *} path=${item#* }
        if [ -L "$path" ] || ! { [ -f "$path" ] || [ -d "$path" ]; }; then exit 255; fi
        exec 7<"$path"
        [ "$(stat -L -c %i /proc/self/fd/7)" = "$inode" ] && [ "$(readlink /proc/self/fd/7)" = "${root%/}/${path#./}" ] || exit 255
        [ "$owner" = - ] || chown -- "$owner" /proc/self/fd/7 || exit 255
        chmod "$mode" /proc/self/fd/7 || exit 255
    done
}
'

# What is in the folder $1 and was written to in place until now goes back, with what was written. $2 names it.
give_back() {
    export aside="$1" facts
    in_parts "$2" '
    # What the copy, or its undo, has put there.
    is_ours() {
        ! [ -e "$1" ] && ! [ -L "$1" ] && return 1
        is_one "$1" "$old/$at/$1" || grep -qzxF -- "$(stat -c "%i %.9W %d" -- "$1")" "$stage/made" 2>/dev/null
    }
    act() {
        for name do
            there=$aside/$at/$name
            seen=$(stat -c "$facts" -- "$there" 2>/dev/null) || continue
            if grep -qxF -- "$seen" "$stage/seen" || is_one "$there" "$name"; then continue; fi
            if is_ours "$name"; then
                mv -fT -- "$there" "$name"
            elif ln -P -T -- "$there" "$name" 2>/dev/null; then
                rm -f -- "$there"
            else
                # A folder, or a file system without hard links.
                mv -nT -- "$there" "$name"
            fi
            if [ -e "$there" ] || [ -L "$there" ]; then
                echo "something else came into the place of $there" >&2
                exit 255
            fi
        done
    }
    from=
    each_folder "$@"'
}
