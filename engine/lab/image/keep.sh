# Keeps a host powered: keep.sh NAMESPACE GROUP... -- NSPAWN WORD...
# Runs in the host's control groups, and ends when the host does. It begins when its creator, who may have been killed in
# this moment, says so.
read -r _ || exit 1
exec </dev/null
namespace=$1 groups=
shift
until [ "$1" = -- ]; do
    # Whoever took the lab down meanwhile has removed the group: it is never made here again, by no `-p`.
    mkdir "$1/keeper" 2>/dev/null || [ -d "$1/keeper" ] || exit 1
    echo 0 > "$1/keeper/cgroup.procs" || exit 1
    groups="$groups $1"
    shift
done
shift
while :; do
    (
        for group in $groups; do echo 0 > "$group/cgroup.procs"; done
        exec "$@"
    )
    # A host that reboots makes nspawn end with this status; every other end is one.
    [ $? = 133 ] || break
done
# A host that is off answers nobody, but its addresses would.
exec nsenter --net="$namespace" ip link set eth0 down
