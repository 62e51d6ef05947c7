//! What a copy wrote down of all that it placed, held against what is there now.

use std::collections::{BTreeMap, BTreeSet};

use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::transport::Command;

const PROOFS: &str = concat!(include_str!("../area.sh"), include_str!("proofs.sh"));

/// The paths at which the copy's own things still are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs(BTreeSet<String>);

/// `INODE BIRTH DEVICE` of each path.
type Facts<'a> = BTreeMap<&'a str, [&'a str; 3]>;

impl Proofs {
    /// Reads what the copy of the staging folder `stage` wrote down, and what is in the tree at `to`.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn read(host: &Host, stage: &str, to: &str) -> Result<Proofs> {
        let command = Command::script(PROOFS).arg(stage).arg(to);
        let said = host.ok(&command).await?;
        Ok(Proofs::parse(&String::from_utf8_lossy(&said.stdout)))
    }

    /// True when what is there is what the copy placed.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains(path)
    }

    fn parse(text: &str) -> Proofs {
        let mut parts = text.split("\0\0").filter_map(part);
        let Some((here, now)) = parts.next() else { return Proofs::default() };
        let mut ours = BTreeSet::new();
        for (there, then) in parts {
            let is_same = |a: &[&str; 3], b: &[&str; 3]| {
                let born = [a[1], b[1]].iter().all(|born| born.starts_with(|c: char| ('1'..='9').contains(&c)));
                // Within a boot a device has one number; beyond it, the file system tells.
                let place = if here.0 == there.0 { a[2] == b[2] } else { here.1 == there.1 };
                a[0] == b[0] && (!born || a[1] == b[1]) && place
            };
            let same = now.iter().filter(|(path, facts)| then.get(*path).is_some_and(|made| is_same(made, facts)));
            ours.extend(same.map(|(path, _)| (*path).to_owned()));
        }
        Proofs(ours)
    }
}

/// Boot and file system, then the facts.
fn part(text: &str) -> Option<((&str, &str), Facts<'_>)> {
    let mut items = text.split('\0');
    let place = items.next()?.split_once(' ')?;
    let mut facts = Facts::new();
    while let (Some(words), Some(path)) = (items.next(), items.next()) {
        let mut words = words.split(' ');
        let path = path.strip_prefix("./").unwrap_or(if path == "." { "" } else { path });
        let words = [words.next()?, words.next()?, words.next()?];
        facts.insert(path, words);
    }
    Some((place, facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inode_and_birth_say_whose_it_is() {
        let then = "boot ext4 /\x001 5.0 9\0.\x002 5.0 9\0./a\x003 5.0 9\0./b";
        let of = |now: &str| Proofs::parse(&format!("{now}\0\0{then}\0"));
        let same = of("boot ext4 /\x001 5.0 9\0.\x002 6.0 9\0./a\x003 5.0 9\0./b");
        assert_eq!(["", "a", "b"].map(|path| same.has(path)), [true, false, true]);
        assert!(of("boot ext4 /\x002 0.0 9\0./a").has("a"), "without a birth the inode decides");
        assert!(!of("boot ext4 /\x002 5.0 8\0./a").has("a"), "another device");
        assert!(of("later ext4 /\x002 5.0 8\0./a").has("a") && !of("later xfs /\x002 5.0 9\0./a").has("a"));
        let again = format!("boot ext4 /\x008 7.0 9\0./a\0\0{then}\0\0boot ext4 /\x008 7.0 9\0./a\0");
        assert!(Proofs::parse(&again).has("a"), "a later attempt placed it again");
        assert_eq!(Proofs::parse(""), Proofs::default());
    }
}
