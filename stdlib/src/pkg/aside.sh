# Behind area.sh. Moves things out of the way, each on its own mount. $folder: the run's folder of kept things; $change: this change's
# number; $kept: what the change has kept.
# shellcheck disable=SC2154 # $change is of the script behind.

exists() { [ -e "$1" ] || [ -L "$1" ]; }

# Tells what stays in its place, and why.
left() { printf 'left\t%s\t%s\0' "$1" "$2"; }

# Makes a folder that is root's alone; fails where somebody else has one of that name.
private() {
    mkdir -m 700 -- "$1" 2>/dev/null
    [ -d "$1" ] && ! [ -L "$1" ] && [ -O "$1" ] || return
    case $(stat -c %a -- "$1") in *00) ;; *) return 1 ;; esac
}

# The folder for what is moved aside on the mount of $1: sets $area.
area_of() {
    area=$folder mount=$(stat -c %m -- "$1") || return
    if [ "$mount" != "$(stat -c %m -- "$folder")" ]; then
        is_safe "${mount%/}/" && private "${mount%/}/.haengine" || return
        area=${mount%/}/.haengine/${folder##*/}
    fi
    private "$area" && private "$area/aside" && private "$area/aside/$change" || return
    area=$area/aside/$change
}

is_mounted_in() {
    findmnt --noheadings --list --output TARGET | while IFS= read -r at; do
        case $at in "$1" | "$1"/*) echo yes && break ;; esac
    done | grep -q yes
}

# True for a folder with nothing but folders in it.
is_hollow() { [ -d "$1" ] && ! [ -L "$1" ] && [ -z "$(find "$1" -xdev ! -type d -print -quit)" ]; }

# Moves $1 aside, because of $2. Where it goes is written down first: an undo that broke off tells it the next time.
aside() {
    exists "$1" || return 0
    if is_mounted_in "$1"; then
        left "$1" 'a file system is mounted in it'
    elif ! area_of "$1"; then
        left "$1" 'somebody else has the folder to which it would be moved'
    else
        place=$area$1 count=1
        while exists "$place"; do
            place=$area$1.$count count=$((count + 1))
        done
        mkdir -p -- "${place%/*}" && printf '%s\t%s\t%s\n' "$1" "$place" "$2" >>"$kept/asides" || return
        sync -- "$kept/asides" 2>/dev/null || sync
        mv -T -- "$1" "$place" || left "$1" 'it cannot be moved'
    fi
}
