//! The laws of actions.

use haengine_kernel::event::Status;
use haengine_kernel::op::Example;
use haengine_kernel::run::UndoPlan;

use crate::Law;
use crate::scene::Scene;
use crate::state::journalled;

/// Plan touches nothing; it is journalled with its result, in records that survive JSON; what names an inverse is taken
/// back by it, and what names none is told before.
pub fn law(scene: &Scene, example: &Example) -> Law {
    scene.given(example.given)?;
    let before = scene.look(example.code)?;
    let planned = scene.plan(example.code);
    scene.untouched(&before, "after plan")?;
    match planned?.result {
        Ok(()) => {}
        // An example that looks into the result says so itself: a plan cannot.
        Err(error) if error.contains("known only when run") => {}
        Err(error) => return Err(format!("plan failed: {error}")),
    }

    let done = scene.run(example.code)?.well("run")?;
    crate::read::gives(example, &done)?;
    let journal = scene.journal(&done.run)?;
    journalled(scene, &journal, &done)?;
    if done.changes(Status::Changed).len() != 1 {
        return Err(format!("it was not done once: {:?}", done.changes(Status::Changed)));
    }

    let plan = UndoPlan::of(&journal);
    if plan.is_empty() {
        return if plan.irreversible.len() == 1 { Ok(()) } else { Err("it has an inverse and has none".to_owned()) };
    }
    scene.undo(&done.run)?.ok_or("nothing to undo")?.well("undo")?;
    scene.brought_back(&before, "after undo")?;
    match scene.undo(&done.run)? {
        None => Ok(()),
        Some(_) => Err("a second undo finds something to take back".to_owned()),
    }
}
