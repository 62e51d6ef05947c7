//! What actions of a recipe's author have in common: when they are done, and what takes them back.

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::signature::{Absent, Param, ParamKind};
use serde::{Deserialize, Serialize};

use super::setting::{Input, Line, Setting, is_redacted, journalled_text};

pub(super) const UNLESS: Param = Param::option(
    "unless",
    ParamKind::String,
    Absent::Means("()"),
    "A command for `sh` that only looks; when it ends with status 0, there is nothing to do. It may take a minute, or as long \
     as `timeout` says.",
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
    /// The journal has both commands without what looks like a secret.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "journalled_text")]
    unless: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "journalled_text")]
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
        if is_redacted(text) {
            return Err(forgotten("the command that takes it back has a secret in it"));
        }
        if let Some(name) = setting.forgotten() {
            return Err(forgotten(&format!("`{name}` of the environment in which it is taken back is a secret")));
        }
        let line = Line::Text(text.clone());
        setting.run(host, &line.title(), &line, Input::default(), true).await.map(drop)
    }
}

fn forgotten(what: &str) -> Error {
    Error::new(Kind::Refused, "ssh.undo", format!("{what}, which the journal does not keep"))
        .hint("take it back by hand; next time, let the command read it from a file of the host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_has_no_secret_of_what_surrounds_a_command() {
        let once = Once {
            unless: Some("kubeadm token list | grep abcdef.0123456789abcdef".to_owned()),
            undo: Some("tool --password hunter2\nrm /etc/x".to_owned()),
            repeatable: false,
        };
        let json = serde_json::to_value(&once).unwrap();
        assert_eq!(json["unless"], "kubeadm token list | grep ‹secret›");
        assert_eq!(json["undo"], "tool --password ‹secret›\nrm /etc/x");
        let again: Once = serde_json::from_value(json.clone()).unwrap();
        assert!(again.inverse().is_some_and(|undo| is_redacted(&undo)));
        assert_eq!(serde_json::to_value(&again).unwrap(), json, "once is enough");
    }
}
