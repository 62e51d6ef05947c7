# How members of etcd are asked and told: the program, the certificates, and nothing of the environment.
# $1: seconds of patience; $2: the scheme of the endpoints, `https` where one of them has it; $3, $4, $5: authority,
# certificate and key, or nothing for the usual places. What comes then is for the script that follows.
seconds=$1 scheme=$2 authority=$3 certificate=$4 key=$5
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
case $scheme$authority$certificate$key in
https)
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
# $1: an endpoint; the rest is etcdctl's own.
with_options() {
    endpoint=$1
    shift
    etcdctl --endpoints="$endpoint" --dial-timeout="${seconds}s" --command-timeout="${seconds}s" \
        ${authority:+"--cacert=$authority"} ${certificate:+"--cert=$certificate"} ${key:+"--key=$key"} "$@"
}
over_http() {
    curl -sS --noproxy '*' --max-time "$seconds" \
        ${authority:+--cacert "$authority"} ${certificate:+--cert "$certificate"} ${key:+--key "$key"} "$@"
}
# What is told by a program named `with_PROGRAM`: its standard error, status and output, fields begun with US.
told() {
    {
        out=$("with_$program" "$@" 2>&3)
        printf '\037%s\037%s' "$?" "$out"
    } 3>&1
}
