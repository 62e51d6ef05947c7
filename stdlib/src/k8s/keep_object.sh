# Keeps what comes from standing input. $1: the run's folder of kept things, $2: the name of the file, which nothing has yet.
umask 077
# A folder that is root's alone, or that of whoever we are; somebody else's of that name is not entered.
private() {
    mkdir -m 700 -- "$1" 2>/dev/null
    [ -d "$1" ] && ! [ -L "$1" ] && [ -O "$1" ] || return
    case $(stat -c %a -- "$1") in *00) ;; *) return 1 ;; esac
}
mkdir -p -- "${1%/*}" && private "$1" || exit 71
# Whole before it has its name: what stands there was kept.
part=$1/$2.part
rm -f -- "$part" && (set -C && : >"$part") && dd of="$part" bs=64k conv=fsync,notrunc status=none || exit 71
ln -T -- "$part" "$1/$2" && rm -f -- "$part" || exit 71
sync -- "$1" 2>/dev/null || sync
