# Enables or disables a unit. $1: the unit; $2: 1 to read the unit files again first; $3: `enable`, `disable` or
# `disable-runtime`.
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
if [ "$2" = 1 ]; then systemctl daemon-reload || exit 11; fi
case $3 in
disable-runtime) systemctl -q disable --runtime -- "$1" || exit 12 ;;
*) systemctl -q "$3" -- "$1" || exit 12 ;;
esac
