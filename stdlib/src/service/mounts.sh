# Shared by the scripts that look at what is mounted. Paths are compared as the kernel writes them in its list: a blank in one is
# `\040` there.
newline='
'

# How the kernel writes a path, in $escaped. Fails for one with a line end, of which nothing can be told.
escape() {
    case $1 in *"$newline"*) return 1 ;; esac
    above=$(cd -- "${1%/*}/" 2>/dev/null && pwd -P) || return
    escaped=${above%/}/${1##*/}
    case $escaped in
    *"$newline"*) return 1 ;;
    *[\\\ \	]*) escaped=$(printf '%s' "$escaped" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g') ;;
    esac
}

# What is mounted at or below a path, in $mounted, the last first: a line each, with place, device, type and source.
mounts() {
    mounted=
    escape "$1" || return
    while read -r _ _ device _ place rest; do
        case $place/ in
        "$escaped"/*) mounted="$place $device ${rest##* - }$newline$mounted" ;;
        esac
    done </proc/self/mountinfo
}
