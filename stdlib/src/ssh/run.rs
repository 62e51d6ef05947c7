//! `ssh::run`: a command, once.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::action::{Action, Performed};
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::once::{Once, REPEATABLE, UNDO, UNLESS};
use super::setting::{CWD, ENV, Input, LOGIN, Line, OK, OUTCOME, STDIN, Setting, TIMEOUT};

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Run {
    /// The journal has it without what looks like a secret: nothing of it is needed once it is done.
    #[serde(serialize_with = "Line::journalled")]
    command: Line,
    #[serde(flatten)]
    setting: Setting,
    #[serde(flatten)]
    once: Once,
    /// Only its hash is journalled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stdin: Option<Text>,
}

#[async_trait]
impl Action for Run {
    const NAME: &'static str = "ssh.run";
    const ABOUT: &'static str = "Runs a command once.

A string is read by the host's `sh`; an array is a program and its arguments, which no shell looks at. The result is a
map: `stdout` and `stderr` as text, exact but for the last line end, `status`, and `ok`, which is true when the status is
0. Any other status is an error, unless `ok` lists it. What is not UTF-8 is replaced: fetch binary data with
`ssh::download`. At most 16 MiB are kept; the journal keeps the first 64 KiB, without what looks like a secret.

The command is ended on the host, with all that it started in its group, when the run is interrupted or `timeout`
has passed. Without `unless` it runs each time the recipe runs, so say how to know that it is done. Where `unless` says
that there is nothing to do, the result is `()`.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("command", ParamKind::Command, "What is run.")],
        options: &[UNLESS, UNDO, REPEATABLE, STDIN, TIMEOUT, CWD, ENV, OK, LOGIN],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Runs a command unless its result is there, and says what takes it back.",
            given: "",
            code: r#"ssh::run(h, "mkdir /srv/demo && echo ready > /srv/demo/state", #{ unless: "test -s /srv/demo/state", undo: "rm -rf /srv/demo" })"#,
            gives: r#"{"ok":true,"status":0,"stderr":"","stdout":""}"#,
        },
        Example {
            about: "An array is handed over word for word.",
            given: "",
            code: r#"ssh::run(h, ["printf", "%s|", "it's", "$HOME", "two words"])"#,
            gives: r#"{"ok":true,"status":0,"stderr":"","stdout":"it's|$HOME|two words|"}"#,
        },
        Example {
            about: "A status that is no failure.",
            given: "echo one > /etc/demo.a; echo two > /etc/demo.b",
            code: r#"ssh::run(h, "cmp -s demo.a demo.b", #{ cwd: "/etc", ok: 1 })"#,
            gives: r#"{"ok":false,"status":1,"stderr":"","stdout":""}"#,
        },
        Example {
            about: "What must not be seen is read from the standard input.",
            given: "",
            code: r#"ssh::run(h, "read -r word && echo ${#word}", #{ stdin: "open sesame\n", env: #{ LC_ALL: "C" } })"#,
            gives: r#"{"ok":true,"status":0,"stderr":"","stdout":"11"}"#,
        },
    ];
    const GIVES: Shape = OUTCOME;

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Run {
            command: Line::parse(arguments, "command")?,
            setting: Setting::parse(arguments)?,
            once: Once::parse(arguments)?,
            stdin: arguments.opt_text("stdin"),
        })
    }

    fn target(&self) -> String {
        self.command.title()
    }

    fn repeatable(&self) -> bool {
        self.once.repeatable()
    }

    fn patience(&self) -> Option<Duration> {
        Some(self.setting.patience())
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        self.once.done(host, &self.setting).await
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        let input = Input::of(self.stdin.as_ref())?;
        self.setting.run(host, &self.target(), &self.command, input, true).await
    }

    fn inverse(&self) -> Option<String> {
        self.once.inverse()
    }

    async fn undo(&self, host: &Host, _performed: &Performed<'_>) -> Result<()> {
        self.once.undo(host, &self.setting).await
    }
}
