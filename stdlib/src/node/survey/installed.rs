//! Programs of a container runtime and its helpers that are on a host, and the packages that they are of.

use haengine_kernel::value::Value;

/// `NAME PATH REAL PACKAGE`, the package missing where nobody owns the file. The first of a name is the one that runs.
pub(super) fn all(lines: &[&str]) -> impl Iterator<Item = (String, Value)> {
    lines.iter().rev().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, path, real) = (words.next()?, words.next()?, words.next()?);
        let package = words.next().filter(|package| !package.is_empty());
        let value = Value::map([
            ("path", Value::from(path)),
            ("real", Value::from(real)),
            ("owner", package.map_or(Value::Null, Value::from)),
        ]);
        Some((name.to_owned(), value))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_first_of_a_name_counts() {
        let lines = ["runc /usr/sbin/runc /usr/sbin/runc runc", "ctr /a /b ", "ctr /opt/cni/bin/ctr /c "];
        let found: BTreeMap<String, Value> = all(&lines).collect();
        let told = |name: &str| found[name].redacted().to_string();
        assert_eq!(told("runc"), r#"{"owner":"runc","path":"/usr/sbin/runc","real":"/usr/sbin/runc"}"#);
        assert_eq!(told("ctr"), r#"{"owner":null,"path":"/a","real":"/b"}"#);
    }
}
