//! What of a tree is meant: globs on paths relative to it.

use std::collections::{BTreeMap, BTreeSet};

use haengine_kernel::error::{Error, Kind, Result};

/// Globs, each on the whole relative path. A directory that matches is left out, or chosen, with all in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globs {
    out: Vec<Vec<Part>>,
    /// Where there are any, nothing else is meant.
    only: Vec<Vec<Part>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Literal(char),
    /// `*`: anything within one name.
    Name,
    /// `**`: anything.
    Path,
    /// `**/`: any number of directories, also none.
    Directories,
}

impl Globs {
    /// Reads globs as a recipe writes them.
    ///
    /// # Errors
    /// When one is absolute, empty, or uses what other tools call a glob but this one would take literally.
    pub fn parse<S: AsRef<str>>(out: &[S], only: &[S]) -> Result<Globs> {
        let all = |globs: &[S]| globs.iter().map(|glob| parts(glob.as_ref())).collect::<Result<_>>();
        Ok(Globs { out: all(out)?, only: all(only)? })
    }

    /// True when this relative path, or a directory above it, is left out.
    pub fn leave_out(&self, path: &str) -> bool {
        any_fits(&self.out, path) || !(self.only.is_empty() || any_fits(&self.only, path))
    }

    /// Keeps the paths that are meant, and the directories above them.
    pub fn retain<T>(&self, entries: &mut BTreeMap<String, T>) {
        if self.only.is_empty() {
            return;
        }
        let mut kept: BTreeSet<String> = BTreeSet::from([String::new()]);
        for path in entries.keys().filter(|path| any_fits(&self.only, path)) {
            kept.extend(ends(path).map(|end| path[..end].to_owned()));
        }
        entries.retain(|path, _| kept.contains(path));
    }

    /// What is left out as a POSIX extended regular expression on `./path`, for `find` to prune with.
    pub fn regex(&self) -> String {
        if self.out.is_empty() {
            // No path that begins with a dot is a slash alone.
            return "/".to_owned();
        }
        let globs: Vec<String> = self.out.iter().map(|glob| glob.iter().map(|part| part.regex()).collect()).collect();
        format!("\\./({})", globs.join("|"))
    }
}

/// Where the names of the directories above end, and then the path itself.
fn ends(path: &str) -> impl Iterator<Item = usize> {
    path.match_indices('/').map(|(end, _)| end).chain([path.len()])
}

fn any_fits(globs: &[Vec<Part>], path: &str) -> bool {
    ends(path).any(|end| globs.iter().any(|glob| fits(glob, &path[..end])))
}

impl Part {
    fn regex(self) -> String {
        match self {
            Part::Literal(c) if ".()+^$|*?[]{}\\".contains(c) => format!("\\{c}"),
            Part::Literal(c) => c.to_string(),
            Part::Name => "[^/]*".to_owned(),
            Part::Path => ".*".to_owned(),
            Part::Directories => "(.*/)?".to_owned(),
        }
    }
}

fn parts(glob: &str) -> Result<Vec<Part>> {
    let refuse = |what: &str, hint: &str| {
        Error::new(Kind::Usage, "file.glob", format!("the glob `{glob}` {what}")).hint(hint.to_owned())
    };
    let mut rest = glob.strip_suffix('/').unwrap_or(glob);
    if rest.is_empty() || rest.starts_with('/') || rest.starts_with("./") {
        return Err(refuse("is not relative to the tree", "write it as `logs/*`, without the tree's own path"));
    }
    if glob.contains(['?', '[', ']', '{', '}', '\\']) {
        return Err(refuse("uses more than `*` and `**`", "write one glob for each case"));
    }
    let mut parts = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (part, length) = match first {
            '*' if rest.starts_with("**/") && parts.last().is_none_or(|last| *last == Part::Literal('/')) => {
                (Part::Directories, 3)
            }
            '*' if rest.starts_with("**") => (Part::Path, 2),
            '*' => (Part::Name, 1),
            other => (Part::Literal(other), other.len_utf8()),
        };
        parts.push(part);
        rest = &rest[length..];
    }
    Ok(parts)
}

fn fits(glob: &[Part], path: &str) -> bool {
    let Some((part, rest)) = glob.split_first() else { return path.is_empty() };
    match part {
        Part::Literal(c) => path.strip_prefix(*c).is_some_and(|path| fits(rest, path)),
        Part::Directories => {
            fits(rest, path) || path.match_indices('/').any(|(slash, _)| fits(rest, &path[slash + 1..]))
        }
        Part::Name | Part::Path => {
            let within = if *part == Part::Path { path } else { path.split('/').next().unwrap_or_default() };
            let mut ends = within.char_indices().map(|(end, _)| end).chain([within.len()]);
            ends.any(|end| fits(rest, &path[end..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [&str; 12] = [
        "logs",
        "logs/a.log",
        "logs/old/b.log",
        "ssl/kubelet.key",
        "ssl/kubelet-client/x",
        "ssl/ca.pem",
        "a.log",
        "x/logs/c",
        "x/y/a.log",
        "new\nline/kubelet",
        "a+b(c)",
        "über/straße",
    ];

    fn left_out(glob: &str) -> Vec<&'static str> {
        let globs = Globs::parse(&[glob], &[]).unwrap();
        PATHS.into_iter().filter(|path| globs.leave_out(path)).collect()
    }

    #[test]
    fn a_star_stays_within_a_name() {
        assert_eq!(left_out("logs/*"), ["logs/a.log", "logs/old/b.log"]);
        assert_eq!(left_out("ssl/kubelet*"), ["ssl/kubelet.key", "ssl/kubelet-client/x"]);
        assert_eq!(left_out("*.log"), ["a.log"]);
        assert_eq!(left_out("*/ca.pem"), ["ssl/ca.pem"]);
    }

    #[test]
    fn two_stars_cross_directories() {
        assert_eq!(left_out("**/*.log"), ["logs/a.log", "logs/old/b.log", "a.log", "x/y/a.log"]);
        assert_eq!(left_out("**/logs"), ["logs", "logs/a.log", "logs/old/b.log", "x/logs/c"]);
        assert_eq!(left_out("x/**"), ["x/logs/c", "x/y/a.log"]);
        assert_eq!(left_out("**").len(), PATHS.len());
    }

    #[test]
    fn what_would_be_taken_literally_is_refused() {
        for glob in ["/etc/*", "", "./a", "a?", "[ab]", "{a,b}", "a\\*"] {
            assert!(Globs::parse(&[glob], &[]).is_err(), "{glob}");
        }
    }

    #[test]
    fn only_keeps_what_is_above_too() {
        let globs = Globs::parse(&["x/y/*.log"], &["x/*/*", "logs"]).unwrap();
        let kept: Vec<_> = PATHS.into_iter().filter(|path| !globs.leave_out(path)).collect();
        assert_eq!(kept, ["logs", "logs/a.log", "logs/old/b.log", "x/logs/c"]);
        let mut entries: BTreeMap<String, ()> =
            ["", "x", "x/y", "x/y/b", "z", "logs", "ssl/a"].map(|path| (path.to_owned(), ())).into();
        globs.retain(&mut entries);
        assert_eq!(entries.into_keys().collect::<Vec<_>>(), ["", "logs", "x", "x/y", "x/y/b"]);
    }

    /// What `find` prunes is what `leave_out` says.
    #[test]
    fn find_agrees() {
        let tree = tempfile::tempdir().unwrap();
        for path in PATHS.into_iter().filter(|path| *path != "logs") {
            let file = tree.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let globs = ["logs/*", "ssl/kubelet*", "**/*.log", "**/logs", "x/**", "a+b(c)", "**/kubelet", "über/*ß*", "*"];
        for glob in globs {
            let globs = Globs::parse(&[glob], &[]).unwrap();
            let find = std::process::Command::new("find")
                .args([".", "-regextype", "posix-extended", "-regex", &globs.regex(), "-prune", "-o"])
                .args(["-mindepth", "1", "-printf", "%P\\0"])
                .env("LC_ALL", "C")
                .current_dir(tree.path())
                .output()
                .unwrap();
            let found = String::from_utf8(find.stdout).unwrap();
            let mut kept: Vec<&str> = found.split_terminator('\0').filter(|path| PATHS.contains(path)).collect();
            let mut expected: Vec<&str> = PATHS.into_iter().filter(|path| !globs.leave_out(path)).collect();
            kept.sort_unstable();
            expected.sort_unstable();
            assert_eq!(kept, expected, "{glob}");
        }
    }
}
