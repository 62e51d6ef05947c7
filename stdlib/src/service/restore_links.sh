# Puts the enablement of a unit back. $1: the unit; $2: 1 to disable it first; then links with their targets. A link
# without a target is a folder.
unit=$1 disable=$2 made=0
shift 2
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
if [ "$disable" = 1 ]; then systemctl -q disable -- "$unit" || exit; fi
while [ $# -gt 1 ]; do
    if [ -z "$2" ]; then
        mkdir -p -- "$1" || exit
    elif [ ! -L "$1" ]; then
        mkdir -p -- "${1%/*}" && ln -s -- "$2" "$1" || exit
        made=1
    fi
    shift 2
done
if [ "$made" = 1 ]; then systemctl daemon-reload; fi
