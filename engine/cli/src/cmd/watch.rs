//! `haengine watch`: a recipe is checked and planned at each save, and what changed in its plan is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;
use haengine_kernel::event::{Change, Event, Totals};
use haengine_kernel::host::Hosts;
use haengine_runs::plan::PLAN;
use haengine_runs::{Person, Refusal, Workshop};
use haengine_script::lint::Severity;
use haengine_script::versions::Reload;
use haengine_script::watch::{SETTLE, Watch};
use haengine_script::{Fault, Recipe, Versions};
use serde::Serialize;
use tokio::sync::mpsc::unbounded_channel;

use crate::cmd::run::CallArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::{finding, json, lines};
use crate::session::{Session, conduct};
use crate::wiring;

/// Check and plan a recipe at each save, and show what changed in its plan
///
/// Nothing is touched. The recipe's file, what it imports and its templates are watched; a version that is broken is shown
/// with the place, and the last good one stays. Reads are real, at each save. Ctrl-C ends it.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine watch scripts/my_recipe.rhai -i site.yaml
  haengine watch time_sync -i site.yaml hosts=masters")]
pub struct WatchArgs {
    #[command(flatten)]
    call: CallArgs,
}

/// Watches a recipe.
pub fn watch(context: &Context, args: &WatchArgs) -> Exit {
    conduct(context, async |session| follow(context, session, &args.call).await)
}

async fn follow(context: &Context, session: &Arc<Session>, call: &CallArgs) -> Result<Exit, Refusal> {
    let workshop = wiring::workshop(context, session);
    let versions = Arc::new(Versions::open(workshop.library(), workshop.sources.clone(), &call.recipe)?);
    let hosts = workshop.hosts(workshop.inventory()?.into());
    let (tell, mut news) = unbounded_channel();
    // Who does not listen any more has ended.
    let _watch = Watch::start(versions.clone(), SETTLE, move |reload| drop(tell.send(reload)))?;
    let mut view = View { context, session, workshop: &workshop, call, hosts, planned: Planned::new() };
    view.show(&versions.current()).await;
    loop {
        let reload = tokio::select! {
            () = session.cancel.cancelled() => break,
            Some(reload) = news.recv() => reload,
        };
        match reload {
            Reload::Same => {}
            Reload::Good(recipe) => view.show(&recipe).await,
            Reload::Broken(fault) => {
                session.tell(&fault);
                view.still(&versions);
            }
            Reload::Wrong(findings) => {
                session.tell_findings(&findings);
                view.still(&versions);
            }
        }
    }
    view.hosts.close().await;
    let outcome = Exit::Interrupted.outcome().to_owned();
    session.events.send(Event::RunFinished(Totals { run: PLAN.to_owned(), outcome, ..Totals::default() }));
    Ok(Exit::Interrupted)
}

/// Planned changes by what they are; alike ones are counted.
type Planned = BTreeMap<Key, Change>;

/// Step, host, op, target, and a number among those that are alike.
type Key = (String, String, String, String, usize);

/// What is shown, and what was shown before.
struct View<'a> {
    context: &'a Context,
    session: &'a Session,
    workshop: &'a Workshop,
    call: &'a CallArgs,
    hosts: Arc<Hosts>,
    planned: Planned,
}

/// How a planned change compares with the version before.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum News {
    New,
    Other,
    Gone,
}

/// A difference between two plans, for a program.
#[derive(Serialize)]
struct Difference<'a> {
    version: u64,
    news: News,
    #[serde(flatten)]
    change: &'a Change,
}

impl View<'_> {
    /// Checks and plans a version, and shows what is different.
    async fn show(&mut self, recipe: &Recipe) {
        let version = recipe.snapshot().number;
        let named = self.workshop.has_inventory();
        let findings = recipe.check(Some(self.hosts.inventory().as_ref()).filter(|_| named));
        let wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
        for finding in &findings {
            self.session.say(finding::draw(finding, self.context.paint));
        }
        if wrong {
            return self.say(&format!("version {version} is not planned: correct what is wrong first"));
        }
        match self.plan(recipe).await {
            Ok(planned) => {
                let before = std::mem::replace(&mut self.planned, planned);
                self.compare(version, &before);
            }
            Err(fault) => {
                self.session.told(&fault, false);
                self.say(&format!("version {version} could not be planned to its end"));
            }
        }
    }

    fn still(&self, versions: &Versions) {
        self.say(&format!("version {} is still the last good one", versions.current().snapshot().number));
    }

    /// All planned changes of a version. What it logs is passed over: only what changes is of interest.
    async fn plan(&self, recipe: &Recipe) -> Result<Planned, Fault> {
        let mut planned = Planned::new();
        for change in self.workshop.changes(recipe, &self.call.parameters, &self.hosts).await? {
            add(&mut planned, change);
        }
        Ok(planned)
    }

    fn compare(&self, version: u64, before: &Planned) {
        let mut counts = [0; 3];
        let mut news = |kind: News, key: &Key, change: &Change| {
            counts[kind as usize] += 1;
            self.tell(version, kind, key, change);
        };
        for (key, change) in &self.planned {
            match before.get(key) {
                None => news(News::New, key, change),
                Some(old) if old.summary != change.summary || old.diff != change.diff => news(News::Other, key, change),
                Some(_) => {}
            }
        }
        for (key, change) in before.iter().filter(|(key, _)| !self.planned.contains_key(key)) {
            news(News::Gone, key, change);
        }
        let [new, other, gone] = counts;
        let count = self.planned.len();
        self.say(&format!("version {version}: {count} would change ({new} new, {other} other, {gone} gone)"));
    }

    fn tell(&self, version: u64, news: News, key: &Key, change: &Change) {
        if self.context.global.json {
            return self.session.record(json::record("planned", &Difference { version, news, change }));
        }
        let paint = self.context.paint;
        let mark = match news {
            News::New => paint.green("+"),
            News::Other => paint.yellow("~"),
            News::Gone => paint.red("-"),
        };
        let (_, host, op, target, _) = key;
        let diff = change.diff.as_ref().filter(|_| news != News::Gone);
        let diff = diff.map(|diff| lines::diff(diff.text(), paint)).unwrap_or_default();
        self.session.say(format!("{mark} {host}: {op} {} {}\n{diff}", paint.cyan(target), change.summary));
    }

    fn say(&self, line: &str) {
        self.session.say(format!("{}\n", self.context.paint.bold(line)));
    }
}

fn add(planned: &mut Planned, change: Change) {
    let key = |number| (change.step.clone(), change.host.clone(), change.op.clone(), change.target.clone(), number);
    let number = (0..).find(|number| !planned.contains_key(&key(*number))).unwrap_or_default();
    planned.insert(key(number), change);
}
