//! Which places bear a name of what an installation brought: what is moved aside rather than left among others' things.

/// True when `part`, one part of a path, is `name`, or begins or ends with it, set apart by `-`, `.` or `_`. So
/// `haproxy.cfg`, `haproxy-2`, `50-haproxy` and `_chrony` do, and `haproxyd` or `my-haproxy-copy` do not: what only
/// mentions a name is as likely somebody else's.
pub(super) fn bears(part: &str, name: &str) -> bool {
    let apart = |rest: &str, side: fn(&str) -> Option<char>| side(rest).is_none_or(|c| matches!(c, '-' | '.' | '_'));
    let before = part.strip_suffix(name).is_some_and(|rest| apart(rest, |rest| rest.chars().next_back()));
    let after = part.strip_prefix(name).is_some_and(|rest| apart(rest, |rest| rest.chars().next()));
    !name.is_empty() && (before || after)
}

/// The last part of a path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path and the folders above it, from the top.
pub(super) fn lineage(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| &path[..at]).chain([path])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_borne_whole() {
        for part in ["chrony", "chrony.conf", "chrony-wait.service", "_chrony", "50-chrony", "chrony_old", "x.chrony"] {
            assert!(bears(part, "chrony"), "{part}");
        }
        for part in ["chronyd", "synchrony", "my-chrony-copy", "chron", "", "S01chrony", "tree"] {
            assert!(!bears(part, "chrony"), "{part}");
        }
        assert!(!bears("anything", "") && !bears("-", "") && bears("g++-12", "g++"));
        // What adduser keeps of the list of accounts is no thing of a package `passwd` that came in: see accounts.sh.
        assert!(bears("passwd-", "passwd"));
    }

    #[test]
    fn folders_come_before_what_is_in_them() {
        assert_eq!(lineage("/etc/a/b").collect::<Vec<_>>(), ["/etc", "/etc/a", "/etc/a/b"]);
        assert_eq!(last("/etc/a/b"), "b");
    }
}
