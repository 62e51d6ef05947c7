# How members of etcd are asked and told: the program, the certificates, and nothing of the environment; certificates.sh comes
# before.
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

certificates "$scheme://"

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
