//! `add_master` on a cluster whose certificate does not know the new master: planned, run, run again, undone.

use haengine_tests::site::{Site, differences};

use crate::look::{endpoints, is_second_master, kubectl, main_pid, mentions, objects, ready_nodes, steady, touched};
use crate::reader::Reader;
use crate::stage::{Needs, Stage};

const TARGET: &str = "target=master2";

pub fn scenario(stage: &mut Stage) {
    let (before, mentioned) = (steady(&stage.site.manifest(), "master2"), mentions(&stage.site));
    let bare = touched(&stage.site);
    let plan = stage.add_master("plan", &[TARGET]).ended_with(0);
    assert_eq!(differences(&bare, &touched(&stage.site)), "", "the plan touched something");

    let reader = Reader::start(&stage.site);
    let run = stage.add_master("run", &[TARGET]).ended_with(0);
    reader.stop();
    assert_eq!(differences(&plan.changes().join("\n"), &run.changes().join("\n")), "", "not what was planned");
    is_second_master(&stage.site);
    names_only_itself(stage, &mentioned);

    let kubelet = main_pid(&stage.site, "master2", "kubelet");
    let again = stage.add_master("run", &[TARGET]).ended_with(0);
    assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
    assert_eq!(main_pid(&stage.site, "master2", "kubelet"), kubelet, "the kubelet was restarted");

    let pod = Pod::start(&stage.site);
    let reader = Reader::start(&stage.site);
    let undo = stage.undo(&run).ended_with(0);
    reader.stop();
    pod.gone(&stage.site);
    let told = undo.finished();
    assert_eq!(told["failed"], 0);
    let (took, waited) = (told["seconds"].as_f64().unwrap(), told["waited"].as_f64().unwrap());
    assert!(0.0 < waited && waited < took, "the units' own time is shown apart: {told}");
    is_out(stage);
    let after = steady(&stage.site.manifest(), "master2");
    assert_eq!(differences(&before, &after), "", "undo left something");

    let undone = (touched(&stage.site), stage.undo(&run).ended_with(0));
    assert_eq!(undone.1.finished()["changed"], 0, "{:#?}", undone.1.changes());
    assert_eq!(differences(&undone.0, &touched(&stage.site)), "", "the second undo touched something");
    stage.stands(Needs::Founded);
}

/// A pod on the new node: a kubelet leaves it running, with a volume in memory, its token, and one from elsewhere.
struct Pod;

const POD: &str = r#"
kubectl --cache-dir /tmp/kubectl apply -f - >/dev/null <<'END'
apiVersion: v1
kind: Pod
metadata: { name: demo }
spec:
  nodeName: k8s-master2
  containers:
  - { name: demo, image: "busybox:lab", imagePullPolicy: Never, command: [sleep, "98765"], volumeMounts: [{ name: memory, mountPath: /memory }] }
  volumes: [{ name: memory, emptyDir: { medium: Memory } }]
END
kubectl --cache-dir /tmp/kubectl wait --for=condition=Ready --timeout=60s pod/demo"#;

/// The lab's kernel need not know NFS: what counts is that the data is not the node's.
const SHARE: &str = "mkdir /root/elsewhere; echo data >/root/elsewhere/data; for pod in /var/lib/kubelet/pods/*; do \
    share=$pod/volumes/kubernetes.io~nfs/share; mkdir -p $share; mount --bind /root/elsewhere $share; done; cat $share/data";

impl Pod {
    fn start(site: &Site) -> Pod {
        site.on("master2", "ctr -n k8s.io images import --snapshotter native /usr/local/lib/kubernetes/images.tar");
        let said = site.on("master1", POD);
        assert!(said.contains("condition met"), "{said}{}", kubectl(site, "describe pod demo"));
        assert_eq!(site.on("master2", SHARE), "data\n");
        assert_ne!(site.on("master2", "pgrep -f '[s]leep 98765'"), "");
        Pod
    }

    /// It has ended, nothing of it is mounted, and what was mounted from elsewhere is as it was.
    fn gone(self, site: &Site) {
        assert_eq!(
            site.on(
                "master2",
                "pgrep -fl '[s]leep 98765'; grep -E ' /var/lib/kubelet|/netns/cni|/run/containerd' /proc/self/mountinfo"
            ),
            ""
        );
        assert_eq!(
            site.on("master2", "cat /root/elsewhere/data; rm -r /root/elsewhere; ls -d /var/lib/kubelet 2>&1"),
            "data\nls: cannot access '/var/lib/kubelet': No such file or directory\n"
        );
        site.on("master1", "kubectl --cache-dir /tmp/kubectl delete pod demo --force --grace-period=0 2>/dev/null");
    }
}

/// What came and names the first master is the list of etcd's members, of which it is one.
fn names_only_itself(stage: &Stage, before: &[String]) {
    let new = mentions(&stage.site).into_iter().filter(|line| !before.contains(line));
    let (right, stale): (Vec<String>, Vec<String>) = new.partition(|line| line.contains("--etcd-servers="));
    assert!(stale.is_empty(), "{stale:#?}");
    assert!(!right.is_empty(), "it asks no etcd: the search sees too little");
}

fn is_out(stage: &Stage) {
    let site = &stage.site;
    assert_eq!(endpoints(site), ["192.168.2.119"]);
    let nodes = ready_nodes(site);
    assert_eq!(nodes.len(), 3, "{}", kubectl(site, "get nodes"));
    assert!(!objects(site).contains("node/k8s-master2"), "{}", objects(site));
    let left = site.on("master2", "systemctl list-units --all --plain --no-legend 'kube*' containerd.service; ps -eo args= | grep -E '[k]ube|[c]ontainerd'");
    assert!(!left.contains(" active "), "{left}");
    assert!(!left.contains("/opt/kubernetes"), "{left}");
}
