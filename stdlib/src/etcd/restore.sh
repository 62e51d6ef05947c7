# Makes a data folder from a snapshot. $1: the snapshot; $2: the folder; $3: the member's name; $4: its peer URLs; $5: the
# initial cluster; $6: the token; $7: by how much the revision grows, or nothing; $8: the owner, or nothing for the
# parent's; $9: a mark for what is wanted. Tells whether it grows, and what is known of the snapshot.
snapshot=$1 data=$2 owner=$8 wanted=$9
PATH=$PATH:/opt/etcd/bin:/usr/local/bin:/usr/bin
export ETCDCTL_API=3
umask 077
[ -f "$snapshot" ] || exit 35
[ -r "$snapshot" ] || exit 36
case $(head -c 18 -- "$snapshot" | tr -d '\0') in age-encryption.org) exit 37 ;; esac
is_whole "$snapshot" || exit 34
is_free "$data"

# A program that cannot restore shows another help.
restores() { "$1" snapshot restore --help 2>/dev/null | grep -q -e --initial-cluster-token; }
if restores etcdutl; then
    program=etcdutl
elif restores etcdctl; then
    program=etcdctl
else
    exit 20
fi
bump=$7
if [ -n "$bump" ] && ! "$program" snapshot restore --help | grep -q -e --bump-revision; then bump=; fi

trap 'exit 1' HUP INT TERM
begin "${data%/*}"
set -- --name="$3" --initial-advertise-peer-urls="$4" --initial-cluster="$5" --initial-cluster-token="$6"
[ -z "$bump" ] || set -- "$@" --bump-revision "$bump" --mark-compacted
"$program" snapshot restore "$snapshot" --data-dir data "$@" >&2 || exit 32
print_of "$snapshot" data "$wanted" >data/member/haengine-restored
chown -R -- "${owner:-$(stat -c %u:%g -- "${data%/*}/")}" data || exit 38
sync -f data 2>/dev/null || sync
mv -n -T data "$data"
[ ! -e data ] || exit 31
force "${data%/*}/"
printf '%s %s\n' "${bump:-none}" "$(status_of "$snapshot")"
