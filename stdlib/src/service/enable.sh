# Enables or disables a unit. $1: the unit; $2: 1 to read the unit files again first; $3: `enable` or `disable`; $4 and $5: the run's
# folder, and the name of the record of links in it.
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
if [ "$2" = 1 ]; then systemctl daemon-reload || exit 11; fi
if [ "$3" = enable ]; then
    make_links "$1" "$4" "$5"
    exit
fi
disable "$1" "$4" "$5"
