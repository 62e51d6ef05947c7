//! What a call of a verb looks like: the one description behind checks, help, completion and the book.

use std::collections::BTreeMap;
use std::fmt;

use crate::value::Value;

/// The arguments of a verb.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// In the order of the call. Exactly one is of kind [`ParamKind::Hosts`] where the verb works on hosts.
    pub positional: &'static [Param],
    /// The keys of the options map that may follow.
    pub options: &'static [Param],
}

/// One argument or option.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// What holds when it is left out.
    pub absent: Absent,
}

/// What holds when an argument is left out. What a recipe could write itself is filled in before the verb is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Absent {
    /// It must be given.
    Refused,
    /// Nothing stands in for it; what that means, as a fragment: "as it is; `0o644` for a new file".
    Means(&'static str),
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// Permissions.
    Mode(u32),
    /// A text, a path, a word or a time span.
    String(&'static str),
    /// Several texts.
    Strings(&'static [&'static str]),
    /// An empty map.
    Map,
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A host, a group, or an array of them: where the verb works.
    Hosts,
    /// One other host.
    Host,
    /// An absolute path on the host.
    Path,
    /// An absolute path, or an array of them: one change each.
    Paths,
    /// A path on the operator's machine, relative to the recipe's folder, of which something is read.
    LocalPath,
    /// One such path or several.
    LocalPaths,
    /// Such a path, or a text of several lines that may be a secret or known only when run.
    LocalText,
    /// A path on the operator's machine, relative to the recipe's folder, where something is written.
    LocalPlace,
    /// A text that is shown and journalled.
    String,
    /// A string or an array of strings.
    Strings,
    /// A command: a string is read by the host's `sh`, an array is a program and its arguments, word for word.
    Command,
    /// A text that may be a secret or known only when run; it is never journalled, its hash is.
    Text,
    /// A whole number.
    Integer,
    /// A whole number or an array of them.
    Integers,
    /// Yes or no.
    Boolean,
    /// Permissions, as `0o644`.
    Mode,
    /// A time span: a number of seconds, or a string such as `"30s"`, `"5m"`.
    Duration,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A map of anything.
    Map,
    /// Anything.
    Any,
}

impl ParamKind {
    /// Whether it names what is read on the operator's machine.
    pub fn reads_locally(self) -> bool {
        matches!(self, ParamKind::LocalPath | ParamKind::LocalPaths | ParamKind::LocalText)
    }

    /// Whether it names where something is written on the operator's machine.
    pub fn writes_locally(self) -> bool {
        self == ParamKind::LocalPlace
    }

    /// What it takes, with its article: "a string".
    pub fn takes(self) -> String {
        match self {
            ParamKind::Hosts => "a host, a group or an array of hosts".into(),
            ParamKind::Host => "a host".into(),
            ParamKind::Path => "an absolute path".into(),
            ParamKind::Paths => "an absolute path or an array of them".into(),
            ParamKind::LocalPath | ParamKind::LocalPlace => "a path on your machine".into(),
            ParamKind::String => "a string".into(),
            ParamKind::Strings | ParamKind::LocalPaths => "a string or an array of strings".into(),
            ParamKind::Command => "a command: a string for `sh`, or an array of words".into(),
            ParamKind::Text | ParamKind::LocalText => "a string or a secret".into(),
            ParamKind::Integer => "an integer".into(),
            ParamKind::Integers => "an integer or an array of them".into(),
            ParamKind::Boolean => "a boolean".into(),
            ParamKind::Mode => "permissions such as `0o644`".into(),
            ParamKind::Duration => "seconds or a time span such as \"30s\"".into(),
            ParamKind::Choice(words) => format!("one of {}", quoted(words)),
            ParamKind::Map => "a map".into(),
            ParamKind::Any => "a value".into(),
        }
    }
}

/// Words in backticks, with commas between: for messages.
pub fn quoted<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(word.len()) / 3 + 1)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

impl Param {
    /// An argument that must be given.
    pub const fn new(name: &'static str, kind: ParamKind, about: &'static str) -> Param {
        Param { name, kind, about, absent: Absent::Refused }
    }

    /// The hosts on which a verb works, by its usual name.
    pub const fn hosts() -> Param {
        Param::new("hosts", ParamKind::Hosts, "Where.")
    }

    /// An option, with what holds when it is left out.
    pub const fn option(name: &'static str, kind: ParamKind, absent: Absent, about: &'static str) -> Param {
        Param { name, kind, about, absent }
    }

    /// True when a call without it is refused.
    pub fn is_required(&self) -> bool {
        self.absent == Absent::Refused
    }
}

impl Absent {
    /// What stands in for an argument that was left out.
    pub fn value(self) -> Option<Value> {
        match self {
            Absent::Refused | Absent::Means(_) => None,
            Absent::Boolean(value) => Some(Value::Boolean(value)),
            Absent::Integer(number) => Some(Value::Integer(number)),
            Absent::Float(number) => Some(Value::Float(number)),
            Absent::Mode(mode) => Some(Value::Integer(i64::from(mode))),
            Absent::String(text) => Some(Value::from(text)),
            Absent::Strings(texts) => Some(Value::List(texts.iter().map(|text| Value::from(*text)).collect())),
            Absent::Map => Some(Value::Map(BTreeMap::new())),
        }
    }
}

/// As help shows it: what a recipe could write, or what it means.
impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Absent::Refused => f.write_str("must be given"),
            Absent::Means(what) => f.write_str(what),
            Absent::Boolean(value) => write!(f, "{value}"),
            Absent::Integer(number) => write!(f, "{number}"),
            Absent::Float(number) => write!(f, "{number}"),
            Absent::Mode(mode) => write!(f, "0o{mode:o}"),
            Absent::String(text) => write!(f, "{text:?}"),
            Absent::Strings(texts) => write!(f, "{texts:?}"),
            Absent::Map => f.write_str("#{}"),
        }
    }
}

impl Signature {
    /// The position of the argument that names the hosts.
    pub fn subject(&self) -> Option<usize> {
        self.positional.iter().position(|param| param.kind == ParamKind::Hosts)
    }

    /// The call as help shows it: `(hosts, path, content, options)`.
    pub fn shape(&self) -> String {
        let mut names: Vec<&str> = self.positional.iter().map(|param| param.name).collect();
        if !self.options.is_empty() {
            names.push("options");
        }
        format!("({})", names.join(", "))
    }
}
