# What examples of `k8s` may ask for in `given`: a real API on the host, started once and kept while the lab is up. It
# lives in /run, and neither its processes nor its units are of the host's own: see `manifest`.
K8S=/run/laws.k8s
PATH=$PATH:/usr/local/lib/kubernetes/bin

# A key, and a certificate: $1 its name, $2 the subject, $3 an extension or nothing.
k8s_certificate() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$K8S/$1-key.pem"
    openssl req -new -key "$K8S/$1-key.pem" -subj "$2" -out "$K8S/$1.csr"
    printf '%s\n' "${3:-basicConstraints=CA:FALSE}" >"$K8S/$1.ext"
    openssl x509 -req -in "$K8S/$1.csr" -CA "$K8S/ca.pem" -CAkey "$K8S/ca-key.pem" -CAcreateserial -days 30 \
        -extfile "$K8S/$1.ext" -out "$K8S/$1.pem" 2>/dev/null
}

k8s_kubectl() { HOME=$K8S kubectl --kubeconfig "$K8S/admin.conf" "$@"; }

# $1: what to wait for, the rest: a command that succeeds when it is there.
k8s_until() {
    what=$1
    shift
    left=600
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        if [ "$left" = 0 ]; then
            echo "no $what; the end of the log:" >&2
            journalctl --no-pager -n 20 -u 'laws-k8s-*' >&2
            return 1
        fi
        sleep 0.2
    done
}

k8s_run() {
    unit=laws-k8s-$1
    shift
    systemd-run --quiet --collect --unit "$unit" --property Type=exec -- "$@"
}

k8s_start() {
    umask 077
    mkdir -p "$K8S"
    openssl ecparam -name prime256v1 -genkey -noout -out "$K8S/ca-key.pem"
    openssl req -x509 -new -key "$K8S/ca-key.pem" -subj /CN=laws -days 30 -out "$K8S/ca.pem"
    k8s_certificate server /CN=kube-apiserver subjectAltName=IP:127.0.0.1
    k8s_certificate admin /O=system:masters/CN=admin
    openssl ec -in "$K8S/server-key.pem" -pubout -out "$K8S/accounts.pub" 2>/dev/null
    echo 'laws-token,kubelet-bootstrap,1,"joiners"' >"$K8S/tokens.csv"
    cat >"$K8S/admin.conf" <<YAML
apiVersion: v1
kind: Config
current-context: laws
clusters: [{ name: laws, cluster: { server: "https://127.0.0.1:6443", certificate-authority-data: $(base64 -w0 "$K8S/ca.pem") } }]
users:
- name: admin
  user:
    client-certificate: $K8S/admin.pem
    client-key: $K8S/admin-key.pem
contexts: [{ name: laws, context: { cluster: laws, user: admin } }]
YAML
    k8s_run etcd etcd --data-dir="$K8S/etcd" --listen-client-urls=http://127.0.0.1:2379 \
        --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://127.0.0.1:2380
    k8s_run apiserver /usr/local/lib/kubernetes/bin/kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
        --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port=6443 --cert-dir="$K8S/certs" \
        --tls-cert-file="$K8S/server.pem" --tls-private-key-file="$K8S/server-key.pem" --client-ca-file="$K8S/ca.pem" \
        --service-account-key-file="$K8S/accounts.pub" --service-account-signing-key-file="$K8S/server-key.pem" \
        --service-account-issuer=https://laws --service-cluster-ip-range=10.0.0.0/24 --authorization-mode=Node,RBAC \
        --enable-bootstrap-token-auth --token-auth-file="$K8S/tokens.csv"
    k8s_until 'API' k8s_kubectl get --raw /readyz
    # Old ones listen on another port, too, unless they are told not to; newer ones do not know it.
    insecure=
    case $(/usr/local/lib/kubernetes/bin/kube-controller-manager --version) in *' v1.20.'*) insecure=--port=0 ;; esac
    k8s_run controllers /usr/local/lib/kubernetes/bin/kube-controller-manager --kubeconfig="$K8S/admin.conf" \
        --cluster-signing-cert-file="$K8S/ca.pem" --cluster-signing-key-file="$K8S/ca-key.pem" \
        --controllers=csrsigning --leader-elect=true --secure-port=0 $insecure
    k8s_kubectl create clusterrolebinding joiners --clusterrole=system:node-bootstrapper \
        --group=system:bootstrappers --group=joiners
    k8s_kubectl -n kube-system create secret generic bootstrap-token-abcdef --type=bootstrap.kubernetes.io/token \
        --from-literal=token-id=abcdef --from-literal=token-secret=0123456789abcdef \
        --from-literal=usage-bootstrap-authentication=true
    k8s_until 'leader' k8s_kubectl -n kube-system get lease kube-controller-manager
    : >"$K8S/up"
}

# A cluster without nodes, with root's kubeconfig of it.
k8s_cluster() {
    if ! [ -e "$K8S/up" ]; then k8s_start >"$K8S.log" 2>&1 || { cat "$K8S.log" >&2; return 1; }; fi
    # shellcheck disable=SC2174 # /root is there.
    mkdir -p -m 700 /root/.kube
    (umask 077; cat "$K8S/admin.conf" >/root/.kube/config)
    {
        k8s_kubectl delete nodes,csr --all
        k8s_kubectl delete --ignore-not-found cm,secret demo
        k8s_kubectl -n kube-system delete --ignore-not-found cm,secret demo
    } >/dev/null
}

# $1: an object, as JSON.
k8s_object() { printf '%s' "$1" | k8s_kubectl create -f - >/dev/null; }

# $1: the name of a node, which has no kubelet.
k8s_node() { k8s_object "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"$1\"}}"; }

# What the kubelet of a node asks for. $1: the node's name, $2: a user instead of the bootstrap token.
k8s_csr() {
    token=abcdef.0123456789abcdef
    if [ -n "${2-}" ]; then token=laws-token; fi
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$K8S/kubelet-key.pem" \
        -subj "/O=system:nodes/CN=system:node:$1" -out "$K8S/kubelet.csr" 2>/dev/null
    curl -sSf --cacert "$K8S/ca.pem" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        https://127.0.0.1:6443/apis/certificates.k8s.io/v1/certificatesigningrequests -o /dev/null -d @- <<JSON
{ "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": { "generateName": "csr-" },
  "spec": { "request": "$(base64 -w0 "$K8S/kubelet.csr")", "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
    "usages": ["digital signature", "key encipherment", "client auth"] } }
JSON
}

# A kubelet's certificate whose time is over, with its key. $1: the folder.
k8s_client_over() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$K8S/over-key.pem"
    openssl req -new -key "$K8S/over-key.pem" -subj /O=system:nodes/CN=system:node:master2 -out "$K8S/over.csr"
    openssl x509 -req -in "$K8S/over.csr" -CA "$K8S/ca.pem" -CAkey "$K8S/ca-key.pem" -CAcreateserial -days -1 \
        -out "$K8S/over.pem" 2>/dev/null
    (umask 077; cat "$K8S/over.pem" "$K8S/over-key.pem" >"$1/kubelet-client-2026-01-01.pem")
    ln -s kubelet-client-2026-01-01.pem "$1/kubelet-client-current.pem"
}
