//! A unit with its drop-ins, read as systemd reads it (systemd.syntax(7)).
//!
//! A line that ends in a backslash goes on with the next one; remarks in between are left out, also those. An empty
//! value takes back what came before it. Before version 234, systemd took such remarks for a part of the line: whoever
//! has to do with a host that old compares the picture with the process.

use haengine_kernel::error::{Error, Kind, Result};

use super::traced::{Files, Letter, Place, text};
use super::words::is_blank;

/// A `key = value` of a section.
#[derive(Clone, Debug)]
pub struct Directive {
    /// The section, like `Service`.
    pub section: String,
    /// What stands before the `=`.
    pub key: String,
    /// What stands behind it, on as many lines as it takes, with a blank for each backslash that continues it.
    pub value: Vec<Letter>,
    /// All of it.
    pub place: Place,
}

/// A unit: the directives of its file, then those of its drop-ins.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its name, with `.service`.
    pub name: String,
    /// All of them, in the order in which systemd reads them.
    pub directives: Vec<Directive>,
}

impl Unit {
    /// Reads the unit from its file and its drop-ins, which are named in systemd's order (see
    /// [`fragments`](super::fragments::fragments)).
    ///
    /// # Errors
    /// `node.unit` when a file is missing, or has a line that systemd does not understand.
    pub fn read(files: &Files, name: &str, paths: &[&str]) -> Result<Unit> {
        let mut directives = Vec::new();
        for (number, path) in paths.iter().enumerate() {
            let file = files.number(path).ok_or_else(|| missing(name, path))?;
            if number == 0 && files.text(file).is_empty() {
                return Err(Error::new(Kind::Refused, "node.unit", format!("{path}: `{name}` is masked")));
            }
            directives.extend(directives_of(files, file)?);
        }
        Ok(Unit { name: name.to_owned(), directives })
    }

    /// What counts of a setting of the section `Service` that can be given more than once.
    pub fn list(&self, key: &str) -> Vec<&Directive> {
        let given = self.directives.iter().filter(|directive| directive.section == "Service" && directive.key == key);
        let mut list = Vec::new();
        for directive in given {
            match directive.value.is_empty() {
                true => list.clear(),
                false => list.push(directive),
            }
        }
        list
    }
}

fn missing(name: &str, path: &str) -> Error {
    Error::new(Kind::Refused, "node.unit", format!("{path}, a file of `{name}`, is not there"))
}

/// All directives of a file.
fn directives_of(files: &Files, file: usize) -> Result<Vec<Directive>> {
    let (mut section, mut directives) = (String::new(), Vec::new());
    for line in logical_lines(files, file)? {
        let said = text(&line);
        if let Some(header) = said.strip_prefix('[') {
            let wrong = || files.refused("node.unit", line[0].at, &format!("`{said}` is no header of a section"));
            section = header.strip_suffix(']').ok_or_else(wrong)?.to_owned();
            continue;
        }
        let Some(equals) = line.iter().position(|letter| letter.char == '=') else {
            return Err(files.refused("node.unit", line[0].at, &format!("`{}` has no `=`", shortened(&said))));
        };
        let (key, value) = (trimmed(&line[..equals]), trimmed(&line[equals + 1..]));
        let place = line[0].at.to(line[line.len() - 1].at);
        directives.push(Directive { section: section.clone(), key: text(key), value: value.to_vec(), place });
    }
    Ok(directives)
}

/// The lines as systemd sees them: continued ones joined, without remarks, empty lines, and blanks at both ends.
fn logical_lines(files: &Files, file: usize) -> Result<Vec<Vec<Letter>>> {
    let letters = files.read(file)?;
    let (mut lines, mut joined) = (Vec::new(), Vec::new());
    for line in letters.split(|letter| letter.char == '\n') {
        let line = without_mark(without_return(line));
        if let Some(alone) = line.iter().find(|letter| letter.char == '\r') {
            return Err(files.refused("node.unit", alone.at, "a carriage return stands within a line"));
        }
        if trimmed(line).first().is_some_and(|letter| "#;".contains(letter.char)) {
            continue;
        }
        joined.extend_from_slice(line);
        if !continues(files, line)? {
            lines.push(trimmed(&std::mem::take(&mut joined)).to_vec());
        } else if let Some(backslash) = joined.last_mut() {
            backslash.char = ' ';
        }
    }
    lines.push(trimmed(&joined).to_vec());
    lines.retain(|line| !line.is_empty());
    Ok(lines)
}

/// Whether a line ends in a backslash that is not itself escaped.
fn continues(files: &Files, line: &[Letter]) -> Result<bool> {
    let end = trimmed(line);
    let backslashes = end.iter().rev().take_while(|letter| letter.char == '\\').count();
    match (backslashes % 2 == 1, end.last() == line.last()) {
        (true, false) => {
            let message = "blanks stand behind the backslash that should continue the line";
            Err(files.refused("node.unit", end[end.len() - 1].at, message).hint("take the blanks away"))
        }
        (continues, _) => Ok(continues),
    }
}

fn without_return(line: &[Letter]) -> &[Letter] {
    match line.split_last() {
        Some((last, rest)) if last.char == '\r' => rest,
        _ => line,
    }
}

/// The line without the mark that some editors put before a file's text.
fn without_mark(line: &[Letter]) -> &[Letter] {
    match line.first() {
        Some(mark) if mark.char == '\u{feff}' && mark.at.start == 0 => &line[1..],
        _ => line,
    }
}

/// The letters without blanks at both ends.
pub(super) fn trimmed(letters: &[Letter]) -> &[Letter] {
    let Some(start) = letters.iter().position(|letter| !is_blank(letter.char)) else { return &[] };
    let end = letters.iter().rposition(|letter| !is_blank(letter.char)).map_or(start, |last| last + 1);
    &letters[start..end]
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(texts: &[&str]) -> Result<Unit> {
        let mut files = Files::default();
        let paths: Vec<String> = (0..texts.len()).map(|number| format!("/{number}.conf")).collect();
        for (path, text) in paths.iter().zip(texts) {
            files.add(path, *text);
        }
        Unit::read(&files, "x.service", &paths.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn list(texts: &[&str], key: &str) -> Vec<String> {
        unit(texts).unwrap().list(key).iter().map(|directive| text(&directive.value)).collect()
    }

    #[test]
    fn lines_are_joined_and_remarks_between_them_left_out() {
        let unit = "[Service]\r\nExecStart = /x \\\r\n  # ExecStart=/y \\\n\t; no\n  --a=1 \\\n\n--b=2\n";
        assert_eq!(list(&[unit.split("\n--b").next().unwrap()], "ExecStart"), ["/x    --a=1"]);
        assert_eq!(list(&["[Service]\nA=b\\\\\nC=d"], "A"), ["b\\\\"]);
        assert_eq!(list(&["\u{feff}[Service]\nA=b \\"], "A"), ["b"]);
    }

    #[test]
    fn an_empty_value_takes_back_what_came_before() {
        let file = "[Unit]\nExecStart=/no\n[Service]\nExecStart=/one\n";
        assert_eq!(list(&[file, "[Service]\nExecStart=\nExecStart=/two\n"], "ExecStart"), ["/two"]);
        assert_eq!(list(&[file, "[Service]\nExecStart=/two\n"], "ExecStart"), ["/one", "/two"]);
    }

    #[test]
    fn what_systemd_does_not_understand_is_refused() {
        let message = |text: &str| unit(&[text]).unwrap_err().message().to_owned();
        assert_eq!(message("[Service]\nExecStart=/x\n  --a=1\n--b"), "/0.conf:4: `--b` has no `=`");
        assert_eq!(message("[Service\n"), "/0.conf:1: `[Service` is no header of a section");
        assert_eq!(
            message("[Service]\nA=b \\ \nc\n"),
            "/0.conf:2: blanks stand behind the backslash that should continue the line"
        );
        assert_eq!(message("A=b\rc"), "/0.conf:1: a carriage return stands within a line");
        assert_eq!(message(""), "/0.conf: `x.service` is masked");
    }
}
