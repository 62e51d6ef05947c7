//! The program that a service runs, with its flags and with what it takes from its variables.

use haengine_kernel::error::{Error, Result};

use super::flags::{Dialect, Flags};
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
    /// The unit.
    pub unit: String,
    /// Which program it is, like `kubelet`: also where `hyperkube` is called to be it.
    pub name: String,
    /// What is executed.
    pub path: String,
    /// Its words.
    pub words: Vec<Word>,
    /// Its flags.
    pub flags: Flags,
    /// Variables that stand for flags, like `ETCD_NAME` for `--name`, by the flag's name. A flag wins over its variable.
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
        let path = line.words[0].text();
        // Behind `@` and the path comes what the process calls itself.
        let first = if line.prefix.contains('@') { 2 } else { 1 };
        let (name, first) = match (basename(&path), line.words.get(first)) {
            ("hyperkube", Some(word)) => (of_hyperkube(&word.text()), first + 1),
            (name, _) => (name.to_owned(), first),
        };
        let dialect = dialect(&name).ok_or_else(|| unknown(files, &line.words[0], &name))?;
        let flags = Flags::read(files, &line.words, first, dialect)?;
        let variables = standing_for_flags(service, &name);
        Ok(Program { unit: service.name.clone(), name, path, words: line.words.clone(), flags, variables })
    }

    /// What counts of a setting: its flag, or the variable that stands for it.
    pub fn setting(&self, name: &str) -> Option<String> {
        let variable = || self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| text(value));
        self.flags.value(name).or_else(variable)
    }

    /// The files that change when a flag gets this value; of a flag that is given twice, the last.
    ///
    /// `others` are the programs that may share its files. A variable is changed only if nobody else means it otherwise;
    /// else the value is written in its place.
    ///
    /// # Errors
    /// `node.flag` when the flag is not given, `node.value` when the value would need quotes, `node.edit` when nothing can
    /// be changed without changing something else.
    pub fn set(&self, files: &Files, others: &[&Program], flag: &str, value: &str) -> Result<Vec<(String, String)>> {
        let missing = || files.refused("node.flag", self.place(), &format!("`{}` has no `--{flag}`", self.name));
        let last = self.flags.given.iter().rposition(|given| given.name == flag).ok_or_else(missing)?;
        self.rewritten(files, others, |number, before| (number == last && before != value).then(|| value.to_owned()))
    }

    /// The files that change when `becomes` says what a flag's value becomes; it is asked about every time that the flag
    /// is given.
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
        let mut uses = Vec::new();
        for (number, flag) in self.flags.given.iter().enumerate() {
            let Some(value) = &flag.value else { continue };
            let text = becomes(number, &flag.said());
            let part = text.map(|text| Part { range: value.from..value.from + value.letters.len(), text });
            uses.push(Use { letters: &self.words[value.word].letters, parts: part.into_iter().collect() });
        }
        let same = |other: &&&Program| !std::ptr::eq(**other, self);
        for word in others.iter().filter(same).flat_map(|other| &other.words) {
            uses.push(Use { letters: &word.letters, parts: Vec::new() });
        }
        files.edited(&edits(files, &uses)?)
    }

    fn place(&self) -> Place {
        self.words[0].place
    }
}

/// The one line that starts the program.
fn main_line<'a>(files: &Files, service: &'a Service) -> Result<&'a Line> {
    let lines: Vec<&Line> = service.commands.iter().filter(|line| line.setting == "ExecStart").collect();
    match lines[..] {
        [line] => Ok(line),
        [] => {
            let message = format!("`{}` starts no program", service.name);
            Err(Error::new(haengine_kernel::error::Kind::Refused, "node.program", message))
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
