//! Who is asked, told, and may interrupt.

use std::sync::Arc;

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::{ErrorRecord, Kind, Result};
use haengine_kernel::event::{Event, Events};
use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::secret::Secret;
use haengine_script::{Fault, Finding, Prompt};

/// The person for whom runs are made. The program speaks for them: at a terminal, in a window, or with its own answers.
pub trait Person: Send + Sync {
    /// True when somebody would think about a question. Where nobody would, runs do what is usual.
    fn asks(&self) -> bool {
        false
    }

    /// True when the person agrees.
    ///
    /// # Errors
    /// When nobody can be asked.
    fn confirm(&self, question: &str) -> Result<bool>;

    /// The secret behind a reference.
    ///
    /// # Errors
    /// When it cannot be had; the message names the place, never a value.
    fn secret(&self, reference: &SecretRef) -> Result<Secret>;

    /// Where they are told what happens.
    fn events(&self) -> &Events;

    /// Set when they interrupt.
    fn cancel(&self) -> &Cancel;

    /// A run, a plan or an undo begins.
    fn begin(&self, run: &str, command: &str, recipe: &str) {
        let (run, command, recipe) = (run.to_owned(), command.to_owned(), recipe.to_owned());
        self.events().send(Event::RunStarted { run, command, recipe });
    }

    /// Tells why something failed; that they interrupted it themselves is no news.
    fn tell(&self, fault: &Fault) {
        if fault.error().kind() != Kind::Cancelled {
            self.events().send(failure(fault));
        }
    }

    /// Tells what is wrong with a recipe.
    fn tell_findings(&self, findings: &[Finding]) {
        findings.iter().for_each(|finding| self.events().send(wrong(finding)));
    }
}

/// An error of a recipe as an event.
pub fn failure(fault: &Fault) -> Event {
    Event::Error { host: fault.error().host().map(str::to_owned), error: record(fault) }
}

/// An error of a recipe as it is written down. Its places stand among the causes: who reads it sees no drawing.
pub(crate) fn record(fault: &Fault) -> ErrorRecord {
    let mut error = ErrorRecord::from(fault.error());
    error.causes.extend(fault.stack().iter().map(|spot| format!("at {spot}")));
    error
}

/// What is wrong with a recipe as an event.
pub fn wrong(finding: &Finding) -> Event {
    let place = finding.spot.iter().map(|spot| format!("at {spot}"));
    let (code, hint) = (finding.code.to_owned(), finding.hint.clone());
    let causes = finding.notes.iter().cloned().chain(place).collect();
    let error = ErrorRecord { kind: Kind::Usage, code, message: finding.message.clone(), hint, causes };
    Event::Error { host: None, error }
}

/// The person as the language and the way to hosts know them: they confirm, and know secrets.
pub(crate) struct Asked(pub Arc<dyn Person>);

impl Prompt for Asked {
    fn confirm(&self, question: &str) -> Result<bool> {
        self.0.confirm(question)
    }
}

impl SecretSource for Asked {
    fn resolve(&self, reference: &SecretRef) -> Result<Secret> {
        let secret = self.0.secret(reference)?;
        self.0.events().known().add(&secret);
        Ok(secret)
    }
}
