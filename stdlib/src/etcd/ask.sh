# Asks members of etcd, each of them each question, all at once.
# $1: seconds of patience; $2, $3, $4: authority, certificate and key, or nothing for the usual places; $5: the questions;
# then the endpoints. First comes the program that asks, then for each answer: the endpoint's number, the question, what
# the program said on its standard error, its status, and its standard output. Fields end with US, answers with RS.
seconds=$1 authority=$2 certificate=$3 key=$4 questions=$5
shift 5
PATH=$PATH:/opt/etcd/bin:/usr/local/bin:/usr/bin
if command -v etcdctl >/dev/null; then
    program=etcdctl
elif command -v curl >/dev/null; then
    program=curl
else
    exit 20
fi

has_all() {
    [ -f "$1/$2" ] && [ -f "$1/$3" ] && [ -f "$1/$4" ] || return
    authority=$1/$2 certificate=$1/$3 key=$1/$4
}
case "$authority$certificate$key $*" in
' '*https://*)
    has_all /opt/etcd/ssl ca.pem server.pem server-key.pem ||
        has_all /etc/etcd/ssl ca.pem server.pem server-key.pem ||
        has_all /etc/etcd/ssl ca.pem etcd.pem etcd-key.pem ||
        has_all /etc/kubernetes/pki/etcd ca.crt healthcheck-client.crt healthcheck-client.key ||
        has_all /etc/kubernetes/pki/etcd ca.crt server.crt server.key || exit 21
    ;;
esac
for path in "$authority" "$certificate" "$key"; do
    if [ -n "$path" ] && [ ! -r "$path" ]; then
        printf '%s' "$path"
        exit 22
    fi
done

# etcdctl refuses to run when its environment says what an option says too.
unset ETCDCTL_ENDPOINTS ETCDCTL_CACERT ETCDCTL_CERT ETCDCTL_KEY ETCDCTL_DIAL_TIMEOUT ETCDCTL_COMMAND_TIMEOUT
export ETCDCTL_API=3
# A host's proxy is for the world outside.
export NO_PROXY='*' no_proxy='*'
with_etcdctl() {
    endpoint=$1
    case $2 in
    health) set -- endpoint health ;;
    status) set -- endpoint status ;;
    members) set -- member list ;;
    alarms) set -- alarm list ;;
    esac
    etcdctl --endpoints="$endpoint" --dial-timeout="${seconds}s" --command-timeout="${seconds}s" \
        ${authority:+"--cacert=$authority"} ${certificate:+"--cert=$certificate"} ${key:+"--key=$key"} -w json "$@"
}
with_curl() {
    case $2 in
    health) set -- "$1/health" ;;
    status) set -- "$1/v3/maintenance/status" -d '{}' ;;
    members) set -- "$1/v3/cluster/member/list" -d '{}' ;;
    alarms) set -- "$1/v3/maintenance/alarm" -d '{"action":"GET"}' ;;
    esac
    curl -sS --noproxy '*' --max-time "$seconds" -w '\n%{http_code} %{time_total}' \
        ${authority:+--cacert "$authority"} ${certificate:+--cert "$certificate"} ${key:+--key "$key"} "$@"
}
# One printf an answer, so that answers which come at once do not mix.
ask() {
    said=$({
        out=$("with_$program" "$2" "$3" 2>&3)
        printf '\037%s\037%s' "$?" "$out"
    } 3>&1)
    printf '%s\037%s\037%s\036' "$1" "$3" "$said"
}

printf '%s\036' "$program"
number=0
for endpoint; do
    for question in $questions; do ask "$number" "$endpoint" "$question" & done
    number=$((number + 1))
done
wait
