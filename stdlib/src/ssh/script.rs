//! `ssh::script`: a script of the operator's machine, run on the host.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::action::{Action, Performed};
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::secret::Secret;
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::once::{Once, REPEATABLE, UNDO, UNLESS};
use super::setting::{CWD, ENV, Input, LOGIN, Line, OK, OUTCOME, STDIN, Setting, TIMEOUT, journalled_words};

/// The last line of what is sent: a script that did not arrive whole must not run.
const END: &str = "#haengine: end of script";

/// See [`Action::ABOUT`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Script {
    /// The path as the recipe names it, or the first line of the text.
    name: String,
    /// Only its hash is journalled.
    body: Text,
    /// The journal has them without what looks like a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "journalled_words")]
    args: Vec<String>,
    #[serde(flatten)]
    setting: Setting,
    #[serde(flatten)]
    once: Once,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stdin: Option<Text>,
}

#[async_trait]
impl Action for Script {
    const NAME: &'static str = "ssh.script";
    const ABOUT: &'static str = "Runs a script once.

The script is a file on your machine, relative to the recipe's folder, or, if it has more than one line, the text itself.
It is read by the program that its first line names (`#!/bin/bash`), else by the host's `sh`. It reaches the host through
the connection alone: it is in no argument of a process and leaves no file behind. Otherwise as `ssh::run`.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("script", ParamKind::LocalText, "A path on your machine, or a text of several lines."),
        ],
        options: &[
            Param::option("args", ParamKind::Strings, Absent::Strings(&[]), "Its arguments: `$1`, `$2`, …"),
            UNLESS,
            UNDO,
            REPEATABLE,
            STDIN,
            TIMEOUT,
            CWD,
            ENV,
            OK,
            LOGIN,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A text of several lines, with arguments.",
            given: "",
            code: r#"ssh::script(h, "set -eu\nfor name in \"$@\"; do echo \"<$name>\"; done\n", #{ args: ["a", "b c"] })"#,
            gives: r#"{"ok":true,"status":0,"stderr":"","stdout":"<a>\n<b c>"}"#,
        },
        Example {
            about: "A script that says when it is done, what takes it back, and reads its input.",
            given: "",
            code: r#"ssh::script(h, "set -e\ncat > /etc/demo.words\n", #{ stdin: "one\ntwo\n", unless: "test -e /etc/demo.words", undo: "rm -f /etc/demo.words" })"#,
            gives: r#"{"ok":true,"status":0,"stderr":"","stdout":""}"#,
        },
    ];
    const GIVES: Shape = OUTCOME;

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (name, body) = source(arguments)?;
        if let Ok(content) = body.content() {
            check(&name, content.expose())?;
        }
        Ok(Script {
            name,
            body,
            args: arguments.strings("args"),
            setting: Setting::parse(arguments)?,
            once: Once::parse(arguments)?,
            stdin: arguments.opt_text("stdin"),
        })
    }

    fn target(&self) -> String {
        self.name.clone()
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
        let body = self.body.content()?;
        let sent = format!("{}\n{END}", body.expose());
        let mut input = Input::of(self.stdin.as_ref())?;
        if matches!(self.body, Text::Secret(_)) {
            input.secrets.push(body.clone());
        }
        let own = input.text.take();
        let line = self.line(body.expose(), sent.len());
        input.text = Some(Secret::new(sent + own.as_ref().map_or("", |text| text.expose())));
        self.setting.run(host, &self.name, &line, input, true).await
    }

    fn inverse(&self) -> Option<String> {
        self.once.inverse()
    }

    async fn undo(&self, host: &Host, _performed: &Performed<'_>) -> Result<()> {
        self.once.undo(host, &self.setting).await
    }
}

impl Script {
    fn line(&self, body: &str, size: usize) -> Line {
        let launch = ["sh", "-c", include_str!("script_launch.sh"), "sh"].map(str::to_owned);
        let mut words = Vec::from(launch);
        words.push(size.to_string());
        words.extend(interpreter(body));
        words.push("/dev/fd/3".to_owned());
        words.extend(self.args.iter().cloned());
        Line::Words(words)
    }
}

/// The script and its name.
fn source(arguments: &Arguments) -> Result<(String, Text)> {
    let text = arguments.text("script")?;
    match &text {
        Text::Plain(path) if !path.contains('\n') => {
            let found = read(&arguments.readable_path("script")?, path)?;
            Ok((path.clone(), Text::Plain(found)))
        }
        Text::Plain(body) => Ok((first_line(body), text)),
        _ => Ok(("a script".to_owned(), text)),
    }
}

fn read(path: &Path, named: &str) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|error| {
        Error::new(Kind::Usage, "ssh.script", format!("cannot read the script `{named}`"))
            .hint("write a path that is relative to the recipe's folder; for one line of shell use `ssh::run`")
            .because(error)
    })?;
    String::from_utf8(bytes).map_err(|_| {
        Error::new(Kind::Usage, "ssh.script", format!("`{named}` is not a text"))
            .hint("copy a program with `ssh::upload`, then start it with `ssh::run`")
    })
}

fn check(name: &str, body: &str) -> Result<()> {
    let refused = |what: &str, hint: &str| {
        Err(Error::new(Kind::Usage, "ssh.script", format!("the script `{name}` {what}")).hint(hint))
    };
    if body.contains("\r\n") {
        return refused("has line ends of Windows, which no shell takes", "save it with Unix line ends");
    }
    if body.contains('\0') {
        return refused("is not a text", "copy a program with `ssh::upload`, then start it with `ssh::run`");
    }
    Ok(())
}

/// The first line that does something.
fn first_line(body: &str) -> String {
    let line = body.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    Line::Text(line.unwrap_or("a script").to_owned()).title() + " …"
}

/// The program of the `#!` line with its one argument, as the system reads it; else `sh`.
fn interpreter(body: &str) -> Vec<String> {
    let first = body.strip_prefix("#!").and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
    let (program, argument) = first.split_once([' ', '\t']).unwrap_or((first, ""));
    let words = [program, argument.trim()];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if words.is_empty() { vec!["sh".to_owned()] } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_program() {
        assert_eq!(interpreter("#!/bin/bash -e\nx"), ["/bin/bash", "-e"]);
        assert_eq!(interpreter("#! /usr/bin/env python3\n"), ["/usr/bin/env", "python3"]);
        assert_eq!(interpreter("#!/usr/bin/env -S a b\n"), ["/usr/bin/env", "-S a b"]);
        assert_eq!(interpreter("echo\n"), ["sh"]);
        assert_eq!(first_line("#!/bin/sh\n# why\n\nset -e\n"), "set -e …");
    }

    #[test]
    fn windows_line_ends_are_refused() {
        let error = check("a.sh", "echo a\r\n").unwrap_err();
        assert_eq!(error.advice(), Some("save it with Unix line ends"));
    }
}
