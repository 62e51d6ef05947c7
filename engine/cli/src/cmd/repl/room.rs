//! Hosts, and the runs that the lines are part of.

use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::error::Error;
use haengine_kernel::event::{Event, Totals};
use haengine_kernel::host::Hosts;
use haengine_kernel::journal::{Entry, RunFolder, Store, VERSION};
use haengine_kernel::run::{Mode, Run};
use haengine_script::session::NAME;
use haengine_script::{Fault, Repl, Surroundings};

use crate::cmd::undo;
use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;
use crate::wiring::{self, keep};

/// Where lines work.
pub struct Room<'a> {
    context: &'a Context,
    session: &'a Session,
    store: Store,
    hosts: Arc<Hosts>,
    repl: Arc<Mutex<Repl>>,
    folder: RunFolder,
    run: Arc<Run>,
    planning: bool,
}

impl<'a> Room<'a> {
    /// The inventory's hosts, none of them connected, and a new run.
    ///
    /// # Errors
    /// When the inventory is wrong, or nothing can be kept.
    pub async fn open(context: &'a Context, session: &'a Session) -> Result<Room<'a>, Fault> {
        let inventory = Arc::new(context.inventory()?);
        let store = context.store()?;
        let hosts = wiring::hosts(context, session, inventory);
        let (folder, run) = begin(context, session, &store, &hosts).await?;
        let surroundings = Surroundings {
            run: run.clone(),
            prompt: session.terminal.clone(),
            secrets: session.secrets.clone(),
            forks: context.global.forks,
        };
        let library = wiring::library(session.cancel.clone());
        let repl = Arc::new(Mutex::new(Repl::new(&library, wiring::sources(), surroundings)));
        session.goes_on();
        session.begin(&folder.id, NAME, NAME);
        Ok(Room { context, session, store, hosts, repl, folder, run, planning: false })
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
        let (events, cancel) = (self.session.events.clone(), self.session.cancel.clone());
        Run::new("plan".to_owned(), Mode::Plan, self.hosts.clone(), events, cancel)
    }

    /// What was interrupted has ended on the hosts too; the next line connects anew.
    pub async fn renew(&self) {
        self.hosts.close().await;
        self.session.cancel.renew();
    }

    /// Takes back what this session's run has changed, and begins a new one.
    ///
    /// # Errors
    /// When something could not be taken back: then the run goes no further, and `haengine undo` can.
    pub async fn take_back(&mut self, ask: bool) -> Result<Exit, Fault> {
        if !self.run.has_touched() {
            self.session.say("nothing was changed\n".to_owned());
            return Ok(Exit::Done);
        }
        self.work_in(self.plan());
        self.run.close(Exit::Done.outcome()).await;
        let hosts = || Ok(self.hosts.clone());
        let how = undo::How { ask, ..undo::How::default() };
        let taken = undo::go_back(self.context, self.session, &self.store, &self.folder, hosts, how).await;
        (self.folder, self.run) = begin(self.context, self.session, &self.store, &self.hosts).await?;
        self.set_plan(self.planning);
        match taken {
            Err(fault) if fault.error().code() == "undo.declined" => {
                self.session.say("the changes stay, as a run of their own\n".to_owned());
                Ok(Exit::Done)
            }
            taken => taken,
        }
    }

    /// Ends the session: what it changed is a run like any other, and what it did not change leaves no trace.
    pub async fn leave(self, exit: Exit) {
        self.run.close(exit.outcome()).await;
        let totals = Totals { outcome: exit.outcome().to_owned(), ..self.run.totals(exit.outcome()) };
        if !self.run.has_touched() {
            // A folder that stays is a run without changes, and no harm.
            let _ = std::fs::remove_dir_all(&self.folder.path);
        }
        self.session.ends();
        self.session.events.send(Event::RunFinished(totals));
    }
}

/// A run for the lines that follow.
async fn begin(
    context: &Context,
    session: &Session,
    store: &Store,
    hosts: &Arc<Hosts>,
) -> Result<(RunFolder, Arc<Run>), Error> {
    let folder = store.create()?;
    keep::inventory(&folder, hosts.inventory())?;
    let journal = context.journal(&folder)?;
    let head = Entry::Run {
        version: VERSION,
        run: folder.id.clone(),
        recipe: NAME.to_owned(),
        parameters: serde_json::json!({}),
        inventory: context.global.inventory.iter().map(|file| file.display().to_string()).collect(),
        operator: context.environment.operator.clone(),
    };
    journal.append(vec![head]).await?;
    let mode = wiring::apply(context, store, &folder, journal)?;
    let (events, cancel) = (session.events.clone(), session.cancel.clone());
    let run = Run::new(folder.id.clone(), mode, hosts.clone(), events, cancel);
    Ok((folder, run))
}
