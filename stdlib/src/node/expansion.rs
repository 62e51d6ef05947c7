//! Variables put in where a command line names them (systemd.service(5), "Command lines").
//!
//! `$NAME` counts only as a word of its own, and becomes as many words as its value has; `${NAME}` counts anywhere and
//! stays one. What is not set is empty. `$$` is a dollar sign.

use haengine_kernel::error::{Error, Result};

use super::environment::Environment;
use super::traced::{Files, Letter, Place, Reference, text};
use super::words::{Rules, Word, words};

/// What systemd itself sets for a service, and only the host can tell.
const OF_SYSTEMD: [&str; 12] = [
    "PATH",
    "LANG",
    "USER",
    "LOGNAME",
    "HOME",
    "SHELL",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "MAINPID",
    "RUNTIME_DIRECTORY",
    "STATE_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
];

/// The words of a command with the variables put in. The first is the program's path, in which none counts.
///
/// # Errors
/// `node.variable` for a variable that only the host can tell.
pub(super) fn expanded(files: &Files, command: &[Word], environment: &Environment) -> Result<Vec<Word>> {
    let Some((path, arguments)) = command.split_first() else { return Ok(Vec::new()) };
    let (mut done, mut length) = (vec![path.clone()], 0);
    for word in arguments {
        let put_in = match split_name(word) {
            Some(name) => split(files, word, &name, environment)?,
            None => vec![Word { letters: put_in(files, &word.letters, environment)?, place: word.place }],
        };
        length += put_in.iter().map(|word| word.letters.len()).sum::<usize>();
        bounded(files, word.place, length)?;
        done.extend(put_in);
    }
    Ok(done)
}

/// A few names may stand for more than there is room for.
fn bounded(files: &Files, place: Place, length: usize) -> Result<()> {
    const LONGEST: usize = 256 * 1024;
    let message = "with its variables the command line is longer than any program gets";
    if length > LONGEST { Err(files.refused("node.command", place, message)) } else { Ok(()) }
}

/// The name in a word that is `$NAME` and nothing else.
fn split_name(word: &Word) -> Option<String> {
    let said = word.text();
    let name = said.strip_prefix('$')?;
    (!name.starts_with(['{', '$'])).then(|| name.to_owned())
}

fn split(files: &Files, word: &Word, name: &str, environment: &Environment) -> Result<Vec<Word>> {
    let value = value(files, word.place, name, environment)?;
    let reference = Reference { place: word.place, splits: true };
    let parts = words(files, value, Rules::Value)?;
    let through = |part: Word| Word { letters: came_through(&part.letters, reference), place: word.place };
    Ok(parts.into_iter().map(through).collect())
}

fn put_in(files: &Files, letters: &[Letter], environment: &Environment) -> Result<Vec<Letter>> {
    let (mut done, mut at) = (Vec::new(), 0);
    while let Some(letter) = letters.get(at) {
        let next = letters.get(at + 1).filter(|_| letter.char == '$').map(|next| next.char);
        // Looked for at a name alone: a word may be long.
        let end = letters[at..].iter().take_while(|_| next == Some('{')).position(|letter| letter.char == '}');
        match (next, end) {
            (Some('$'), _) => {
                done.push(Letter { at: letter.at.to(letters[at + 1].at), ..*letter });
                at += 2;
            }
            (Some('{'), Some(end)) => {
                let place = letter.at.to(letters[at + end].at);
                let name = text(&letters[at + 2..at + end]);
                if name.contains(':') {
                    return Err(unclear(files, place, &name));
                }
                let value = value(files, place, &name, environment)?;
                done.extend(came_through(value, Reference { place, splits: false }));
                bounded(files, place, done.len())?;
                at += end + 1;
            }
            // What does not end is text, to the end of the word.
            (Some('{'), None) => {
                done.extend_from_slice(&letters[at..]);
                at = letters.len();
            }
            _ => {
                done.push(*letter);
                at += 1;
            }
        }
    }
    Ok(done)
}

fn value<'a>(files: &Files, place: Place, name: &str, environment: &'a Environment) -> Result<&'a [Letter]> {
    match environment.get(name) {
        Some(value) => Ok(value),
        None if OF_SYSTEMD.contains(&name) || environment.passed.iter().any(|passed| passed == name) => {
            Err(unknown(files, place, name))
        }
        None => Ok(&[]),
    }
}

fn unknown(files: &Files, place: Place, name: &str) -> Error {
    files.refused("node.variable", place, &format!("`{name}` is set by the host's systemd, which alone can tell it"))
}

fn unclear(files: &Files, place: Place, name: &str) -> Error {
    let message =
        format!("`${{{name}}}` is read differently by different versions of systemd, and by none like a shell");
    files.refused("node.variable", place, &message)
}

fn came_through(letters: &[Letter], reference: Reference) -> Vec<Letter> {
    letters.iter().map(|letter| Letter { through: Some(reference), ..*letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::service::Service;

    fn arguments(line: &str) -> Result<Vec<String>> {
        let mut files = Files::default();
        let fixed = "[Service]\nEnvironment=ONE='one' \"TWO='two two' too\" THREE=\nPassEnvironment=ONE FOUR\n";
        files.add("/u", format!("{fixed}ExecStart=/x {line}\n"));
        let service = Service::read(&files, "x.service", &["/u"], None)?;
        Ok(service.commands[0].words[1..].iter().map(Word::text).collect())
    }

    #[test]
    fn the_examples_of_the_manual_come_out() {
        assert_eq!(arguments("${ONE} ${TWO} ${THREE}").unwrap(), ["one", "'two two' too", ""]);
        assert_eq!(arguments("$ONE $TWO $THREE").unwrap(), ["one", "two two", "too"]);
    }

    #[test]
    fn a_dollar_counts_only_where_systemd_says() {
        assert_eq!(
            arguments("$$ONE a$ONE a${ONE}b ${ONE $NO ${NO} $ONE-x").unwrap(),
            ["$ONE", "a$ONE", "aoneb", "${ONE", ""]
        );
        assert_eq!(arguments("a$$b${ONE$$").unwrap(), ["a$b${ONE$$"]);
        assert_eq!(arguments("\"$TWO\" '${ONE}'").unwrap(), ["two two", "too", "one"]);
        assert_eq!(arguments("${HOME}").unwrap_err().code(), "node.variable");
        assert_eq!(arguments("$FOUR").unwrap_err().code(), "node.variable");
        assert_eq!(arguments("${ONE:-1}").unwrap_err().code(), "node.variable");
    }

    #[test]
    fn what_a_few_names_stand_for_has_a_bound() {
        let read = |names: &str| {
            let mut files = Files::default();
            files.add("/v", format!("A={}", "a".repeat(60_000)));
            files.add("/u", format!("[Service]\nEnvironmentFile=/v\nExecStart=/x {names}\n"));
            Service::read(&files, "x.service", &["/u"], None).map(|_| ())
        };
        assert!(read("$A ${A}${A}").is_ok());
        for names in ["$A ".repeat(10_000), "${A}".repeat(10_000)] {
            assert_eq!(read(&names).unwrap_err().code(), "node.command");
        }
        assert!(read(&"-".repeat(60_000)).is_ok());
    }

    #[test]
    fn a_letter_knows_its_reference() {
        let mut files = Files::default();
        let file = files.add("/u", "[Service]\nEnvironment=IP=192.0.2.1\nExecStart=/x --a=${IP}\n");
        let service = Service::read(&files, "x.service", &["/u"], None).unwrap();
        let last = service.commands[0].words[1].letters[12];
        let reference = last.through.unwrap().place;
        assert_eq!(&files.text(file)[reference.start..reference.end], "${IP}");
        assert_eq!((last.at.start, last.at.end), (33, 34));
    }
}
