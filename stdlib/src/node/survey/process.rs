//! A program of the cluster that runs: with which words, and who started it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use haengine_kernel::value::Value;

use crate::node::program::flags_of_process;
use crate::node::said::value;

/// A running program.
pub(super) struct Process {
    /// Its number.
    pub number: i64,
    /// The name by which the cluster knows it: `kube-apiserver`.
    pub name: String,
    /// Where the program lies, as it was called.
    pub path: String,
    /// What it was called with.
    pub words: Vec<String>,
    /// The unit that it belongs to.
    pub unit: Option<String>,
    /// Whether a container runtime started it.
    pub container: bool,
    /// The variables that etcd takes its settings from.
    variables: BTreeMap<String, String>,
}

impl Process {
    /// A part of what the host says; none for one that had ended by then.
    pub fn new(number: i64, lines: &[&str]) -> Option<Process> {
        let bytes = BASE64_STANDARD.decode(value(lines, "words", ' ')?).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut words = text.strip_suffix('\0').unwrap_or(&text).split('\0').map(str::to_owned);
        let path = words.next().filter(|path| !path.is_empty())?;
        let groups: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("group ")).collect();
        let container = groups.iter().any(|group| is_container(group));
        Some(Process {
            number,
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            words: words.collect(),
            unit: groups.iter().filter(|_| !container).find_map(|group| unit_of(group)),
            container,
            variables: variables(lines),
            path,
        })
    }

    /// As recipes see it.
    pub fn value(&self) -> Value {
        Value::map([
            ("process", Value::Integer(self.number)),
            ("path", Value::from(self.path.as_str())),
            ("words", Value::List(self.words.iter().map(|word| Value::from(word.as_str())).collect())),
            ("flags", named(flags_of_process(&self.name, &self.words))),
            ("variables", named(self.variables.clone())),
            ("unit", self.unit.as_deref().map_or(Value::Null, Value::from)),
            ("container", Value::Boolean(self.container)),
        ])
    }
}

fn named(texts: BTreeMap<String, String>) -> Value {
    Value::Map(texts.into_iter().map(|(name, text)| (name, Value::from(text))).collect())
}

fn variables(lines: &[&str]) -> BTreeMap<String, String> {
    let pairs = lines.iter().filter_map(|line| line.strip_prefix("variable ")?.split_once('='));
    pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// `1:name=systemd:/system.slice/kubelet.service`, or with control groups of version 2 `0::/system.slice/kubelet.service`.
fn unit_of(group: &str) -> Option<String> {
    let mut parts = group.splitn(3, ':');
    let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let is_systemds = controllers.is_empty() || controllers == "name=systemd";
    let unit = path.rsplit('/').find(|part| part.ends_with(".service"))?;
    is_systemds.then(|| unit.to_owned())
}

fn is_container(group: &str) -> bool {
    ["/kubepods", "/docker/", "/docker-", "cri-containerd", "/crio-", "/libpod"].iter().any(|sign| group.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(words: &str, more: &[&str]) -> Process {
        let words = format!("words {}", BASE64_STANDARD.encode(words));
        let lines: Vec<&str> = [words.as_str()].into_iter().chain(more.iter().copied()).collect();
        Process::new(7, &lines).unwrap()
    }

    #[test]
    fn flags_are_those_that_the_program_sees() {
        let flags = |words: &str| process(words, &[]).value().redacted()["flags"].to_string();
        assert_eq!(
            flags("/opt/kubernetes/bin/kubelet\0--v=2\0--node_ip\x0010.0.0.1\0--v=4\0stray\0--fail\0--\0--x=1\0"),
            r#"{"fail":"true","node-ip":"10.0.0.1","v":"4"}"#
        );
        assert_eq!(flags("etcd\0-name=a\0--data-dir\0/d\0"), r#"{"data-dir":"/d","name":"a"}"#);
        assert_eq!(flags("containerd\0-c\0/etc/c.toml\0"), r#"{"c":"/etc/c.toml"}"#);
    }

    #[test]
    fn who_started_it_is_told() {
        let unit =
            process("kubelet\0", &["group 5:cpu:/other.service", "group 1:name=systemd:/system.slice/kubelet.service"]);
        assert_eq!((unit.unit.as_deref(), unit.container), (Some("kubelet.service"), false));
        let pod = process("kube-apiserver\0", &["group 0::/kubepods.slice/pod1/cri-containerd-1.scope"]);
        assert_eq!((pod.unit, pod.container), (None, true));
        let old = process("etcd\0", &["group 1:name=systemd:/kubepods/burstable/pod1/1", "variable ETCD_NAME=a=b"]);
        assert_eq!((old.unit, old.container, old.variables["ETCD_NAME"].as_str()), (None, true, "a=b"));
    }

    #[test]
    fn words_may_be_anything_and_a_process_may_have_ended() {
        assert_eq!(process("etcd\0--name\0a b\nc\0\0", &[]).words, ["--name", "a b\nc", ""]);
        assert!(Process::new(7, &["words "]).is_none());
        assert!(Process::new(7, &["program "]).is_none());
    }
}
