//! Every template, and every command line of the tests, against all flags of the oldest Kubernetes and of the newest:
//! `tests/node/flags/PROGRAM-VERSION.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use haengine_kernel::arguments::Arguments;
use haengine_kernel::signature::Signature;
use haengine_kernel::value::Value;
use regex::Regex;

use super::super::said::Said;
use super::changing::{CHANGING, NEWEST, OLDEST, understood};
use super::{PROGRAMS, releases};
use crate::file::render;

#[expect(clippy::disallowed_methods, reason = "asked when it runs: the build may come from another checkout")]
fn here(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(path)
}

/// All flags of a program.
fn flags(program: &str, minor: u32) -> BTreeSet<String> {
    let text = std::fs::read_to_string(here(&format!("tests/node/flags/{program}-1.{minor}.txt"))).unwrap();
    text.lines().map(|line| line.trim_start_matches('-').to_owned()).collect()
}

/// The flags that a text gives.
fn given(text: &str) -> BTreeSet<String> {
    let flag = Regex::new(r"--([a-z][a-z0-9-]*)").unwrap();
    flag.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

fn refuse_unknown(what: &str, program: &str, minor: u32, given: &BTreeSet<String>) {
    assert!(given.len() > 1, "{what}: its flags are not seen");
    let unknown: Vec<_> = given.difference(&flags(program, minor)).cloned().collect();
    assert!(unknown.is_empty(), "{what}: {program} 1.{minor} does not take {unknown:?}");
}

/// A template as the recipe fills it in on a host with this Kubernetes.
fn filled_in(template: &str, program: &str, minor: u32) -> String {
    filled_in_with(template, program, minor, [])
}

/// The same with further values.
fn filled_in_with<const N: usize>(template: &str, program: &str, minor: u32, more: [(&str, Value); N]) -> String {
    let knows = understood(program, minor, &[]).into_iter().map(Value::from).collect();
    let mut values = BTreeMap::from([
        ("knows".to_owned(), Value::List(knows)),
        ("minor".to_owned(), Value::Integer(minor.into())),
        ("container".to_owned(), Value::Boolean(true)),
        ("cgroup_v1".to_owned(), Value::Boolean(true)),
    ]);
    for name in ["root", "node", "address", "port", "etcd_servers", "service_network", "pod_network", "dns"] {
        values.insert(name.to_owned(), Value::from("x"));
    }
    values.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let call = Arguments::check("file::template", &Signature { positional: &[], options: &[] }, Vec::new(), None);
    let text = render(template, &here(&format!("templates/{template}")), &call.unwrap(), &values).unwrap();
    text.shown().unwrap().to_owned()
}

#[test]
fn every_template_gives_the_oldest_and_the_newest_what_they_take() {
    let templates = std::fs::read_dir(here("templates")).unwrap().map(|entry| entry.unwrap());
    let names = templates.map(|entry| entry.file_name().into_string().unwrap());
    let of_flags: BTreeSet<String> =
        names.filter(|name| name.starts_with("kube") && name.ends_with(".conf.j2")).collect();
    let expected: BTreeSet<String> = PROGRAMS.iter().map(|program| format!("{program}.conf.j2")).collect();
    assert_eq!(of_flags, expected, "a template of flags is of one of the programs");
    for program in PROGRAMS {
        for minor in [OLDEST, NEWEST] {
            let template = format!("{program}.conf.j2");
            refuse_unknown(&template, program, minor, &given(&filled_in(&template, program, minor)));
        }
    }
}

#[test]
fn what_changes_is_in_the_list_of_one_end_only() {
    for one in CHANGING {
        let ends = [OLDEST, NEWEST].map(|minor| flags(one.program, minor).contains(one.flag));
        assert_eq!(ends, [one.is_old, !one.is_old], "--{} of {}", one.flag, one.program);
    }
}

#[test]
fn what_moved_to_the_kubelets_configuration_is_given_there() {
    let endpoint = "unix:///run/containerd/containerd.sock";
    let of = |minor| ["kubelet.conf.j2", "kubelet-config.yml.j2"].map(|name| filled_in(name, "kubelet", minor));
    let [flags, file] = of(OLDEST);
    assert!(flags.contains(&format!("--container-runtime-endpoint={endpoint}")), "{flags}");
    assert!(!file.contains("containerRuntimeEndpoint") && !file.contains("failCgroupV1"), "{file}");
    let [flags, file] = of(NEWEST);
    assert!(!flags.contains("runtime"), "{flags}");
    assert!(file.contains(&format!("\ncontainerRuntimeEndpoint: {endpoint}\n")), "{file}");
    assert!(file.contains("\nfailCgroupV1: false\n"), "{file}");
}

/// From 2 on it reads the settings of version 2 of its configuration, and loses that of the snapshotter.
#[test]
fn each_containerd_gets_the_configuration_that_it_keeps() {
    let of = |containerd: i64, container: bool| {
        let more = [
            ("containerd", Value::Integer(containerd)),
            ("container", Value::Boolean(container)),
            ("pause_image", Value::from("pause:1")),
            ("cni_bin", Value::from("/opt/cni/bin")),
        ];
        filled_in_with("containerd.toml.j2", "kubelet", OLDEST, more)
    };
    let sections = |text: &str| {
        let mut section = String::new();
        let mut found = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix("[plugins.") {
                Some(name) => section = name.trim_end_matches(']').replace('"', ""),
                None => found.push(format!("{section} {line}").trim().to_owned()),
            }
        }
        found
    };
    let last = "io.containerd.internal.v1.opt path = \"/var/lib/containerd/opt\"";
    let cri = |line: &str| format!("io.containerd.grpc.v1.cri{line}");
    let old = [
        "version = 2".to_owned(),
        cri(" sandbox_image = \"pause:1\""),
        cri(" restrict_oom_score_adj = true"),
        cri(".containerd snapshotter = \"native\""),
        cri(".containerd.runtimes.runc runtime_type = \"io.containerd.runc.v2\""),
        cri(".containerd.runtimes.runc.options SystemdCgroup = false"),
        cri(".cni bin_dir = \"/opt/cni/bin\""),
        cri(".cni conf_dir = \"/etc/cni/net.d\""),
        last.to_owned(),
    ];
    assert_eq!(sections(&of(1, true)), old);
    let (images, runtime) = ("io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime");
    let new = [
        "version = 3".to_owned(),
        format!("{images} snapshotter = \"overlayfs\""),
        format!("{images}.pinned_images sandbox = \"pause:1\""),
        format!("{runtime} restrict_oom_score_adj = false"),
        format!("{runtime}.containerd.runtimes.runc runtime_type = \"io.containerd.runc.v2\""),
        format!("{runtime}.containerd.runtimes.runc.options SystemdCgroup = true"),
        format!("{runtime}.cni bin_dir = \"/opt/cni/bin\""),
        format!("{runtime}.cni conf_dir = \"/etc/cni/net.d\""),
        last.to_owned(),
    ];
    assert_eq!(sections(&of(2, false)), new);
}

#[test]
fn an_api_server_that_we_write_stops_soon_and_finds_its_kubelets() {
    let grace = "--shutdown-watch-termination-grace-period=5s";
    let of = |minor| filled_in("kube-apiserver.conf.j2", "kube-apiserver", minor);
    assert!(of(NEWEST).contains(grace) && !of(OLDEST).contains(grace));
    for minor in [OLDEST, NEWEST] {
        assert!(of(minor).contains("--kubelet-preferred-address-types=InternalIP,Hostname"));
    }
    assert!(filled_in("kubelet.conf.j2", "kubelet", OLDEST).contains("--node-ip=x"));
}

/// Command lines of the tests' own servers, by the file that has them and the words around them.
const OF_TESTS: [(&str, &str, &str, &str); 4] = [
    ("../tests/tests/laws/k8s.sh", "kube-apiserver", "bin/kube-apiserver ", "\n    k8s_until"),
    (
        "../tests/tests/laws/k8s.sh",
        "kube-controller-manager",
        "bin/kube-controller-manager --kubeconfig",
        "\n    k8s_kubectl",
    ),
    ("tests/k8s_api/api.rs", "kube-apiserver", "fn apiserver", "\n    }"),
    ("tests/k8s_api/api.rs", "kube-controller-manager", "fn controllers", "\n    }"),
];

#[test]
fn the_servers_of_the_tests_get_what_they_take() {
    for (path, program, begin, end) in OF_TESTS {
        let text = std::fs::read_to_string(here(path)).unwrap();
        let line = text.split_once(begin).unwrap().1.split_once(end).unwrap().0;
        for minor in [OLDEST, NEWEST] {
            refuse_unknown(path, program, minor, &given(line));
        }
    }
}

fn told(text: &str) -> String {
    releases(&Said::new(text)).redacted().to_string()
}

#[test]
fn each_program_that_says_its_version_is_told() {
    let text =
        "@kubelet\nversion 1.36.2-rc.1+vendor\n@kube-proxy\nversion 1.25.0\nflag v\nflag log-dir\n@kube-scheduler\n";
    let kubelet = r#""kubelet":{"flags":[],"is_served":true,"minor":36,"version":"1.36.2-rc.1+vendor"}"#;
    let proxy = r#""kube-proxy":{"flags":["log-dir"],"is_served":true,"minor":25,"version":"1.25.0"}"#;
    assert_eq!(told(text), format!("{{{proxy},{kubelet}}}"));
    assert_eq!(told("@kubelet\nversion nonsense\n"), "{}");
}

#[test]
fn what_is_older_or_newer_is_not_served() {
    for version in ["1.19.16", "1.37.0", "2.20.0"] {
        assert!(told(&format!("@kubelet\nversion {version}\n")).contains(r#""is_served":false"#), "{version}");
    }
}
