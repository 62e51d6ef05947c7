//! What was found in a recipe, as a person reads it.

use haengine_script::Finding;

use crate::report::Paint;

/// A finding as a person reads it.
pub fn draw(finding: &Finding, paint: Paint) -> String {
    finding.draw(paint.is_on()) + "\n\n"
}
