//! The program that a service runs, with its flags and with what it takes from its variables.

use std::collections::{BTreeMap, BTreeSet};

use haengine_kernel::error::{Error, Kind, Result};

use super::flags::{Dialect, Flag, Flags};
use super::rewrite::{Part, Use, edits};
use super::service::{Line, Service};
use super::traced::{Files, Letter, Place, text};
use super::words::Word;

/// Programs that run another one; their words are for themselves.
const RUNNERS: [&str; 15] = [
    "sh", "bash", "dash", "ksh", "zsh", "env", "nice", "ionice", "numactl", "taskset", "sudo", "docker", "podman",
    "ctr", "nsenter",
];

/// Kubernetes' programs.
const OF_KUBERNETES: [&str; 6] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "cloud-controller-manager",
];

/// A program as a service runs it.
#[derive(Clone, Debug)]
pub struct Program {
    /// The unit, or what the process is called.
    pub unit: String,
    /// Which program it is, like `kubelet`: also where `hyperkube` is called to be it.
    pub name: String,
    /// What is executed.
    pub path: String,
    /// Its words.
    pub words: Vec<Word>,
    /// Its flags.
    pub flags: Flags,
    /// Variables that stand for flags, like `ETCD_NAME` for `--name`, by the flag's name. A flag wins over its
    /// variable.
    pub variables: Vec<(String, Vec<Letter>)>,
}

impl Program {
    /// The program of a service.
    ///
    /// # Errors
    /// `node.program` when a shell or another runner starts it, when there are several, or nobody knows its flags;
    /// `node.flag` when its flags cannot be told.
    pub fn of(files: &Files, service: &Service) -> Result<Program> {
        let line = main_line(files, service)?;
        // Behind `@` and the path comes what the process calls itself.
        let first = if line.prefix.contains('@') { 2 } else { 1 };
        let mut program = Program::read(files, &service.name, &line.words, first)?;
        program.variables = standing_for_flags(service, &program.name);
        Ok(program)
    }

    /// The program of a process, whoever started it: `place` is what errors call it, `words` are its arguments with the
    /// path before them.
    ///
    /// ```
    /// use haengine_stdlib::node::program::Program;
    /// let words = ["/usr/bin/kubelet", "--node-ip", "192.0.2.1"].map(str::to_owned);
    /// let kubelet = Program::of_process("process 812", &words).unwrap();
    /// assert_eq!(kubelet.setting("node-ip").as_deref(), Some("192.0.2.1"));
    /// ```
    ///
    /// # Errors
    /// As [`Program::of`].
    pub fn of_process(place: &str, words: &[String]) -> Result<Program> {
        let (files, read) = written(place, words);
        if read.is_empty() {
            let message = format!("{place} has no words");
            return Err(Error::new(Kind::Refused, "node.program", message));
        }
        Program::read(&files, place, &read, 1)
    }

    fn read(files: &Files, unit: &str, words: &[Word], first: usize) -> Result<Program> {
        let path = words[0].text();
        let (name, first) = match (basename(&path), words.get(first)) {
            ("hyperkube", Some(word)) => (of_hyperkube(&word.text()), first + 1),
            (name, _) => (name.to_owned(), first),
        };
        let dialect = dialect(&name).ok_or_else(|| unknown(files, &words[0], &name))?;
        let flags = Flags::read(files, words, first, dialect)?;
        Ok(Program { unit: unit.to_owned(), name, path, words: words.to_vec(), flags, variables: Vec::new() })
    }

    /// What counts of a setting: its flag, or the variable that stands for it.
    pub fn setting(&self, name: &str) -> Option<String> {
        let variable = || self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| text(value));
        self.flags.value(name).or_else(variable)
    }

    /// The files that change when a flag gets this value; of a flag that is given twice, the last.
    ///
    /// `others` are the programs that may share its files. A variable is changed only if nobody else means it
    /// otherwise; else the value is written in its place.
    ///
    /// # Errors
    /// `node.flag` when the flag is not given, `node.value` when the value would need quotes, `node.edit` when nothing
    /// can be changed without changing something else.
    pub fn set(&self, files: &Files, others: &[&Program], flag: &str, value: &str) -> Result<Vec<(String, String)>> {
        let missing = || files.refused("node.flag", self.place(), &format!("`{}` has no `--{flag}`", self.name));
        let last = self.flags.given.iter().rposition(|given| given.name == flag).ok_or_else(missing)?;
        self.rewritten(files, others, |number, before| (number == last && before != value).then(|| value.to_owned()))
    }

    /// The files that change when settings get these values: flags, or the variables that stand for them. A setting
    /// that is in neither is left out.
    ///
    /// # Errors
    /// As [`Program::set`].
    pub(super) fn with<'a>(
        &'a self,
        files: &Files,
        others: &[&'a Program],
        value: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Vec<(String, String)>> {
        let last = |number: usize| {
            let name = &self.flags.given[number].name;
            self.flags.given.iter().rposition(|given| given.name == *name) == Some(number)
        };
        let mut uses = self.uses(others, |number, before| {
            let becomes = value(&self.flags.given[number].name).filter(|_| last(number));
            becomes.filter(|becomes| *becomes != before).map(str::to_owned)
        });
        for (name, letters) in &self.variables {
            let becomes = value(name).filter(|becomes| self.flags.value(name).is_none() && *becomes != text(letters));
            let part = becomes.map(|becomes| Part { range: 0..letters.len(), text: becomes.to_owned() });
            uses.push(Use { letters, parts: part.into_iter().collect() });
        }
        files.edited(&edits(files, &uses)?)
    }

    /// The files in which a setting is written, as far as it counts.
    pub(super) fn written_in<'a>(&self, files: &'a Files, setting: &str) -> impl Iterator<Item = &'a str> {
        let last = self.flags.given.iter().rfind(|given| given.name == setting);
        let variable = self.variables.iter().find(|(name, _)| name == setting);
        let letters = match last {
            Some(last) => last.value.as_ref().map(|value| value.letters.as_slice()),
            None => variable.map(|(_, value)| value.as_slice()),
        };
        let numbers: BTreeSet<usize> = letters.unwrap_or_default().iter().map(|letter| letter.at.file).collect();
        numbers.into_iter().map(|file| files.path(file))
    }

    /// The files that change when `becomes` says what a flag's value becomes; it is asked about every time that the
    /// flag is given.
    ///
    /// # Errors
    /// As [`Program::set`].
    pub fn rewrite(
        &self,
        files: &Files,
        others: &[&Program],
        flag: &str,
        becomes: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<(String, String)>> {
        self.rewritten(files, others, |number, before| {
            becomes(before).filter(|_| self.flags.given[number].name == flag)
        })
    }

    fn rewritten(
        &self,
        files: &Files,
        others: &[&Program],
        becomes: impl Fn(usize, &str) -> Option<String>,
    ) -> Result<Vec<(String, String)>> {
        files.edited(&edits(files, &self.uses(others, becomes))?)
    }

    /// Its words with what shall become of its flags, and the words of others, which shall stay.
    fn uses<'a>(&'a self, others: &[&'a Program], becomes: impl Fn(usize, &str) -> Option<String>) -> Vec<Use<'a>> {
        let mut uses = Vec::new();
        for (number, flag) in self.flags.given.iter().enumerate() {
            let word = flag.value.as_ref().map_or(flag.word, |value| value.word);
            let part = becomes(number, &flag.said()).map(|text| part(flag, &self.words[word].letters, text));
            uses.push(Use { letters: &self.words[word].letters, parts: part.into_iter().collect() });
        }
        let same = |other: &&&Program| !std::ptr::eq(**other, self);
        for word in others.iter().filter(same).flat_map(|other| &other.words) {
            uses.push(Use { letters: &word.letters, parts: Vec::new() });
        }
        uses
    }

    fn place(&self) -> Place {
        self.words[0].place
    }
}

/// The flags of a process by their names, without dashes; of one that is given twice the last. Nobody need know the program.
pub(super) fn flags_of_process(name: &str, words: &[String]) -> BTreeMap<String, String> {
    let (files, words) = written(name, words);
    let flags = Flags::of_process(&files, &words, dialect(name).unwrap_or(Dialect::Go));
    flags.given.iter().map(|flag| (flag.name.clone(), flag.said())).collect()
}

/// Words as if they were written in a file, one on a line.
fn written(place: &str, words: &[String]) -> (Files, Vec<Word>) {
    let mut files = Files::default();
    let file = files.add(place, words.join("\n"));
    let (letters, mut start) = (files.letters(file), 0);
    let mut read = Vec::new();
    for word in words {
        let letters = letters[start..start + word.chars().count()].to_vec();
        start += letters.len() + 1;
        let at = letters.first().map_or(Place { file, start: 0, end: 0 }, |letter| letter.at);
        read.push(Word { letters, place: at });
    }
    (files, read)
}

/// The flag's value, or what is written behind a flag that stands alone.
fn part(flag: &Flag, word: &[Letter], text: String) -> Part {
    match &flag.value {
        Some(value) => Part { range: value.from..word.len(), text },
        None => Part { range: word.len()..word.len(), text: format!("={text}") },
    }
}

/// The one line that starts the program.
fn main_line<'a>(files: &Files, service: &'a Service) -> Result<&'a Line> {
    let lines: Vec<&Line> = service.commands.iter().filter(|line| line.setting == "ExecStart").collect();
    match lines[..] {
        [line] => Ok(line),
        [] => {
            let message = format!("`{}` starts no program", service.name);
            Err(Error::new(Kind::Refused, "node.program", message))
        }
        [_, second, ..] => {
            let message = format!("`{}` starts more than one program", service.name);
            Err(files.refused("node.program", second.words[0].place, &message))
        }
    }
}

fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `hyperkube apiserver` and `hyperkube kube-apiserver` are the same.
fn of_hyperkube(word: &str) -> String {
    match word {
        "apiserver" | "controller-manager" | "scheduler" | "proxy" => format!("kube-{word}"),
        _ => word.to_owned(),
    }
}

fn dialect(name: &str) -> Option<Dialect> {
    match name {
        "etcd" | "flanneld" => Some(Dialect::Go),
        name if OF_KUBERNETES.contains(&name) => Some(Dialect::Kubernetes),
        _ => None,
    }
}

fn unknown(files: &Files, word: &Word, name: &str) -> Error {
    let message = match RUNNERS.contains(&name) {
        true => format!("`{name}` starts the program, and what it makes of its words only it can tell"),
        false => format!("nobody here knows the flags of `{name}`"),
    };
    files.refused("node.program", word.place, &message)
}

fn standing_for_flags(service: &Service, program: &str) -> Vec<(String, Vec<Letter>)> {
    let prefix = match program {
        "etcd" => "ETCD_",
        "flanneld" => "FLANNELD_",
        _ => return Vec::new(),
    };
    let flag = |name: &str| Some(name.strip_prefix(prefix)?.to_ascii_lowercase().replace('_', "-"));
    let variables = service.environment.variables.values();
    variables.filter_map(|variable| Some((flag(&variable.name)?, variable.value.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(files: &Files) -> Program {
        let service = Service::read(files, "kubelet.service", &["/u"], None).unwrap();
        Program::of(files, &service).unwrap()
    }

    #[test]
    fn the_last_of_repeated_flags_is_set() {
        let mut files = Files::default();
        files.add("/u", "[Service]\nExecStart=/usr/bin/kubelet --v=1 --node-ip= --v '2' \"--runonce\"\n");
        let kubelet = program(&files);
        let text = |flag, value| kubelet.set(&files, &[], flag, value).unwrap().remove(0).1;
        assert_eq!(text("v", "4"), "[Service]\nExecStart=/usr/bin/kubelet --v=1 --node-ip= --v '4' \"--runonce\"\n");
        assert_eq!(
            text("node-ip", "::1"),
            "[Service]\nExecStart=/usr/bin/kubelet --v=1 --node-ip=::1 --v '2' \"--runonce\"\n"
        );
        assert!(text("runonce", "false").ends_with(" \"--runonce=false\"\n"));
        assert!(kubelet.set(&files, &[], "v", "2").unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_set_is_refused() {
        let mut files = Files::default();
        files.add("/u", "[Service]\nEnvironment=A=--v=1\nExecStart=/usr/bin/kubelet $A\n");
        let (kubelet, proxy) = (program(&files), program(&files));
        let message = |others: &[&Program], flag, value| {
            kubelet.set(&files, others, flag, value).unwrap_err().message().to_owned()
        };
        assert_eq!(message(&[], "node-ip", "a"), "/u:3: `kubelet` has no `--node-ip`");
        assert_eq!(message(&[], "v", "a b"), "/u:2: `a b` would need quotes here, for its ` `");
        let shared = "/u:2: this cannot change for `/u:3` alone: somebody else uses it, and wants it as it is";
        assert_eq!(message(&[&proxy], "v", "2"), shared);
    }

    #[test]
    fn every_time_that_a_flag_is_given_can_be_rewritten() {
        let mut files = Files::default();
        files.add("/u", "[Service]\nExecStart=/usr/bin/kubelet --v=1 --v=2 --max-pods=1\n");
        let changed = program(&files).rewrite(&files, &[], "v", |value| Some(format!("{value}0"))).unwrap();
        assert_eq!(changed[0].1, "[Service]\nExecStart=/usr/bin/kubelet --v=10 --v=20 --max-pods=1\n");
    }
}
