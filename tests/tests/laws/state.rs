//! The laws of state ops.

use haengine_kernel::event::Status;
use haengine_kernel::journal::{ChangeState, Phase, State};
use haengine_kernel::op::Example;

use crate::Law;
use crate::scene::{Scene, Told};

/// Plan touches nothing; the run does what was planned; twice is once; undo restores; undo twice is once; the journal's
/// records survive JSON.
pub fn law(scene: &Scene, example: &Example) -> Law {
    scene.given(example.given)?;
    let before = scene.look(example.code)?;
    let planned = scene.plan(example.code)?.well("plan")?;
    scene.untouched(&before, "after plan")?;

    let done = scene.run(example.code)?.well("run")?;
    crate::read::gives(example, &done)?;
    as_planned(&planned, &done)?;
    let journal = scene.journal(&done.run)?;
    journalled(scene, &journal, &done)?;

    unchanged(&scene.plan(example.code)?.well("plan after run")?, Status::Planned, "a plan after the run")?;
    let again = scene.run(example.code)?.well("second run")?;
    unchanged(&again, Status::Changed, "a second run")?;
    if scene.undo(&again.run)?.is_some() {
        return Err("a run that changed nothing has something to undo".to_owned());
    }

    restored(scene, &done)?;
    scene.brought_back(&before, "after undo")?;
    match scene.undo(&done.run)? {
        None => Ok(()),
        Some(_) => Err("a second undo finds something to take back".to_owned()),
    }
}

pub fn as_planned(planned: &Told, done: &Told) -> Law {
    for (foreseen, happened) in [(Status::Planned, Status::Changed), (Status::Unchanged, Status::Unchanged)] {
        let (foreseen, happened) = (planned.changes(foreseen), done.changes(happened));
        if foreseen != happened {
            return Err(format!("planned were {foreseen:?}, but the run made {happened:?}"));
        }
    }
    if planned.count() == 0 {
        return Err("the plan tells nothing, not even that there is nothing to do".to_owned());
    }
    Ok(())
}

/// Each change is in the journal, with its end, and its record reads back as it was written.
pub fn journalled(scene: &Scene, journal: &State, done: &Told) -> Law {
    let mut keys: Vec<_> = journal
        .changes
        .values()
        .map(|change| (change.key.op.clone(), change.key.host.clone(), change.key.target.clone()))
        .collect();
    keys.sort();
    let changed = done.changes(Status::Changed);
    if keys != changed {
        return Err(format!("the journal has {keys:?}, but changed were {changed:?}"));
    }
    for change in journal.changes.values() {
        if change.phase != Phase::Succeeded {
            return Err(format!("the journal says {:?} of {}", change.phase, change.key.target));
        }
        rereads(scene, change)?;
    }
    Ok(())
}

/// The record of a change survives JSON.
pub fn rereads(scene: &Scene, change: &ChangeState) -> Law {
    let verb = scene.library().registry().get(&change.key.op).map_err(|error| error.to_string())?;
    let (arguments, before) =
        verb.reread(&change.arguments, &change.before).map_err(|error| format!("{error}: {:?}", error.causes()))?;
    if (&arguments, &before) != (&change.arguments, &change.before) {
        return Err(format!(
            "the journal's record changes when it is read and written again:\n    {} {}\n    {arguments} {before}",
            change.arguments, change.before
        ));
    }
    Ok(())
}

fn unchanged(told: &Told, status: Status, what: &str) -> Law {
    let changes = told.changes(status);
    if changes.is_empty() && told.totals.changed == 0 {
        return Ok(());
    }
    Err(format!("{what} still has changes: {changes:?}"))
}

/// Undoes what was done; a run that changed nothing has nothing to undo.
pub fn restored(scene: &Scene, done: &Told) -> Law {
    match scene.undo(&done.run)? {
        Some(undone) => undone.well("undo").map(|_| ()),
        None if done.changes(Status::Changed).is_empty() => Ok(()),
        None => Err("there is nothing to undo after a run that changed something".to_owned()),
    }
}
