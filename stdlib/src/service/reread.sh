# Has systemd read its unit files again, if those of a unit changed since it last did. $1: the unit.
export LC_ALL=C
show=$(systemctl show -p LoadState,NeedDaemonReload -- "$1") || exit
case $show in
*LoadState=not-found*) ;;
*NeedDaemonReload=yes*) systemctl daemon-reload || exit 11 ;;
esac
