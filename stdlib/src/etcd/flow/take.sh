# Takes a snapshot of one member, into a file that nobody sees before it is whole. $1: the endpoint; $2: its place, or
# nothing: then it is told. What is told first is a line: the program, the size, the hash, and what is known of it.
endpoint=$1 path=$2
umask 077
trap 'exit 1' HUP INT TERM
take() {
    with_options "$endpoint" snapshot save snapshot >&2 || exit 32
    is_whole snapshot || exit 34
}

if [ -n "$path" ] && [ "$program" = etcdctl ]; then
    is_free "$path"
    begin "${path%/*}"
    take
    tell_of snapshot
    place snapshot "$path"
elif [ "$program" = etcdctl ]; then
    begin /var/tmp
    take
    tell_of snapshot
    # From here on it is in no folder.
    exec 4<snapshot
    end
    exec cat <&4
else
    echo curl
    over_http "$endpoint/v3/maintenance/snapshot" -d '{}' || exit 32
fi
