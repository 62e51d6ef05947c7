//! What a shell offers while a command is typed: recipes, their parameters, hosts of the inventory.
//!
//! The shell's script, which `haengine completions` prints, calls haengine with the words as far as they are typed. It
//! prints candidates and does nothing else; what cannot be read is not offered.

use std::ffi::OsStr;
use std::path::Path;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use haengine_kernel::harmless::one_line;
use haengine_kernel::inventory::Inventory;
use haengine_script::Parameter;
use haengine_script::params::ParameterKind;
use tokio_util::sync::CancellationToken;

use crate::environment::Environment;
use crate::wiring;

/// The variable by which a shell's script asks.
pub const VARIABLE: &str = "HAENGINE_COMPLETE";

/// Commands whose first word is a recipe.
const OF_RECIPES: [&str; 5] = ["run", "plan", "check", "describe", "eject"];

/// Options that are followed by a value.
const WITH_VALUE: [&str; 6] = ["-i", "--inventory", "--state-dir", "--forks", "--to", "--definitions"];

/// Names of recipes, and files once the word looks like a path.
pub fn recipes(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    if typed.contains('/') || typed.starts_with('.') {
        let is_recipe = |path: &Path| path.extension().is_some_and(|ending| ending == "rhai");
        return PathCompleter::any().filter(move |path| path.is_dir() || is_recipe(path)).complete(current);
    }
    let library = wiring::library(CancellationToken::new());
    let sources = wiring::sources();
    let names = sources.list().into_keys().filter(|name| name.starts_with(&*typed));
    let candidate = |name: String| {
        let about = library.load(&sources, &name).map(|recipe| recipe.about()).unwrap_or_default();
        offer(&name, about.lines().next().unwrap_or_default())
    };
    names.map(candidate).collect()
}

/// `key=` for the parameters of the recipe that is named before, and then its values.
pub fn parameters(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = Words::typed();
    let Some(declared) = words.recipe().and_then(|recipe| declared(&recipe)) else { return Vec::new() };
    let typed = current.to_string_lossy().into_owned();
    if let Some((key, begun)) = typed.split_once('=').filter(|(key, _)| !key.is_empty()) {
        return words.values(&declared, key, begun, &format!("{key}="));
    }
    // bash takes `=` for the end of a word, and offers what stands behind it alone.
    if let Some(key) = words.key_before() {
        return words.values(&declared, &key, typed.trim_start_matches('='), "");
    }
    let keys = declared.iter().filter(|parameter| parameter.name.starts_with(&typed));
    keys.map(|parameter| offer(&format!("{}=", parameter.name), &parameter.about)).collect()
}

fn declared(recipe: &str) -> Option<Vec<Parameter>> {
    let recipe = wiring::library(CancellationToken::new()).load(&wiring::sources(), recipe).ok()?;
    Some(recipe.parameters().to_vec())
}

/// A shell draws what it is offered.
fn offer(text: &str, about: &str) -> CompletionCandidate {
    CompletionCandidate::new(one_line(text)).help(Some(one_line(about).into()).filter(|_| !about.is_empty()))
}

/// The words of the command as far as they are typed, and which of them is typed now.
struct Words {
    words: Vec<String>,
    now: usize,
    environment: Environment,
}

impl Words {
    /// Those behind the `--` with which the shell's script calls.
    fn typed() -> Words {
        let all = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        let words: Vec<String> = all.skip_while(|word| word != "--").skip(1).collect();
        let environment = Environment::read();
        let now = environment.completed_word.unwrap_or(words.len().saturating_sub(1));
        Words { words, now, environment }
    }

    /// The first word that is no option, behind a command that takes a recipe.
    fn recipe(&self) -> Option<String> {
        let mut rest = self.words.iter().take(self.now).skip(1);
        let mut is_command = false;
        while let Some(word) = rest.next() {
            if WITH_VALUE.contains(&word.as_str()) {
                rest.next();
            } else if !word.starts_with('-') {
                if is_command {
                    return Some(word.clone());
                }
                is_command = OF_RECIPES.contains(&word.as_str());
            }
        }
        None
    }

    /// The key in `key = value`, where the shell has made three words of it.
    fn key_before(&self) -> Option<String> {
        let before = |steps: usize| self.now.checked_sub(steps).and_then(|at| self.words.get(at));
        match (before(0).map(String::as_str), before(1).map(String::as_str)) {
            (Some("="), Some(_)) => before(1).cloned(),
            (_, Some("=")) => before(2).cloned(),
            _ => None,
        }
    }

    fn values(&self, declared: &[Parameter], key: &str, begun: &str, before: &str) -> Vec<CompletionCandidate> {
        let Some(parameter) = declared.iter().find(|parameter| parameter.name == key) else { return Vec::new() };
        // Of a list the last part is typed now.
        let (done, begun) = match (&parameter.kind, begun.rsplit_once(',')) {
            (ParameterKind::Hosts, Some((done, begun))) => (format!("{done},"), begun),
            _ => (String::new(), begun),
        };
        let values = match &parameter.kind {
            ParameterKind::Host => self.hosts(),
            ParameterKind::Hosts => self.groups().into_iter().chain(self.hosts()).collect(),
            ParameterKind::Boolean => vec!["true".to_owned(), "false".to_owned()],
            ParameterKind::Choice(words) => words.clone(),
            _ => Vec::new(),
        };
        let fitting = values.into_iter().filter(|value| value.starts_with(begun));
        fitting.map(|value| offer(&format!("{before}{done}{value}"), "")).collect()
    }

    fn hosts(&self) -> Vec<String> {
        self.inventory()
            .map(|inventory| inventory.hosts.into_iter().map(|host| host.name).collect())
            .unwrap_or_default()
    }

    fn groups(&self) -> Vec<String> {
        let groups = self.inventory().map(|inventory| inventory.groups).unwrap_or_default();
        let names = groups.into_iter().map(|(name, _)| name).filter(|name| name != "all");
        names.chain(["all".to_owned()]).collect()
    }

    /// The inventory that `-i` names.
    fn inventory(&self) -> Option<Inventory> {
        let pairs = self.words.windows(2).filter(|pair| ["-i", "--inventory"].contains(&pair[0].as_str()));
        let alone = self.words.iter().filter_map(|word| word.strip_prefix("--inventory="));
        let home = self.environment.home.as_deref();
        let files = pairs.map(|pair| pair[1].as_str()).chain(alone);
        let path = |file: &str| match (file.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => file.into(),
        };
        let files: Vec<_> = files.map(path).collect();
        Inventory::load(&files, home).ok()
    }
}
