# Stops a unit. $1: the unit; $2: seconds of patience; $3: 1 to disable it too; $4: 1 to forget a failure.
unit=$1 patience=$2 disable=$3 forget=$4
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
timeout "$patience" systemctl stop -- "$unit"
status=$?
if [ "$status" = 124 ]; then exit 14; fi
if [ "$status" != 0 ]; then exit 13; fi
if [ "$forget" = 1 ]; then systemctl reset-failed -- "$unit" 2>/dev/null; fi
if [ "$disable" = 1 ]; then
    systemctl -q disable -- "$unit" || exit 12
    if [ "$(systemctl is-enabled -- "$unit")" = enabled-runtime ]; then
        systemctl -q disable --runtime -- "$unit" || exit 12
    fi
fi
