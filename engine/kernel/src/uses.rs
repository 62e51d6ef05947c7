//! What a change has to do with on its host: what depends on it when it cannot be taken back.

/// What a change uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uses {
    /// These paths, and nothing else.
    Paths(Vec<String>),
    /// These paths; but who cannot tell what it does for others, as a unit that runs, is not passed by when it stays.
    Service(Vec<String>),
    /// Anything: a package, an object of the cluster, a command.
    Everything,
}

impl Uses {
    /// Of what a change is known by: a path, or anything.
    pub fn of(target: String) -> Uses {
        if target.starts_with('/') { Uses::Paths(vec![target]) } else { Uses::Everything }
    }

    /// Of a unit that has these files, and works in these folders; of a pattern counts the part before it.
    pub fn service<'a>(unit: &str, paths: impl IntoIterator<Item = &'a String>) -> Uses {
        let mut used = vec![format!("/etc/systemd/system/{unit}"), format!("/etc/systemd/system/{unit}.d")];
        used.extend(paths.into_iter().map(|path| {
            let end = path.find(['*', '?', '[']).and_then(|at| path[..at].rfind('/'));
            path[..end.unwrap_or(path.len())].to_owned()
        }));
        Uses::Service(used)
    }

    /// True when it keeps an earlier change of its host from being taken back as long as it stays itself.
    pub fn blocks(&self, earlier: &Uses) -> bool {
        let Uses::Paths(stays) = self else { return true };
        match earlier {
            Uses::Paths(paths) | Uses::Service(paths) => {
                stays.iter().any(|stays| paths.iter().any(|path| is_within(stays, path) || is_within(path, stays)))
            }
            Uses::Everything => true,
        }
    }

    /// True for what nothing on its host is taken back below.
    pub fn is_all(&self) -> bool {
        !matches!(self, Uses::Paths(_))
    }
}

/// True when `inner` is `outer` or lies below it.
pub(crate) fn is_within(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Uses {
        Uses::Paths(paths.iter().map(|path| (*path).to_owned()).collect())
    }

    #[test]
    fn a_path_that_stays_blocks_itself_and_what_is_above_and_below() {
        let stuck = paths(&["/etc/demo/conf", "/srv/demo"]);
        for blocked in ["/etc/demo/conf", "/etc/demo", "/", "/etc/demo/conf/x", "/srv/demo/a"] {
            assert!(stuck.blocks(&paths(&[blocked])), "{blocked}");
        }
        for free in ["/etc/demo/confs", "/etc/other", "/srv/dem", "/srv/demonstration"] {
            assert!(!stuck.blocks(&paths(&[free])), "{free}");
        }
    }

    #[test]
    fn a_unit_needs_its_files_and_keeps_everything() {
        let unit = Uses::Service(vec!["/etc/demo/conf".to_owned()]);
        assert!(unit.blocks(&paths(&["/elsewhere"])) && Uses::Everything.blocks(&unit));
        assert!(paths(&["/etc/demo"]).blocks(&unit) && !paths(&["/etc/other"]).blocks(&unit));
        assert!(paths(&["/etc/other"]).blocks(&Uses::of("nginx".to_owned())), "a package may have that path");
        assert_eq!(Uses::of("/etc/x".to_owned()), paths(&["/etc/x"]));
        let named = Uses::service("demo.service", &["/etc/demo/conf".to_owned(), "/srv/demo/pod-*/x".to_owned()]);
        for used in
            ["/etc/systemd/system/demo.service", "/etc/systemd/system/demo.service.d/a", "/srv/demo/other", "/etc/demo"]
        {
            assert!(paths(&[used]).blocks(&named), "{used}");
        }
        assert!(!paths(&["/srv/demos"]).blocks(&named));
    }
}
