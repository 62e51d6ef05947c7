# $1: a path, $2: a unit; either may be empty. Says what is not yet as it shall be; nothing when all is.
[ -z "$1" ] || [ -e "$1" ] || [ -L "$1" ] || { printf '%s is not there' "$1"; exit 0; }
[ -n "$2" ] || exit 0
state=$(systemctl is-active -- "$2" 2>&1)
[ "$state" = active ] || printf '%s is %s' "$2" "$state"
