//! A line split into words by systemd's rules (systemd.syntax(7), "Quoting"; systemd.service(5), "Command lines").
//!
//! They look like a shell's and are not: escapes count within single quotes, too, a quote may begin in the middle of a
//! word, and what an unknown escape says stays as it is written.

use super::traced::{Files, Letter, Place, text};
use haengine_kernel::error::{Error, Result};

/// What becomes one argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its characters, without quotes and escapes.
    pub letters: Vec<Letter>,
    /// All that is written for it, with the quotes.
    pub place: Place,
}

impl Word {
    /// What a program gets to see.
    pub fn text(&self) -> String {
        text(&self.letters)
    }
}

/// What a backslash does, and whether a quote must end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Those of a command line: escapes as in C, unknown ones stay as they are, quotes must end.
    Command,
    /// Those of `Environment=`: the same, but systemd leaves out all that comes after an unknown escape.
    Assignments,
    /// Those for the value of `$NAME`: a backslash keeps the next character, the end of the text ends a quote.
    Value,
}

/// A program with its arguments.
#[derive(Clone, Debug)]
pub struct Command {
    /// What stands before the path: any of `-@:+!`.
    pub prefix: String,
    /// The path, and the arguments.
    pub words: Vec<Word>,
}

/// All words of a text.
///
/// # Errors
/// `node.quote` where a quote does not end.
pub(super) fn words(files: &Files, line: &[Letter], rules: Rules) -> Result<Vec<Word>> {
    let mut reader = Reader { files, line, at: 0, rules };
    let mut words = Vec::new();
    while let Some(word) = reader.word()? {
        words.push(word);
    }
    Ok(words)
}

/// The commands of a line, which are separated by a `;` of its own.
///
/// # Errors
/// `node.quote` where a quote does not end, `node.command` where a command has no path.
pub(super) fn commands(files: &Files, line: &[Letter]) -> Result<Vec<Command>> {
    let mut reader = Reader { files, line, at: 0, rules: Rules::Command };
    let mut commands = Vec::new();
    while let Some(command) = reader.command()? {
        commands.push(command);
    }
    Ok(commands)
}

struct Reader<'a> {
    files: &'a Files,
    line: &'a [Letter],
    at: usize,
    rules: Rules,
}

impl Reader<'_> {
    fn command(&mut self) -> Result<Option<Command>> {
        while self.takes(&[';']).is_some() {}
        let Some(mut path) = self.word()? else { return Ok(None) };
        let prefix = prefix(&path.text());
        path.letters.drain(..prefix.len());
        if path.letters.is_empty() {
            return Err(self.files.refused("node.command", path.place, "a command has no path"));
        }
        let mut words = vec![path];
        loop {
            if self.takes(&[';']).is_some() {
                break;
            }
            let word = match self.takes(&['\\', ';']) {
                Some(semicolon) => Some(semicolon),
                None => self.word()?,
            };
            match word {
                Some(word) => words.push(word),
                None => break,
            }
        }
        Ok(Some(Command { prefix, words }))
    }

    /// These characters where they are a word of their own; the last of them is what they mean.
    fn takes(&mut self, wanted: &[char]) -> Option<Word> {
        self.skip_blanks();
        let found = self.line.get(self.at..self.at + wanted.len())?;
        let alone = self.line.get(self.at + wanted.len()).is_none_or(|letter| is_blank(letter.char));
        if !alone || found.iter().zip(wanted).any(|(letter, wanted)| letter.char != *wanted) {
            return None;
        }
        self.at += wanted.len();
        let place = found.first()?.at.to(found.last()?.at);
        Some(Word { letters: vec![Letter { at: place, ..*found.last()? }], place })
    }

    fn skip_blanks(&mut self) {
        while self.line.get(self.at).is_some_and(|letter| is_blank(letter.char)) {
            self.at += 1;
        }
    }

    fn word(&mut self) -> Result<Option<Word>> {
        self.skip_blanks();
        let Some(first) = self.line.get(self.at) else { return Ok(None) };
        let (mut letters, mut quote) = (Vec::new(), None);
        while let Some(letter) = self.line.get(self.at) {
            match (letter.char, quote) {
                ('\\', _) => {
                    self.escape(&mut letters)?;
                    continue;
                }
                (char, Some(begun)) if char == begun => quote = None,
                ('"' | '\'', None) => quote = Some(letter.char),
                (char, None) if is_blank(char) => break,
                _ => letters.push(*letter),
            }
            self.at += 1;
        }
        if let Some(quote) = quote.filter(|_| self.rules != Rules::Value) {
            return Err(self.files.refused("node.quote", first.at, &format!("a quote (`{quote}`) does not end")));
        }
        Ok(Some(Word { letters, place: first.at.to(self.line[self.at - 1].at) }))
    }

    /// Reads the backslash and what belongs to it.
    fn escape(&mut self, letters: &mut Vec<Letter>) -> Result<()> {
        let backslash = self.line[self.at];
        self.at += 1;
        let Some(next) = self.line.get(self.at) else { return self.ends_in_backslash(backslash) };
        if self.rules == Rules::Value {
            letters.push(Letter { at: backslash.at.to(next.at), ..*next });
            self.at += 1;
            return Ok(());
        }
        let rest: String = text(&self.line[self.at..self.line.len().min(self.at + 9)]);
        let Some((char, length)) = c_escape(&rest) else {
            if self.rules == Rules::Assignments {
                return Err(
                    self.refused(backslash, "systemd knows no such escape, and leaves out the rest of the line")
                );
            }
            letters.extend([backslash, *next]);
            self.at += 1;
            return Ok(());
        };
        let last = self.line[self.at + length - 1];
        self.at += length;
        if char.is_control() && !"\t\n".contains(char) || !char.is_ascii() && length == 3 {
            return Err(self.refused(backslash, "an escape stands for a control character, or for half of one"));
        }
        letters.push(Letter { char, at: backslash.at.to(last.at), ..backslash });
        Ok(())
    }

    fn ends_in_backslash(&self, backslash: Letter) -> Result<()> {
        match self.rules {
            Rules::Value => Ok(()),
            _ => Err(self.refused(backslash, "the line ends in a backslash")),
        }
    }

    fn refused(&self, backslash: Letter, message: &str) -> Error {
        self.files.refused("node.escape", backslash.at, message)
    }
}

/// What may stand before a command's path.
fn prefix(path: &str) -> String {
    path.chars().take_while(|char| "-@:+!|".contains(*char)).collect()
}

/// The character that an escape stands for, and how many characters it has behind the backslash.
fn c_escape(rest: &str) -> Option<(char, usize)> {
    let first = rest.chars().next()?;
    let simple = "a\x07b\x08f\x0cn\nr\rt\tv\x0b\\\\\"\"''s ";
    let mut pairs = simple.chars().zip(simple.chars().skip(1)).step_by(2);
    if let Some((_, meant)) = pairs.find(|(written, _)| *written == first) {
        return Some((meant, 1));
    }
    let number = |from: usize, digits: usize, base: u32| {
        let digits: String = rest.chars().skip(from).take(digits).collect();
        let full = digits.chars().all(|char| char.is_digit(base));
        let number = full.then(|| u32::from_str_radix(&digits, base).ok()).flatten()?;
        char::from_u32(number).filter(|char| *char != '\0')
    };
    let (length, base) = match first {
        'x' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        '0'..='7' => return (rest.chars().count() >= 3).then(|| Some((number(0, 3, 8)?, 3)))?,
        _ => return None,
    };
    if rest.chars().count() <= length {
        return None;
    }
    Some((number(1, length, base)?, 1 + length))
}

/// What systemd calls whitespace.
pub(super) fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<Vec<String>>> {
        let mut files = Files::default();
        let file = files.add("/unit", line);
        let commands = commands(&files, &files.letters(file))?;
        Ok(commands.iter().map(|command| command.words.iter().map(Word::text).collect()).collect())
    }

    fn one(line: &str) -> Vec<String> {
        split(line).unwrap().remove(0)
    }

    #[test]
    fn quotes_and_escapes_go() {
        assert_eq!(
            one(r#"/bin/echo "two words" 'one "two"' --a="b c"d"#),
            ["/bin/echo", "two words", "one \"two\"", "--a=b cd"]
        );
        assert_eq!(one(r#"-/x "\x41\102\u0043" '\t' \s"#), ["/x", "ABC", "\t", " "]);
        assert_eq!(one(r"/x \d a\\b ''"), ["/x", r"\d", r"a\b", ""]);
    }

    #[test]
    fn a_semicolon_of_its_own_separates() {
        assert_eq!(split("/a one ; /b two;three").unwrap(), [vec!["/a", "one"], vec!["/b", "two;three"]]);
        assert_eq!(one(r#"/a \; ";" \\;"#), ["/a", ";", ";", "\\;"]);
    }

    #[test]
    fn a_word_knows_where_it_is() {
        let mut files = Files::default();
        let file = files.add("/unit", r#"/x  "--a=\x41" b"#);
        let words = &commands(&files, &files.letters(file)).unwrap()[0].words;
        assert_eq!(&files.text(file)[words[1].place.start..words[1].place.end], r#""--a=\x41""#);
        let last = words[1].letters[4].at;
        assert_eq!(&files.text(file)[last.start..last.end], r"\x41");
    }

    #[test]
    fn what_does_not_end_is_refused() {
        assert_eq!(split("/x 'a").unwrap_err().message(), "/unit:1: a quote (`'`) does not end");
        assert_eq!(split("/x a\\").unwrap_err().message(), "/unit:1: the line ends in a backslash");
        assert_eq!(split("-").unwrap_err().message(), "/unit:1: a command has no path");
    }
}
