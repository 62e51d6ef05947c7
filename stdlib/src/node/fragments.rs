//! Which files make up a unit, and in which order (systemd.unit(5), "Unit File Load Path").

/// The folders of units, the strongest first.
const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// The unit's own file and then its drop-ins in the order in which systemd reads them, from the paths of what there is.
/// Empty when there is no such unit.
///
/// A host says the same of itself, with what is linked: `systemctl show -p FragmentPath -p DropInPaths`.
///
/// ```
/// use haengine_stdlib::node::fragments::fragments;
/// let there = [
///     "/usr/lib/systemd/system/kubelet.service",
///     "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
///     "/etc/systemd/system/kubelet.service.d/05-first.conf",
/// ];
/// assert_eq!(fragments("kubelet.service", &there), [there[0], there[2], there[1]]);
/// ```
pub fn fragments<'a>(unit: &str, paths: &[&'a str]) -> Vec<&'a str> {
    let named = [Some(unit.to_owned()), template(unit)];
    let candidates = named.iter().flatten().flat_map(|name| FOLDERS.map(|folder| format!("{folder}/{name}")));
    let Some(own) = candidates.into_iter().find_map(|path| paths.iter().find(|known| **known == path)) else {
        return Vec::new();
    };
    let mut found = vec![*own];
    found.extend(drop_ins(unit, paths));
    found
}

/// Of several with the same name the strongest counts; the names say the order.
fn drop_ins<'a>(unit: &str, paths: &[&'a str]) -> Vec<&'a str> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let folders = names(unit).into_iter().flat_map(|name| FOLDERS.map(|folder| format!("{folder}/{name}.d/")));
    for folder in folders {
        for path in paths {
            let Some(name) = path.strip_prefix(folder.as_str()) else { continue };
            let is_new = !found.iter().any(|(known, _)| *known == name);
            if name.ends_with(".conf") && !name.contains('/') && !name.starts_with('.') && is_new {
                found.push((name, path));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Whose drop-ins a unit reads: its own, those of its template, of the dashed beginnings of its name, and of its type.
fn names(unit: &str) -> Vec<String> {
    let mut names = vec![unit.to_owned()];
    names.extend(template(unit));
    let (stem, kind) = unit.rsplit_once('.').unwrap_or((unit, "service"));
    let dashes = stem.rmatch_indices('-').filter(|(at, _)| at + 1 < stem.len());
    names.extend(dashes.map(|(at, _)| format!("{}.{kind}", &stem[..=at])));
    names.push(kind.to_owned());
    names
}

/// `etcd@.service` of `etcd@one.service`.
fn template(unit: &str) -> Option<String> {
    let (prefix, rest) = unit.split_once('@')?;
    let (_, kind) = rest.rsplit_once('.')?;
    Some(format!("{prefix}@.{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_folder_counts() {
        let there = [
            "/lib/systemd/system/kube-proxy.service",
            "/etc/systemd/system/kube-proxy.service",
            "/lib/systemd/system/kube-proxy.service.d/a.conf",
            "/etc/systemd/system/kube-proxy.service.d/a.conf",
            "/etc/systemd/system/kube-.service.d/b.conf",
            "/etc/systemd/system/kube-proxy.service.d/c.conf.bak",
            "/etc/systemd/system/service.d/0.conf",
        ];
        assert_eq!(fragments("kube-proxy.service", &there), [there[1], there[6], there[3], there[4]]);
        assert!(fragments("kubelet.service", &there).is_empty());
    }

    #[test]
    fn an_instance_has_its_template() {
        let there = [
            "/etc/systemd/system/etcd@.service",
            "/etc/systemd/system/etcd@.service.d/a.conf",
            "/etc/systemd/system/etcd@one.service.d/b.conf",
        ];
        assert_eq!(fragments("etcd@one.service", &there), there);
    }
}
