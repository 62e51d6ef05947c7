//! Which flags need no value, which ones cannot be without one, and which ones add up when they are given twice.

/// Booleans of Kubernetes' programs from 1.5 to 1.36, of etcd and of flannel.
const BOOLEANS: &str = "
    add-dir-header aggregator-reject-forwarding-redirect allocate-node-cidrs allow-privileged alsologtostderr
    anonymous-auth audit-log-batch-throttle-enable audit-log-compress audit-log-truncate-enabled
    audit-webhook-batch-throttle-enable audit-webhook-truncate-enabled authentication-skip-lookup
    authentication-token-webhook authentication-tolerate-lookup-failure auto-tls babysit-daemons
    bind-address-hard-fail cgroups-per-qos cleanup cleanup-iptables cleanup-ipvs client-cert-auth configure-cbr0
    configure-cloud-routes contention-profiling cpu-cfs-quota debug disable-attach-detach-reconcile-sync
    disable-http2-serving docker-only docker-tls emulation-forward-compatible enable-aggregator-routing
    enable-bootstrap-token-auth enable-cadvisor-json-endpoints enable-controller-attach-detach enable-custom-metrics
    enable-debugging-handlers enable-dynamic-provisioning enable-garbage-collector enable-grpc-gateway
    enable-hostpath-provisioner enable-leader-migration enable-load-reader enable-log-rotation enable-logs-handler
    enable-pprof enable-priority-and-fairness enable-server enable-swagger-ui enable-taint-manager enable-v2
    encryption-provider-config-automatic-reload etcd-quorum-read exit-on-lock-contention
    experimental-allocatable-ignore-eviction experimental-bootstrap-token-auth
    experimental-check-node-capabilities-before-mount experimental-compact-hash-check-enabled
    experimental-enable-distributed-tracing experimental-enable-lease-checkpoint
    experimental-enable-lease-checkpoint-persist experimental-fail-swap-on experimental-initial-corrupt-check
    experimental-kernel-memcg-notification experimental-logging-sanitization experimental-memory-mlock
    experimental-peer-skip-client-san-verification fail-cgroupv1 fail-swap-on force-new-cluster help
    horizontal-pod-autoscaler-use-rest-clients init-only initial-election-tick-advance insecure-allow-any-token
    ip-masq ipvs-strict-arp keep-terminated-pod-volumes kernel-memcg-notification kube-subnet-mgr kubelet-https
    leader-elect local-storage-capacity-isolation log-cadvisor-usage log-json-split-stream log-text-split-stream
    logtostderr make-iptables-util-chains masquerade-all one-output peer-auto-tls peer-client-cert-auth
    permit-address-sharing permit-port-sharing pre-vote profiling protect-kernel-defaults really-crash-for-testing
    reconcile-cidr redirect-container-streaming register-node register-schedulable repair-malformed-updates
    require-kubeconfig rotate-certificates rotate-server-certificates runonce
    runtime-config-emulation-forward-compatible seccomp-default send-retry-after-while-not-ready-once
    serialize-image-pulls service-account-extend-token-expiration service-account-lookup shutdown-send-retry-after
    skip-headers skip-log-headers socket-reuse-address socket-reuse-port storage-driver-secure strict-reconfig-check
    unsafe-no-fsync use-legacy-policy-config use-service-account-credentials version
    volume-host-allow-local-loopback watch-cache";

/// Flags that take the next word for their value whatever it is; whoever reads an address out of it must not be wrong.
const WITH_VALUE: &str = "
    address advertise-address advertise-client-urls api-audiences api-servers authentication-kubeconfig
    authorization-kubeconfig bind-address bootstrap-kubeconfig cert-dir client-ca-file cluster-cidr cluster-dns
    config config-file data-dir etcd-cafile etcd-certfile etcd-endpoints etcd-keyfile etcd-servers external-hostname
    healthz-bind-address hostname-override iface initial-advertise-peer-urls initial-cluster insecure-bind-address
    kube-api-url kubeconfig listen-client-urls listen-metrics-urls listen-peer-urls master metrics-bind-address name
    node-ip peer-advertise-ip pod-cidr public-ip root-dir secure-port service-account-issuer
    service-account-jwks-uri service-account-key-file service-cluster-ip-range tls-cert-file tls-private-key-file
    token-auth-file v";

/// Lists and maps of Kubernetes' programs: what is given later is added.
const ADDING_UP: &str = "
    admission-control allow-metric-labels allowed-unsafe-sysctls api-audiences authorization-always-allow-paths
    authorization-mode cluster-dns controllers cors-allowed-origins cpu-manager-policy-options
    disable-admission-plugins disabled-metrics enable-admission-plugins enforce-node-allocatable etcd-servers
    etcd-servers-overrides eviction-hard eviction-minimum-reclaim eviction-soft eviction-soft-grace-period
    feature-gates iface ipvs-exclude-cidrs kube-reserved kubelet-preferred-address-types manifest-url-header
    node-labels nodeport-addresses oidc-required-claim oidc-signing-algs qos-reserved
    register-with-taints requestheader-allowed-names requestheader-extra-headers-prefix requestheader-group-headers
    requestheader-uid-headers requestheader-username-headers runtime-config service-account-issuer
    service-account-key-file system-reserved tls-cipher-suites tls-curve-preferences tls-sni-cert-key
    topology-manager-policy-options watch-cache-sizes";

/// Whether a word behind this flag is never its value.
pub(super) fn takes_no_value(name: &str) -> bool {
    among(BOOLEANS, name)
}

/// Whether this flag cannot be without a value.
pub(super) fn needs_value(name: &str) -> bool {
    among(WITH_VALUE, name)
}

/// Whether a flag that is given twice means both.
pub(super) fn adds_up(name: &str) -> bool {
    among(ADDING_UP, name)
}

fn among(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|known| known == name)
}
