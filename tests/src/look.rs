//! What hosts and cluster are, told by their own programs and by nothing of haengine.

use crate::site::Site;

/// Reads from the API, from beside the first master; fails where the certificate does not know the address.
const ASK: &str = "curl -s --max-time 5 --cacert /opt/kubernetes/ssl/ca.pem --cert /opt/kubernetes/ssl/kube-proxy.pem \
    --key /opt/kubernetes/ssl/kube-proxy-key.pem";

/// What kubectl says on the first master.
pub fn kubectl(site: &Site, words: &str) -> String {
    let said = site.on("master1", &format!("kubectl --cache-dir /tmp/kubectl {words} 2>&1"));
    // Newer ones warn of what is deprecated, such as Endpoints.
    said.lines().filter(|line| !line.starts_with("Warning: ")).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// What somebody wants to know of a cluster in which a test failed.
pub fn scene(site: &Site) -> String {
    let units = "for unit in etcd kube-apiserver kube-controller-manager kubelet; do \
        systemctl show -p Id -p ActiveState -p NRestarts --value $unit | paste -s -d ' '; done; \
        tail -n 15 /opt/kubernetes/logs/kubelet.INFO 2>/dev/null | cut -c1-250";
    format!("{}\n{}", kubectl(site, "get nodes,csr -o wide"), site.each_says(&format!("{{ {units}; }}")))
}

/// The nodes that are ready, by name.
pub fn ready_nodes(site: &Site) -> Vec<String> {
    let lines = kubectl(site, "get nodes --no-headers");
    let ready = lines.lines().filter(|line| line.split_whitespace().nth(1) == Some("Ready"));
    ready.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The API servers that the cluster knows.
pub fn endpoints(site: &Site) -> Vec<String> {
    let said = kubectl(site, "get endpoints kubernetes -o 'jsonpath={.subsets[*].addresses[*].ip}'");
    let mut endpoints: Vec<String> = said.split_whitespace().map(str::to_owned).collect();
    endpoints.sort();
    endpoints
}

/// What an API server says to a client that checks its certificate.
pub fn readyz(site: &Site, address: &str) -> String {
    site.on("worker1", &format!("{ASK} https://{address}:6443/readyz"))
}

/// The objects that a run of ours could make or remove, and what makes a host new: all names, no times.
pub fn objects(site: &Site) -> String {
    kubectl(
        site,
        "get nodes,csr,endpoints,clusterroles,clusterrolebindings,leases,configmaps,secrets -A -o name | sort",
    )
}

/// The main process of a unit; a restart gives it another.
pub fn main_pid(site: &Site, host: &str, unit: &str) -> String {
    site.on(host, &format!("systemctl show -p MainPID --value {unit}")).trim().to_owned()
}

/// Whatever was touched has another change time, whichever way it was touched: everything but what [`RUNS`] lists and
/// what no change of ours is in. Not one byte is read, so it costs nothing.
pub fn touched(site: &Site) -> String {
    // The first kubectl of a host makes its cache, which touches the folders around it.
    let objects = objects(site);
    let looked = site.each_says(
        r"find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp \
            -o -path /var/log -o -path /var/lib/systemd -o -path /root/.ssh \) -prune -o -printf '%p %y %m %U %G %s %C@\n' | sort",
    );
    let run = site.each_says("{ ls -d /run/haengine* | grep -v haengine.lock; systemctl list-unit-files --no-legend --no-pager; } 2>/dev/null");
    [without(&looked, |_, path| is_of_what_runs(path)), run, objects].concat()
}

/// What the cluster's own running units write all the time: etcd its log, each unit of Kubernetes its logs, a kubelet
/// what it keeps of pods, containerd its database, and the kubectl with which the test asks its cache.
const RUNS: [&str; 5] =
    ["/var/lib/etcd", "/opt/kubernetes/logs", "/var/lib/kubelet", "/var/lib/containerd", "/root/.kube/cache"];

fn is_of_what_runs(path: &str) -> bool {
    RUNS.iter().any(|folder| path == *folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
}

/// A manifest of the hosts without what [`RUNS`] lists, but for one host, of which everything counts; and without what
/// undo moved aside, which stays until the run is forgotten.
pub fn steady(manifest: &str, but: &str) -> String {
    without(manifest, |host, path| is_aside(path) || (host != but && is_of_what_runs(path)))
}

/// A manifest of the hosts without what undo moved aside.
pub fn steady_aside(manifest: &str) -> String {
    without(manifest, |_, path| is_aside(path))
}

/// What undo moved aside, and the folders that it lies in.
pub fn is_aside(path: &str) -> bool {
    let parts = path.strip_prefix("/var/lib/haengine").map(|path| path.split('/').collect::<Vec<_>>());
    parts.is_some_and(|parts| matches!(parts[..], [""] | ["", _] | ["", _, "aside", ..]))
}

/// Lines begin with the host; the path is the first word with a slash.
fn without(manifest: &str, is_left_out: impl Fn(&str, &str) -> bool) -> String {
    let kept = manifest.lines().filter(|line| {
        let mut words = line.split(' ');
        let host = words.next().unwrap_or_default();
        words.find(|word| word.starts_with('/')).is_none_or(|path| !is_left_out(host, path))
    });
    kept.map(|line| format!("{line}\n")).collect()
}

/// The lines on the second master that name the first one, logs aside.
pub fn mentions(site: &Site) -> Vec<String> {
    let said = site.on(
        "master2",
        r"grep -rIHE --exclude-dir=logs '192\.168\.2\.119|k8s-master1' /etc /opt /root /usr/lib/systemd /usr/local/etc /var/lib 2>/dev/null",
    );
    said.lines().map(str::to_owned).collect()
}

/// How `add_master` left its target: every path with its mode and owner, and every text, without what the kubelet got
/// for itself and what running units write. A certificate that is extended twice has two serial numbers,
/// and the cache is of the kubectl with which a test asked. Which part of the pods' network a node gets differs, where an earlier
/// run had brought it in.
pub fn end(site: &Site) -> String {
    site.on(
        "master2",
        r"{ find /opt/kubernetes /opt/etcd /etc/cni /etc/containerd /root/.kube /etc/systemd/system -path '*/logs/*' -prune -o -path /root/.kube/cache -prune -o -path '*/ssl/kubelet-client-*' -prune -o \
                -printf '%p %y %m %U %G %l\n' | sed 's|kubelet-client-.*||'
            sed 's|10[.]244[.][0-9]*[.]|10.244.PART.|g' /etc/cni/net.d/* | sha256sum
            find /opt/kubernetes /opt/etcd /etc/containerd /root/.kube -type f ! -path '*/logs/*' ! -path '/root/.kube/cache/*' ! -path '*/ssl/kubelet*' ! -path '*/ssl/server.pem' ! -name kubelet.kubeconfig -print0 |
                xargs -0 sha256sum
            for unit in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy containerd; do
                echo $unit $(systemctl is-active $unit) $(systemctl is-enabled $unit); sha256sum $(systemctl show -p FragmentPath --value $unit)
            done; } 2>&1 | sort",
    )
}

/// A host serves as one of these masters, as the cluster, its own units and a client see it.
pub fn is_master(site: &Site, host: &str, node: &str, address: &str, of: &[&str]) {
    let nodes = ready_nodes(site);
    assert!(nodes.iter().any(|name| name == node), "{nodes:?}\n{}", kubectl(site, "get nodes"));
    assert_eq!(endpoints(site), of);
    for address in of {
        assert_eq!(readyz(site, address), "ok", "{address}");
    }
    for unit in ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "containerd"] {
        let state = site.on(host, &format!("systemctl is-active {unit}; systemctl is-enabled {unit}"));
        assert_eq!(state, "active\nenabled\n", "{unit}");
    }
    let own = site
        .on(host, "kubectl config view -o 'jsonpath={.clusters[*].cluster.server}'; kubectl --cache-dir /tmp/kubectl get nodes -o name | wc -l");
    assert_eq!(own, format!("https://{address}:6443{}\n", nodes.len()), "its own kubectl asks its own API server");
}

/// The same of the second master, beside the first alone.
pub fn is_second_master(site: &Site) {
    is_master(site, "master2", "k8s-master2", "192.168.2.117", &["192.168.2.117", "192.168.2.119"]);
}
