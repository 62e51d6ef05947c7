//! A change in variables that no command line names: in files that belong to no unit, and in what a program itself reads.

use haengine_kernel::error::Result;

use super::change::Change;
use super::in_documents::Changed;
use super::meant::Meant;
use super::mentions::mentions;
use super::naming::{Meaning, of_variable};
use super::rewrite::{Use, edits};
use super::traced::Files;
use super::variable_file::{Variable, is_name, variables};
use super::words::{Rules, Word, words};

/// The words of a variable, as a program would get them as its arguments.
pub(super) struct Alone {
    words: Vec<Word>,
}

/// A variable by its words; none where its name says that it is no argument: that of an API server's host, a proxy.
pub(super) fn alone(files: &Files, variable: &Variable) -> Result<Option<Alone>> {
    let is_known = variable.name.starts_with("KUBERNETES_SERVICE_") || of_variable(&variable.name).is_some();
    let words = (!is_known).then(|| words(files, &variable.value, Rules::Value)).transpose()?;
    Ok(words.map(|words| Alone { words }))
}

/// True where each line of a text is an assignment or a remark.
pub(super) fn is_variable_file(text: &str) -> bool {
    let (mut goes_on, mut found) = (false, false);
    for line in text.lines() {
        let bare = line.trim();
        let is_remark = bare.starts_with(['#', ';']);
        let is_assignment = bare.split_once('=').is_some_and(|(name, _)| is_name(name.trim_end()));
        if !goes_on && !bare.is_empty() && !is_remark && !is_assignment {
            return false;
        }
        found |= is_assignment;
        goes_on = bare.ends_with('\\') && !is_remark;
    }
    found
}

impl Change {
    /// A file of variables that belongs to no unit.
    ///
    /// # Errors
    /// As [`variables`], and as [`Program::set`](super::program::Program::set).
    pub(super) fn variable_file(&self, path: &str, text: &str) -> Result<Changed> {
        let mut files = Files::default();
        let file = files.add(path, text);
        let variables = variables(&files, file)?;
        let all: Vec<Alone> =
            variables.iter().filter_map(|variable| alone(&files, variable).transpose()).collect::<Result<_>>()?;
        let last = |name: &str| variables.iter().rfind(|one| one.name == name).map(|one| one.value.as_slice());
        let mut meant: Vec<Meant<'_>> = all.iter().flat_map(|variable| self.alone(variable)).collect();
        meant.extend(self.server_of_clients(last));
        let uses: Vec<Use<'_>> = meant.iter().map(|one| one.used.clone()).collect();
        let edits = edits(&files, &uses)?;
        let kept = mentions(&files, &[], self, &meant, &edits);
        let changed = files.edited(&edits)?.pop().map_or_else(|| text.to_owned(), |(_, text)| text);
        Ok(Changed { text: changed, kept })
    }

    /// The words of a variable: flags with their values, and endpoints.
    pub(super) fn alone<'a>(&self, variable: &'a Alone) -> Vec<Meant<'a>> {
        let mut before = String::new();
        let mut meant = Vec::new();
        for word in &variable.words {
            let said = word.text();
            let flag = said.split_once('=').filter(|(name, _)| name.starts_with('-'));
            let (name, value) = flag.unwrap_or((before.as_str(), said.as_str()));
            let meaning = match name.trim_start_matches('-') {
                "" => Some(Meaning::Server),
                name => self.meaning("", name, value),
            };
            let from = said.chars().count() - value.chars().count();
            let parts = self.parts(meaning, value).into_iter().map(|part| part.behind(from)).collect();
            let used = Use { letters: &word.letters, parts };
            meant.push(Meant { value: &word.letters[from..], meaning, used });
            before = if said.starts_with('-') && flag.is_none() { said } else { String::new() };
        }
        meant
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::endpoint::Endpoint;

    fn of(text: &str) -> (String, Vec<Option<&'static str>>) {
        let at = |text: &str| Endpoint::parse(text).unwrap();
        let change =
            Change { servers: vec![at("10.0.0.1:6443")], server: Some(at("10.0.0.88:16443")), ..Change::default() };
        let changed = change.variable_file("/f", text).unwrap();
        (changed.text, changed.kept.into_iter().map(|kept| kept.reason).collect())
    }

    #[test]
    fn words_of_variables_change_by_what_they_say() {
        let text = "# 10.0.0.1:6443\nOPTS=\"--master https://10.0.0.1:6443 --api-server=10.0.0.11:6443 \\\n  \
            --service-account-issuer=https://10.0.0.1:6443\"\nSERVER='https://10.0.0.1:6443'\n";
        let (changed, kept) = of(text);
        let expected = text.replace("master https://10.0.0.1:6443", "master https://10.0.0.88:16443");
        assert_eq!(changed, expected.replace("'https://10.0.0.1:6443'", "'https://10.0.0.88:16443'"));
        assert!(kept.len() == 2 && kept.iter().all(Option::is_some), "{kept:?}");
    }

    #[test]
    fn the_server_of_clients_has_a_port() {
        let text = "KUBERNETES_SERVICE_HOST=10.0.0.1\nKUBERNETES_SERVICE_PORT=6443\n";
        assert_eq!(of(text).0, "KUBERNETES_SERVICE_HOST=10.0.0.88\nKUBERNETES_SERVICE_PORT=16443\n");
        let other = text.replace("6443", "443");
        assert_eq!(of(&other), (other, vec![None]));
    }

    #[test]
    fn scripts_are_no_files_of_variables() {
        assert!(is_variable_file("# a\nA=b \\\nc\n\nB = c\n"));
        assert!(!is_variable_file("A=b\nexport C=d\n") && !is_variable_file("# a\n") && !is_variable_file("set -e\n"));
    }
}
