//! What must be true of whatever calls come out, refusals included.

use std::collections::BTreeSet;

use haengine_kernel::event::Status;

use super::Call;
use crate::Law;
use crate::scene::{CANARY, Scene, Told, What};
use crate::state::rereads;

/// Plan touches nothing; what it planned is done, or has failed and is told so; what it refuses the run refuses; twice
/// is once; undo restores; undo twice is once; the journal's records survive JSON; no secret is told or journalled.
pub fn law(scene: &Scene, calls: &[Call]) -> Law {
    for call in calls {
        scene.given(&call.given)?;
    }
    if calls.iter().any(|call| call.former.is_some()) {
        let former = recipe(calls.iter().filter_map(|call| call.former.as_deref()));
        scene.run(&former)?.well("the former run")?;
        // A secret of that run is now what the host holds: whoever replaces it knows it by its parameters alone.
        scene.hide();
        // The processes of its connection end a moment later, and are not of the host.
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    let code = recipe(calls.iter().map(|call| call.code.as_str()));
    let before = scene.look("h")?;
    let planned = scene.plan(&code)?.well("plan")?;
    scene.untouched(&before, "after plan")?;

    let done = scene.run(&code)?.well("run")?;
    let whole = as_planned(&planned, &done)?;
    for change in scene.journal(&done.run)?.changes.values() {
        rereads(scene, change)?;
    }
    let again = scene.plan(&code)?.well("plan after run")?;
    converges("a plan after the run", &again.changes(Status::Planned), &planned, &done, whole)?;
    let second = scene.run(&code)?.well("second run")?;
    converges("a second run", &second.changes(Status::Changed), &planned, &done, whole)?;

    for run in [&second.run, &done.run] {
        if let Some(undone) = scene.undo(run)? {
            unseen(&undone)?;
            undone.well("undo")?;
        }
    }
    scene.brought_back(&before, "after undo")?;
    if scene.undo(&done.run)?.is_some() {
        return Err("a second undo finds something to take back".to_owned());
    }
    [&planned, &done, &again, &second].into_iter().try_for_each(unseen)?;
    haengine_tests::canary::unseen_in_folder(&scene.state_folder(), &[CANARY])
}

/// A recipe that makes all the calls, whatever becomes of them.
fn recipe<'a>(calls: impl Iterator<Item = &'a str>) -> String {
    let attempts: String =
        calls.map(|call| format!("try {{ out.push({call}); }} catch (e) {{ out.push(`${{e}}`); }} ")).collect();
    format!("{{ let out = []; {attempts}out }}")
}

fn set(told: &Told, status: Status) -> BTreeSet<What> {
    told.changes(status).into_iter().collect()
}

/// True when nothing failed but what the plan had refused; then the run is exactly what was planned.
fn as_planned(planned: &Told, done: &Told) -> Law<bool> {
    let (foreseen, happened) = (set(planned, Status::Planned), set(done, Status::Changed));
    let (refused, failed) = (set(planned, Status::Failed), set(done, Status::Failed));
    if !happened.is_subset(&foreseen) {
        return Err(format!("planned were {foreseen:?}, but the run made {happened:?}"));
    }
    if !refused.is_subset(&failed) {
        return Err(format!("the plan refused {refused:?}, but in the run failed only {failed:?}"));
    }
    let whole = refused == failed;
    if whole && foreseen != happened {
        return Err(format!(
            "planned were {foreseen:?}, but the run made only {happened:?} and says nothing of the rest"
        ));
    }
    let (quiet, still) = (set(planned, Status::Unchanged), set(done, Status::Unchanged));
    if whole && quiet != still {
        return Err(format!("unchanged in the plan were {quiet:?}, in the run {still:?}"));
    }
    Ok(whole)
}

/// What was changed is not to be changed again; what has failed may be.
fn converges(what: &str, left: &[What], planned: &Told, done: &Told, whole: bool) -> Law {
    let changed = set(done, Status::Changed);
    let foreseen = set(planned, Status::Planned);
    let again: Vec<&What> =
        left.iter().filter(|change| whole || changed.contains(*change) || !foreseen.contains(*change)).collect();
    if again.is_empty() { Ok(()) } else { Err(format!("{what} still has changes: {again:?}")) }
}

fn unseen(told: &Told) -> Law {
    let events = serde_json::to_string(&told.events).map_err(|error| error.to_string())?;
    haengine_tests::canary::unseen("an event", &events, &[CANARY])
}
