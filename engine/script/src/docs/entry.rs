//! One thing that can be looked up.

use haengine_kernel::signature::Param;
use haengine_kernel::verb::{Sort, Verb};
use rhai::Engine;
use serde::Serialize;

use crate::docs::Core;
use crate::docs::core::Takes;
use crate::host::HostRef;

/// A function, a verb, a type of parameter or a property.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// As recipes write it: `step`, `file::put`, `Host.name`.
    pub name: String,
    /// How it is called; several lines where there are several ways.
    pub shape: String,
    /// What it is.
    pub sort: EntrySort,
    /// What it does, in Markdown; the first line stands alone.
    pub about: String,
    /// Its arguments, in their order.
    pub arguments: Vec<Field>,
    /// The keys of its options map.
    pub options: Vec<Field>,
    /// Examples.
    pub examples: Vec<Sample>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntrySort {
    /// A verb that describes how something shall be.
    State,
    /// A verb that does something once.
    Action,
    /// A verb that only looks.
    Read,
    /// A verb that keeps others away.
    Guard,
    /// A function of the language.
    Function,
    /// A function that a recipe defines, and the engine calls.
    Phase,
    /// A type of parameter, or what is said of one.
    Parameter,
    /// Something that a host knows of itself.
    Property,
}

/// An argument or an option.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it takes, with its article: "a string".
    pub takes: String,
    /// What it is for; empty where its name says it.
    pub about: String,
    /// What holds when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// An example.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// What it is for; may be empty.
    pub about: String,
    /// The recipe's lines.
    pub code: String,
}

impl Entry {
    /// What it does, in one line.
    pub fn summary(&self) -> &str {
        self.about.lines().next().unwrap_or_default()
    }
}

impl EntrySort {
    /// What it is, as a sentence's beginning.
    pub fn title(self) -> &'static str {
        match self {
            EntrySort::State => "State op",
            EntrySort::Action => "Action",
            EntrySort::Read => "Read",
            EntrySort::Guard => "Guard",
            EntrySort::Function => "Function",
            EntrySort::Phase => "Phase",
            EntrySort::Parameter => "Parameter",
            EntrySort::Property => "Property",
        }
    }
}

/// The entry of a verb.
pub fn verb(verb: &dyn Verb) -> Entry {
    let (name, signature) = (verb.name().replace('.', "::"), verb.signature());
    Entry {
        shape: format!("{name}{}", signature.shape()),
        name,
        sort: match verb.sort() {
            Sort::State => EntrySort::State,
            Sort::Action => EntrySort::Action,
            Sort::Read => EntrySort::Read,
            Sort::Guard => EntrySort::Guard,
        },
        about: verb.about().trim().to_owned(),
        arguments: signature.positional.iter().map(field).collect(),
        options: signature.options.iter().map(option).collect(),
        examples: verb
            .examples()
            .iter()
            .map(|example| Sample { about: example.about.to_owned(), code: example.code.to_owned() })
            .collect(),
    }
}

/// The entry of a function of the language.
pub(super) fn core(function: &Core) -> Entry {
    let is_parameter = function.name.starts_with("param::") || function.name.starts_with('.');
    let longest = function.shapes.iter().max_by_key(|shape| shape.len()).copied().unwrap_or_default();
    let takes = |takes: Takes| match takes {
        Takes::Value(param) => param.kind.takes(),
        Takes::Options => "a map of options".to_owned(),
        Takes::Closure => "a closure".to_owned(),
    };
    let argument =
        |name: &str, what| Field { name: name.to_owned(), takes: takes(what), about: String::new(), default: None };
    Entry {
        name: function.name.to_owned(),
        shape: function.calls().join("\n"),
        sort: if is_parameter { EntrySort::Parameter } else { EntrySort::Function },
        about: function.about.to_owned(),
        arguments: longest.iter().map(|one| argument(one.name, one.takes)).collect(),
        options: function.options.iter().map(option).collect(),
        examples: vec![Sample { about: String::new(), code: function.example.to_owned() }],
    }
}

/// What a host knows of itself, from the comments of the functions that say it.
pub(super) fn properties(engine: &Engine) -> Vec<Entry> {
    let host = std::any::TypeId::of::<HostRef>();
    let mut entries = engine.collect_fn_metadata(
        None,
        |function| {
            let metadata = function.metadata;
            let name = metadata.name.strip_prefix("get$").filter(|_| metadata.param_types.first() == Some(&host))?;
            let about: Vec<String> = metadata.comments.iter().map(|comment| plain(comment)).collect();
            Some(property(name, &about.join("\n")))
        },
        false,
    );
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

fn plain(comment: &str) -> String {
    let lines = comment.lines().map(|line| line.trim().trim_start_matches("///").trim());
    lines.collect::<Vec<_>>().join("\n")
}

fn property(name: &str, about: &str) -> Entry {
    Entry {
        name: format!("Host.{name}"),
        shape: format!("host.{name}"),
        sort: EntrySort::Property,
        about: about.trim().to_owned(),
        arguments: Vec::new(),
        options: Vec::new(),
        examples: vec![Sample { about: String::new(), code: format!("log(host(\"master1\").{name});") }],
    }
}

fn field(param: &Param) -> Field {
    Field { name: param.name.to_owned(), takes: param.kind.takes(), about: param.about.to_owned(), default: None }
}

fn option(param: &Param) -> Field {
    Field { default: Some(param.absent.to_string()), ..field(param) }
}
