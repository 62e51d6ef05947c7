# Hands an address over.
# Runs the text $1, with the arguments behind it, in a unit of its own: what was begun is brought to its end, whatever becomes
# of the connection. Ends with the text's status, and says what it said. systemd before 232 waits for no unit, and before
# 235 hands on no output: the unit is looked at, and the journal asked.
unit=haengine-handover.service
since=$(date +'%Y-%m-%d %H:%M:%S')
systemctl reset-failed "$unit" 2>/dev/null
if ! said=$(systemd-run --unit="$unit" /bin/sh -c "$1" sh "$2" "$3" "$4" "$5" 2>&1); then
    printf '%s\n' "$said" >&2
    exit 1
fi
while :; do
    show=$(systemctl show -p ActiveState -p Result -p ExecMainStatus "$unit") || exit
    case $show in
    *ActiveState=inactive* | *ActiveState=failed*) break ;;
    esac
    sleep 0.1
done
# One that ended well is forgotten already.
case $show in
*ActiveState=inactive*) exit 0 ;;
esac
journalctl -q --no-pager -o cat --since "$since" "_SYSTEMD_UNIT=$unit" >&2
systemctl reset-failed "$unit"
case $show in
*Result=exit-code*) ;;
*) exit 1 ;;
esac
status=${show#*ExecMainStatus=}
exit "${status%%[!0-9]*}"
