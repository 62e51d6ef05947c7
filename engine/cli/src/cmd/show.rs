//! `haengine show`: what a run did.

use std::fmt::Write;

use clap::Args;
use haengine_kernel::diff::Diff;
use haengine_kernel::error::{ErrorRecord, Result};
use haengine_kernel::harmless::{harmless, one_line};
use haengine_kernel::journal::{ChangeState, Entry, Phase, RunSummary, State, VERSION};
use haengine_kernel::remnant::Remnant;
use haengine_kernel::run::UndoPlan;
use haengine_runs::count::changes;
use haengine_script::session::NAME;
use serde::Serialize;

use crate::cmd::runs::local;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::failure::{draw_record, indent};
use crate::report::lines::{self, seconds};
use crate::report::{Out, Paint, json};

/// Show what a run did, change by change, and what of it can be taken back
///
/// Differences are shown as they were when the change was made, without what is secret; of long ones the beginning. After an
/// undo it lists what that left in its place or moved aside.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine runs                                    the ids of all runs
  haengine show 20260314-091502-kqzt
  haengine show 20260314-091502-kqzt --short       without the differences")]
pub struct ShowArgs {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,

    /// Leave the differences out
    #[arg(long)]
    short: bool,
}

/// Shows a run.
pub fn show(context: &Context, args: &ShowArgs) -> Exit {
    match read(context, &args.run) {
        Ok((summary, state)) if context.global.json => {
            let shown = |change| json::record("run_change", &Shown::of(change));
            let changes = state.changes.values().map(shown);
            let ended = ended_by(&state).map(|error| json::record("run_error", error));
            let lines: String = std::iter::once(json::record("run", &summary)).chain(changes).chain(ended).collect();
            Out::stdout().write(&lines);
            Exit::Done
        }
        Ok((summary, state)) => {
            Out::stdout().write(&page(&summary, &state, args.short, context.paint));
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
    /// `unfinished`, `changed`, `failed`, `undo_unfinished`, `undo_failed`, `undone` or `given_up`.
    phase: &'static str,
    reversible: bool,
    /// From 1.
    attempt: usize,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'a Diff>,
    started: jiff::Timestamp,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorRecord>,
    /// What its undo left or kept.
    #[serde(skip_serializing_if = "<[Remnant]>::is_empty")]
    remains: &'a [Remnant],
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
            Phase::GivenUp => ("given_up", None),
        };
        Shown {
            host: &change.key.host,
            op: &change.key.op,
            target: &change.key.target,
            step: change.key.step.join(" / "),
            phase,
            reversible: change.reversible,
            attempt: change.attempt + 1,
            summary: &change.summary,
            diff: change.diff.as_ref(),
            started: change.started,
            seconds: change.seconds,
            error,
            remains: &change.remains,
        }
    }
}

fn page(summary: &RunSummary, state: &State, short: bool, paint: Paint) -> String {
    let mut text = head(summary, state, paint);
    let (again, mut place) = (state.made_again(), None);
    for change in state.changes.values() {
        let shown = Shown::of(change);
        let here = Some((change.attempt, shown.step.clone()));
        if place.as_ref().map(|(attempt, _)| *attempt) != Some(change.attempt) {
            text.push_str(&attempt(state, change.attempt));
        }
        if place != here {
            let title = if shown.step.is_empty() { "(outside of steps)".to_owned() } else { one_line(&shown.step) };
            let _ = writeln!(text, "\n{}", paint.bold(&title));
            place = here;
        }
        let later = again.contains_key(&change.change) || change.attempt + 1 < state.attempts.len();
        text.push_str(&line(&shown, later, paint));
        if let Some(diff) = change.diff.as_ref().filter(|_| !short) {
            text.push_str(&lines::diff(diff.text(), paint));
        }
    }
    if let Some(error) = ended_by(state) {
        let _ = write!(text, "\n{}", draw_record(None, error, paint));
    }
    text.push_str(&outlook(summary, state, paint));
    text
}

/// The error that ended the last attempt, where it stands with none of its changes.
fn ended_by(state: &State) -> Option<&ErrorRecord> {
    let error = state.attempts.last()?.error.as_ref()?;
    let is_told = |change: &ChangeState| Shown::of(change).error.is_some_and(|told| told.message == error.message);
    (!state.changes.values().any(is_told)).then_some(error)
}

/// Where there were several attempts, each has a line of its own.
fn attempt(state: &State, number: usize) -> String {
    let Some(attempt) = state.attempts.get(number).filter(|_| state.attempts.len() > 1) else { return String::new() };
    let outcome = attempt.outcome.as_deref().unwrap_or("died");
    let took = seconds(attempt.ended.duration_since(attempt.started).as_secs_f64());
    let (count, started, operator) = (state.attempts.len(), local(attempt.started), one_line(&attempt.operator));
    format!("\nattempt {} of {count}: {started} by {operator}, {outcome} after {took}\n", number + 1)
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
    row("attempts", if summary.attempts > 1 { summary.attempts.to_string() } else { String::new() });
    row("changes", summary.changes.to_string());
    row("no births", without_births(state));
    text
}

/// The hosts whose file systems do not tell when something was made, and what proves there what is the run's own.
fn without_births(state: &State) -> String {
    let hosts = state.hosts.iter().filter(|(_, identity)| identity.births == Some(false));
    let hosts: Vec<&str> = hosts.map(|(host, _)| host.as_str()).collect();
    if hosts.is_empty() {
        return String::new();
    }
    format!("on {}: inode, content, owner and mode prove what is the run's own", hosts.join(", "))
}

fn named(parameters: &serde_json::Value) -> String {
    let Some(map) = parameters.as_object() else { return String::new() };
    let shown = map.iter().map(|(name, value)| match value {
        serde_json::Value::String(text) => format!("{name}={}", one_line(text)),
        other => format!("{name}={other}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// `later` says that there was a later attempt: what had no end was looked at again.
fn line(shown: &Shown<'_>, later: bool, paint: Paint) -> String {
    let phase = match shown.phase {
        "changed" => paint.green("changed"),
        "undone" => paint.dim("undone"),
        "given_up" => paint.yellow("given up: its machine is no more"),
        "unfinished" if later => paint.yellow("broken off, looked at again by the next attempt"),
        "unfinished" => paint.yellow("begun, its end is not known"),
        "undo_unfinished" => paint.yellow("undo begun, its end is not known"),
        "undo_failed" => paint.red("undo failed"),
        other => paint.red(other),
    };
    let summary = if shown.summary.is_empty() { String::new() } else { format!(": {}", one_line(shown.summary)) };
    let lasting =
        if shown.reversible || matches!(shown.phase, "undone" | "given_up") { "" } else { ", cannot be undone" };
    let took = if shown.seconds > 0.0 { paint.dim(&format!(" ({})", seconds(shown.seconds))) } else { String::new() };
    let target = paint.cyan(&one_line(shown.target));
    let mut line = format!("  {}: {} {target} {phase}{summary}{lasting}{took}\n", shown.host, shown.op);
    for text in shown.error.iter().flat_map(|error| std::iter::once(&error.message).chain(&error.causes)) {
        let _ = writeln!(line, "    {}", indent(&harmless(text)));
    }
    line
}

/// What can be done about the run.
fn outlook(summary: &RunSummary, state: &State, paint: Paint) -> String {
    let left = UndoPlan::of(state);
    let (id, count) = (&summary.run, left.len() + left.unsettled.len());
    let mut lines = Vec::new();
    if summary.recipe != NAME && matches!(summary.outcome.as_str(), "failed" | "interrupted" | "died") {
        lines.push(match state.version() {
            VERSION => format!("it can be gone on with: `haengine resume {id}`"),
            _ => "an earlier haengine began it, and only that can go on with it".to_owned(),
        });
    }
    if let Some(when) = state.forgotten {
        lines.push(format!("forgotten at {}: it cannot be taken back any more", local(when)));
    } else if count > 0 && summary.outcome != "running" {
        lines.push(format!("{} can be taken back: `haengine undo {id}`", changes(count)));
    }
    let remains = remains(state);
    if !remains.is_empty() {
        lines.push(
            paint.yellow("its undo did not take away what it could not prove to be the run's, or what others may use:"),
        );
        lines.extend(remains);
    }
    let lasting = &left.irreversible;
    if !lasting.is_empty() {
        let verb = if lasting.len() == 1 { "has" } else { "have" };
        let note = format!("{} {verb} no inverse and would stay after an undo:", changes(lasting.len()));
        lines.push(paint.yellow(&note));
        let stays =
            |change: &ChangeState| format!("  {}: {} {}", change.key.host, change.key.op, one_line(&change.key.target));
        lines.extend(lasting.iter().rev().map(stays));
    }
    lines
        .iter()
        .enumerate()
        .fold(String::new(), |text, (number, line)| format!("{text}{}{line}\n", if number == 0 { "\n" } else { "" }))
}

/// What an undo left or kept, a line each.
fn remains(state: &State) -> Vec<String> {
    let of = |change: &ChangeState| {
        let host = change.key.host.clone();
        change.remains.clone().into_iter().map(move |remnant| format!("  {host}: {}", one_line(&remnant.line())))
    };
    state.changes.values().rev().flat_map(of).collect()
}
