# Enables or disables a unit. $1: the unit; $2: 1 to read the unit files again first; $3: `enable` or `disable`.
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
if [ "$2" = 1 ]; then systemctl daemon-reload || exit 11; fi
systemctl -q "$3" -- "$1" || exit 12
if [ "$3" = disable ] && [ "$(systemctl is-enabled -- "$1")" = enabled-runtime ]; then
    systemctl -q disable --runtime -- "$1" || exit 12
fi
