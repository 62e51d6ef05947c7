//! Hosts, and the runs that the lines of a session are part of.

use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::error::Result;
use haengine_kernel::event::{Event, Totals};
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::RunFolder;
use haengine_kernel::run::{Mode, Run};
use haengine_script::Repl;
use haengine_script::session::NAME;

use crate::end::End;
use crate::keep;
use crate::plan::PLAN;
use crate::prepare::Refusal;
use crate::runs::Runs;
use crate::undo::How;

/// Where the lines of a session work.
pub struct Room<'a> {
    runs: &'a Runs<'a>,
    hosts: Arc<Hosts>,
    repl: Arc<Mutex<Repl>>,
    folder: RunFolder,
    run: Arc<Run>,
    planning: bool,
}

impl<'a> Room<'a> {
    /// The hosts of an inventory, none of them connected, and a new run.
    ///
    /// # Errors
    /// When nothing can be kept.
    pub async fn open(runs: &'a Runs<'a>, inventory: Inventory) -> Result<Room<'a>> {
        let workshop = runs.workshop;
        let hosts = workshop.hosts(inventory.into());
        let (folder, run) = begin(runs, &hosts).await?;
        let surroundings = workshop.surroundings(run.clone());
        let repl = Repl::new(&workshop.library(), workshop.sources.clone(), surroundings);
        workshop.person.begin(&folder.id, NAME, NAME);
        Ok(Room { runs, hosts, repl: Arc::new(Mutex::new(repl)), folder, run, planning: false })
    }

    /// The session of the language.
    pub fn repl(&self) -> &Arc<Mutex<Repl>> {
        &self.repl
    }

    /// Whether lines only show what they would change.
    pub fn set_plan(&mut self, plan: bool) {
        self.hosts.forget_plans();
        self.planning = plan;
        self.work_in(if plan { self.plan() } else { self.run.clone() });
    }

    fn work_in(&self, run: Arc<Run>) {
        self.repl.lock().unwrap_or_else(PoisonError::into_inner).set_run(run);
    }

    fn plan(&self) -> Arc<Run> {
        kernel_run(self.runs, PLAN, Mode::Plan, &self.hosts)
    }

    /// What was interrupted has ended on the hosts too; the next line connects anew.
    pub async fn renew(&self) {
        self.hosts.close().await;
        self.runs.workshop.person.cancel().renew();
    }

    /// True once lines have changed something that can be taken back.
    pub fn has_touched(&self) -> bool {
        self.run.has_touched()
    }

    /// Takes back what this session's run has changed, and begins a new one. `ask` says whether the person is asked.
    ///
    /// # Errors
    /// When something could not be taken back: then the run goes no further, and an undo can.
    pub async fn take_back(&mut self, ask: bool) -> Result<End, Refusal> {
        self.work_in(self.plan());
        self.run.close(End::Done.outcome()).await;
        let hosts = || Ok(self.hosts.clone());
        let taken = self.runs.go_back(&self.folder, hosts, How { ask, ..How::default() }).await;
        (self.folder, self.run) = begin(self.runs, &self.hosts).await?;
        self.set_plan(self.planning);
        taken
    }

    /// Ends the session: what it changed is a run like any other, and what it did not change leaves no trace.
    pub async fn leave(self, outcome: &str) {
        self.run.close(outcome).await;
        let totals = Totals { outcome: outcome.to_owned(), ..self.run.totals(outcome) };
        if !self.run.has_touched() {
            // A folder that stays is a run without changes, and no harm.
            let _ = std::fs::remove_dir_all(&self.folder.path);
        }
        self.runs.workshop.person.events().send(Event::RunFinished(totals));
    }
}

/// A run for the lines that follow.
async fn begin(runs: &Runs<'_>, hosts: &Arc<Hosts>) -> Result<(RunFolder, Arc<Run>)> {
    let keep = |folder: &_| keep::inventory(folder, hosts.inventory());
    let (folder, mode) = runs.begin(NAME, serde_json::json!({}), keep).await?;
    let run = kernel_run(runs, &folder.id, mode, hosts);
    Ok((folder, run))
}

fn kernel_run(runs: &Runs<'_>, id: &str, mode: Mode, hosts: &Arc<Hosts>) -> Arc<Run> {
    let person = &runs.workshop.person;
    Run::new(id.to_owned(), mode, hosts.clone(), person.events().clone(), person.cancel().clone())
}
