//! A unit as systemd sees it.

use std::collections::BTreeMap;

use haengine_kernel::value::Value;

use crate::node::said::value;

/// A unit.
pub(super) struct Unit {
    /// Whether systemd has it.
    pub loaded: bool,
    /// `active`, `failed`, …
    pub state: String,
    enabled: bool,
    /// The number of its main process; 0 where it has none.
    pub process: i64,
    /// The files that say what it is: its own, drop-ins, and files of variables, which may be missing.
    files: Vec<String>,
}

/// All units, by their names without `.service`. systemd puts an empty line between two.
pub(super) fn all(lines: &[&str]) -> BTreeMap<String, Unit> {
    lines.split(|line| line.is_empty()).filter_map(unit).collect()
}

fn unit(lines: &[&str]) -> Option<(String, Unit)> {
    let of = |name: &str| value(lines, name, '=').unwrap_or_default();
    let name = value(lines, "Id", '=')?;
    let files = [of("FragmentPath")].into_iter().chain(of("DropInPaths").split(' ')).filter(|path| !path.is_empty());
    let unit = Unit {
        loaded: of("LoadState") == "loaded",
        state: of("ActiveState").to_owned(),
        enabled: of("UnitFileState") == "enabled",
        process: of("MainPID").parse().unwrap_or(0),
        files: files.map(str::to_owned).chain(lines.iter().filter_map(|line| variables(line))).collect(),
    };
    Some((name.strip_suffix(".service").unwrap_or(name).to_owned(), unit))
}

/// `EnvironmentFiles=/etc/sysconfig/kubelet (ignore_errors=yes)`; systemd before 230 calls it `EnvironmentFile`.
fn variables(line: &str) -> Option<String> {
    let rest = line.strip_prefix("EnvironmentFiles=").or_else(|| line.strip_prefix("EnvironmentFile="))?;
    let path = rest.rsplit_once(" (ignore_errors=").map_or(rest, |(path, _)| path);
    path.starts_with('/').then(|| path.to_owned())
}

impl Unit {
    /// As recipes see it.
    pub fn value(&self) -> Value {
        Value::map([
            ("loaded", Value::Boolean(self.loaded)),
            ("active", Value::Boolean(self.state == "active")),
            ("state", Value::from(self.state.as_str())),
            ("enabled", Value::Boolean(self.enabled)),
            ("process", Value::Integer(self.process)),
            ("files", Value::List(self.files.iter().map(|path| Value::from(path.as_str())).collect())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_systemd_are_read() {
        let said = "EnvironmentFile=/etc/sysconfig/kubelet (ignore_errors=yes)\nMainPID=7\nId=kubelet.service\nLoadState=loaded\n\
                    ActiveState=active\nFragmentPath=/lib/systemd/system/kubelet.service\n\
                    DropInPaths=/etc/systemd/system/kubelet.service.d/10-a.conf /run/b.conf\nUnitFileState=enabled\n\n\
                    MainPID=0\nEnvironmentFiles=/opt/a b.conf (ignore_errors=no)\nId=etcd.service\nLoadState=not-found\nActiveState=inactive";
        let units = all(&said.lines().collect::<Vec<_>>());
        let kubelet = &units["kubelet"];
        assert!(kubelet.loaded && kubelet.enabled && kubelet.process == 7 && kubelet.state == "active");
        assert_eq!(
            kubelet.files,
            [
                "/lib/systemd/system/kubelet.service",
                "/etc/systemd/system/kubelet.service.d/10-a.conf",
                "/run/b.conf",
                "/etc/sysconfig/kubelet"
            ]
        );
        assert!(!units["etcd"].loaded);
        assert_eq!(units["etcd"].files, ["/opt/a b.conf"]);
    }
}
