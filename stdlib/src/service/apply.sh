# Makes a unit run. $1: the unit; $2: 1 to read the unit files again first; $3: 1 to enable it; $4: `start`, `restart`,
# `reload` or `-`; $5: seconds of patience; $6: the names of its files as the stamp shall have them, or nothing when there is to
# be no stamp; then the files.
unit=$1 reread=$2 enable=$3 act=$4 patience=$5 names=$6
shift 6
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
if [ "$reread" = 1 ]; then systemctl daemon-reload || exit 11; fi
if [ "$enable" = 1 ]; then systemctl -q enable -- "$unit" || exit 12; fi
if [ "$act" = - ]; then exit 0; fi

state() {
    systemctl show -p ActiveState,Type,NRestarts,Result,ExecMainStatus,InactiveExitTimestampMonotonic -- "$unit"
}
# A unit that systemd is about to start again by itself has restarts that are no fault of this start, and one to come.
restarts=0
show=$(systemctl show -p ActiveState,SubState,Type,NRestarts -- "$unit")
case $show in
*ActiveState=activating*)
    restarts=${show#*NRestarts=}
    restarts=${restarts%%[!0-9]*}
    ;;
esac
case $show in
*SubState=auto-restart*) restarts=$((restarts + 1)) ;;
esac
moment=0
case $show in
# systemd calls these started as soon as they are forked, so they get a moment to die.
*Type=simple* | *Type=exec* | *Type=idle*) moment=0.25 ;;
esac
began=$(date +%s.%N)
{ timeout "$patience" systemctl "$act" -- "$unit" && sleep "$moment"; } &
acting=$!
# What it is started with, hashed meanwhile.
hashes=$(for file do if [ -f "$file" ]; then sha256 "$file"; else echo absent; fi; done)
wait "$acting"
status=$?
show=$(state)
again=${show#*NRestarts=}
again=${again%%[!0-9]*}
case $status:$show in
0:*ActiveState=active*) if [ "${again:-0}" -gt "${restarts:-0}" ]; then status=1; fi ;;
0:*) status=1 ;;
esac
if [ "$status" != 0 ]; then
    printf '%s\n\n' "$show"
    journalctl -u "$unit" -n 10 --no-pager -o cat || systemctl status -n 10 --no-pager -- "$unit"
    if [ "$status" = 124 ]; then exit 14; fi
    exit 13
fi
# Of a file that somebody changed meanwhile nobody knows which content it was started with: then the times tell.
if [ -n "$names" ] && [ -z "$(find -L "$@" -maxdepth 0 -newerct "@$began" 2>/dev/null)" ]; then
    started=${show#*InactiveExitTimestampMonotonic=}
    mkdir -p /run/haengine &&
        printf '%s\n%s\n%s\n' "${started%%[!0-9]*}" "$names" "$hashes" >"/run/haengine/.$unit.stamp" &&
        mv -f "/run/haengine/.$unit.stamp" "/run/haengine/$unit.stamp"
fi
