//! What actions of a recipe's author have in common: when they are done, and what takes them back.

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::secret::REDACTED;
use haengine_kernel::signature::{Absent, Param, ParamKind};
use serde::{Deserialize, Serialize};

use super::setting::{Input, Line, Setting};

pub(super) const UNLESS: Param = Param::option(
    "unless",
    ParamKind::String,
    Absent::Means("()"),
    "A command for `sh` that only looks; when it ends with status 0, there is nothing to do.",
);
pub(super) const UNDO: Param = Param::option(
    "undo",
    ParamKind::String,
    Absent::Means("()"),
    "A command for `sh` that takes it back; run by `haengine undo`.",
);
pub(super) const REPEATABLE: Param = Param::option(
    "repeatable",
    ParamKind::Boolean,
    Absent::Boolean(false),
    "Whether it may be done again when nobody knows how its last attempt ended.",
);

/// When an action is done, and what takes it back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Once {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unless: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    repeatable: bool,
}

impl Once {
    pub(super) fn parse(arguments: &Arguments) -> Result<Once> {
        Ok(Once {
            unless: arguments.opt_string("unless"),
            undo: arguments.opt_string("undo"),
            repeatable: arguments.boolean("repeatable")?,
        })
    }

    pub(super) fn repeatable(&self) -> bool {
        self.repeatable
    }

    pub(super) fn inverse(&self) -> Option<String> {
        self.undo.clone()
    }

    /// Whether it is done; none when the recipe does not say how to know.
    pub(super) async fn done(&self, host: &Host, setting: &Setting) -> Result<Option<bool>> {
        match &self.unless {
            Some(text) => setting.asks(host, text).await.map(Some),
            None => Ok(None),
        }
    }

    /// Takes it back, in the setting in which it was done.
    pub(super) async fn undo(&self, host: &Host, setting: &Setting) -> Result<()> {
        let Some(text) = &self.undo else { return Ok(()) };
        if text.contains(REDACTED) {
            let message = "the command that takes it back has a secret in it, which the journal does not keep";
            return Err(Error::new(Kind::Refused, "ssh.undo", message).hint("take it back by hand"));
        }
        let line = Line::Text(text.clone());
        setting.run(host, &line.title(), &line, Input::default(), true).await.map(drop)
    }
}
