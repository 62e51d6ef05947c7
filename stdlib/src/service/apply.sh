# Makes a unit run. $1: the unit; $2: 1 to read the unit files again first; $3: 1 to enable it; $4: `start`, `restart`,
# `reload` or `-`; $5: seconds of patience; $6: what the stamp shall say of its files, or nothing when there is to be no stamp;
# $7: the command that succeeds once it is ready, or nothing; $8 and $9: the run's folder, and the name of the record of links in
# it; then the files that are to be hashed for the stamp.
unit=$1 reread=$2 enable=$3 act=$4 patience=$5 stamp=$6 ready=$7 folder=$8 record=$9
shift 9
read -r end _ </proc/uptime
end=$((${end%.*} + patience))
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
if [ "$reread" = 1 ]; then systemctl daemon-reload || exit 11; fi
if [ "$enable" = 1 ]; then make_links "$unit" "$folder" "$record" || exit; fi
if [ "$act" = - ]; then exit 0; fi

state() {
    systemctl show -p ActiveState,Type,NRestarts,Result,ExecMainStatus,InactiveExitTimestampMonotonic -- "$unit"
}
# A unit that systemd is about to start again by itself has restarts that are no fault of this start, and one to come.
restarts=0
show=$(systemctl show -p ActiveState,SubState,NRestarts -- "$unit")
case $show in
*ActiveState=activating*)
    restarts=${show#*NRestarts=}
    restarts=${restarts%%[!0-9]*}
    ;;
esac
case $show in
*SubState=auto-restart*) restarts=$((restarts + 1)) ;;
esac
# Before the start: what changes meanwhile is then not what the stamp says.
hashes=$(for file do if [ -f "$file" ]; then sha256 "$file"; else echo absent; fi; done)
timeout "$patience" systemctl "$act" -- "$unit"
status=$?
show=$(state)
case $show in
# systemd calls these started as soon as they are forked, so they get a moment to die.
*Type=simple* | *Type=exec* | *Type=idle*) if [ "$status" = 0 ]; then sleep 0.25; show=$(state); fi ;;
esac
# A unit that says itself when it has read its files again may still be at it once the job is done.
while :; do
    case $show in
    *ActiveState=reloading*) ;;
    *) break ;;
    esac
    read -r now _ </proc/uptime
    if [ "${now%.*}" -ge "$end" ]; then break; fi
    sleep 0.1
    show=$(state)
done
again=${show#*NRestarts=}
again=${again%%[!0-9]*}
case $status:$show in
0:*ActiveState=active*) if [ "${again:-0}" -gt "${restarts:-0}" ]; then status=1; fi ;;
0:*) status=1 ;;
esac
explain() {
    printf '%s\n\n' "$show"
    journalctl -u "$unit" -n 10 --no-pager -o cat || systemctl status -n 10 --no-pager -- "$unit"
}
if [ "$status" != 0 ]; then
    explain
    if [ "$status" = 124 ]; then exit 14; fi
    exit 13
fi
if [ "$act" = reload ]; then ready=; fi
while [ -n "$ready" ] && ! timeout -k 2 60 sh -c "$ready" >/dev/null 2>&1; do
    show=$(state)
    read -r now _ </proc/uptime
    case ${now%.*}:$show in
    *ActiveState=failed* | *ActiveState=inactive*)
        explain
        exit 13
        ;;
    esac
    if [ "${now%.*}" -ge "$end" ]; then
        explain
        exit 15
    fi
    sleep 0.2
done
if [ -n "$stamp" ]; then
    started=${show#*InactiveExitTimestampMonotonic=}
    stamp_as "$unit" "${started%%[!0-9]*}" "$stamp" ${hashes:+"$hashes"}
fi
