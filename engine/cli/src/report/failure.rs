//! Errors as a person reads them: what happened, why, and what to do.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::error::{Error, ErrorRecord};
use haengine_kernel::harmless::harmless;
use haengine_script::Fault;

use crate::report::Paint;

/// An error of the kernel.
pub fn draw(error: &Error, paint: Paint) -> String {
    draw_record(error.host(), &error.into(), paint)
}

/// An error of a recipe: with its place where it has one.
pub fn draw_fault(fault: &Fault, paint: Paint) -> String {
    if fault.stack().is_empty() { draw(fault.error(), paint) } else { fault.draw(paint.is_on()) + "\n" }
}

/// An error as an event carries it.
pub fn draw_record(host: Option<&str>, error: &ErrorRecord, paint: Paint) -> String {
    let place = host.map(|host| format!("{host}: ")).unwrap_or_default();
    let mut text = format!("{} {place}{}\n", paint.alarm(&format!("error[{}]:", error.code)), harmless(&error.message));
    for cause in &error.causes {
        let _ = writeln!(text, "  {} {}", paint.dim("because:"), indent(&harmless(cause)));
    }
    if let Some(hint) = &error.hint {
        let _ = writeln!(text, "{} {}", paint.cyan("hint:"), harmless(hint));
    }
    text
}

/// A text of several lines, to follow what stands in the first.
pub fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

/// Errors of recipes, drawn with line and caret by those who know the recipe, for the event that tells them.
#[derive(Clone, Default)]
pub struct Drawings(Arc<Mutex<VecDeque<String>>>);

impl Drawings {
    /// Draws the next error event so.
    pub fn push(&self, drawing: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(drawing);
    }

    /// The drawing of the error event that has come, if there is one.
    pub fn pop(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

#[cfg(test)]
mod tests {
    use haengine_kernel::error::Kind;

    use super::*;

    #[test]
    fn an_error_has_its_causes_and_its_hint() {
        let error = Error::new(Kind::Unreachable, "ssh.refused", "10.0.0.1:22 refused the connection")
            .on("master1")
            .because("connection refused\nby the host")
            .hint("start sshd on the host");
        insta::assert_snapshot!(draw(&error, Paint::plain()), @"
        error[ssh.refused]: master1: 10.0.0.1:22 refused the connection
          because: connection refused
            by the host
        hint: start sshd on the host
        ");
    }
}
