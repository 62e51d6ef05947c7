//! `haengine show`: what a run did.

use std::fmt::Write;

use clap::Args;
use haengine_kernel::error::{ErrorRecord, Result};
use haengine_kernel::journal::{ChangeState, Entry, Phase, RunSummary, State};
use haengine_kernel::run::UndoPlan;
use serde::Serialize;

use crate::cmd::runs::local;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::failure::indent;
use crate::report::lines::seconds;
use crate::report::paint::{harmless, one_line};
use crate::report::{Out, Paint, json};

/// Show what a run did, change by change, and what of it can be taken back
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs                             the ids of all runs
  haengine show 20260314-091502-kqzt")]
pub struct ShowArgs {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,
}

/// Shows a run.
pub fn show(context: &Context, args: &ShowArgs) -> Exit {
    match read(context, &args.run) {
        Ok((summary, state)) if context.global.json => {
            let changes = state.changes.values().map(|change| json::record("run_change", &Shown::of(change)));
            let lines: String = std::iter::once(json::record("run", &summary)).chain(changes).collect();
            Out::stdout().write(&lines);
            Exit::Done
        }
        Ok((summary, state)) => {
            Out::stdout().write(&page(&summary, &state, context.paint));
            Exit::Done
        }
        Err(error) => context.refuse(&error),
    }
}

fn read(context: &Context, run: &str) -> Result<(RunSummary, State)> {
    let store = context.store()?;
    Ok((store.summary(run)?, store.look(run)?.state()?))
}

/// A change of the journal for a program.
#[derive(Serialize)]
struct Shown<'a> {
    host: &'a str,
    op: &'a str,
    target: &'a str,
    step: String,
    /// `unfinished`, `changed`, `failed`, `undo_unfinished`, `undo_failed` or `undone`.
    phase: &'static str,
    reversible: bool,
    started: jiff::Timestamp,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorRecord>,
}

impl Shown<'_> {
    fn of(change: &ChangeState) -> Shown<'_> {
        let (phase, error) = match &change.phase {
            Phase::Started => ("unfinished", None),
            Phase::Succeeded => ("changed", None),
            Phase::Failed(error) => ("failed", Some(error)),
            Phase::Undoing(None) => ("undo_unfinished", None),
            Phase::Undoing(Some(error)) => ("undo_failed", Some(error)),
            Phase::Unsettled => ("undo_unfinished", None),
            Phase::Undone => ("undone", None),
        };
        Shown {
            host: &change.key.host,
            op: &change.key.op,
            target: &change.key.target,
            step: change.key.step.join(" / "),
            phase,
            reversible: change.reversible,
            started: change.started,
            seconds: change.seconds,
            error,
        }
    }
}

fn page(summary: &RunSummary, state: &State, paint: Paint) -> String {
    let mut text = head(summary, state, paint);
    let mut step = None;
    for change in state.changes.values() {
        let shown = Shown::of(change);
        if step.as_ref() != Some(&shown.step) {
            let title = if shown.step.is_empty() { "(outside of steps)".to_owned() } else { one_line(&shown.step) };
            let _ = writeln!(text, "\n{}", paint.bold(&title));
            step = Some(shown.step.clone());
        }
        text.push_str(&line(&shown, paint));
    }
    text.push_str(&outlook(summary, state, paint));
    text
}

fn head(summary: &RunSummary, state: &State, paint: Paint) -> String {
    let mut text = format!("run {}\n", paint.bold(&summary.run));
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:<11}{value}");
        }
    };
    row("recipe", one_line(&summary.recipe));
    if let Some(Entry::Run { parameters, inventory, operator, .. }) = state.head.as_ref().map(|line| &line.entry) {
        row("parameters", named(parameters));
        row("inventory", inventory.join(", "));
        row("operator", one_line(operator));
    }
    row("started", local(summary.started));
    row("took", seconds(summary.seconds));
    row("outcome", summary.outcome.clone());
    row("changes", summary.changes.to_string());
    text
}

fn named(parameters: &serde_json::Value) -> String {
    let Some(map) = parameters.as_object() else { return String::new() };
    let shown = map.iter().map(|(name, value)| match value {
        serde_json::Value::String(text) => format!("{name}={}", one_line(text)),
        other => format!("{name}={other}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn line(shown: &Shown<'_>, paint: Paint) -> String {
    let phase = match shown.phase {
        "changed" => paint.green("changed"),
        "undone" => paint.dim("undone"),
        "unfinished" => paint.yellow("begun, its end is not known"),
        "undo_unfinished" => paint.yellow("undo begun, its end is not known"),
        "undo_failed" => paint.red("undo failed"),
        other => paint.red(other),
    };
    let lasting = if shown.reversible || shown.phase == "undone" { "" } else { ", cannot be undone" };
    let took = if shown.seconds > 0.0 { paint.dim(&format!(" ({})", seconds(shown.seconds))) } else { String::new() };
    let target = paint.cyan(&one_line(shown.target));
    let mut line = format!("  {}: {} {target} {phase}{lasting}{took}\n", shown.host, shown.op);
    for text in shown.error.iter().flat_map(|error| std::iter::once(&error.message).chain(&error.causes)) {
        let _ = writeln!(line, "    {}", indent(&harmless(text)));
    }
    line
}

/// What can be done about the run.
fn outlook(summary: &RunSummary, state: &State, paint: Paint) -> String {
    let left = UndoPlan::of(state);
    let mut text = String::new();
    if !left.is_empty() && summary.outcome != "running" {
        let _ = writeln!(
            text,
            "\n{} changes can be taken back: `haengine undo {}`",
            left.len() + left.unsettled.len(),
            summary.run
        );
    }
    if !left.irreversible.is_empty() {
        let note = format!("{} changes have no inverse", left.irreversible.len());
        let _ = writeln!(text, "{}{}", if text.is_empty() { "\n" } else { "" }, paint.yellow(&note));
    }
    text
}
