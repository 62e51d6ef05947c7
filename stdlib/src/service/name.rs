//! How units are called.

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};

const SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".timer",
    ".path",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".slice",
    ".scope",
    ".device",
];

/// The units of a call, each with its suffix.
///
/// # Errors
/// `service.name` when a name cannot be one of a unit, or there is none.
pub(super) fn units(arguments: &Arguments) -> Result<Vec<String>> {
    let names = arguments.strings("units");
    if names.is_empty() {
        return Err(Error::new(Kind::Usage, "service.name", format!("`{}` names no unit", arguments.function()))
            .hint("name at least one unit"));
    }
    names.iter().map(|name| full_name(name)).collect()
}

/// The name with its suffix.
pub(super) fn full_name(name: &str) -> Result<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    if name.is_empty() || name.len() > 240 || name.starts_with('-') || !name.chars().all(legal) {
        return Err(Error::new(Kind::Usage, "service.name", format!("`{name}` is not the name of a unit"))
            .hint("write the name as `systemctl list-unit-files` shows it"));
    }
    let has_suffix = SUFFIXES.iter().any(|suffix| name.len() > suffix.len() && name.ends_with(suffix));
    Ok(if has_suffix { name.to_owned() } else { format!("{name}.service") })
}

/// The unit file behind a unit: `etcd@.service` for `etcd@blue.service`.
pub(super) fn template(unit: &str) -> String {
    match (unit.find('@'), unit.rfind('.')) {
        (Some(at), Some(dot)) if at < dot => format!("{}{}", &unit[..=at], &unit[dot..]),
        _ => unit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_suffix_is_a_service() {
        let full = |name| full_name(name).unwrap();
        assert_eq!(full("nginx"), "nginx.service");
        assert_eq!(full("systemd-timesyncd.service"), "systemd-timesyncd.service");
        assert_eq!(full("fstrim.timer"), "fstrim.timer");
        assert_eq!(full("etcd@blue"), "etcd@blue.service");
        assert_eq!(full("org.example.thing"), "org.example.thing.service");
        assert_eq!(full(r"dev-disk\x2dby.swap"), r"dev-disk\x2dby.swap");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "-f", "a b", "a/b", "ä", "a\n"] {
            assert_eq!(full_name(name).unwrap_err().code(), "service.name", "{name:?}");
        }
    }

    #[test]
    fn an_instance_has_a_template() {
        assert_eq!(template("etcd@blue.service"), "etcd@.service");
        assert_eq!(template("etcd.service"), "etcd.service");
    }
}
