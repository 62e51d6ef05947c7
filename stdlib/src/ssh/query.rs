//! `ssh::query`: a command that only looks.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::value::Value;

use super::setting::{CWD, ENV, Input, LOGIN, Line, OK, OUTCOME, STDIN, Setting, TIMEOUT};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Query {
    command: Line,
    setting: Setting,
    stdin: Option<Text>,
}

#[async_trait]
impl Read for Query {
    const NAME: &'static str = "ssh.query";
    const ABOUT: &'static str = "Runs a command that only looks, in a plan too.

Takes commands and gives results as `ssh::run` does, but you vouch that the command changes nothing: a plan runs it as
well, and no journal knows of it. In a plan, on a host where changes are planned, the result is known only when run.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("command", ParamKind::Command, "What is run.")],
        options: &[OK, STDIN, TIMEOUT, CWD, ENV, LOGIN],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Asks for a line of text.",
            given: "printf 'node-a\\n' > /etc/demo.name",
            code: r#"ssh::query(h, "cat /etc/demo.name").stdout"#,
            gives: r#""node-a""#,
        },
        Example {
            about: "Asks a question that may be answered with no.",
            given: "printf 'ready=no\\n' > /etc/demo.conf",
            code: r#"ssh::query(h, ["grep", "-q", "ready=yes", "/etc/demo.conf"], #{ ok: 1 }).ok"#,
            gives: "false",
        },
    ];
    const GIVES: Shape = OUTCOME;

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Query {
            command: Line::parse(arguments, "command")?,
            setting: Setting::parse(arguments)?,
            stdin: arguments.opt_text("stdin"),
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        match &self.stdin {
            Some(Text::Unknown(unknown)) => Foreseen::Unknown(unknown.clone()),
            _ => Foreseen::unless_touched("ssh::query", host, overlay),
        }
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let input = Input::of(self.stdin.as_ref())?;
        self.setting.run(host, &self.command.title(), &self.command, input, false).await
    }
}
