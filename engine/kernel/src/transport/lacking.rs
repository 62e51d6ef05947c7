//! What a host's programs do not have: old ones, and busybox's.

use std::sync::LazyLock;

use regex::Regex;

/// A program by its name, and an option or an action of which it says that it has none.
#[allow(clippy::unwrap_used, reason = "the pattern is a constant, and a test uses it")]
static REFUSED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^(?:\S*/)?(?P<program>[\w.+-]+): (?:(?:unrecognized option|unknown predicate|unrecognized:) ?[`'\x{2018}]?(?P<long>-[\w-]+)|invalid option -- '?(?P<short>\w))",
    )
    .unwrap()
});

/// A program of which the shell says that there is none.
#[allow(clippy::unwrap_used, reason = "the pattern is a constant, and a test uses it")]
static MISSING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^\S+: (?:line )?\d+: (?P<program>[\w.+-]+): (?:command )?not found$|^(?P<tool>[\w.+-]+) is missing$",
    )
    .unwrap()
});

/// What to install, by what it brings.
const PACKAGES: [(&str, &[&str]); 4] = [
    ("util-linux", &["findmnt", "flock", "setsid", "umount"]),
    ("findutils", &["find", "xargs"]),
    ("a newer systemd", &["systemctl", "systemd-run", "journalctl"]),
    ("GNU tar", &["tar"]),
];

/// The next step where a command failed since the host lacks something, from what it said. None where that is not why.
///
/// ```
/// use haengine_kernel::transport::lacking;
/// let said = "cp: unrecognized option '--attributes-only'\nBusyBox v1.35.0 multi-call binary.\n";
/// assert_eq!(
///     lacking(said).as_deref(),
///     Some("install GNU coreutils on the host, before busybox in its PATH: its `cp` has no `--attributes-only`"),
/// );
/// ```
pub fn lacking(said: &str) -> Option<String> {
    if let Some(found) = REFUSED.captures(said) {
        let (program, busybox) = (&found["program"], said.contains("BusyBox v"));
        let long = found.name("long").map(|word| word.as_str().to_owned());
        let option = long.or_else(|| Some(format!("-{}", found.name("short")?.as_str())))?;
        let place = if busybox { ", before busybox in its PATH" } else { "" };
        return Some(format!(
            "install {} on the host{place}: its `{program}` has no `{option}`",
            package(program, busybox)
        ));
    }
    let found = MISSING.captures(said)?;
    let program = found.name("program").or(found.name("tool"))?.as_str();
    Some(format!("install {} on the host: it has no `{program}`", package(program, true)))
}

fn package(program: &str, any: bool) -> String {
    let known = PACKAGES.iter().find(|(_, programs)| programs.contains(&program));
    known.map_or(if any { "GNU coreutils" } else { "newer GNU coreutils" }, |(package, _)| package).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_lacks_is_named() {
        for (said, lacks) in [
            (
                "find: unrecognized: -printf\nBusyBox v1.35.0\n",
                "findutils on the host, before busybox in its PATH: its `find` has no `-printf`",
            ),
            ("/usr/bin/sync: invalid option -- 'f'\nTry", "newer GNU coreutils on the host: its `sync` has no `-f`"),
            (
                "systemctl: unrecognized option '--value'\n",
                "a newer systemd on the host: its `systemctl` has no `--value`",
            ),
            ("x\nsh: 12: findmnt: not found\n", "util-linux on the host: it has no `findmnt`"),
            ("bash: line 3: sha256sum: command not found\n", "GNU coreutils on the host: it has no `sha256sum`"),
            ("xargs is missing\n", "findutils on the host: it has no `xargs`"),
        ] {
            assert_eq!(lacking(said), Some(format!("install {lacks}")));
        }
        for said in ["cp: cannot stat 'x': No such file or directory", "sh: 1: cannot open x: No such file", ""] {
            assert_eq!(lacking(said), None);
        }
    }
}
