
# Asks members of etcd for their metrics, all at once; certificates.sh comes before.
# $1: seconds of patience; $2, $3, $4: authority, certificate and key, or nothing for the usual places; then the endpoints.
# For each endpoint comes an answer: its number, what curl said on its standard error, its status, and the lines of the
# histograms that are looked at. Fields end with US, answers with RS.
seconds=$1 authority=$2 certificate=$3 key=$4
shift 4
command -v curl >/dev/null || exit 20
certificates "$@"

wanted='disk_wal_fsync_duration|disk_backend_commit_duration|network_peer_round_trip_time'
# One printf an answer, so that answers which come at once do not mix.
ask() {
    said=$({
        out=$(curl -sSf --noproxy '*' --max-time "$seconds" ${authority:+--cacert "$authority"} \
            ${certificate:+--cert "$certificate"} ${key:+--key "$key"} "$2/metrics" 2>&3)
        printf '\037%s\037%s' "$?" "$(printf '%s\n' "$out" | grep -E "^etcd_($wanted)_seconds_bucket[{]")"
    } 3>&1)
    printf '%s\037%s\036' "$1" "$said"
}

number=0
for endpoint; do
    ask "$number" "$endpoint" &
    number=$((number + 1))
done
wait
