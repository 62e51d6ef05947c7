//! Verbs that do something once.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::arguments::Arguments;
use crate::error::Result;
use crate::host::Host;
use crate::op::Example;
use crate::patience::ANSWER;
use crate::shape::Shape;
use crate::signature::Signature;
use crate::value::Value;

/// What the journal says of an action that was begun.
#[derive(Clone, Copy, Debug)]
pub struct Performed<'a> {
    /// What [`Action::before`] gave, in its first attempt.
    pub before: &'a Json,
    /// What it gave, redacted; `null` when its end is not known.
    pub result: &'a Json,
}

/// An action: it does something once, and cannot tell by itself whether it is done.
#[async_trait]
pub trait Action: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Module and verb: `ssh.run`.
    const NAME: &'static str;
    /// What it does, in Markdown; the first line stands alone.
    const ABOUT: &'static str;
    /// What a call looks like.
    const SIGNATURE: Signature;
    /// Shown in the book and run by the tests.
    const EXAMPLES: &'static [Example];
    /// What it gives.
    const GIVES: Shape = Shape::Anything;

    /// The action of a call.
    ///
    /// # Errors
    /// When the arguments do not go together.
    fn parse(arguments: &Arguments) -> Result<Self>;

    /// What it works on, known beforehand.
    fn target(&self) -> String;

    /// True when it may be done again after an attempt whose end is not known.
    fn repeatable(&self) -> bool {
        false
    }

    /// How long the host may take to say whether it is done, and how it was before, from when the connection stands; none
    /// where the action has limits of its own.
    fn patience(&self) -> Option<Duration> {
        Some(ANSWER)
    }

    /// The read that says whether it is done: `None` when the recipe names none.
    ///
    /// # Errors
    /// When the host cannot be asked.
    async fn done(&self, _host: &Host) -> Result<Option<bool>> {
        Ok(None)
    }

    /// What its inverse needs to know of the time before it; asked once, and journalled, so without secrets.
    ///
    /// # Errors
    /// When the host cannot be asked; nothing is done then.
    async fn before(&self, _host: &Host) -> Result<Json> {
        Ok(Json::Null)
    }

    /// Does it. The result is journalled redacted and handed to the recipe.
    ///
    /// # Errors
    /// When the host did not do it.
    async fn perform(&self, host: &Host) -> Result<Value>;

    /// What takes it back, for a person: a command; `None` when nothing does.
    fn inverse(&self) -> Option<String> {
        None
    }

    /// Takes it back; called only when there is an inverse.
    ///
    /// # Errors
    /// When the host did not do it.
    async fn undo(&self, _host: &Host, _performed: &Performed<'_>) -> Result<()> {
        Ok(())
    }
}
