//! How a command of a recipe's author is run: where, with which environment, for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::patience::ANSWER;
use haengine_kernel::redact::{redact, redact_command};
use haengine_kernel::secret::{REDACTED, Secret};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind};
use haengine_kernel::text::Text;
use haengine_kernel::transport::{Command, Exit, Output};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::live::{self, Voice};

pub(super) const STDIN: Param = Param::option(
    "stdin",
    ParamKind::Text,
    Absent::Means("()"),
    "What it reads from its standard input; may be a secret.",
);
pub(super) const CWD: Param =
    Param::option("cwd", ParamKind::Path, Absent::Means("()"), "The folder in which it runs.");
pub(super) const ENV: Param = Param::option(
    "env",
    ParamKind::Map,
    Absent::Map,
    "Variables of its environment. A secret is refused: use `stdin`.",
);
pub(super) const OK: Param =
    Param::option("ok", ParamKind::Integers, Absent::Means("0"), "Statuses that are no failure, beside 0.");
pub(super) const TIMEOUT: Param = Param::option(
    "timeout",
    ParamKind::Duration,
    Absent::Means("()"),
    "How long it may take; then it is ended on the host.",
);
pub(super) const LOGIN: Param = Param::option(
    "login",
    ParamKind::Boolean,
    Absent::Boolean(false),
    "Run as the user who logs in, even where `become` is set.",
);

/// How many characters of a command a title shows.
const TITLE: usize = 160;

/// What is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    /// Read by the host's `sh`.
    Text(String),
    /// A program and its arguments.
    Words(Vec<String>),
}

/// What surrounds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Setting {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cwd: Option<String>,
    /// The journal has the values without what looks like a secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", serialize_with = "journalled_variables")]
    env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<Duration>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ok: Vec<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    login: bool,
}

impl Line {
    /// The command of a call, from the argument `name`.
    pub(super) fn parse(arguments: &Arguments, name: &str) -> Result<Line> {
        match arguments.get(name) {
            Some(Value::List(_)) => Ok(Line::Words(arguments.strings(name))),
            _ => arguments.string(name).map(Line::Text),
        }
    }

    /// The same for a person, in one line and without what looks like a secret.
    pub(super) fn title(&self) -> String {
        let (text, more) = match self {
            Line::Text(text) => {
                let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                (lines.next().unwrap_or_default().to_owned(), lines.next().is_some())
            }
            Line::Words(words) => (self.shown(words).to_sh(), false),
        };
        let text = redact(&text.replace('\n', " "));
        let end = text.char_indices().nth(TITLE).map_or(text.len(), |(end, _)| end);
        let dots = if more || end < text.len() { " …" } else { "" };
        format!("{}{dots}", &text[..end])
    }

    /// Without what looks like a secret, as the journal has it.
    pub(super) fn journalled<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let line = match self {
            Line::Text(text) => Line::Text(redact(text)),
            Line::Words(words) => Line::Words(redact_words(words)),
        };
        line.serialize(serializer)
    }

    fn shown(&self, words: &[String]) -> Command {
        Command::new(words.first().cloned().unwrap_or_default()).args(words.iter().skip(1))
    }

    fn words(&self) -> Vec<String> {
        match self {
            Line::Text(text) => vec!["sh".to_owned(), "-c".to_owned(), text.clone()],
            Line::Words(words) => words.clone(),
        }
    }
}

/// Words of a command; what follows a word such as `--token` is a secret.
pub(super) fn redact_words(words: &[String]) -> Vec<String> {
    let before = std::iter::once("").chain(words.iter().map(String::as_str));
    let one = |(before, word): (&str, &String)| {
        let alone = redact(word);
        let is_value = before.starts_with('-') && redact(&format!("{before} {word}")).ends_with(REDACTED);
        if is_value && alone == *word { REDACTED.to_owned() } else { alone }
    };
    before.zip(words).map(one).collect()
}

/// The same for the arguments of a script in the journal.
pub(super) fn journalled_words<S: serde::Serializer>(
    words: &[String],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    redact_words(words).serialize(serializer)
}

/// The same for variables: the name of one may say that its value is a secret.
fn journalled_variables<S: serde::Serializer>(
    variables: &BTreeMap<String, String>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let kept = |(name, value): (&String, &String)| {
        let named = redact(&format!("{name}={value}"));
        let value = named.strip_prefix(&format!("{name}=")).unwrap_or(REDACTED).to_owned();
        (name.clone(), value)
    };
    variables.iter().map(kept).collect::<BTreeMap<_, _>>().serialize(serializer)
}

/// A command for `sh` in the journal, from which undo runs it.
pub(super) fn journalled_text<S: serde::Serializer>(
    text: &Option<String>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    text.as_deref().map(redact_command).serialize(serializer)
}

impl Setting {
    /// The options of a call.
    ///
    /// # Errors
    /// When a variable has no proper name, or its value is a secret.
    pub(super) fn parse(arguments: &Arguments) -> Result<Setting> {
        Ok(Setting {
            cwd: arguments.opt_string("cwd"),
            env: arguments.map("env").into_iter().map(variable).collect::<Result<_>>()?,
            timeout: arguments.opt_duration("timeout"),
            ok: arguments.integers("ok"),
            login: arguments.boolean("login")?,
        })
    }

    /// Runs a command to its end. `title` stands for it in messages.
    ///
    /// # Errors
    /// `host.exit` when it ended with a status that is not allowed; `host.timeout`; `ssh.output` when it said too much.
    pub(super) async fn run(&self, host: &Host, title: &str, line: &Line, input: Input, loud: bool) -> Result<Value> {
        // Connecting has limits of its own and is not the command's time.
        host.reach().await?;
        let voice = Voice { loud, secrets: input.secrets };
        let command = self.command(line);
        let work = live::collect(host, title, &command, input.text, &voice);
        let output = match self.timeout {
            Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(late(title, limit))),
            None => work.await,
        };
        output.and_then(|output| self.judge(title, output, &voice)).map_err(|error| error.on(host.name()))
    }

    /// Asks a command that only looks: true when it ends with status 0.
    ///
    /// # Errors
    /// When the host cannot be asked, or a signal ended the command.
    pub(super) async fn asks(&self, host: &Host, text: &str) -> Result<bool> {
        let mut command = self.command(&Line::Text(text.to_owned()));
        command.deadline = self.timeout;
        match host.exec(&command).await?.exit {
            Exit::Status(status) => Ok(status == 0),
            Exit::Signal(signal) => {
                let title = Line::Text(text.to_owned()).title();
                let message = format!("`unless: {title}` was ended by signal {signal}");
                Err(Error::new(Kind::Failed, "ssh.unless", message).on(host.name()))
            }
        }
    }

    /// A variable whose value the journal has not kept.
    pub(super) fn forgotten(&self) -> Option<&str> {
        self.env.iter().find(|(_, value)| is_redacted(value)).map(|(name, _)| name.as_str())
    }

    /// How long a command that only looks may take.
    pub(super) fn patience(&self) -> Duration {
        self.timeout.map_or(ANSWER, |limit| limit.max(ANSWER))
    }

    fn command(&self, line: &Line) -> Command {
        let command = Command::script(include_str!("launch.sh"))
            .arg(self.cwd.clone().unwrap_or_default())
            .args(self.env.iter().map(|(name, value)| format!("{name}={value}")))
            .arg("--")
            .args(line.words());
        if self.login { command.as_login() } else { command }
    }

    fn judge(&self, title: &str, output: Output, voice: &Voice) -> Result<Value> {
        let status = match output.exit {
            Exit::Status(status) if status == 0 || self.ok.contains(&i64::from(status)) => status,
            Exit::Status(127) => {
                let hint = "check that the program is installed on the host, or write its full path";
                return Err(failure(title, output, voice).hint(hint));
            }
            _ => return Err(failure(title, output, voice)),
        };
        Ok(Value::map([
            ("stdout", said(&output.stdout, voice)),
            ("stderr", said(&output.stderr, voice)),
            ("status", Value::Integer(status.into())),
            ("ok", Value::Boolean(status == 0)),
        ]))
    }
}

/// Whether the journal has left something out of a text.
pub(super) fn is_redacted(text: &str) -> bool {
    text.contains(REDACTED) || text.contains("‹private key")
}

/// What a command gives.
pub(super) const OUTCOME: Shape =
    Shape::Map(&[("stdout", Shape::Text), ("stderr", Shape::Text), ("status", Shape::Integer), ("ok", Shape::Boolean)]);

/// What a command reads from its standard input.
#[derive(Default)]
pub(super) struct Input {
    pub(super) text: Option<Secret>,
    /// What of it must not be seen when the command says it again.
    pub(super) secrets: Vec<Secret>,
}

impl Input {
    /// From an option of the call.
    ///
    /// # Errors
    /// When only a run can know it.
    pub(super) fn of(text: Option<&Text>) -> Result<Input> {
        let Some(text) = text else { return Ok(Input::default()) };
        let content = text.content()?;
        let secrets = if matches!(text, Text::Secret(_)) { vec![content.clone()] } else { Vec::new() };
        Ok(Input { text: Some(content), secrets })
    }
}

/// The text without its last line end. One that repeats a secret is a secret.
fn said(bytes: &[u8], voice: &Voice) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if voice.betrays(text) { Value::Secret(Secret::new(text.to_owned())) } else { Value::from(text) }
}

fn failure(title: &str, mut output: Output, voice: &Voice) -> Error {
    let said = String::from_utf8_lossy(&output.stderr);
    output.stderr = said.lines().map(|line| voice.hide(line) + "\n").collect::<String>().into_bytes();
    let shown = Command::script(title);
    match output.ok(&shown) {
        Err(error) => error,
        Ok(_) => Error::new(Kind::Failed, "host.exit", format!("`{title}` failed")),
    }
}

fn late(title: &str, limit: Duration) -> Error {
    Error::new(Kind::Failed, "host.timeout", format!("`{title}` took longer than {limit:?} and was ended"))
        .hint("give it more time with `timeout`, or look at what it waits for")
}

fn variable((name, value): (String, Value)) -> Result<(String, String)> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(first) || !name.chars().all(|c| first(c) || c.is_ascii_digit()) {
        let message = format!("`{name}` cannot be the name of a variable of the environment");
        return Err(Error::new(Kind::Usage, "ssh.env", message).hint("use letters, digits and `_`"));
    }
    let refused = |what: &str| Error::new(Kind::Usage, "ssh.env", format!("the variable `{name}` in `env` is {what}"));
    match value {
        Value::String(text) if !text.contains('\0') => Ok((name, text)),
        Value::Integer(number) => Ok((name, number.to_string())),
        Value::Float(number) => Ok((name, number.to_string())),
        Value::Boolean(truth) => Ok((name, truth.to_string())),
        Value::Secret(_) => Err(refused("a secret, which every process on the host could see")
            .hint("pass it with `stdin` and read it there: `IFS= read -r NAME`")),
        Value::Unknown(unknown) => {
            if let Some(error) = unknown.forgotten(&format!("the variable `{name}` depends on")) {
                return Err(error);
            }
            let message = format!("the variable `{name}` depends on {}, known only when run", unknown.origin);
            Err(Error::new(Kind::Unknown, "plan.unknown", message).hint("pass it with `stdin`"))
        }
        other => Err(refused(other.kind()).hint("write a string, a number or a boolean")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_without_secrets() {
        assert_eq!(Line::Text("\n  systemctl reload nginx\n".into()).title(), "systemctl reload nginx");
        assert_eq!(Line::Text("cd /srv\nls".into()).title(), "cd /srv …");
        assert_eq!(Line::Words(vec!["echo".into(), "it's".into(), "a\nb".into()]).title(), r"echo 'it'\''s' 'a b'");
        assert_eq!(Line::Text("kubeadm join --token abc.def".into()).title(), "kubeadm join --token ‹secret›");
        assert_eq!(Line::Text("x".repeat(500)).title(), format!("{} …", "x".repeat(160)));
    }

    #[test]
    fn the_journal_has_no_secret_of_a_command() {
        let words = |words: &[&str]| redact_words(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["kubeadm", "join", "--token", "abc", "-v"]), ["kubeadm", "join", "--token", REDACTED, "-v"]);
        assert_eq!(words(&["x", "--password=abc", "y"]), ["x", "--password=‹secret›", "y"]);
        assert_eq!(words(&["echo", "token", "abc"]), ["echo", "token", "abc"]);
    }

    #[test]
    fn the_journal_has_no_secret_of_the_environment() {
        let variables =
            [("DB_PASSWORD", "abc"), ("TOKEN_FILE", "/etc/t"), ("PROXY", "http://me:pw@proxy/"), ("A", "b c")];
        let env = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let json = serde_json::to_value(Setting { env, ..Setting::default() }).unwrap();
        let kept = serde_json::json!({
            "A": "b c", "DB_PASSWORD": REDACTED, "PROXY": "http://me:‹secret›@proxy/", "TOKEN_FILE": "/etc/t"
        });
        assert_eq!(json["env"], kept);
        let again: Setting = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(again.forgotten(), Some("DB_PASSWORD"));
        assert_eq!(serde_json::to_value(&again).unwrap(), json, "once is enough");
    }

    #[test]
    fn a_secret_is_no_variable() {
        let error = variable(("TOKEN".into(), Value::Secret(Secret::new("abc".into())))).unwrap_err();
        assert_eq!(error.code(), "ssh.env");
        assert!(!error.to_string().contains("abc"));
        assert_eq!(variable(("1A".into(), Value::Integer(1))).unwrap_err().code(), "ssh.env");
        assert_eq!(variable(("A_1".into(), Value::Boolean(true))).unwrap(), ("A_1".to_owned(), "true".to_owned()));
    }
}
