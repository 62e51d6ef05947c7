//! The laws of reads.

use haengine_kernel::op::Example;

use crate::Law;
use crate::scene::{Scene, Told};

const UNKNOWN: &str = "‹known only when run›";

/// A read touches nothing and tells what it says, in a plan as in a run.
pub fn law(scene: &Scene, example: &Example) -> Law {
    scene.given(example.given)?;
    let before = scene.look(example.code)?;
    let planned = scene.plan(example.code)?.well("plan")?;
    // A plan may say that only a run can know; it must not say something else.
    if planned.gave() != UNKNOWN {
        gives(example, &planned)?;
    }
    let done = scene.run(example.code)?.well("run")?;
    gives(example, &done)?;
    if done.count() > 0 || !scene.journal(&done.run)?.changes.is_empty() {
        return Err("a read was told or journalled as a change".to_owned());
    }
    scene.untouched(&before, "after the read")
}

/// What an example gives is what it says.
pub fn gives(example: &Example, told: &Told) -> Law {
    if example.gives.is_empty() {
        return Ok(());
    }
    let expected: serde_json::Value =
        serde_json::from_str(example.gives).map_err(|error| format!("`gives`: {error}"))?;
    let gave = told.gave();
    if gave == expected { Ok(()) } else { Err(format!("it gives {gave}, the example says {expected}")) }
}
