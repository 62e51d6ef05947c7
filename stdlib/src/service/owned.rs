//! What a unit owns: where it writes, and what became of that since.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

/// Its first line is the command's name for a person.
const ASIDE: &str = concat!(
    "# Moves aside what a unit wrote.\n",
    include_str!("mounts.sh"),
    include_str!("../file/area.sh"),
    include_str!("aside.sh")
);

/// What is at a path that a unit owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Owned {
    Absent,
    There,
    /// A folder, with the names in it.
    Folder(Vec<String>),
    /// The path is a pattern; what matches it.
    Matches(Vec<String>),
}

/// What a unit owned before it was started.
#[derive(Clone, Copy)]
pub(super) struct Was<'a> {
    /// Its paths and patterns.
    pub(super) paths: &'a [String],
    /// What was there of each.
    pub(super) owned: &'a [Owned],
    /// What was mounted there; none in journals of before that was asked.
    pub(super) mounts: Option<&'a [String]>,
    /// True where what it mounts in memory is surely its own.
    pub(super) memory: bool,
}

impl Was<'_> {
    /// What is there now and was not.
    pub(super) fn appeared(&self, now: &[Owned]) -> Vec<String> {
        let mut appeared = Vec::new();
        for (path, (now, then)) in self.paths.iter().zip(now.iter().zip(self.owned)) {
            match (then, now) {
                (Owned::Absent, Owned::There | Owned::Folder(_)) => appeared.push(path.clone()),
                (Owned::Folder(then), Owned::Folder(now)) => {
                    // Where the folder is a mount, ours for kept things is in it.
                    let new = now.iter().filter(|name| !then.contains(name) && *name != ".haengine");
                    appeared.extend(new.map(|name| format!("{}/{name}", path.trim_end_matches('/'))));
                }
                (Owned::Matches(then), Owned::Matches(now)) => {
                    appeared.extend(now.iter().filter(|path| !then.contains(path)).cloned());
                }
                _ => {}
            }
        }
        appeared
    }

    /// Moves aside what appeared, and tells what became of it. Also what an undo that broke off has moved is told.
    pub(super) async fn move_aside(&self, host: &Host, now: &[Owned], keep: &Keep) -> Result<Remains> {
        let roots = self.paths.iter().zip(self.owned).map(|(path, then)| match then {
            Owned::Folder(_) => format!("{}/", path.trim_end_matches('/')),
            _ => path.clone(),
        });
        let known = self.mounts.map_or_else(|| "-".to_owned(), |mounts| mounts.join("\n"));
        let command = Command::script(ASIDE)
            .arg(keep.folder())
            .arg(&keep.run)
            .arg(keep.aside())
            .arg(known)
            .arg(if self.memory { "1" } else { "0" })
            .arg(self.paths.len().to_string())
            .args(roots)
            .args(self.appeared(now));
        Ok(told(&host.ok(&command).await?.text()))
    }
}

/// Three tokens for each thing.
pub(super) fn told(text: &str) -> Remains {
    let tokens: Vec<&str> = text.split('\0').collect();
    let mut remains = Remains::new();
    for token in tokens.chunks_exact(3) {
        let [kind, what, how] = token else { continue };
        // A path and another below it may both be the unit's.
        let above =
            |kept: &&&[&str]| kept[0] == "kept" && what.strip_prefix(kept[1]).is_some_and(|rest| rest.starts_with('/'));
        if *kind == "kept" && tokens.chunks_exact(3).collect::<Vec<_>>().iter().any(|other| above(&other)) {
            continue;
        }
        remains.push(match *kind {
            "kept" => Remnant::kept(*what, "it appeared while the unit ran", *how).by_rule(),
            "unmounted" => {
                let what = format!("{how} of {what}");
                Remnant::left(what, "it was mounted while the unit ran, and only unmounted").by_rule()
            }
            _ => Remnant::left(*what, *how),
        });
    }
    remains
}

/// What is at each owned path: a kind, the names in it or the paths that match it, and an empty token.
pub(super) fn parse(tokens: &[&str]) -> Vec<Owned> {
    let mut owned = Vec::new();
    let mut tokens = tokens.iter();
    while let Some(kind) = tokens.next() {
        let names = tokens.by_ref().take_while(|name| !name.is_empty()).map(|name| (*name).to_owned()).collect();
        owned.push(match *kind {
            "folder" => Owned::Folder(names),
            "matches" => Owned::Matches(names),
            "there" => Owned::There,
            _ => Owned::Absent,
        });
    }
    owned
}

/// Folders that everybody writes into.
const SHARED: [&str; 21] = [
    "/etc/cron.d",
    "/etc/default",
    "/etc/init.d",
    "/etc/ssl",
    "/etc/sysconfig",
    "/etc/systemd",
    "/etc/systemd/system",
    "/run/systemd",
    "/usr/bin",
    "/usr/lib",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/share",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/spool",
    "/var/tmp",
];

/// Undo moves away what a unit owns, so a unit cannot own what belongs to the system or to everybody.
pub(super) fn refuse_broad(path: &str) -> Result<()> {
    // `FOLDER/*` is all that is in the folder.
    let folder = path.trim_end_matches('/');
    let folder = folder.strip_suffix("/*").unwrap_or(folder);
    let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let is_broad = parts.len() < 2
        || parts.iter().any(|part| matches!(*part, "." | ".."))
        || parts.iter().take(2).any(|part| part.contains('*'))
        || parts.iter().skip(2).any(|part| part.chars().all(|letter| letter == '*'))
        || SHARED.contains(&format!("/{}", parts.join("/")).as_str());
    let has_more = path.contains('*') && path.contains(['?', '[', '\\']);
    match () {
        () if is_broad => {
            Err(Error::new(Kind::Usage, "service.owns", format!("`{path}` is too broad a path for a unit to own"))
                .hint("name what the unit itself writes, such as `/var/lib/NAME`"))
        }
        () if has_more => {
            Err(Error::new(Kind::Usage, "service.owns", format!("`{path}` has more than `*` for what may differ"))
                .hint("write a pattern with `*` alone, or a path for each"))
        }
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn only_what_is_new_has_appeared() {
        let paths = names(&["/var/lib/a", "/var/lib/b", "/srv/c/d*", "/srv/e/"]);
        let owned = [
            Owned::Folder(names(&["a"])),
            Owned::Absent,
            Owned::Matches(names(&["/srv/c/d1"])),
            Owned::Folder(names(&[])),
        ];
        let was = Was { paths: &paths, owned: &owned, mounts: None, memory: false };
        let now = [
            Owned::Folder(names(&["a", "b c", ".haengine"])),
            Owned::There,
            Owned::Matches(names(&["/srv/c/d1", "/srv/c/d2"])),
            Owned::Folder(names(&["f"])),
        ];
        assert_eq!(was.appeared(&now), ["/var/lib/a/b c", "/var/lib/b", "/srv/c/d2", "/srv/e/f"]);
        assert!(was.appeared(&owned).is_empty());
    }

    #[test]
    fn what_a_host_tells_is_read() {
        let said = "kept\0/a\0/k/a\0unmounted\0/a/m\0nfs h:/x\0left\0/a\0it is busy\0";
        let remains = told(said);
        assert_eq!(remains[0].kept.as_deref(), Some("/k/a"));
        assert!(remains[0].by_rule && remains[1].by_rule && !remains[2].by_rule);
        assert_eq!(
            remains[1].line(),
            "`nfs h:/x of /a/m` stays: it was mounted while the unit ran, and only unmounted"
        );
        assert_eq!(remains[2].line(), "`/a` stays: it is busy");
    }

    #[test]
    fn a_unit_cannot_own_the_system() {
        let broad =
            ["/", "/etc", "/etc/", "/var/lib/..", "/./a", "/var/*", "/var/lib/*", "/var/lib", "/*/a/b", "/srv/a/*/b"];
        for path in broad {
            assert_eq!(refuse_broad(path).unwrap_err().code(), "service.owns", "{path}");
        }
        assert_eq!(refuse_broad("/srv/a/b[1]*").unwrap_err().code(), "service.owns");
        for path in ["/var/lib/a", "/var/lib/a/*", "/var/lib/a*", "/srv/a/b*/c", "/opt/a/b[1]"] {
            refuse_broad(path).unwrap();
        }
    }
}
