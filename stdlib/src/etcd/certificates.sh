# Where the certificates are that members of etcd are asked with: `certificates ENDPOINT…` leaves $authority, $certificate and
# $key as they were given. Where none is given, and an endpoint needs them, it takes the first complete set of the usual places.
has_all() {
    [ -f "$1/$2" ] && [ -f "$1/$3" ] && [ -f "$1/$4" ] || return
    authority=$1/$2 certificate=$1/$3 key=$1/$4
}
certificates() {
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
}
