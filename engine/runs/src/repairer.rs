//! Who is asked about steps that fail.

use std::sync::{Arc, Mutex};

use haengine_kernel::error::Result;
use haengine_script::{Fault, Repl};

/// Who is asked about steps that fail. The run waits meanwhile.
pub trait Repairer {
    /// Looks at a step that has failed; lines of `repl` are part of the run, where it stands. False where nobody wants
    /// to.
    ///
    /// # Errors
    /// When nobody can be asked; the run ends as it would without a repairer.
    fn look(&mut self, step: &str, fault: &Fault, repl: Arc<Mutex<Repl>>) -> Result<bool>;

    /// What shall be done about it now. Asked again after what could not be done, as long as it is a person.
    ///
    /// # Errors
    /// As [`look`](Repairer::look).
    fn wish(&mut self) -> Result<Wish>;

    /// The step is not looked at any more: what was opened for it ends.
    fn turn_away(&mut self);

    /// Hears what became of a wish.
    fn hear(&mut self, words: String);

    /// True where a person answers, who can think of something else.
    fn is_person(&self) -> bool;
}

/// What shall be done about a step that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is called again; an edited recipe begins at the top.
    Retry,
    /// It is passed over.
    Skip,
    /// What the run has changed is taken back.
    Undo,
    /// The run ends here.
    Leave,
    /// The person has interrupted what they did: that ends on the hosts, and they are asked again.
    Renew,
}
