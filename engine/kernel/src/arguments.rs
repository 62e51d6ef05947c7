//! The arguments of one call, checked against the verb's signature.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::reach::Reach;
use crate::signature::{Param, ParamKind, Signature, nearest, quoted};
use crate::text::Text;
use crate::value::Value;

/// Texts of local files, by their paths.
pub type LocalTexts = Arc<BTreeMap<PathBuf, Arc<str>>>;

/// Checked arguments by name. The hosts are not among them: they are the run's matter.
#[derive(Clone)]
pub struct Arguments {
    function: String,
    signature: Signature,
    values: BTreeMap<&'static str, Value>,
    base: Option<PathBuf>,
    texts: LocalTexts,
    reach: Option<Arc<Reach>>,
}

impl Arguments {
    /// Checks a call of `function`: number and types of arguments, names and types of options, and those that must be
    /// given. What is left out has its default. The value at the position of the hosts is passed over.
    ///
    /// # Errors
    /// Of kind `Usage`, naming the argument, what it takes and what was given; of kind `Unknown` where a value
    /// known only when run stands in a place that a plan must know.
    pub fn check(
        function: &str,
        signature: &Signature,
        positional: Vec<Value>,
        options: Option<BTreeMap<String, Value>>,
    ) -> Result<Arguments> {
        let mut values = BTreeMap::new();
        if positional.len() != signature.positional.len() {
            return Err(wrong_count(function, signature, positional.len()));
        }
        for (index, (param, value)) in signature.positional.iter().zip(positional).enumerate() {
            if param.kind == ParamKind::Hosts {
                continue;
            }
            let place = format!("argument {} of `{function}` (`{}`)", index + 1, param.name);
            check_value(&place, param, &value)?;
            values.insert(param.name, value);
        }
        for (name, value) in options.unwrap_or_default() {
            let param = option_named(function, signature, &name)?;
            check_value(&format!("option `{name}` of `{function}`"), param, &value)?;
            values.insert(param.name, value);
        }
        for param in signature.options.iter().filter(|param| !values.contains_key(param.name)).collect::<Vec<_>>() {
            if param.is_required() {
                return Err(left_out(function, param));
            }
            values.extend(param.absent.value().map(|value| (param.name, value)));
        }
        let (function, signature) = (function.to_owned(), *signature);
        Ok(Arguments { function, signature, values, base: None, texts: LocalTexts::default(), reach: None })
    }

    /// The function that was called, as recipes write it.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The same, with the folder that local paths are relative to.
    #[must_use]
    pub fn with_base(mut self, base: impl Into<PathBuf>) -> Arguments {
        self.base = Some(base.into());
        self
    }

    /// The same, with what local files held when the recipe was loaded.
    #[must_use]
    pub fn with_texts(mut self, texts: LocalTexts) -> Arguments {
        self.texts = texts;
        self
    }

    /// The same, where no more of the operator's machine may be read and written than is within this reach.
    #[must_use]
    pub fn within(mut self, reach: Option<Arc<Reach>>) -> Arguments {
        self.reach = reach;
        self
    }

    /// What may be read and written of the operator's machine; everything where nothing is said.
    pub fn reach(&self) -> Option<&Arc<Reach>> {
        self.reach.as_ref()
    }

    /// What local files held when the recipe was loaded: a run goes on with that, whatever they hold now.
    pub fn texts(&self) -> &LocalTexts {
        &self.texts
    }

    /// The recipe's folder, to which local paths are relative; none outside of recipes: then it is the current one.
    pub fn base(&self) -> Option<&Path> {
        self.base.as_deref()
    }

    /// The value, if it was given or has a default.
    ///
    /// # Panics
    /// Where assertions are on, when the verb's signature has no such argument.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let known = self.signature.positional.iter().chain(self.signature.options).any(|param| param.name == name);
        debug_assert!(known, "`{}` asks for `{name}`, which its signature does not have", self.function);
        self.values.get(name)
    }

    /// True when it was given or has a default.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it was not given and has no default, as for all that must be there.
    pub fn string(&self, name: &str) -> Result<String> {
        self.opt_string(name).ok_or_else(|| self.missing(name))
    }

    /// A text that may be left out.
    pub fn opt_string(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        }
    }

    /// A path on the operator's machine, made absolute or relative to the current folder, where something is written.
    ///
    /// # Errors
    /// `local.outside` and `local.hidden` where that is out of the recipe's reach; when it was not given.
    pub fn local_place(&self, name: &str) -> Result<PathBuf> {
        let named = self.string(name)?;
        let path = self.based(&named);
        self.reach.as_ref().map_or(Ok(()), |reach| reach.check_place(&path, &named))?;
        Ok(path)
    }

    /// A path on the operator's machine of which something is read.
    ///
    /// # Errors
    /// `local.outside` where that is out of the recipe's reach; when it was not given.
    pub fn readable_path(&self, name: &str) -> Result<PathBuf> {
        self.readable(&self.string(name)?)
    }

    /// A path on the operator's machine as the recipe writes it, made absolute or relative to the current folder.
    ///
    /// # Errors
    /// `local.outside` where it is out of the recipe's reach.
    pub fn readable(&self, named: &str) -> Result<PathBuf> {
        let path = self.based(named);
        self.reach.as_ref().map_or(Ok(()), |reach| reach.check(&path, named))?;
        Ok(path)
    }

    fn based(&self, named: &str) -> PathBuf {
        self.base().unwrap_or(Path::new("")).join(named)
    }

    /// One string or several.
    pub fn strings(&self, name: &str) -> Vec<String> {
        match self.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::List(items)) => items.iter().filter_map(as_string).collect(),
            _ => Vec::new(),
        }
    }

    /// A text that may be secret or known only when run.
    ///
    /// # Errors
    /// When it was not given.
    pub fn text(&self, name: &str) -> Result<Text> {
        self.opt_text(name).ok_or_else(|| self.missing(name))
    }

    /// A text that may be secret or known only when run, or left out.
    pub fn opt_text(&self, name: &str) -> Option<Text> {
        match self.get(name) {
            Some(Value::List(parts)) => parts.iter().map(text).collect::<Option<Vec<Text>>>().map(Text::of_parts),
            value => value.and_then(text),
        }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// When it was not given and has no default.
    pub fn boolean(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            Some(Value::Boolean(value)) => Ok(*value),
            _ => Err(self.missing(name)),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it was not given and has no default.
    pub fn integer(&self, name: &str) -> Result<i64> {
        self.opt_integer(name).ok_or_else(|| self.missing(name))
    }

    /// A whole number that may be left out.
    pub fn opt_integer(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(as_integer)
    }

    /// One whole number or several.
    pub fn integers(&self, name: &str) -> Vec<i64> {
        match self.get(name) {
            Some(Value::Integer(value)) => vec![*value],
            Some(Value::List(items)) => items.iter().filter_map(as_integer).collect(),
            _ => Vec::new(),
        }
    }

    /// Permissions.
    ///
    /// # Errors
    /// When they were not given and have no default.
    pub fn mode(&self, name: &str) -> Result<u32> {
        self.opt_mode(name).ok_or_else(|| self.missing(name))
    }

    /// Permissions that may be left out.
    pub fn opt_mode(&self, name: &str) -> Option<u32> {
        self.opt_integer(name).and_then(|mode| u32::try_from(mode).ok())
    }

    /// A time span.
    ///
    /// # Errors
    /// When it was not given and has no default.
    pub fn duration(&self, name: &str) -> Result<Duration> {
        self.opt_duration(name).ok_or_else(|| self.missing(name))
    }

    /// A time span that may be left out.
    pub fn opt_duration(&self, name: &str) -> Option<Duration> {
        self.get(name).and_then(as_duration)
    }

    /// A map that may be left out.
    pub fn map(&self, name: &str) -> BTreeMap<String, Value> {
        match self.get(name) {
            Some(Value::Map(map)) => map.clone(),
            _ => BTreeMap::new(),
        }
    }

    fn missing(&self, name: &str) -> Error {
        Error::new(Kind::Usage, "call.missing", format!("`{}` needs `{name}`", self.function))
    }
}

/// Why a call without this option is refused.
pub fn left_out(function: &str, param: &Param) -> Error {
    let Param { name, kind, .. } = param;
    Error::new(Kind::Usage, "call.missing", format!("`{function}` needs option `{name}`"))
        .hint(format!("add `{name}: …` to its options: {}", kind.takes()))
}

fn wrong_count(function: &str, signature: &Signature, given: usize) -> Error {
    let wanted = signature.positional.len();
    let message = format!("`{function}` takes {wanted} arguments, {given} were given");
    Error::new(Kind::Usage, "call.arity", message).hint(format!("write `{function}{}`", signature.shape()))
}

fn option_named<'a>(function: &str, signature: &'a Signature, name: &str) -> Result<&'a Param> {
    if let Some(param) = signature.options.iter().find(|param| param.name == name) {
        return Ok(param);
    }
    let known: Vec<&str> = signature.options.iter().map(|param| param.name).collect();
    let error = Error::new(Kind::Usage, "call.unknown_option", format!("`{function}` has no option `{name}`"));
    Err(match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("write `{near}`")),
        None if known.is_empty() => error.hint("leave the options map out"),
        None => error.hint(format!("use one of {}", quoted(&known))),
    })
}

fn check_value(place: &str, param: &Param, value: &Value) -> Result<()> {
    if let (Value::Unknown(unknown), false) =
        (value, matches!(param.kind, ParamKind::Text | ParamKind::LocalText | ParamKind::Any))
    {
        if let Some(error) = unknown.forgotten(&format!("{place} depends on")) {
            return Err(error);
        }
        let message = format!("{place} depends on {}, known only when run", unknown.origin);
        return Err(Error::new(Kind::Unknown, "plan.unknown", message)
            .hint("run the recipe, or find the value with a read that does not depend on a planned change"));
    }
    if fits(param.kind, value) {
        return Ok(());
    }
    let error = Error::new(
        Kind::Usage,
        "call.type",
        format!("{place} must be {}, not {}", param.kind.takes(), describe(value)),
    );
    Err(match (param.kind, value) {
        (_, Value::Secret(_)) => error.hint("pass a secret only where a text is placed or read from standard input"),
        (ParamKind::Path | ParamKind::Paths, Value::String(path)) => {
            error.hint(format!("write `/{path}` or the full path"))
        }
        (ParamKind::Mode, Value::String(text)) => {
            error.hint(format!("write `0o{}` without quotes", text.trim_start_matches('0')))
        }
        _ => error,
    })
}

fn text(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) => Some(Text::Plain(text.clone())),
        Value::Secret(secret) => Some(Text::Secret(secret.clone())),
        Value::Unknown(unknown) => Some(Text::Unknown(unknown.clone())),
        _ => None,
    }
}

/// Texts are shown short: a wrong argument may be a whole file.
fn describe(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= 60 => format!("the string {text:?}"),
        Value::Integer(number) => format!("the integer {number}"),
        other => other.kind().to_owned(),
    }
}

fn fits(kind: ParamKind, value: &Value) -> bool {
    match kind {
        ParamKind::Hosts | ParamKind::Any => true,
        ParamKind::Path => is_path(value),
        ParamKind::Paths => is_path(value) || all(value, is_path),
        ParamKind::Host | ParamKind::String | ParamKind::LocalPath | ParamKind::LocalPlace => {
            matches!(value, Value::String(_))
        }
        ParamKind::Strings | ParamKind::LocalPaths => {
            matches!(value, Value::String(_)) || all(value, |item| matches!(item, Value::String(_)))
        }
        ParamKind::Text | ParamKind::LocalText => text(value).is_some() || all(value, |part| text(part).is_some()),
        ParamKind::Command => is_command(value),
        ParamKind::Integer => matches!(value, Value::Integer(_)),
        ParamKind::Integers => matches!(value, Value::Integer(_)) || all(value, |item| as_integer(item).is_some()),
        ParamKind::Boolean => matches!(value, Value::Boolean(_)),
        ParamKind::Mode => matches!(value, Value::Integer(0..=0o7777)),
        ParamKind::Duration => as_duration(value).is_some(),
        ParamKind::Choice(words) => matches!(value, Value::String(word) if words.contains(&word.as_str())),
        ParamKind::Map => matches!(value, Value::Map(_)),
    }
}

fn all(value: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    matches!(value, Value::List(items) if items.iter().all(fits))
}

fn is_path(value: &Value) -> bool {
    matches!(value, Value::String(path) if path.starts_with('/') && !path.contains('\0'))
}

/// A word may not hold the byte that ends words on the host; the program is never empty.
fn is_command(value: &Value) -> bool {
    let word = |item: &Value| matches!(item, Value::String(word) if !word.contains('\0'));
    match value {
        Value::String(text) => word(value) && !text.trim().is_empty(),
        Value::List(items) => {
            items.iter().all(word) && matches!(items.first(), Some(Value::String(program)) if !program.is_empty())
        }
        _ => false,
    }
}

fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

fn as_string(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn as_duration(value: &Value) -> Option<Duration> {
    match value {
        Value::Integer(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
        Value::Float(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        Value::String(text) => parse_duration(text),
        _ => None,
    }
}

/// Reads `500ms`, `30s`, `5m`, `2h`; none when it is not of that form.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let milliseconds = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}
