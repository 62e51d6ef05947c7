//! Calls: what functions are given, and what they give.

use std::collections::BTreeMap;
use std::sync::Arc;

use haengine_kernel::arguments::left_out;
use haengine_kernel::review::{DoubtSort, Written};
use haengine_kernel::signature::{Param, ParamKind};
use haengine_kernel::verb::{Sort, Verb};
use rhai::{Expr, FnCallExpr, Position};

use crate::docs;
use crate::lint::call::Call;
use crate::lint::follow::Follow;
use crate::lint::known::Known;
use crate::lint::literal::{literal, string};

impl Follow<'_, '_> {
    /// A call; `used` says whether anybody sees what it gives.
    pub fn call(&mut self, called: &FnCallExpr, position: Position, used: bool) -> Known {
        if called.is_operator_call() {
            return self.operator(called, position);
        }
        let Some(call) = Call::of(called, position) else { return Known::Anything };
        if !call.module.is_empty() {
            return self.of_module(&call);
        }
        if self.sheet.function(call.name).is_some() {
            return self.own(&call);
        }
        if docs::named(call.name).is_some() {
            return self.core(&call, used);
        }
        if let ("Fn", Some(name)) = (call.name, call.arguments.first().and_then(string)) {
            self.unknown_arguments(name);
        }
        let arguments = self.values(call.arguments);
        let first = arguments.first().cloned().unwrap_or(Known::Anything);
        let gives = self.lint.types.gives(call.name, &first, arguments.len());
        arguments.iter().fold(gives, Known::made_of)
    }

    fn values(&mut self, expressions: &[Expr]) -> Vec<Known> {
        expressions.iter().map(|expression| self.value(expression)).collect()
    }

    /// A function of the file: what it is given here adds to what it is given elsewhere.
    fn own(&mut self, call: &Call) -> Known {
        let arguments = self.values(call.arguments);
        let key = (call.name.to_owned(), arguments.len());
        let joined: Vec<Known> = match self.given.get(&key) {
            Some(before) => before.iter().cloned().zip(arguments).map(|(one, other)| one.or(other)).collect(),
            None => arguments,
        };
        self.given.insert(key, joined);
        Known::Anything
    }

    /// A function that is called in a way that nobody sees here.
    pub fn unknown_arguments(&mut self, name: &str) {
        for count in self.sheet.function(name).into_iter().flatten() {
            self.given.insert((name.to_owned(), *count), vec![Known::Anything; *count]);
        }
    }

    /// A function of the language.
    fn core(&mut self, call: &Call, used: bool) -> Known {
        let copies = ["each", "rolling", "check"].into_iter().find(|name| *name == call.name);
        let skipped = ["verify", "wait_until"].contains(&call.name);
        let mut arguments = Vec::new();
        for given in call.arguments {
            let own = arguments.first().map(Known::element).into_iter().filter(|_| copies != Some("check")).collect();
            let before = self.passed_over;
            // Checks are done in a plan too.
            self.passed_over = skipped || (before && copies != Some("check"));
            let gives = self.closure(given, own, copies);
            match (&gives, call.name) {
                (Some(_), "step") => self.leaves(given, used),
                (Some(gives), "verify") => self.verdict(given, gives),
                _ => {}
            }
            arguments.push(if gives.is_some() { Known::Closure } else { self.value(given) });
            self.passed_over = before;
        }
        match call.name {
            "host" => Known::Host,
            "group" => Known::List(Box::new(Known::Host)),
            "each" | "rolling" => Known::Named(Box::new(Known::Anything)),
            _ => Known::Anything,
        }
    }

    fn of_module(&mut self, call: &Call) -> Known {
        let arguments = self.values(call.arguments);
        if self.sheet.import(&call.module).is_some() {
            return Known::Anything;
        }
        let library = self.lint.library;
        match library.registry().get(&format!("{}.{}", call.module, call.name)) {
            Ok(verb) => self.verb(call, verb.as_ref(), &arguments),
            Err(_) => Known::Anything,
        }
    }

    fn verb(&mut self, call: &Call, verb: &dyn Verb, arguments: &[Known]) -> Known {
        let signature = verb.signature();
        let hosts = signature.subject().and_then(|index| arguments.get(index)).cloned().unwrap_or(Known::Anything);
        let options = arguments.get(signature.positional.len());
        for (index, (param, (given, known))) in
            signature.positional.iter().zip(call.arguments.iter().zip(arguments)).enumerate()
        {
            self.argument(call, index, param, given, known);
        }
        if let (Some(Known::Map(fields)), Some(given)) = (options, call.arguments.get(signature.positional.len())) {
            self.options(call, signature.options, given, fields);
        }
        self.review(call, verb, arguments);
        let one = Known::from(&verb.gives());
        let one = match verb.sort() {
            Sort::Action => Known::Result(call.function(), Box::new(one)),
            _ => one,
        };
        let continues = matches!(options, Some(Known::Map(fields)) if fields.contains_key("on_error"));
        match hosts {
            Known::Host if !continues => one,
            Known::List(_) if !continues => Known::Named(Box::new(one)),
            _ => Known::Anything,
        }
    }

    /// An argument that is not written out in the call, but whose type is known.
    fn argument(&mut self, call: &Call, index: usize, param: &Param, given: &Expr, known: &Known) {
        let is_written = literal(given).is_some() || matches!(given, Expr::InterpolatedString(..));
        let Some(name) = known.name().filter(|_| !is_written && !takes(param.kind, known)) else { return };
        let place = format!("argument {} of `{}`", index + 1, call.function());
        let (message, hint) = match param.kind {
            ParamKind::Hosts => (
                format!("{place} must be a host or an array of hosts, not {name}"),
                Some("write `host(\"NAME\")` or `group(\"NAME\")`".to_owned()),
            ),
            kind => (format!("{place} (`{}`) must be {}, not {name}", param.name, kind.takes()), None),
        };
        self.error("check.type", given.start_position(), message, hint);
    }

    /// The keys of options that are not written out in the call; those that are have been looked at.
    fn options(&mut self, call: &Call, known: &'static [Param], given: &Expr, fields: &BTreeMap<String, Known>) {
        if matches!(given, Expr::Map(..)) {
            return;
        }
        for param in known.iter().filter(|param| param.is_required() && !fields.contains_key(param.name)) {
            let error = left_out(&call.function(), param);
            self.error(
                "check.missing_option",
                given.start_position(),
                error.message().to_owned(),
                error.advice().map(str::to_owned),
            );
        }
        let known = crate::lint::verb::with_on_error(known);
        let unknown = fields.keys().filter(|key| !known.iter().any(|param| param.name == key.as_str()));
        for key in unknown.cloned().collect::<Vec<_>>() {
            let message = format!("`{}` has no option `{key}`", call.function());
            let hint = crate::lint::verb::other_option(&key, &known);
            self.error("check.unknown_option", given.start_position(), message, hint);
        }
    }

    /// What the verb itself has to say.
    fn review(&mut self, call: &Call, verb: &dyn Verb, arguments: &[Known]) {
        let signature = verb.signature();
        let files = self.lint.snapshot().templates.clone();
        let reach = self.lint.snapshot().reach().map(Arc::new);
        let mut written = Written { folders: self.folders(), files, reach, ..Written::default() };
        for (param, (given, known)) in signature.positional.iter().zip(call.arguments.iter().zip(arguments)) {
            if let Some(text) = string(given) {
                written.texts.insert(param.name, text.to_owned());
            }
            if let Known::Map(fields) = known {
                written.keys.insert(param.name, fields.keys().cloned().collect());
            }
        }
        for doubt in verb.review(&written) {
            let index = signature.positional.iter().position(|param| param.name == doubt.argument);
            let given = index.and_then(|index| call.arguments.get(index));
            let key = given.zip(doubt.key.as_ref()).and_then(|(given, key)| key_of(given, key));
            let position = key.or(given.map(Expr::start_position)).unwrap_or(call.position);
            let (message, hint) = (doubt.error.message().to_owned(), doubt.error.advice().map(str::to_owned));
            match doubt.sort {
                DoubtSort::Template => self.error("check.template", position, message, hint),
                DoubtSort::Lacking => self.error("check.template_variable", position, message, hint),
                DoubtSort::Unused => self.warning("check.template_variable", position, message, hint),
            }
        }
    }

    /// Where local paths begin: in the folder of the recipe that is run, which may be any that imports this file.
    fn folders(&self) -> Vec<std::path::PathBuf> {
        let labels = [self.sheet.file.label.as_str(), self.lint.recipe()];
        let folders = labels.iter().filter_map(|label| self.lint.snapshot().folder_of(label));
        folders.map(std::path::Path::to_owned).collect()
    }
}

/// Where a key of a map stands that is written out here.
fn key_of(given: &Expr, key: &str) -> Option<Position> {
    let Expr::Map(map, _) = given else { return None };
    map.0.iter().find(|(name, _)| name.name.as_str() == key).map(|(name, _)| name.pos)
}

/// Whether an argument may be of such a type.
fn takes(kind: ParamKind, known: &Known) -> bool {
    use ParamKind as Takes;
    match kind {
        Takes::Hosts => matches!(known, Known::Host | Known::List(_)),
        Takes::Path | Takes::String | Takes::LocalPath | Takes::LocalPlace | Takes::Choice(_) => {
            matches!(known, Known::String | Known::Character | Known::Host)
        }
        Takes::Integer | Takes::Mode => matches!(known, Known::Integer),
        Takes::Boolean => matches!(known, Known::Boolean),
        Takes::Map => matches!(known, Known::Map(_) | Known::Named(_) | Known::Parameters(_)),
        Takes::Duration => matches!(known, Known::Integer | Known::Float | Known::String),
        _ => true,
    }
}
