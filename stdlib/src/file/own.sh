# What a run keeps on a host, and the proof of what it made. Goes before the scripts that make, replace or remove something.
# $1 path, $2 the run's folder of kept things, $3 run, $4 name of the change in it, $5 nonce.
# shellcheck disable=SC2086 # `-L`, or nothing, is no word.
path=$1 folder=$2 run=$3 name=$4 nonce=$5
umask 077
# Who is not root keeps things at home.
if ! [ -O / ]; then folder=$HOME/.haengine/$run; fi
# Beside its place, under a name that nobody could guess, a thing gets all it needs before it gets its own.
temporary=${path%/*}/.haengine-$nonce-$name
made=$folder/$name.made
# A folder on the mount of what is made.
beside=${path%/*}/

# What an attempt before has left of this change; seldom anything.
clear() {
    for left do
        if [ -e "$left" ] || [ -L "$left" ]; then rm -f -- "$left" || return; fi
    done
}

# The run's folder on the root's mount.
home() { own "${folder%/*}" && own "$folder"; }

# The run's folder on the mount of $path: sets $area, and makes nothing. A mount whose root others may write to has none.
area() {
    area=$(findmnt -n -o TARGET -T "${path%/*}/" | tail -n 1) && there=$(findmnt -n -o TARGET -T "${folder%/*/*}/" | tail -n 1) || return
    if [ "$area" = "$there" ]; then
        area=$folder
        return
    fi
    area=${area%/}/.haengine/$run
    is_safe "${area%/.haengine/*}/"
}

make_area() { area && own "${area%/*}" && own "$area"; }
newline='
'

# What tells a file system from others after a boot. Asked once a mount.
file_system() { # DEVICE BOOT FOLDER
    if [ -e "$folder/mounts" ]; then
        while read -r device boot fs; do
            if [ "$device $boot" = "$1 $2" ]; then return; fi
        done <"$folder/mounts"
    fi
    file_system_of "$3"
    printf '%s %s %s\n' "$1" "$2" "$fs" >>"$folder/mounts"
}

# Writes down what is about to get its name, and returns once that is on the disk. $1: what it is; $2: what is looked at;
# $3: -L where that is an open file.
record() {
    facts=$(stat $3 -c '%f %u %g %s %.9Y %i %.9W %d' -- "$2") && read -r now </proc/sys/kernel/random/boot_id || return
    file_system "${facts##* }" "$now" "$beside"
    like=${facts% * * *}
    printf '%s %s %s %s\nlike-%s %s\n' "$1" "${facts#"$like "}" "$now" "$fs" "$1" "$like" >>"$made" &&
        dd if=/dev/null of="$made" oflag=append conv=notrunc,fsync status=none
}

# Whether $2 is what the run made. $1: what this change wrote down of it; $3: -L where it is an open file. Sets $proof: `ours`,
# `other`, or `none` where the change wrote nothing down. A later attempt of the run may have made it again.
proof() {
    proof=none
    if ! [ -e "$made" ] || ! grep -q "^$1 " "$made"; then return 1; fi
    # Undo of a later run has put a copy back: to the nanosecond, and the caller compares what is in it, as this one made it.
    case $1 in
    file | link | poured)
        if grep -qxF "like-$1 $(stat $3 -c '%f %u %g %s %.9Y' -- "$2" 2>/dev/null)" "$made"; then
            proof=ours
            return 0
        fi
        ;;
    esac
    proof=other
    facts=$(stat $3 -c '%i %.9W %d' -- "$2" 2>/dev/null) || return 1
    read -r now </proc/sys/kernel/random/boot_id
    file_system "${facts##* }" "$now" "$beside"
    # What was written into is not made by the run.
    case $1 in poured) tags=poured ;; *) tags='[^p ][^ ]*' ;; esac
    here=$fs known=$(grep -hs "^$tags ${facts%% *} " "$folder"/*.made)
    while read -r what inode born device boot fs; do
        birth=${facts#* }
        case "$born ${birth% *}" in
        [1-9]*" "[1-9]*) [ "$born" = "${birth% *}" ] || continue ;;
        esac
        if [ "$boot" = "$now" ]; then
            [ "$device" = "${facts##* }" ] || continue
        elif [ "$here" != "$fs" ]; then
            continue
        fi
        if [ -n "$inode" ]; then
            proof=ours
            return 0
        fi
    done <<END
$known
END
    return 1
}

# Whether the open file 7 is as it was seen. $1: inode, mode, owner, group, size and time; $2: its hash, or nothing.
same() {
    [ "$(stat -L -c '%i %f %u %g %s %.9Y' /proc/self/fd/7)" = "$1" ] && same_text "$2"
}

same_text() { [ -z "$1" ] || [ "$(sha256sum </proc/self/fd/7)" = "$1  -" ]; }
