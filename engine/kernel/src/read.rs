//! Verbs that only look.

use std::time::Duration;

use async_trait::async_trait;

use crate::arguments::Arguments;
use crate::error::Result;
use crate::host::Host;
use crate::op::Example;
use crate::overlay::Overlay;
use crate::patience::ANSWER;
use crate::shape::Shape;
use crate::signature::Signature;
use crate::value::{Unknown, Value};

/// A read: it changes nothing, in a plan as in a run.
#[async_trait]
pub trait Read: Clone + Send + Sync + 'static {
    /// Module and verb: `file.read`.
    const NAME: &'static str;
    /// What it tells, in Markdown; the first line stands alone.
    const ABOUT: &'static str;
    /// What a call looks like.
    const SIGNATURE: Signature;
    /// Shown in the book and run by the tests.
    const EXAMPLES: &'static [Example];
    /// What it gives.
    const GIVES: Shape = Shape::Anything;

    /// The read of a call.
    ///
    /// # Errors
    /// When the arguments do not go together.
    fn parse(arguments: &Arguments) -> Result<Self>;

    /// What a plan knows without asking the host.
    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen;

    /// How long the host may take over it, from when the connection stands; none where the read has limits of its own.
    fn patience(&self) -> Option<Duration> {
        Some(ANSWER)
    }

    /// Asks the host.
    ///
    /// # Errors
    /// When the host cannot be asked or does not answer as expected.
    async fn read(&self, host: &Host) -> Result<Value>;
}

/// What a plan knows of a read.
pub enum Foreseen {
    /// Nothing planned bears on it: ask the host.
    Real,
    /// The planned changes answer it.
    Known(Value),
    /// Only a run can know.
    Unknown(Unknown),
}

impl Foreseen {
    /// The answer for reads that could see anything: real while nothing is planned on the host, unknown after.
    pub fn unless_touched(what: &str, host: &Host, overlay: &Overlay) -> Foreseen {
        if overlay.is_empty() {
            return Foreseen::Real;
        }
        Foreseen::Unknown(Unknown { origin: format!("`{what}` on `{}`, where changes are planned", host.name()) })
    }
}
