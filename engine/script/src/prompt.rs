//! Questions to the operator.

use haengine_kernel::error::Result;

/// Asks the operator; the command line decides how.
pub trait Prompt: Send + Sync {
    /// True when the operator agrees.
    ///
    /// # Errors
    /// `prompt.no_terminal` when nobody can be asked and `--yes` was not given.
    fn confirm(&self, question: &str) -> Result<bool>;
}
