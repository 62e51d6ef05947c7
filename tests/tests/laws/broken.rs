//! A failure at any point, and then undo, is a clean slate; and so is a second run after it, and both undone.

use haengine_kernel::event::Status;
use haengine_kernel::op::Example;

use crate::Law;
use crate::scene::{Looks, Scene};
use crate::state::restored;
use crate::wire::{Break, COUNTS, Wire, counted};

/// How many points within scripts are tried where not all are.
pub const POINTS: usize = 4;

/// How many calls of a run may break; one that makes more is broken at the first.
const CALLS: usize = 15;

pub fn law(scene: &Scene, example: &Example, points: usize) -> Law {
    scene.given(example.given)?;
    let mut before = scene.look(example.code)?;
    let counting = Wire::counting();
    let done = scene.run_over(example.code, &counting)?.well("run")?;
    let counts = scene.stage.sh(scene.lane.hosts()[0], &format!("grep -H . {COUNTS}/* || :; rm -rf {COUNTS}"), &[])?;
    let counts = counted(&String::from_utf8_lossy(&counts));
    restored(scene, &done)?;
    scene.brought_back(&before, "after undo")?;
    if done.changes(Status::Changed).is_empty() {
        return Ok(());
    }
    let calls = counting.calls().min(CALLS);
    for call in 1..=calls {
        at(scene, example, &mut before, Break::Before(call), call % 2 == 0)?;
    }
    // What one call leaves when its answer is lost is what the next one finds: the last tells something new.
    let answers = if points == usize::MAX { 1..=calls } else { calls..=calls };
    for call in answers {
        at(scene, example, &mut before, Break::After(call), true)?;
    }
    for (call, commands) in chosen(&counts, points) {
        at(scene, example, &mut before, Break::Within(call, commands), commands % 2 == 1)?;
    }
    Ok(())
}

/// Points within scripts, spread evenly over all that there are.
fn chosen(counts: &std::collections::BTreeMap<usize, usize>, points: usize) -> Vec<(usize, usize)> {
    // The first call observes; to break it tells nothing.
    let all: Vec<(usize, usize)> =
        counts.iter().skip(1).flat_map(|(call, count)| (1..*count).map(|commands| (*call, commands))).collect();
    if all.len() <= points {
        return all;
    }
    (0..points).map(|point| all[(point * 2 + 1) * all.len() / (points * 2)]).collect()
}

/// Breaks a run at `point`. One that does not come there any more, because undo cannot bring back that a restart was
/// pending, is given the example anew.
fn at(scene: &Scene, example: &Example, before: &mut Looks, point: Break, again: bool) -> Law {
    // systemd refuses to start a unit as often as this law does.
    scene.stage.sh(scene.lane.hosts()[0], "systemctl reset-failed", &[])?;
    let wire = Wire::breaking(point);
    let run = scene.run_over(example.code, &wire)?;
    if wire.broke() {
        return cleared(scene, example, before, point, again, &run.run);
    }
    scene.undo(&run.run)?;
    scene.given(example.given)?;
    *before = scene.look(example.code)?;
    let wire = Wire::breaking(point);
    let run = scene.run_over(example.code, &wire)?;
    match point {
        _ if wire.broke() => cleared(scene, example, before, point, again, &run.run),
        // How often a script looks before a unit is there depends on the unit.
        Break::Within(..) => restored(scene, &run),
        _ => Err(format!("the run never came to {point:?}")),
    }
}

/// After a broken run, its undo makes a clean slate; `again` with another whole run in between.
fn cleared(scene: &Scene, example: &Example, before: &Looks, point: Break, again: bool, run: &str) -> Law {
    let when = |what: &str, error: String| format!("broken {point:?}, {what}: {error}");
    if again {
        let second = scene.run(example.code)?.well("run again").map_err(|error| when("run again", error))?;
        let plan = scene.plan(example.code)?.well("plan").map_err(|error| when("plan after running again", error))?;
        if !plan.changes(Status::Planned).is_empty() {
            return Err(when("running again", format!("does not converge: {:?}", plan.changes(Status::Planned))));
        }
        restored(scene, &second).map_err(|error| when("undo of the second run", error))?;
    }
    if let Some(undone) = scene.undo(run)? {
        undone.well("undo").map_err(|error| when("undo", error))?;
    }
    scene.brought_back(before, &format!("broken {point:?}, then {}undone", if again { "run again, both " } else { "" }))
}
