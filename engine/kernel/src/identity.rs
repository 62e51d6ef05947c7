//! Who a host is: what tells a machine from another that has got its name or its address.

use serde::{Deserialize, Serialize};

use crate::transport::Command;

/// Prints who the host is, in one line: machine-id, product_uuid and boot_id, `-` for what it does not say, and whether its
/// file systems tell births.
pub(crate) const WHO: &str = include_str!("who.sh");

/// A word that is longer is none of these.
const LONGEST: usize = 64;

/// What a machine says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Of the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
    /// The fingerprint of the key that was verified when we connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// Of the hardware, or of the virtual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_uuid: Option<String>,
    /// Of the boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// Whether files and folders tell when they were made: with the inode that proves what is a run's own. Where they do
    /// not, inode, content, owner and mode do. None in journals of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub births: Option<bool>,
}

/// What can be said of two identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Nothing speaks against it.
    Same,
    /// The same machine, and it shows another key; the text says which.
    NewKey(String),
    /// Another machine; the text says what was and what is.
    Another(String),
}

impl Identity {
    /// The command that asks for it.
    pub(crate) fn asked() -> Command {
        Command::script(format!("{WHO}\nwho"))
    }

    /// Reads what the command said.
    pub(crate) fn parse(said: &str, host_key: Option<String>) -> Identity {
        let mut words = said.split_whitespace().map(|word| Some(word.to_ascii_lowercase()).filter(|word| is_id(word)));
        let mut next = || words.next().flatten();
        let (machine_id, product_uuid, boot_id) = (next(), next(), next());
        let births = match said.split_whitespace().nth(3) {
            Some("births") => Some(true),
            Some("no-births") => Some(false),
            _ => None,
        };
        Identity { machine_id, product_uuid, boot_id, host_key, births }
    }

    /// False for a host that says nothing about itself.
    pub fn is_known(&self) -> bool {
        self.machine_id.is_some() || self.host_key.is_some() || self.product_uuid.is_some()
    }

    /// Whether it is the machine that `now` is, as far as the two say. `others` are further machines of the run: what two
    /// of them share says nothing.
    pub fn compare<'a>(&self, now: &Identity, others: impl Iterator<Item = &'a Identity> + Clone) -> Likeness {
        let is_own = |of: fn(&Identity) -> &Option<String>| {
            !others.clone().any(|other| of(other) == of(self) && other.is_another_by_key(self))
        };
        let key = Evidence::of("host key", &self.host_key, &now.host_key);
        let machine = Evidence::of("machine-id", &self.machine_id, &now.machine_id);
        if let Some(machine) = machine.filter(|_| is_own(|identity| &identity.machine_id)) {
            return match (machine.differs, key.and_then(|key| key.differs)) {
                (Some(machine), _) => Likeness::Another(machine),
                (None, Some(key)) => Likeness::NewKey(key),
                (None, None) => Likeness::Same,
            };
        }
        let hardware = Evidence::of("product_uuid", &self.product_uuid, &now.product_uuid);
        let hardware = hardware.filter(|_| is_own(|identity| &identity.product_uuid));
        let new_key = key.as_ref().and_then(|key| key.differs.clone());
        let (all, told) = (key.iter().chain(&hardware), key.is_some() || hardware.is_some());
        match all.map(|evidence| evidence.differs.clone()).collect::<Option<Vec<String>>>() {
            Some(differences) if told => Likeness::Another(differences.join(", ")),
            _ => new_key.map_or(Likeness::Same, Likeness::NewKey),
        }
    }

    /// Two names of one machine have one key.
    fn is_another_by_key(&self, other: &Identity) -> bool {
        self.host_key.is_some() && other.host_key.is_some() && self.host_key != other.host_key
    }
}

/// Something that both have told.
struct Evidence {
    /// What was and what is, where that is not the same.
    differs: Option<String>,
}

impl Evidence {
    fn of(name: &str, was: &Option<String>, is: &Option<String>) -> Option<Evidence> {
        let (was, is) = was.as_ref().zip(is.as_ref())?;
        Some(Evidence { differs: (was != is).then(|| format!("{name} was {was} and is {is}")) })
    }
}

/// Hexadecimal, with or without dashes; not `-`, and not the `uninitialized` of an image that never booted.
fn is_id(word: &str) -> bool {
    word.len() <= LONGEST
        && word.contains(|c: char| c.is_ascii_hexdigit())
        && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(id: &str, key: &str, uuid: &str) -> Identity {
        Identity::parse(&format!("{id} {uuid} b007"), Some(key).filter(|key| *key != "-").map(str::to_owned))
    }

    fn compare(was: &Identity, is: &Identity, others: &[Identity]) -> Likeness {
        was.compare(is, others.iter())
    }

    #[test]
    fn what_a_host_does_not_say_is_not_known() {
        assert_eq!(Identity::parse("", None), Identity::default());
        assert!(!Identity::parse("- - -", None).is_known());
        assert!(!Identity::parse("uninitialized - b007", None).is_known());
        let known = Identity::parse("0A1b - b007\n", None);
        assert_eq!((known.machine_id.as_deref(), known.boot_id.as_deref()), (Some("0a1b"), Some("b007")));
        assert_eq!(compare(&machine("a1", "-", "-"), &Identity::default(), &[]), Likeness::Same);
        let text = serde_json::to_string(&known).unwrap();
        assert_eq!(serde_json::from_str::<Identity>(&text).unwrap(), known);
    }

    #[test]
    fn whether_files_tell_their_birth_is_no_part_of_who_it_is() {
        let [tells, hides] = ["a1 - b007 births", "a1 - b007 no-births"].map(|said| Identity::parse(said, None));
        assert_eq!((tells.births, hides.births), (Some(true), Some(false)));
        assert_eq!(compare(&tells, &hides, &[]), Likeness::Same);
        let earlier: Identity = serde_json::from_str(r#"{"machine_id":"a1"}"#).unwrap();
        assert_eq!(earlier.births, None);
        assert!(!Identity::parse("- - - births", None).is_known());
    }

    #[test]
    fn another_machine_id_is_another_machine_and_a_new_key_is_said() {
        let was = machine("a1", "k1", "d1");
        let Likeness::Another(how) = compare(&was, &machine("a2", "k1", "d1"), &[]) else { panic!("another") };
        assert_eq!(how, "machine-id was a1 and is a2");
        assert_eq!(compare(&was, &machine("a1", "k1", "d2"), &[]), Likeness::Same, "it got another board");
        let said = Likeness::NewKey("host key was k1 and is k2".to_owned());
        assert_eq!(compare(&was, &machine("a1", "k2", "d1"), &[]), said);
    }

    #[test]
    fn where_a_machine_id_says_nothing_key_and_hardware_do() {
        let was = machine("a1", "k1", "d1");
        let image = [machine("a1", "k9", "d9")];
        for others in [&image[..], &[]] {
            let was = if others.is_empty() { machine("-", "k1", "d1") } else { was.clone() };
            assert!(matches!(compare(&was, &machine("a1", "k2", "d2"), others), Likeness::Another(_)));
            assert!(matches!(compare(&was, &machine("a1", "k2", "d1"), others), Likeness::NewKey(_)));
            assert_eq!(compare(&was, &machine("a2", "k1", "d2"), others), Likeness::Same, "it got an id of its own");
        }
    }

    #[test]
    fn hardware_that_two_hosts_share_says_nothing() {
        let was = machine("-", "k1", "d1");
        let neighbour = [machine("-", "k2", "d1")];
        assert!(matches!(compare(&was, &machine("-", "k2", "d1"), &neighbour), Likeness::Another(_)));
        assert_eq!(compare(&was, &machine("-", "k1", "d1"), &neighbour), Likeness::Same);
    }

    #[test]
    fn two_names_of_one_machine_share_nothing_that_would_not_count() {
        let was = machine("a1", "k1", "d1");
        let alias = [was.clone()];
        assert!(matches!(compare(&was, &machine("a2", "k2", "d1"), &alias), Likeness::Another(_)));
    }
}
