# Moves what appeared in the paths that a unit owns to where the run keeps things, once what was mounted there is unmounted.
# $1: the run's folder on the mount of /var/lib; $2: the run; $3: the change's folder below it, and below that of another mount;
# $4: what was mounted at or below the owned paths before, a line each, or `-` where nobody knows; $5: 1 where what lies in memory there
# is the unit's as well; $6: how many owned paths follow. Of those that end with a slash the entries count. Then what appeared.
# Prints three tokens for each thing: `kept PATH PLACE`, `left PATH WHY`, `unmounted PLACE WHAT`. Each ends with NUL.
# Nothing is copied, no mount is entered, and nothing is removed but folders that are empty.
main=$1 run=$2 change=$3 known=$4 memory=$5 owned=$6
shift 6
export LC_ALL=C
umask 077
tell() { printf '%s\0' "$@"; }
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
is_folder() { [ -d "$1" ] && [ ! -L "$1" ]; }

# Enters the folder for what is moved aside from a path, on the path's own mount.
enter() {
    mount=$(stat -c %m -- "${1%/*}/") && home=$(stat -c %m /var/lib/) || return
    base=$main
    if [ "$mount" != "$home" ]; then
        is_safe "${mount%/}/" || return
        base=${mount%/}/.haengine/$run
    fi
    own "${base%/*}" && own "$base" && own "$base/${change%/*}" && own "$base/$change" || return
    cd -P -- "$base/$change" && [ -O . ]
}

# Renames to a folder what the standard input names, each path ended with NUL; never copies, never replaces.
into() {
    if mv --no-copy --version >/dev/null 2>&1; then
        xargs -0 -r mv --no-copy -n -t "$1" -- 2>/dev/null
    elif command -v perl >/dev/null; then
        xargs -0 -r perl -e '
            my $folder = shift;
            for (@ARGV) {
                my ($name) = m{([^/]*)\z}s;
                lstat("$folder/$name") or rename($_, "$folder/$name");
            }' "$1" 2>/dev/null
    else
        xargs -0 -r sh -c 'for path do ln -- "$path" "$0/" && rm -- "$path"; done' "$1" 2>/dev/null
    fi
}

# Moves a path aside, to $2 below the current folder. One that has a mount below it stays, and so do the folders above the
# mount; one that cannot be renamed as a whole, since an overlay has it from below, is made anew.
move() {
    if ! mounts "$1"; then
        tell left "$1" "its name cannot be told from those of mounts"
        return
    fi
    case $newline$mounted in *"$newline$escaped "*) return ;; esac
    if [ -n "$mounted" ]; then
        mkdir -p -- "./$2" || return
        for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
            if is_there "$entry"; then move "$entry" "$2/${entry##*/}"; fi
        done
        return
    fi
    above=./$2 above=${above%/*}
    mkdir -p -- "$above" && printf '%s\0' "$1" | into "$above"
    if ! is_there "$1"; then return; fi
    if is_folder "$1" && walk "$1" "./$2"; then return; fi
    tell left "$1" "not all of it can be moved, or something new came into it"
}

# Makes a folder anew at $2, and moves into it what is in the old one, which goes once it is empty.
walk() {
    mkdir -p -- "$2" || return
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if is_folder "$entry"; then
            printf '%s\0' "$entry" | into "$2"
            if is_there "$entry"; then walk "$entry" "$2/${entry##*/}"; fi
        fi
    done
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if is_there "$entry" && ! is_folder "$entry"; then printf '%s\0' "$entry"; fi
    done | into "$2"
    chown --reference="$1" -- "$2" && chmod --reference="$1" -- "$2"
    rmdir -- "$1" 2>/dev/null
}

# Unmounts what is mounted at or below a path since the unit was looked at, the last first. A file system in memory goes with
# its last mount: where it is not surely the unit's it stays.
unmount() {
    mounts "$1" || return
    while read -r place device type source; do
        case $newline$known$newline in *"$newline$place$newline"*) continue ;; esac
        if [ -z "$place" ]; then continue; fi
        real=$(printf '%b.' "$(printf '%s' "$place" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')")
        real=${real%.}
        case $memory:$type in
        0:tmpfs | 0:ramfs)
            others=$(grep -c "^[0-9]* [0-9]* $device " /proc/self/mountinfo)
            if [ "$others" = 1 ] && [ -n "$(ls -A -- "$real")" ]; then
                tell left "$real" "it is in memory, and what is in it would be lost"
                continue
            fi
            ;;
        esac
        if why=$(timeout -k 5 20 umount -- "$real" 2>&1); then
            tell unmounted "$real" "$type ${source%% *}"
        else
            tell left "$real" "it is mounted there, and cannot be unmounted: ${why##*: }"
        fi
    done <<END
$mounted
END
}

# Tells what was moved aside of an owned path, now or by an undo that broke off.
report() {
    seen=
    for place in "${1%/*}/" "${1%/}/"; do
        mount=$(stat -c %m -- "$place" 2>/dev/null) || continue
        for base in "$main" "${mount%/}/.haengine/$run"; do
            case $newline$seen in *"$newline$base$newline"*) continue ;; esac
            seen=$seen$base$newline
            if is_folder "$base" && [ -O "$base" ] && cd -P -- "$base/$change" 2>/dev/null; then
                of_path "$1" "$base/$change"
                cd /
            fi
        done
    done
}

# $1: an owned path, which may be a pattern; $2: what the current folder is called.
of_path() {
    case $1 in
    */)
        set -- "$1" "$2" ".$1"* ".$1".[!.]* ".$1"..?*
        path=$1 base=$2
        shift 2
        # Of a folder full of logs nobody wants to read each.
        if [ $# -gt 12 ]; then set -- ".${path%/}"; fi
        for entry do told "$entry" "$base"; done
        ;;
    *'*'*)
        ifs=$IFS IFS=
        for entry in .$1; do told "$entry" "$2"; done
        IFS=$ifs
        ;;
    *) told ".$1" "$2" ;;
    esac
}

told() {
    if is_there "$1"; then tell kept "${1#.}" "$2${1#.}"; fi
}

number=0
for path do
    number=$((number + 1))
    if [ "$number" -le "$owned" ]; then
        case $known$path in -* | *'*'*) ;; *) unmount "${path%/}" ;; esac
    elif is_there "$path"; then
        unmount "$path"
        if enter "$path"; then
            move "$path" "${path#/}"
        else
            tell left "$path" "there is no folder of ours on its mount to move it to"
        fi
        cd /
    fi
done
number=0
for path do
    number=$((number + 1))
    if [ "$number" -le "$owned" ]; then report "$path"; fi
done
exit 0
