//! `haengine describe`: what a recipe does and what it takes.

use std::fmt::Write;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use haengine_kernel::harmless::{harmless, one_line};
use haengine_script::params::{Default as Fallback, ParameterKind};
use haengine_script::{Outline, Parameter, Recipe, Sources};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::complete;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::Paint;
use crate::wiring;

/// What a host gives as proof decides what its undo may take away.
const PROOF: &str =
    "Undo takes away what inode and birth prove to be the run's; where a host tells no births, inode, content, owner
and mode do.";

/// Describe a recipe and its parameters
#[derive(Args)]
#[command(after_help = "Example:\n  haengine describe time_sync")]
pub struct DescribeArgs {
    /// A recipe's file, or the name of one that `haengine list` shows
    #[arg(value_name = "RECIPE", add = ArgValueCompleter::new(complete::recipes))]
    recipe: String,
}

/// Describes a recipe.
pub fn describe(context: &Context, args: &DescribeArgs) -> Exit {
    let sources = wiring::sources();
    match wiring::library(CancellationToken::new()).load(&sources, &args.recipe) {
        Ok(recipe) => {
            let shown = Shown::of(&args.recipe, &recipe, &sources);
            context.tell("recipe", std::slice::from_ref(&shown), || page(&shown, context.paint));
            sources.all_moved(recipe.snapshot()).iter().for_each(|moved| context.warn(&moved.text()));
            Exit::Done
        }
        Err(fault) => context.refuse_fault(&fault),
    }
}

/// A recipe for a program.
#[derive(Serialize)]
struct Shown {
    name: String,
    file: String,
    /// True when a stock recipe of this name is in the binary.
    stock: bool,
    about: String,
    parameters: Vec<ShownParameter>,
    /// What its phases do.
    #[serde(flatten)]
    phases: Option<ShownPhases>,
    /// What it reads on the operator's machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reads: Vec<String>,
    /// Where it writes there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    writes: Vec<String>,
    /// The recipes that it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
}

#[derive(Serialize)]
struct ShownPhases {
    checks: Vec<ShownChecks>,
    lock: Option<String>,
    steps: Vec<String>,
    proofs: Vec<String>,
}

#[derive(Serialize)]
struct ShownChecks {
    group: String,
    checks: Vec<String>,
}

#[derive(Serialize)]
struct ShownParameter {
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<String>,
    about: String,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
}

impl Shown {
    fn of(name: &str, recipe: &Recipe, sources: &Sources) -> Shown {
        let parameters = recipe.parameters().iter().map(ShownParameter::of).collect();
        let (file, stock) = (recipe.name().to_owned(), sources.embedded.contains_key(name));
        let mut outline = recipe.outline();
        let parts = outline.as_mut().map(|outline| std::mem::take(&mut outline.parts)).unwrap_or_default();
        let phases = outline.filter(|_| parts.is_empty()).map(ShownPhases::of);
        let (name, about) = (name.to_owned(), recipe.about());
        let (reads, writes) = (recipe.local_reads(), recipe.local_writes());
        Shown { name, file, stock, about, parameters, phases, reads, writes, parts }
    }

    /// Where it is, and what it is used in the place of.
    fn place(&self) -> String {
        match (self.stock, self.file == format!("{}.rhai", self.name)) {
            (true, true) => "a stock recipe".to_owned(),
            (true, false) => format!("{}, in the place of the stock recipe", self.file),
            (false, _) => self.file.clone(),
        }
    }
}

impl ShownPhases {
    fn of(outline: Outline) -> ShownPhases {
        let Outline { checks, lock, steps, proofs, .. } = outline;
        let checks = checks.into_iter().map(|group| ShownChecks { group: group.name, checks: group.checks }).collect();
        ShownPhases { checks, lock, steps, proofs }
    }

    fn write(&self, text: &mut String, paint: Paint) {
        let checks: Vec<String> = self.checks.iter().flat_map(ShownChecks::lines).collect();
        section(text, "Checks", &checks, paint);
        section(text, "Lock", self.lock.as_slice(), paint);
        section(text, "Steps", &self.steps, paint);
        section(text, "Proofs", &self.proofs, paint);
    }
}

impl ShownChecks {
    /// The group in a line, and its checks below.
    fn lines(&self) -> Vec<String> {
        let indent = if self.group.is_empty() { "" } else { "  " };
        let group = Some(self.group.clone()).filter(|group| !group.is_empty());
        group.into_iter().chain(self.checks.iter().map(|check| format!("{indent}{check}"))).collect()
    }
}

impl ShownParameter {
    fn of(parameter: &Parameter) -> ShownParameter {
        let choices = match &parameter.kind {
            ParameterKind::Choice(words) => words.clone(),
            _ => Vec::new(),
        };
        let default = match &parameter.default {
            Fallback::Value(value) => Some(value.to_string()),
            Fallback::Required | Fallback::Optional => None,
        };
        ShownParameter {
            name: parameter.name.clone(),
            kind: parameter.kind.name(),
            choices,
            about: parameter.about.clone(),
            required: matches!(parameter.default, Fallback::Required),
            default,
        }
    }
}

fn section(text: &mut String, name: &str, lines: &[String], paint: Paint) {
    let _ = writeln!(text, "\n{}", paint.bold(name));
    if lines.is_empty() {
        text.push_str("  none\n");
    }
    for line in lines {
        let _ = writeln!(text, "  {}", harmless(line));
    }
}

fn page(shown: &Shown, paint: Paint) -> String {
    let mut text = format!("{}  {}\n", paint.bold(&one_line(&shown.name)), paint.dim(&one_line(&shown.place())));
    if !shown.about.is_empty() {
        let _ = writeln!(text, "{}", harmless(&shown.about));
    }
    if shown.parameters.is_empty() {
        text.push_str("\nIt takes no parameters.\n");
    } else {
        let _ = writeln!(text, "\n{}", paint.bold("Parameters"));
    }
    let width = shown.parameters.iter().map(|parameter| parameter.name.len()).max().unwrap_or_default();
    for parameter in &shown.parameters {
        let name = paint.cyan(&format!("{:width$}", one_line(&parameter.name)));
        let _ = writeln!(text, "  {name}  {} {}", harmless(&parameter.about), paint.dim(&one_line(&kind(parameter))));
    }
    if let Some(phases) = &shown.phases {
        phases.write(&mut text, paint);
    }
    if !shown.reads.is_empty() {
        section(&mut text, "Reads on this machine", &shown.reads, paint);
    }
    if !shown.writes.is_empty() {
        section(&mut text, "Writes on this machine", &shown.writes, paint);
    }
    if !shown.parts.is_empty() {
        section(&mut text, "Parts", &shown.parts, paint);
    }
    let _ = writeln!(text, "\n{PROOF}");
    let required = shown.parameters.iter().filter(|parameter| parameter.required);
    let words: String = required.map(|parameter| format!(" {}=…", parameter.name)).collect();
    let _ = writeln!(text, "\nhaengine plan {} -i INVENTORY{words}", shown.name);
    text
}

fn kind(parameter: &ShownParameter) -> String {
    let kind = if parameter.choices.is_empty() { parameter.kind.to_owned() } else { parameter.choices.join("|") };
    match (&parameter.default, parameter.required) {
        (Some(default), _) => format!("({kind}, default {default})"),
        (None, true) => format!("({kind}, required)"),
        (None, false) => format!("({kind}, optional)"),
    }
}
