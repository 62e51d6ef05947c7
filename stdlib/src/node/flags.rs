//! The flags of a program among its words.
//!
//! Kubernetes' programs read `--name value`, too, take the last of repeated flags (but add up those that are lists),
//! and take `_` in a name for `-`. Programs with Go's own flags take one dash for two. Neither takes arguments that
//! belong to no flag, so a word without a dash is the value of the flag before it, unless that flag is known to need
//! none.

use haengine_kernel::error::Result;

use super::kinds::{adds_up, needs_value, takes_no_value};
use super::traced::{Files, Letter, Place, text};
use super::words::Word;

/// How a program reads its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `--name`, and few of one letter.
    Kubernetes,
    /// `-name` and `--name`.
    Go,
}

/// A flag as it is given.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: String,
    /// The number of the word that names it.
    pub word: usize,
    /// Its value; none where a boolean stands alone.
    pub value: Option<Given>,
    /// Where the flag is named.
    pub place: Place,
}

/// Where a value is among the words.
#[derive(Clone, Debug)]
pub struct Given {
    /// The word's number.
    pub word: usize,
    /// The letter of it with which the value begins.
    pub from: usize,
    /// The value.
    pub letters: Vec<Letter>,
}

/// The flags of a program, in their order.
#[derive(Clone, Debug)]
pub struct Flags {
    /// All of them, also those that a later one makes void.
    pub given: Vec<Flag>,
}

impl Flags {
    /// Reads the flags behind a program's name; `first` is the number of the first word.
    ///
    /// # Errors
    /// `node.flag` for a word that belongs to no flag, and for a flag that lacks its value.
    pub(super) fn read(files: &Files, words: &[Word], first: usize, dialect: Dialect) -> Result<Flags> {
        let mut reader = Reader { files, words, at: first, dialect };
        let mut given = Vec::new();
        while let Some(flag) = reader.flag()? {
            given.push(flag);
        }
        Ok(Flags { given })
    }

    /// The flags of a program that runs, whatever its words: those that belong to no flag are left out, and all behind `--`.
    pub(super) fn of_process(files: &Files, words: &[Word], dialect: Dialect) -> Flags {
        let mut reader = Reader { files, words, at: 0, dialect };
        let mut given = Vec::new();
        while let Some(word) = words.get(reader.at) {
            match reader.flag() {
                Ok(flag) => given.extend(flag),
                Err(_) if word.text() == "--" => break,
                Err(_) => reader.at += 1,
            }
        }
        Flags { given }
    }

    /// The value that counts, `true` for a boolean that stands alone.
    pub fn value(&self, name: &str) -> Option<String> {
        self.given.iter().rfind(|flag| flag.name == name).map(Flag::said)
    }

    /// All values that count: several only for a flag that adds up. Each may be a list itself.
    pub fn values(&self, name: &str) -> Vec<String> {
        match adds_up(name) {
            true => self.given.iter().filter(|flag| flag.name == name).map(Flag::said).collect(),
            false => self.value(name).into_iter().collect(),
        }
    }
}

impl Flag {
    /// The value, `true` for a boolean that stands alone.
    pub fn said(&self) -> String {
        self.value.as_ref().map_or_else(|| "true".to_owned(), |given| text(&given.letters))
    }
}

struct Reader<'a> {
    files: &'a Files,
    words: &'a [Word],
    at: usize,
    dialect: Dialect,
}

impl Reader<'_> {
    fn flag(&mut self) -> Result<Option<Flag>> {
        // A variable without a value leaves an empty word, which old programs do not mind.
        while self.words.get(self.at).is_some_and(|word| word.letters.is_empty()) {
            self.at += 1;
        }
        let Some(word) = self.words.get(self.at) else { return Ok(None) };
        let (said, word, place) = (word.text(), self.at, self.place());
        let dashes = said.chars().take_while(|char| *char == '-').count();
        let rest: Vec<char> = said.chars().skip(dashes).collect();
        let name_ends = rest.iter().position(|char| *char == '=').unwrap_or(rest.len());
        let name = self.spelt(rest[..name_ends].iter().collect());
        match (dashes, self.dialect) {
            (0, _) => return Err(self.refused(&format!("`{}` belongs to no flag", said.escape_debug()))),
            (_, _) if name.is_empty() || dashes > 2 => return Err(self.refused(&format!("`{said}` is no flag"))),
            (1, Dialect::Kubernetes) => return self.short(&rest, place).map(Some),
            _ => {}
        }
        let value = if name_ends < rest.len() { Some(self.from(dashes + name_ends + 1)) } else { self.next(&name)? };
        self.at += 1;
        Ok(Some(Flag { name, word, value, place }))
    }

    /// `-v=2`, `-v2` and `-v 2`: no other flag of one letter has a value.
    fn short(&mut self, rest: &[char], place: Place) -> Result<Flag> {
        let word = self.at;
        let value = match rest {
            ['h'] => None,
            ['v'] => self.next("v")?,
            ['v', '=', ..] => Some(self.from(3)),
            ['v', ..] => Some(self.from(2)),
            _ => return Err(self.refused(&format!("`-{}` is no flag", rest.iter().collect::<String>()))),
        };
        self.at += 1;
        Ok(Flag { name: rest[..1].iter().collect(), word, value, place })
    }

    /// The value in the next word, if it is one.
    fn next(&mut self, name: &str) -> Result<Option<Given>> {
        if takes_no_value(name) {
            return Ok(None);
        }
        let next = self.words.get(self.at + 1).map(Word::text);
        if next.as_ref().is_none_or(|next| next.starts_with('-')) && !(needs_value(name) && next.is_some()) {
            return match needs_value(name) {
                true => Err(self.refused(&format!("`--{name}` has no value"))),
                false => Ok(None),
            };
        }
        self.at += 1;
        Ok(Some(self.from(0)))
    }

    fn from(&self, from: usize) -> Given {
        Given { word: self.at, from, letters: self.words[self.at].letters[from..].to_vec() }
    }

    fn spelt(&self, name: String) -> String {
        if self.dialect == Dialect::Kubernetes { name.replace('_', "-") } else { name }
    }

    /// Where the word is written: in the variable that it came through, if it did.
    fn place(&self) -> Place {
        let word = &self.words[self.at];
        word.letters.first().map_or(word.place, |letter| letter.at)
    }

    fn refused(&self, message: &str) -> haengine_kernel::error::Error {
        self.files.refused("node.flag", self.place(), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::traced::Files;
    use crate::node::words::{Rules, words};

    fn flags(line: &str, dialect: Dialect) -> Result<Flags> {
        let mut files = Files::default();
        let file = files.add("/u", line);
        let words = words(&files, &files.letters(file), Rules::Command)?;
        Flags::read(&files, &words, 0, dialect)
    }

    fn pairs(line: &str, dialect: Dialect) -> String {
        let given = flags(line, dialect).unwrap().given;
        given.iter().map(|flag| format!("{}={}", flag.name, flag.said())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn values_stand_behind_a_sign_or_a_blank() {
        let line =
            "--node-ip=a --hostname-override b --register-node -v 2 -v=3 -v4 --bind_address=c --unknown --other d --x=";
        let read =
            "node-ip=a hostname-override=b register-node=true v=2 v=3 v=4 bind-address=c unknown=true other=d x=";
        assert_eq!(pairs(line, Dialect::Kubernetes), read);
        assert_eq!(pairs("-name a --data-dir b -debug -x=c", Dialect::Go), "name=a data-dir=b debug=true x=c");
        assert_eq!(pairs("--node-ip --v=2", Dialect::Kubernetes), "node-ip=--v=2");
    }

    #[test]
    fn empty_words_are_left_out() {
        assert_eq!(
            pairs("'' --v=1 '' --node-ip '' --register-node ''", Dialect::Kubernetes),
            "v=1 node-ip= register-node=true"
        );
    }

    #[test]
    fn the_last_counts_unless_the_flag_adds_up() {
        let flags = flags("--v=1 --etcd-servers=a,b --v=2 --etcd-servers=c", Dialect::Kubernetes).unwrap();
        assert_eq!(flags.values("v"), ["2"]);
        assert_eq!(flags.values("etcd-servers"), ["a,b", "c"]);
        assert_eq!(flags.value("profiling"), None);
    }

    #[test]
    fn what_belongs_to_no_flag_is_refused() {
        let message = |line: &str| flags(line, Dialect::Kubernetes).unwrap_err().message().to_owned();
        assert_eq!(message("--register-node false"), "/u:1: `false` belongs to no flag");
        assert_eq!(message("--v=2\n\\\\"), "/u:2: `\\\\` belongs to no flag");
        assert_eq!(message("--node-ip"), "/u:1: `--node-ip` has no value");
        assert_eq!(message("-node-ip=a"), "/u:1: `-node-ip=a` is no flag");
        assert_eq!(message("--"), "/u:1: `--` is no flag");
    }
}
