//! What was found in a recipe, as a person reads it.

use haengine_script::Finding;

use haengine_kernel::harmless::harmless;

use crate::report::Paint;

/// A finding as a person reads it.
pub fn draw(finding: &Finding, paint: Paint) -> String {
    let drawing = finding.draw(paint.is_on());
    if paint.is_on() { drawing + "\n\n" } else { harmless(&drawing).into_owned() + "\n\n" }
}
