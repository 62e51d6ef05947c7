//! A command as data; the one place where arguments are quoted.

use std::time::Duration;

use crate::secret::Secret;

/// Whose rights a command needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// The rights that the inventory grants: root through `become` where it says so, else the login user's.
    #[default]
    Host,
    /// The login user's own, even where the inventory says `become`.
    Login,
}

/// A program and its arguments, or a fragment of POSIX sh with positional parameters.
///
/// ```
/// use haengine_kernel::transport::Command;
/// let command = Command::new("stat").arg("-c").arg("%a").arg("/etc/it's here");
/// assert_eq!(command.to_sh(), r#"stat -c %a '/etc/it'\''s here'"#);
/// ```
#[derive(Clone)]
pub struct Command {
    body: Body,
    /// Given to the command's standard input, then closed. Never shown, never in an argument of any process.
    pub stdin: Option<Secret>,
    /// How long it may take; then its process group is ended and the call fails with code `host.timeout`.
    pub deadline: Option<Duration>,
    /// How many bytes of one of its outputs may wait until they are read; [`OUTPUT`](super::OUTPUT) where it does not say.
    /// Then it is ended.
    pub unread: Option<u64>,
    /// Whose rights it needs.
    pub privilege: Privilege,
}

#[derive(Clone)]
enum Body {
    Program(Vec<String>),
    Script { text: String, arguments: Vec<String> },
}

impl Command {
    /// A program, to be given its arguments.
    pub fn new(program: impl Into<String>) -> Self {
        Command::of(Body::Program(vec![program.into()]))
    }

    /// A fragment of POSIX sh; its arguments are `"$1"`, `"$2"`, … in the text. It runs in a subshell.
    pub fn script(text: impl Into<String>) -> Self {
        Command::of(Body::Script { text: text.into(), arguments: Vec::new() })
    }

    fn of(body: Body) -> Self {
        Command { body, stdin: None, deadline: None, unread: None, privilege: Privilege::Host }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        match &mut self.body {
            Body::Program(words) => words.push(argument.into()),
            Body::Script { arguments, .. } => arguments.push(argument.into()),
        }
        self
    }

    /// The same with more arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<String>>>(self, arguments: I) -> Self {
        arguments.into_iter().fold(self, Command::arg)
    }

    /// The same with a text for its standard input.
    #[must_use]
    pub fn stdin(mut self, text: Secret) -> Self {
        self.stdin = Some(text);
        self
    }

    /// The same with a limit in time.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same of a command whose output is known to be so large, and may come faster than it is read.
    #[must_use]
    pub fn unread(mut self, bytes: u64) -> Self {
        self.unread = Some(bytes);
        self
    }

    /// The same with the login user's own rights.
    #[must_use]
    pub fn as_login(mut self) -> Self {
        self.privilege = Privilege::Login;
        self
    }

    /// The command as one fragment of POSIX sh, every argument quoted.
    pub fn to_sh(&self) -> String {
        match &self.body {
            Body::Program(words) => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
            Body::Script { text, arguments } => {
                let arguments: String = arguments.iter().map(|argument| format!(" {}", quote(argument))).collect();
                format!("set --{arguments}\n{text}")
            }
        }
    }

    /// The command for a person: a program with its arguments, or the first line of a script; where that is a remark,
    /// what it says.
    pub fn title(&self) -> String {
        match &self.body {
            Body::Program(_) => self.to_sh(),
            Body::Script { text, .. } => {
                let first = text.trim_start().lines().next().unwrap_or_default();
                first.strip_prefix("# ").map_or(first, |remark| remark.trim_end_matches('.')).to_owned()
            }
        }
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Command").field(&self.title()).finish()
    }
}

/// Quotes one word for POSIX sh; plain words stay as they are.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echoed(command: &Command) -> String {
        let output = std::process::Command::new("sh").arg("-c").arg(command.to_sh()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_person_sees_what_a_command_is() {
        assert_eq!(Command::new("ls").arg("a b").title(), "ls 'a b'");
        assert_eq!(Command::script("exit 3\necho").title(), "exit 3");
        assert_eq!(Command::script("\n# Reads a unit.\nset -e").title(), "Reads a unit");
        assert_eq!(Command::script("#!/bin/sh\nexit").title(), "#!/bin/sh");
    }

    proptest::proptest! {
        /// Whatever the argument, sh sees exactly that argument.
        #[test]
        fn sh_reads_back_what_was_quoted(word in "[^\0]{0,40}") {
            proptest::prop_assert_eq!(echoed(&Command::new("printf").arg("%s").arg(&word)), word.clone());
            proptest::prop_assert_eq!(echoed(&Command::script("printf %s \"$1\"").arg(&word)), word);
        }
    }

    #[test]
    fn no_argument_is_seen_by_debug_of_a_script() {
        assert_eq!(format!("{:?}", Command::script("cat \"$1\"").arg("hidden")), r#"Command("cat \"$1\"")"#);
    }
}
