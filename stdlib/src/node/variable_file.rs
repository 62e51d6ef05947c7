//! Files of variables, as `EnvironmentFile=` names them (systemd.exec(5)).
//!
//! They look like a shell's and are not: `export` makes a name that nobody can have, a `#` behind a value is part of
//! it, and within double quotes a line may go on with a backslash. Where versions of systemd read a file differently it
//! is refused: before a carriage return, and behind a remark.

use haengine_kernel::error::{Error, Kind, Result};

use super::traced::{Files, Letter, Place, text};
use super::words::is_blank;

/// A variable and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, without quotes and escapes.
    pub value: Vec<Letter>,
    /// The first letter of its name.
    pub place: Place,
}

/// The variables of a file, in its order; a name may come more than once.
///
/// # Errors
/// `node.environment` where versions of systemd differ.
pub fn variables(files: &Files, file: usize) -> Result<Vec<Variable>> {
    let letters = files.read(file)?;
    let mut reader = Reader { files, letters: &letters, at: 0 };
    let mut variables = Vec::new();
    while let Some(first) = reader.next_line() {
        if "#;".contains(first.char) {
            reader.remark()?;
        } else if let Some(name) = reader.name() {
            let value = reader.value()?;
            if is_name(&name) {
                variables.push(Variable { name, value, place: first.at });
            }
        }
    }
    Ok(variables)
}

/// Whether a variable can have this name.
pub(super) fn is_name(name: &str) -> bool {
    let legal = |char: char| char.is_ascii_alphanumeric() || char == '_';
    !name.is_empty() && name.chars().all(legal) && !name.starts_with(|char: char| char.is_ascii_digit())
}

struct Reader<'a> {
    files: &'a Files,
    letters: &'a [Letter],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<Letter> {
        self.letters.get(self.at).copied()
    }

    fn take(&mut self) -> Option<Letter> {
        let letter = self.peek()?;
        self.at += 1;
        Some(letter)
    }

    /// The first letter of the next line that has one.
    fn next_line(&mut self) -> Option<Letter> {
        while self.peek().is_some_and(|letter| is_blank(letter.char)) {
            self.at += 1;
        }
        self.peek()
    }

    fn remark(&mut self) -> Result<()> {
        let mut last = None;
        while let Some(letter) = self.take().filter(|letter| !ends_line(letter.char)) {
            last = Some(letter);
        }
        let goes_on = self.peek().is_some_and(|next| !is_blank(next.char) && !"#;".contains(next.char));
        match last {
            Some(last) if last.char == '\\' && goes_on => self.differs(last, "a remark that ends in a backslash"),
            _ => Ok(()),
        }
    }

    /// What stands before the `=`; nothing where the line has none.
    fn name(&mut self) -> Option<String> {
        let start = self.at;
        while let Some(letter) = self.take().filter(|letter| !ends_line(letter.char)) {
            if letter.char == '=' {
                let name = text(&self.letters[start..self.at - 1]);
                return Some(name.trim_end_matches(is_blank).to_owned());
            }
        }
        None
    }

    fn value(&mut self) -> Result<Vec<Letter>> {
        let mut value = Vec::new();
        while let Some(letter) = self.take() {
            match letter.char {
                '\'' => self.single(&mut value),
                '"' => self.double(&mut value)?,
                char if ends_line(char) => break,
                char if is_blank(char) => {}
                _ => {
                    self.at -= 1;
                    self.bare(&mut value)?;
                    break;
                }
            }
        }
        Ok(value)
    }

    fn single(&mut self, value: &mut Vec<Letter>) {
        while let Some(letter) = self.take().filter(|letter| letter.char != '\'') {
            value.push(letter);
        }
    }

    fn double(&mut self, value: &mut Vec<Letter>) -> Result<()> {
        while let Some(letter) = self.take().filter(|letter| letter.char != '"') {
            if letter.char != '\\' {
                value.push(letter);
                continue;
            }
            match self.take() {
                Some(next) if "\"\\`$".contains(next.char) => {
                    value.push(Letter { at: letter.at.to(next.at), ..next });
                }
                Some(next) if next.char == '\n' => {}
                Some(next) if next.char == '\r' => return self.differs(letter, "this backslash within double quotes"),
                // systemd before 241 leaves the backslash out. Where the variable is split into words, all of them do.
                Some(next) => value.extend([letter, next]),
                None => {}
            }
        }
        Ok(())
    }

    /// A value without quotes goes on to the end of the line, with all that is in it but the blanks at its end.
    fn bare(&mut self, value: &mut Vec<Letter>) -> Result<()> {
        let mut end = value.len();
        while let Some(letter) = self.take().filter(|letter| !ends_line(letter.char)) {
            if letter.char != '\\' {
                value.push(letter);
                end = if is_blank(letter.char) { end } else { value.len() };
                continue;
            }
            match self.take() {
                Some(next) if next.char == '\r' => return self.differs(letter, "a backslash before a carriage return"),
                Some(next) if next.char != '\n' => value.push(Letter { at: letter.at.to(next.at), ..next }),
                _ => {}
            }
            end = value.len();
        }
        value.truncate(end);
        Ok(())
    }

    fn differs(&self, letter: Letter, what: &str) -> Result<()> {
        Err(differs(self.files, letter.at, what))
    }
}

fn ends_line(char: char) -> bool {
    matches!(char, '\n' | '\r')
}

fn differs(files: &Files, place: Place, what: &str) -> Error {
    let message = format!("{}: {what} is read differently by different versions of systemd", files.named(place));
    Error::new(Kind::Refused, "node.environment", message).hint("take the backslash away")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text_of_file: &str) -> Result<Vec<(String, String)>> {
        let mut files = Files::default();
        let file = files.add("/etc/default/x", text_of_file);
        let pairs = variables(&files, file)?.into_iter().map(|one| (one.name, text(&one.value)));
        Ok(pairs.collect())
    }

    fn value(text_of_file: &str) -> String {
        read(text_of_file).unwrap().remove(0).1
    }

    #[test]
    fn values_are_read_as_systemd_reads_them() {
        assert_eq!(value("A=\"one \\\ntwo\\\"\" \n"), "one two\"");
        assert_eq!(value("A = one two  # three  \n"), "one two  # three");
        assert_eq!(value("A='one\ntwo\\' \"three\"\n"), "one\ntwo\\three");
        assert_eq!(value("A=one\\\ntwo\\ \n"), "onetwo ");
        assert_eq!(value("A=it's\n"), "it's");
        assert_eq!(value("A=\"no end\nB=c"), "no end\nB=c");
        assert_eq!(value("A=\r\n"), "");
        assert_eq!(value("A=\"\\--b \\$c\""), "\\--b $c");
    }

    #[test]
    fn what_is_no_assignment_is_left_out() {
        let names = |text: &str| read(text).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("# A=b\n;B=c\nexport C=d\nD\n1E=f\n  F=g\r\nF=h"), ["F", "F"]);
    }

    #[test]
    fn what_versions_of_systemd_differ_about_is_refused() {
        for text in ["A=\"b \\\r\nc\"", "A=b \\\r\nc", "# b \\\nA=c"] {
            assert_eq!(read(text).unwrap_err().code(), "node.environment", "{text:?}");
        }
        assert!(read("# b \\\n\nA=c").is_ok());
    }
}
