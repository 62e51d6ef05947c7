//! `haengine run --on-error repl`: a step that fails opens a session, and the run goes on where it stands.

use std::cell::Cell;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use haengine_kernel::error::Error;
use haengine_kernel::event::Level;
use haengine_kernel::harmless::one_line;
use haengine_kernel::host::Hosts;
use haengine_kernel::journal::{RunFolder, Store as Runs};
use haengine_kernel::run::Run;
use haengine_script::repair::{Failed, Remedy, Repair};
use haengine_script::store::Reload;
use haengine_script::{Fault, Repl, Sources, Store, Surroundings};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::cmd::repl::input::{Piped, Seat};
use crate::cmd::repl::person;
use crate::cmd::repl::talk::{Left, Talk};
use crate::cmd::run::{Attempt, OnError, Prepared, RunArgs, checked};
use crate::cmd::{undo, unfinished};
use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal;
use crate::wiring::{self, keep};

/// Whether somebody is asked about steps that fail: where it is said so, and at a terminal.
pub fn is_wanted(context: &Context, session: &Session, on_error: Option<OnError>) -> bool {
    match on_error {
        Some(on_error) => on_error == OnError::Repl,
        None => session.terminal.asks() && !context.global.json,
    }
}

/// A run that can be repaired.
pub struct Site<'a> {
    pub context: &'a Context,
    pub session: &'a Session,
    pub store: &'a Runs,
    pub folder: &'a RunFolder,
    pub args: &'a RunArgs,
    /// The person who was asked wants to repair.
    pub agreed: Cell<bool>,
}

/// How an attempt ended.
enum Ended {
    /// As the run does.
    Run(Result<(), Fault>),
    /// The edited recipe begins at the top.
    Again(Box<Prepared>),
    /// What was changed shall be taken back.
    Undo(Fault),
}

/// What was decided at a step.
enum Decided {
    Remedy(Remedy),
    Again(Box<Prepared>),
    Undo,
}

/// A step that failed, and who waits for what shall be done.
type Asked = (Failed, Sender<Remedy>);

impl<'a> Site<'a> {
    /// Executes the recipe, and its edited versions, as attempts of one run.
    pub(super) async fn perform(&self, prepared: Prepared, attempt: Attempt<'a>) -> Result<Exit, Fault> {
        let (mut prepared, mut attempt) = (prepared, attempt);
        let mut piped = Seat::new(Piped::new(self.session.cancel.clone()));
        let versions = self.versions(&prepared);
        self.session.goes_on();
        loop {
            let hosts = wiring::hosts(self.context, self.session, prepared.inventory.clone());
            let Attempt { id, mode, past } = attempt;
            let (events, cancel) = (self.session.events.clone(), self.session.cancel.clone());
            let run = Run::again(id.to_owned(), mode, hosts.clone(), events, cancel, past);
            match self.attempt(&prepared, &run, &versions, &mut piped).await {
                Ended::Run(result) => {
                    self.session.ends();
                    return Ok(self.session.finish(&run, result).await.0);
                }
                Ended::Undo(fault) => {
                    run.close(Exit::Failed.outcome()).await;
                    return self.take_back(hosts, Exit::of(fault.error().kind(), run.has_touched())).await;
                }
                Ended::Again(next) => {
                    run.close(Exit::Failed.outcome()).await;
                    prepared = *next;
                    attempt = self.again(&prepared).await?;
                }
            }
        }
    }

    fn versions(&self, prepared: &Prepared) -> Store {
        let library = prepared.recipe.library().clone();
        Store::of(library, wiring::sources(), &self.args.call.recipe, prepared.recipe.clone())
    }

    async fn attempt(&self, prepared: &Prepared, run: &Arc<Run>, versions: &Store, piped: &mut Seat) -> Ended {
        let (ask, mut asked) = unbounded_channel();
        let recipe = prepared.recipe.clone().repaired_by(Arc::new(Counter(ask)));
        let surroundings = Surroundings {
            run: run.clone(),
            prompt: self.session.terminal.clone(),
            secrets: self.session.secrets.clone(),
            forks: self.context.global.forks,
        };
        let work = recipe.run(prepared.bound.clone(), surroundings);
        tokio::pin!(work);
        let mut decided = None;
        loop {
            tokio::select! {
                result = &mut work => return match (result, decided) {
                    (Err(_), Some(Decided::Again(next))) => Ended::Again(next),
                    (Err(fault), Some(Decided::Undo)) => Ended::Undo(fault),
                    (result, _) => Ended::Run(result),
                },
                Some((failed, answer)) = next(&mut asked) => {
                    let what = self.decide(failed, prepared, run, versions, piped).await;
                    let remedy = match what { Decided::Remedy(remedy) => remedy, _ => Remedy::Leave };
                    decided = Some(what);
                    // The recipe waits for it, unless it was interrupted.
                    let _ = answer.send(remedy);
                }
            }
        }
    }

    async fn decide(
        &self,
        failed: Failed,
        prepared: &Prepared,
        run: &Arc<Run>,
        versions: &Store,
        piped: &mut Seat,
    ) -> Decided {
        let Failed { step, fault, repl } = failed;
        self.session.told(&fault, run.has_touched());
        let repl = Arc::new(Mutex::new(repl));
        let mut person = match self.open(&step, &repl) {
            Ok(Some(person)) => person,
            Ok(None) => return Decided::Remedy(Remedy::Leave),
            Err(error) => return self.leave(error, run),
        };
        let seat = person.as_mut().unwrap_or(piped);
        let mut talk = Talk::repairing(self.context, self.session, repl);
        loop {
            let left = terminal::waiting(|| talk.until_left(seat));
            match left {
                Ok(Left::Skip) => return self.skip(&step),
                Ok(Left::Undo) => return Decided::Undo,
                Ok(Left::Retry) => match self.retry(prepared, versions) {
                    Some(decided) => return decided,
                    None if seat.person => {}
                    None => return Decided::Remedy(Remedy::Leave),
                },
                Ok(Left::Interrupted) if seat.person => {
                    run.hosts().close().await;
                    self.session.cancel.renew();
                }
                // It is refused before it comes here.
                Ok(Left::Plan(_)) => {}
                Ok(Left::Ended(_) | Left::Interrupted) => return Decided::Remedy(Remedy::Leave),
                Err(error) => return self.leave(error, run),
            }
        }
    }

    fn leave(&self, error: Error, run: &Run) -> Decided {
        self.session.told(&error.into(), run.has_touched());
        Decided::Remedy(Remedy::Leave)
    }

    fn skip(&self, step: &str) -> Decided {
        let message = format!("step `{}` was passed over by hand", one_line(step));
        self.session.events.log(Level::Warning, None, message);
        Decided::Remedy(Remedy::Skip)
    }

    /// Where lines are read about this step: from a person, or, where there is none, from standard input. None where the
    /// person was asked and wants none.
    fn open(&self, step: &str, repl: &Arc<Mutex<Repl>>) -> Result<Option<Option<Seat>>, Error> {
        if self.args.on_error.is_none() && !self.agreed.get() {
            let question = format!("step `{}` failed: look at it here, and repair it?", one_line(step));
            if !self.session.terminal.confirm(&question)? {
                return Ok(None);
            }
            self.agreed.set(true);
        }
        let words = "mend the hosts or edit the recipe, then `:retry`; or `:skip`, `:undo`, `:quit`; `:help` for more";
        self.session.say(format!("step `{}` failed: {words}\n", one_line(step)));
        person(self.context, repl.clone()).map(Some)
    }

    /// What `:retry` means now: the same again, or the edited recipe. What is wrong with that is told.
    fn retry(&self, prepared: &Prepared, versions: &Store) -> Option<Decided> {
        match versions.reload() {
            Reload::Broken(fault) => self.session.tell(&fault),
            Reload::Wrong(findings) => self.session.tell_findings(&findings),
            Reload::Good(_) | Reload::Same => {}
        }
        if versions.is_broken() {
            self.session.say("the recipe cannot be used as it is now: correct it, or put it back\n".to_owned());
            return None;
        }
        let recipe = versions.current();
        let version = recipe.snapshot().number;
        if version == prepared.recipe.snapshot().number {
            return Some(Decided::Remedy(Remedy::Retry));
        }
        let (inventory, named) = (prepared.inventory.clone(), !self.context.global.inventory.is_empty());
        match checked(self.context, self.session, recipe, inventory, &self.args.call.parameters, named) {
            Ok(Ok(next)) => {
                self.session.say(format!("the recipe was edited: version {version} begins at the top\n"));
                return Some(Decided::Again(Box::new(next)));
            }
            Ok(Err(findings)) => self.session.tell_findings(&findings),
            Err(fault) => self.session.tell(&fault),
        }
        None
    }

    /// The next attempt of the run, on the edited recipe, which the run keeps from now on.
    async fn again(&self, prepared: &Prepared) -> Result<Attempt<'a>, Fault> {
        keep::recipe(self.folder, prepared.recipe.snapshot())?;
        let state = self.folder.state()?;
        let Site { context, session, store, folder, .. } = self;
        Ok(unfinished::begin(context, session, store, folder, &state, prepared, None).await?)
    }

    async fn take_back(&self, hosts: Arc<Hosts>, failed: Exit) -> Result<Exit, Fault> {
        self.session.ends();
        let Site { context, session, store, folder, .. } = self;
        let exit = undo::go_back(context, session, store, folder, || Ok(hosts), undo::How::default()).await?;
        Ok(if exit == Exit::Done { failed } else { exit })
    }
}

/// The next step that is asked about. Once nobody can ask any more, it waits for ever.
async fn next(asked: &mut UnboundedReceiver<Asked>) -> Option<Asked> {
    match asked.recv().await {
        None => std::future::pending().await,
        some => some,
    }
}

/// Where the recipe's thread hands a step in and waits.
struct Counter(UnboundedSender<Asked>);

impl Repair for Counter {
    fn remedy(&self, failed: Failed) -> Remedy {
        let (answer, hear) = channel();
        // Where nobody decides any more, the run has ended.
        match self.0.send((failed, answer)) {
            Ok(()) => hear.recv().unwrap_or(Remedy::Leave),
            Err(_) => Remedy::Leave,
        }
    }

    fn sources(&self) -> Sources {
        wiring::sources()
    }
}
