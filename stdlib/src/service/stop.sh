# Stops a unit, until it is down. $1: the unit; $2: seconds of patience; $3: 1 to disable it too; $4: 1 to forget a failure; $5 and
# $6: the run's folder, and the name of the record of links in it.
unit=$1 patience=$2 disable=$3 forget=$4 folder=${5-} record=${6-}
export LC_ALL=C SYSTEMCTL_SKIP_SYSV=1
uptime() {
    read -r now _ </proc/uptime
    now=${now%.*}
}
uptime
end=$((now + patience))
# What systemd was about to start again, or somebody starts meanwhile, is stopped again.
while :; do
    if [ "$now" -lt "$end" ]; then timeout "$((end - now))" systemctl stop -- "$unit"; else exit 14; fi
    status=$?
    if [ "$status" = 124 ]; then exit 14; fi
    if [ "$forget" = 1 ]; then systemctl reset-failed -- "$unit" 2>/dev/null; fi
    case $(systemctl show -p ActiveState -- "$unit") in
    *=inactive) break ;;
    *=failed) if [ "$forget" != 1 ]; then break; fi ;;
    *) if [ "$status" != 0 ]; then failed=$((${failed-0} + 1)); fi ;;
    esac
    if [ "${failed-0}" -ge 3 ]; then exit 13; fi
    sleep 0.2
    uptime
done
if [ "$disable" = 1 ]; then
    disable "$unit" "$folder" "$record" || exit
fi
