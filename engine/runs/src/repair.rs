//! A step that fails is brought before somebody, and the run goes on where it stands.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use haengine_kernel::error::Result;
use haengine_kernel::host::Hosts;
use haengine_kernel::journal::RunFolder;
use haengine_kernel::run::Run;
use haengine_script::repair::{Failed, Remedy, Repair};
use haengine_script::{Fault, Sources, Versions};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::attempt::Attempt;
use crate::decide::{Decided, decide};
use crate::end::{End, FAILED, finish};
use crate::keep;
use crate::prepare::{Prepared, Refusal};
use crate::repairer::Repairer;
use crate::runs::Runs;
use crate::undo::How;

/// How an attempt ended.
enum Ended {
    /// As the run does.
    Run(Result<(), Fault>),
    /// The edited recipe begins at the top.
    Again(Box<Prepared>),
    /// What was changed shall be taken back.
    Undo(Fault),
}

/// A step that failed, and who waits for what shall be done.
type Brought = (Failed, Sender<Remedy>);

impl Runs<'_> {
    /// Executes a recipe as an attempt of a run; with a repairer, also its edited versions, as further attempts.
    ///
    /// # Errors
    /// When a further attempt, or the undo, cannot begin.
    pub(crate) async fn execute(
        &self,
        folder: &RunFolder,
        prepared: Prepared,
        attempt: Attempt<'_>,
        repairer: Option<&mut dyn Repairer>,
    ) -> Result<End, Refusal> {
        match repairer {
            Some(repairer) => Site { runs: self, folder, repairer }.perform(prepared, attempt).await,
            None => Ok(self.workshop.perform(prepared, attempt).await.0),
        }
    }
}

/// A run that can be repaired.
struct Site<'a> {
    runs: &'a Runs<'a>,
    folder: &'a RunFolder,
    repairer: &'a mut dyn Repairer,
}

impl<'a> Site<'a> {
    async fn perform(mut self, prepared: Prepared, attempt: Attempt<'a>) -> Result<End, Refusal> {
        let (mut prepared, mut attempt) = (prepared, attempt);
        let (workshop, versions) = (self.runs.workshop, self.versions(&prepared));
        loop {
            let hosts = workshop.hosts(prepared.inventory.clone());
            let run = attempt.run(workshop, hosts.clone());
            match self.attempt(&prepared, &run, &versions).await {
                Ended::Run(result) => return Ok(finish(workshop.person.as_ref(), &run, result).await.0),
                Ended::Undo(fault) => {
                    run.close(FAILED).await;
                    return self.take_back(hosts, End::of(&run, &Err(fault))).await;
                }
                Ended::Again(next) => {
                    run.close(FAILED).await;
                    prepared = *next;
                    attempt = self.again(&prepared).await?;
                }
            }
        }
    }

    fn versions(&self, prepared: &Prepared) -> Versions {
        let (library, sources) = (prepared.recipe.library().clone(), self.runs.workshop.sources.clone());
        Versions::of(library, sources, &prepared.call.recipe, prepared.recipe.clone())
    }

    async fn attempt(&mut self, prepared: &Prepared, run: &Arc<Run>, versions: &Versions) -> Ended {
        let (bring, mut brought) = unbounded_channel();
        let sources = self.runs.workshop.sources.clone();
        let recipe = prepared.recipe.clone().repaired_by(Arc::new(Counter { bring, sources }));
        let work = async {
            run.rejoin().await?;
            recipe.run(prepared.bound.clone(), self.runs.workshop.surroundings(run.clone())).await
        };
        tokio::pin!(work);
        let mut decided = None;
        loop {
            tokio::select! {
                result = &mut work => return match (result, decided) {
                    (Err(_), Some(Decided::Again(next))) => Ended::Again(next),
                    (Err(fault), Some(Decided::Undo)) => Ended::Undo(fault),
                    (result, _) => Ended::Run(result),
                },
                Some((failed, answer)) = next(&mut brought) => {
                    let what = decide(self.runs, self.repairer, failed, prepared, run, versions).await;
                    let remedy = match what { Decided::Remedy(remedy) => remedy, _ => Remedy::Leave };
                    decided = Some(what);
                    // The recipe waits for it, unless it was interrupted.
                    let _ = answer.send(remedy);
                }
            }
        }
    }

    /// The next attempt of the run, on the edited recipe, which the run keeps from now on.
    async fn again(&self, prepared: &Prepared) -> Result<Attempt<'a>> {
        keep::recipe(self.folder, prepared.recipe.snapshot())?;
        self.runs.again(self.folder, &self.folder.state()?, prepared, None).await
    }

    async fn take_back(&self, hosts: Arc<Hosts>, failed: End) -> Result<End, Refusal> {
        let end = self.runs.go_back(self.folder, || Ok(hosts), How::default()).await?;
        Ok(if end == End::Done { failed } else { end })
    }
}

/// The next step that is brought. Once nobody can bring any more, it waits for ever.
async fn next(brought: &mut UnboundedReceiver<Brought>) -> Option<Brought> {
    match brought.recv().await {
        None => std::future::pending().await,
        some => some,
    }
}

/// Where the recipe's thread hands a step in and waits.
struct Counter {
    bring: UnboundedSender<Brought>,
    sources: Sources,
}

impl Repair for Counter {
    fn remedy(&self, failed: Failed) -> Remedy {
        let (answer, hear) = channel();
        // Where nobody decides any more, the run has ended.
        match self.bring.send((failed, answer)) {
            Ok(()) => hear.recv().unwrap_or(Remedy::Leave),
            Err(_) => Remedy::Leave,
        }
    }

    fn sources(&self) -> Sources {
        self.sources.clone()
    }
}
