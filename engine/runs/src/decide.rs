//! What is done about a step that failed, as somebody wishes.

use std::sync::{Arc, Mutex};

use haengine_kernel::error::Error;
use haengine_kernel::event::Level;
use haengine_kernel::harmless::one_line;
use haengine_kernel::run::Run;
use haengine_script::Versions;
use haengine_script::repair::{Failed, Remedy};
use haengine_script::versions::Reload;

use crate::prepare::{Prepared, Refusal};
use crate::repairer::{Repairer, Wish};
use crate::runs::Runs;

/// What was decided at a step.
pub(crate) enum Decided {
    Remedy(Remedy),
    Again(Box<Prepared>),
    Undo,
}

/// Brings a step before the repairer until something can be done about it.
pub(crate) async fn decide(
    runs: &Runs<'_>,
    repairer: &mut dyn Repairer,
    failed: Failed,
    prepared: &Prepared,
    run: &Run,
    versions: &Versions,
) -> Decided {
    let Failed { step, fault, repl } = failed;
    match repairer.look(&step, &fault, Arc::new(Mutex::new(repl))) {
        Ok(true) => {}
        Ok(false) => return Decided::Remedy(Remedy::Leave),
        Err(error) => return leave(runs, error),
    }
    let decided = wished(runs, repairer, &step, prepared, run, versions).await;
    repairer.turn_away();
    decided
}

async fn wished(
    runs: &Runs<'_>,
    repairer: &mut dyn Repairer,
    step: &str,
    prepared: &Prepared,
    run: &Run,
    versions: &Versions,
) -> Decided {
    loop {
        match repairer.wish() {
            Ok(Wish::Skip) => return skip(runs, step),
            Ok(Wish::Undo) => return Decided::Undo,
            Ok(Wish::Retry) => match retry(runs, repairer, prepared, versions) {
                Some(decided) => return decided,
                None if repairer.is_person() => {}
                None => return Decided::Remedy(Remedy::Leave),
            },
            Ok(Wish::Renew) => {
                run.hosts().close().await;
                runs.workshop.person.cancel().renew();
            }
            Ok(Wish::Leave) => return Decided::Remedy(Remedy::Leave),
            Err(error) => return leave(runs, error),
        }
    }
}

fn leave(runs: &Runs<'_>, error: Error) -> Decided {
    runs.workshop.person.tell(&error.into());
    Decided::Remedy(Remedy::Leave)
}

fn skip(runs: &Runs<'_>, step: &str) -> Decided {
    let message = format!("step `{}` was passed over by hand", one_line(step));
    runs.workshop.person.events().log(Level::Warning, None, message);
    Decided::Remedy(Remedy::Skip)
}

/// What a retry means now: the same again, or the edited recipe. What is wrong with that is told.
fn retry(runs: &Runs<'_>, repairer: &mut dyn Repairer, prepared: &Prepared, versions: &Versions) -> Option<Decided> {
    let (workshop, person) = (runs.workshop, runs.workshop.person.as_ref());
    match versions.reload() {
        Reload::Broken(fault) => person.tell(&fault),
        Reload::Wrong(findings) => person.tell_findings(&findings),
        Reload::Good(_) | Reload::Same => {}
    }
    if versions.is_broken() {
        repairer.hear("the recipe cannot be used as it is now: correct it, or put it back".to_owned());
        return None;
    }
    let recipe = versions.current();
    let version = recipe.snapshot().number;
    if version == prepared.recipe.snapshot().number {
        return Some(Decided::Remedy(Remedy::Retry));
    }
    let (inventory, named) = (prepared.inventory.clone(), workshop.has_inventory());
    match workshop.check(recipe, inventory, prepared.call.clone(), named) {
        Ok(next) => {
            repairer.hear(format!("the recipe was edited: version {version} begins at the top"));
            return Some(Decided::Again(Box::new(next)));
        }
        Err(Refusal::Findings(findings)) => person.tell_findings(&findings),
        Err(Refusal::Fault(fault)) => person.tell(&fault),
    }
    None
}
