//! The arguments of verbs and of the language's own functions, as far as they are written out.

use std::path::Path;

use haengine_kernel::arguments::{Arguments, left_out};
use haengine_kernel::error::Error;
use haengine_kernel::reach::Reach;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature, nearest, quoted};
use haengine_kernel::value::Value;
use rhai::Expr;

use crate::docs::{Argument, Core, Takes};
use crate::lint::call::Call;
use crate::lint::check::Lint;
use crate::lint::literal::{is_bare_block, literal, string};
use crate::lint::sheet::Sheet;
use crate::local;

/// An option of every verb: see `bridge`.
static ON_ERROR: [Param; 1] = [Param::option(
    "on_error",
    ParamKind::Choice(&["raise", "continue"]),
    Absent::String("raise"),
    "What the failure of some hosts does.",
)];

/// Where an argument stands.
struct Place<'a> {
    function: &'a str,
    /// From 0.
    index: usize,
}

impl Lint<'_> {
    /// A call of a verb.
    pub fn verb(&mut self, sheet: &Sheet, call: &Call, signature: &Signature) {
        let (function, takes) = (call.function(), signature.positional.len());
        let options = match call.arguments.len().checked_sub(takes) {
            Some(0) => None,
            Some(1) => call.arguments.last(),
            _ => {
                let plural = if takes == 1 { "" } else { "s" };
                let hint = format!("write `{function}{}`", signature.shape());
                return self.wrong_count(sheet, call, &format!("{takes} argument{plural}"), hint);
            }
        };
        for (index, (param, given)) in signature.positional.iter().zip(call.arguments).enumerate() {
            self.argument(sheet, &Place { function: &function, index }, param, given);
        }
        if let Some(given) = options {
            let known = with_on_error(signature.options);
            self.options(sheet, &Place { function: &function, index: takes }, &known, given);
        }
        self.required(sheet, call, signature, options);
    }

    /// Options that must be given, where it is written out which ones are.
    fn required(&mut self, sheet: &Sheet, call: &Call, signature: &Signature, given: Option<&Expr>) {
        let names: Vec<&str> = match given {
            None => Vec::new(),
            Some(Expr::Map(map, _)) => map.0.iter().map(|(key, _)| key.name.as_str()).collect(),
            Some(_) => return,
        };
        for param in signature.options.iter().filter(|param| param.is_required() && !names.contains(&param.name)) {
            self.told(sheet, "check.missing_option", call.position, &left_out(&call.function(), param));
        }
    }

    /// A call of a function of the language.
    pub fn core(&mut self, sheet: &Sheet, call: &Call, core: &'static Core) {
        let Some(shape) = core.shapes.iter().find(|shape| shape.len() == call.arguments.len()) else {
            let counts: Vec<String> = core.shapes.iter().map(|shape| shape.len().to_string()).collect();
            let plural = if counts == ["1"] { "" } else { "s" };
            let hint = format!("write `{}`", core.calls().join("` or `"));
            return self.wrong_count(sheet, call, &format!("{} argument{plural}", counts.join(" or ")), hint);
        };
        for (index, (argument, given)) in shape.iter().zip(call.arguments).enumerate() {
            let place = Place { function: core.name, index };
            match &argument.takes {
                Takes::Value(param) => self.argument(sheet, &place, param, given),
                Takes::Options => self.options(sheet, &place, &core.options.iter().collect::<Vec<_>>(), given),
                Takes::Closure => self.closure(sheet, &place, argument, given),
            }
        }
        self.inventory_name(sheet, call);
    }

    fn argument(&mut self, sheet: &Sheet, place: &Place, param: &'static Param, given: &Expr) {
        let refused = match (param.kind, literal(given)) {
            (ParamKind::Hosts, Some(value)) => not_hosts(place, &value),
            (_, Some(value)) => refused(place, param, value),
            (kind, None) if is_interpolated(given) && takes_no_string(kind) => {
                Some(must_be(&format!("{} (`{}`)", place.text(), param.name), kind))
            }
            (_, None) => None,
        };
        match (refused, param.kind) {
            (Some(error), _) => self.told(sheet, "check.type", given.start_position(), &error),
            (None, ParamKind::Host) => self.host_name(sheet, given),
            (None, kind) => self.local(sheet, kind, given),
        }
    }

    /// What is read and written on the operator's machine lies in the recipe's own folder.
    fn local(&mut self, sheet: &Sheet, kind: ParamKind, given: &Expr) {
        let check = match kind {
            kind if kind.reads_locally() => Reach::check,
            kind if kind.writes_locally() => Reach::check_place,
            _ => return,
        };
        let Some(reach) = self.snapshot().reach() else { return };
        let reach = reach.with(self.inventory.map(|inventory| inventory.texts()).unwrap_or_default());
        let base = sheet.file.folder().or_else(|| self.snapshot().folder_of(self.recipe())).map(Path::to_owned);
        for (name, position) in local::named(given) {
            let path = base.as_ref().map_or_else(|| name.into(), |base| base.join(name));
            if let Err(error) = check(&reach, &path, name) {
                self.told(sheet, "check.local_outside", position, &error);
            }
        }
    }

    fn options(&mut self, sheet: &Sheet, place: &Place, known: &[&'static Param], given: &Expr) {
        let Expr::Map(map, _) = given else {
            if let Some(value) = literal(given) {
                let message = format!("{} must be a map of options, not {}", place.text(), value.kind());
                let hint = "write the options as `#{ name: value }`".to_owned();
                self.error(sheet, "check.type", given.start_position(), message, hint);
            }
            return;
        };
        for (key, value) in &map.0 {
            let Some(param) = known.iter().find(|param| param.name == key.name) else {
                let message = format!("`{}` has no option `{}`", place.function, key.name);
                self.error(sheet, "check.unknown_option", key.pos, message, other_option(&key.name, known));
                continue;
            };
            if let Some(error) = refused_option(place.function, param, value) {
                self.told(sheet, "check.type", value.start_position(), &error);
            }
        }
    }

    fn closure(&mut self, sheet: &Sheet, place: &Place, argument: &Argument, given: &Expr) {
        let hint = match (is_bare_block(given), literal(given)) {
            (true, _) => "put `||` before the block: a block is done at once, a closure when it is called",
            (false, Some(_)) => "write `|| { … }`",
            (false, None) => return,
        };
        let message = format!("{} (`{}`) must be a closure", place.text(), argument.name);
        self.error(sheet, "check.type", given.start_position(), message, hint.to_owned());
    }

    /// `host("NAME")` and `group("NAME")`.
    fn inventory_name(&mut self, sheet: &Sheet, call: &Call) {
        let (Some(inventory), [given]) = (self.inventory, call.arguments) else { return };
        match (call.function().as_str(), string(given)) {
            ("host", Some(_)) => self.host_name(sheet, given),
            ("group", Some(name)) => {
                if let Err(error) = inventory.group(name) {
                    self.told(sheet, "check.unknown_group", given.start_position(), &error);
                }
            }
            _ => {}
        }
    }

    fn host_name(&mut self, sheet: &Sheet, given: &Expr) {
        let (Some(inventory), Some(name)) = (self.inventory, string(given)) else { return };
        if let Err(error) = inventory.host(name) {
            self.told(sheet, "check.unknown_host", given.start_position(), &error);
        }
    }
}

impl Place<'_> {
    fn text(&self) -> String {
        format!("argument {} of `{}`", self.index + 1, self.function)
    }
}

fn is_interpolated(given: &Expr) -> bool {
    matches!(given, Expr::InterpolatedString(..))
}

/// What is known of an interpolated string is that it is one.
fn must_be(what: &str, kind: ParamKind) -> Error {
    usage(format!("{what} must be {}, not a string", kind.takes()))
}

fn refused_option(function: &str, param: &'static Param, given: &Expr) -> Option<Error> {
    let name = param.name;
    let Some(value) = literal(given) else {
        let wrong = is_interpolated(given) && takes_no_string(param.kind);
        return wrong.then(|| must_be(&format!("option `{name}` of `{function}`"), param.kind));
    };
    let signature = Signature { positional: &[], options: std::slice::from_ref(param) };
    Arguments::check(function, &signature, Vec::new(), Some([(name.to_owned(), value)].into())).err()
}

/// What a run would say of a value, in the same words.
fn refused(place: &Place, param: &'static Param, value: Value) -> Option<Error> {
    let signature = Signature { positional: std::slice::from_ref(param), options: &[] };
    let error = Arguments::check(place.function, &signature, vec![value], None).err()?;
    let numbered = usage(error.message().replacen("argument 1 of", &format!("argument {} of", place.index + 1), 1));
    Some(match error.advice() {
        Some(hint) => numbered.hint(hint),
        None => numbered,
    })
}

/// No value that is written out is a host; no hosts at all are an empty array.
fn not_hosts(place: &Place, value: &Value) -> Option<Error> {
    let written = match value {
        Value::List(items) if items.is_empty() => return None,
        Value::List(_) => "an array without hosts",
        other => other.kind(),
    };
    let message = format!("{} must be a host or an array of hosts, not {written}", place.text());
    Some(usage(message).hint("write `host(\"NAME\")` or `group(\"NAME\")`"))
}

fn usage(message: String) -> Error {
    Error::new(haengine_kernel::error::Kind::Usage, "call.type", message)
}

fn takes_no_string(kind: ParamKind) -> bool {
    use ParamKind as Takes;
    matches!(kind, Takes::Integer | Takes::Integers | Takes::Boolean | Takes::Mode | Takes::Map | Takes::Hosts)
}

/// The options of a verb's call.
pub(super) fn with_on_error(options: &'static [Param]) -> Vec<&'static Param> {
    options.iter().chain(&ON_ERROR).collect()
}

/// What to write instead of an option that there is not.
pub(super) fn other_option(name: &str, known: &[&'static Param]) -> String {
    let names: Vec<&str> = known.iter().map(|param| param.name).collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None if names.len() == 1 => format!("use `{}`, the only option", names[0]),
        None => format!("use one of {}", quoted(&names)),
    }
}
