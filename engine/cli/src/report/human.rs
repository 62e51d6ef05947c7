//! Events as a person follows them: steps, what changed in them, and a summary with the next thing to do.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use haengine_kernel::event::{Change, Check, CheckStatus, Event, Level, Stamped, Status, Totals};
use haengine_kernel::harmless::{harmless, one_line};

use crate::report::failure::{Drawings, draw_record};
use crate::report::group::{Group, Groups};
use crate::report::lines;
use crate::report::progress::Progress;
use crate::report::{Out, Paint, Reporter, Screen};

/// Writes lines for a person; where the screen is live, what is under way is drawn below them.
pub struct Human {
    out: Out,
    errors: Out,
    look: Look,
    screen: Screen,
    progress: Progress,
    drawings: Drawings,
    /// Lines that are not yet written.
    text: String,
    groups: Groups,
    /// Unchanged ones by step and op, told in one line when the step ends.
    unchanged: BTreeMap<String, BTreeMap<String, u64>>,
    /// The step whose name stands above the last line.
    heading: String,
    command: String,
    run: String,
    /// A change was begun.
    touched: bool,
    /// How many checks ended so.
    checks: BTreeMap<CheckStatus, u64>,
}

/// How lines look.
#[derive(Clone, Copy)]
pub struct Look {
    /// Colours of standard output.
    pub out: Paint,
    /// Colours of standard error.
    pub errors: Paint,
    /// Tell also what did not change, and what commands print.
    pub verbose: bool,
}

impl Human {
    /// Lines into `out`, errors into `errors`.
    pub fn new(out: Out, errors: Out, look: Look, screen: Screen, drawings: Drawings) -> Human {
        Human {
            out,
            errors,
            look,
            progress: Progress::new(screen.clone()),
            screen,
            drawings,
            text: String::new(),
            groups: Groups::default(),
            unchanged: BTreeMap::new(),
            heading: String::new(),
            command: String::new(),
            run: String::new(),
            touched: false,
            checks: BTreeMap::new(),
        }
    }

    fn begin(&mut self, run: String, command: String, recipe: &str) {
        let name = self.look.out.bold(&one_line(recipe));
        let id = if run.is_empty() { String::new() } else { format!(" as {run}") };
        let line = match command.as_str() {
            "repl" => String::new(),
            "plan" => format!("plan of {name}: nothing is touched\n"),
            "undo" => format!("undo of {run}, which ran {name}\n"),
            "resume" => format!("resume of {run}, which runs {name}\n"),
            "forget" => format!("forget {run}, which ran {name}\n"),
            _ => format!("{command} {name}{id}\n"),
        };
        self.text.push_str(&line);
        (self.run, self.command) = (run, command);
    }

    fn change(&mut self, change: Change) {
        self.groups.end(&change);
        self.progress.end(&change);
        if change.status == Status::Unchanged && !self.look.verbose {
            *self.unchanged.entry(change.step).or_default().entry(change.op).or_default() += 1;
        } else {
            self.groups.add(change, Instant::now());
        }
    }

    /// Writes groups, each below the name of its step.
    fn tell(&mut self, groups: Vec<Group>) {
        for group in groups {
            self.head(&group.change.step.clone());
            let diffs = group.change.status == Status::Planned || self.look.verbose;
            self.text.push_str(&lines::group(&group, diffs, self.look.out));
        }
    }

    /// Everything that waits comes before what is said now.
    fn catch_up(&mut self) {
        let waiting = self.groups.all();
        self.tell(waiting);
    }

    /// The name of the step, unless it stands there already: steps of parallel work take turns.
    fn head(&mut self, step: &str) {
        if self.heading != step {
            step.clone_into(&mut self.heading);
            if !step.is_empty() {
                let _ = writeln!(self.text, "{}", self.look.out.bold(&one_line(step)));
            }
        }
    }

    fn say(&mut self, line: &str) {
        self.catch_up();
        let _ = writeln!(self.text, "  {line}");
    }

    fn end_step(&mut self, step: &str, seconds: f64, failed: bool) {
        self.catch_up();
        self.fold(step);
        // The names of an `each` are steps within it, which nobody ends.
        let within = format!("{step} / ");
        let names: Vec<String> = self.unchanged.keys().filter(|key| key.starts_with(&within)).cloned().collect();
        names.iter().for_each(|name| self.fold(name));
        if failed {
            self.head(step);
            let failed = self.look.out.red("failed");
            let _ = writeln!(self.text, "  {failed} after {}", lines::seconds(seconds));
        }
    }

    /// One line for all that was as it shall be.
    fn fold(&mut self, step: &str) {
        let Some(ops) = self.unchanged.remove(step) else { return };
        self.head(step);
        let parts: Vec<String> = ops.iter().map(|(op, count)| format!("{count} {op}")).collect();
        let line = format!("unchanged: {}", parts.join(", "));
        let _ = writeln!(self.text, "  {}", self.look.out.dim(&line));
    }

    fn verified(&mut self, name: &str, outcome: &str, seconds: f64) {
        let paint = self.look.out;
        let took = if seconds >= 0.5 { format!(" ({})", lines::seconds(seconds)) } else { String::new() };
        let name = one_line(name);
        let line = match outcome {
            "passed" => format!("{} {name}{took}", paint.green("verified")),
            "failed" => format!("{} {name}{took}", paint.red("not verified")),
            other => format!("{} {name}", paint.dim(other)),
        };
        self.say(&line);
    }

    fn check(&mut self, check: &Check) {
        self.catch_up();
        self.head(&check.group);
        self.text.push_str(&lines::check(check, self.look.out));
        *self.checks.entry(check.status).or_default() += 1;
    }

    fn log(&mut self, level: Level, host: Option<&str>, message: &str) {
        let host = host.map(|host| format!("{host}: ")).unwrap_or_default();
        let message = format!("{host}{}", harmless(message).trim_end().replace('\n', "\n    "));
        let line = match level {
            Level::Info => message,
            Level::Warning => format!("{} {message}", self.look.out.yellow("warning:")),
        };
        self.say(&line);
    }

    fn error(&mut self, host: Option<&str>, error: &haengine_kernel::error::ErrorRecord) {
        self.catch_up();
        self.write();
        let drawing = self.drawings.pop().unwrap_or_else(|| draw_record(host, error, self.look.errors));
        let Human { screen, errors, .. } = self;
        screen.aside(|| errors.write(&drawing));
    }

    fn finish(&mut self, totals: &Totals) {
        self.catch_up();
        let rest: Vec<String> = self.unchanged.keys().cloned().collect();
        rest.iter().for_each(|step| self.fold(step));
        self.progress.clear();
        // A session without changes has nothing to sum up.
        if !self.command.is_empty() && (self.command != "repl" || self.touched) {
            self.summarise(totals);
        }
        // What follows another run's end has none of its own.
        if self.command != "repl" {
            self.command.clear();
        }
        self.write();
    }

    fn summarise(&mut self, totals: &Totals) {
        let paint = self.look.out;
        let outcome = match totals.outcome.as_str() {
            "succeeded" => paint.green("succeeded"),
            "interrupted" => paint.yellow("interrupted"),
            other => paint.red(other),
        };
        let changed = match self.command.as_str() {
            "plan" => "would change",
            "undo" => "taken back",
            _ => "changed",
        };
        if !self.checks.is_empty() {
            let counts: Vec<String> =
                self.checks.iter().map(|(status, count)| lines::checked(*status, *count)).collect();
            let _ = writeln!(self.text, "checks: {}", counts.join(", "));
        }
        let command = &self.command;
        let sums =
            if command == "forget" { String::new() } else { format!(": {}", lines::sums(totals, changed, paint)) };
        let _ = writeln!(self.text, "{command} {outcome} {}{sums}", lines::took(totals));
        let run = &self.run;
        let next = match (command.as_str(), totals.outcome.as_str(), totals.changed) {
            ("plan", "succeeded", 1..) => "nothing was touched; `haengine run` with the same words makes these changes",
            ("plan", ..) => "nothing was touched",
            ("undo", "succeeded", _) | ("forget", ..) => return,
            (_, "succeeded", 0) => return,
            ("resume", _, 0) if !self.touched => "nothing more was touched",
            (_, _, 0) if !self.touched => "nothing was touched",
            ("repl", ..) => &format!("see it with `haengine show {run}`, take it back with `haengine undo {run}`"),
            ("undo", ..) => &format!("see what is left with `haengine show {run}`, then `haengine undo {run}` again"),
            (_, "succeeded", _) => {
                &format!("see it with `haengine show {run}`, take it back with `haengine undo {run}`")
            }
            _ => &format!("go on with `haengine resume {run}`, take it back with `haengine undo {run}`"),
        };
        let _ = writeln!(self.text, "{}", paint.dim(next));
    }

    fn write(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let Human { screen, out, text, .. } = self;
        screen.aside(|| out.write(text));
        text.clear();
    }
}

impl Reporter for Human {
    fn take(&mut self, event: Stamped) {
        match event.event {
            Event::RunStarted { run, command, recipe } => self.begin(run, command, &recipe),
            Event::Connected { host, seconds } => {
                if self.look.verbose {
                    self.say(&format!("{host}: connected in {}", lines::seconds(seconds)));
                }
            }
            Event::StepStarted { step } => {
                self.catch_up();
                self.head(&step);
                self.progress.begin_step(step);
            }
            Event::StepFinished { step, seconds, failed } => {
                self.end_step(&step, seconds, failed);
                self.progress.end_step(&step);
            }
            Event::ChangeStarted { host, op, target } => {
                self.touched = true;
                self.groups.start(&op, &target);
                self.progress.begin(host, op, target);
            }
            Event::Change(change) => self.change(change),
            Event::Progress { host, target, done, total } => self.progress.copied(&host, &target, done, total),
            Event::Output { host, stream: _, line } => {
                if self.look.verbose {
                    self.say(&format!("{host} │ {}", one_line(&line)));
                }
                self.progress.printed(&host, &line);
            }
            Event::Verified { name, outcome, seconds } => self.verified(&name, &outcome, seconds),
            Event::Check(check) => self.check(&check),
            Event::Waiting { what } => {
                if self.screen.progress().is_none() {
                    self.say(&format!("waiting for {}", one_line(&what)));
                }
                self.progress.wait(what);
            }
            Event::Log { level, host, message } => self.log(level, host.as_deref(), &message),
            Event::Remnant { host, remnant } => {
                let level = if remnant.by_rule { Level::Info } else { Level::Warning };
                self.log(level, Some(&host), &remnant.line());
            }
            Event::Error { host, error } => self.error(host.as_deref(), &error),
            Event::RunFinished(totals) => self.finish(&totals),
        }
    }

    fn flush(&mut self) {
        let ripe = self.groups.ripe(Instant::now());
        self.tell(ripe);
        self.write();
        self.progress.draw();
    }

    fn settle(&mut self) {
        self.catch_up();
        self.write();
    }

    fn due(&self) -> Option<Instant> {
        [self.groups.due(), self.progress.due()].into_iter().flatten().min()
    }
}
