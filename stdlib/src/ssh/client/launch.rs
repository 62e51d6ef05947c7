//! How a process starts on the host: in a process group that we know, as login user or through sudo.
//!
//! It is started before its script is known, and waits for it on its standard input. So the slow part (a login shell
//! that reads its rc file, sudo and PAM) can be over before anybody needs the process, and no script is ever seen in
//! the arguments of the login shell.

use std::time::Duration;

use futures::FutureExt;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::transport::quote;
use russh::ChannelMsg;

use super::dial::{seconds, unreachable};
use super::line::{Line, nonce};
use super::link::Link;
use super::rights::{Escalation, Rights};

/// Linux takes no single argument above 128 KiB, and a script is one of `sh -c`.
const LONGEST: usize = 127 * 1024;

/// How long a process may take until it reports; a wrong password alone costs sudo two seconds.
const START: Duration = Duration::from_secs(30);

/// What a login shell and sudo may say before a process reports.
const PREFACE: usize = 1024 * 1024;

/// `$1` is this text, `$2` the mark, `$3` the login user's locale after `=` (through sudo only).
///
/// sshd already gives each command a session of its own, and so does a sudo with `use_pty`; only elsewhere is
/// `setsid` needed, and there it does not fork, so the process stays the one that sudo and sshd wait for. The mark
/// goes out on both streams: before it there is only what the login shell and sudo had to say. `read` takes not one
/// byte more than a line, so what follows the script is the command's own input; and a script that is cut off before
/// its mark does not run at all. It is run by this very shell: each program that replaces another costs the host a
/// millisecond. It sets its own arguments first, or is one program.
const INNER: &str = r#"read -r a b c d g e </proc/$$/stat
if [ -n "$g" ] && [ "$g" != $$ ] && [ -z "${4-}" ]; then exec setsid sh -c "$1" sh "$1" "$2" "${3-}" again; fi
case ${3-} in =*) LC_ALL=${3#=}; if [ -n "$LC_ALL" ]; then export LC_ALL; else unset LC_ALL; fi;; esac
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
printf '%s %s\n' "$2" $$; printf '%s %s\n' "$2" $$ >&2
s=
while IFS= read -r l && [ "$l" != "$2" ]; do s="$s$l
"; done
[ "$l" = "$2" ] || exit 0
set -- "$s"; unset a b c d e g l s
eval "$1""#;

/// `$1` is [`INNER`], `$2` the mark, `$3` the prompt, or nothing where there is no password to give. sudo reads its
/// password byte by byte up to the end of the line, so the rest of the input is the command's.
const SUDO: &str = r#"l="=${LC_ALL-}"; LC_ALL=C; export LC_ALL
command -v sudo >/dev/null 2>&1 || { printf '%s nosudo\n' "$2" >&2; exit 127; }
if [ -n "$3" ]; then exec sudo -S -p "$3" -- sh -c "$1" sh "$1" "$2" "$l"; fi
exec sudo -n -- sh -c "$1" sh "$1" "$2" "$l""#;

/// A process that has reported and waits for its script. Letting it go ends it without having done anything.
pub(super) struct Waiting {
    /// Its channel.
    pub(super) line: Line,
    /// Its process group.
    pub(super) group: u32,
    mark: String,
}

impl Waiting {
    /// Starts a process on `line`. Gives sudo the password if, and only if, it asks.
    pub(super) async fn start(link: &Link, mut line: Line, escalation: &Escalation, rights: Rights) -> Result<Self> {
        let mut start = Start::new(&link.mark, escalation, rights);
        let started = async {
            line.write.exec(false, start.text()).await.map_err(|_| link.lost())?;
            start.until_reported(link, &mut line).await
        };
        let group = match tokio::time::timeout(START, started).await {
            Ok(result) => result,
            Err(_) => Err(unreachable("host.timeout", format!("no process started within {}", seconds(START)))
                .hint("check the load of the host, its login scripts and its sudo configuration")),
        };
        let group = group.map_err(|error| error.on(&link.host))?;
        Ok(Waiting { line, group, mark: start.mark })
    }

    /// True unless the host has ended it meanwhile.
    pub(super) fn is_there(&mut self) -> bool {
        while let Some(message) = self.line.read.wait().now_or_never() {
            match message {
                None | Some(ChannelMsg::Close | ChannelMsg::Eof | ChannelMsg::ExitStatus { .. }) => return false,
                Some(_) => {}
            }
        }
        true
    }

    /// Gives it its script. From here on it does something.
    pub(super) async fn run(self, link: &Link, script: &str) -> Result<(Line, u32)> {
        if script.len() > LONGEST {
            let message = format!("the command is {} bytes long; a host takes {LONGEST}", script.len());
            return Err(Error::new(Kind::Failed, "ssh.exec", message)
                .hint("put the text into a file with `file::put` and run that, or give it as standard input")
                .on(&link.host));
        }
        let text = format!("{script}\n{}\n", self.mark);
        self.line.write.data_bytes(text).await.map_err(|_| link.lost())?;
        Ok((self.line, self.group))
    }
}

struct Start<'a> {
    escalation: &'a Escalation,
    rights: Rights,
    mark: String,
    prompt: String,
    prompts_answered: usize,
    stdout: Preface,
    stderr: Preface,
}

impl<'a> Start<'a> {
    fn new(link: &str, escalation: &'a Escalation, rights: Rights) -> Self {
        let nonce = nonce();
        Start {
            escalation,
            rights,
            mark: format!("{link}-{nonce}"),
            prompt: format!("haengine-password-{nonce}:"),
            prompts_answered: 0,
            stdout: Preface::default(),
            stderr: Preface::default(),
        }
    }

    fn text(&self) -> String {
        let (inner, mark) = (quote(INNER), &self.mark);
        match self.rights {
            Rights::Login => format!("exec sh -c {inner} sh {inner} {mark}"),
            Rights::Root => {
                let prompt = if self.escalation.has_password() { self.prompt.as_str() } else { "" };
                format!("exec sh -c {} sh {inner} {mark} {}", quote(SUDO), quote(prompt))
            }
        }
    }

    async fn until_reported(&mut self, link: &Link, line: &mut Line) -> Result<u32> {
        loop {
            match line.read.wait().await {
                Some(ChannelMsg::Data { data }) => self.stdout.push(&data, &self.mark),
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    self.stderr.push(&data, &self.mark);
                    self.answer(link, line).await?;
                }
                Some(ChannelMsg::Failure) => return Err(self.refused()),
                Some(ChannelMsg::Close) => return Err(self.refused()),
                Some(_) => {}
                None => return Err(link.lost()),
            }
            if self.stdout.buffer.len().max(self.stderr.buffer.len()) > PREFACE {
                return Err(unreachable("ssh.exec", "the host talks without end before a command starts")
                    .hint("check the login shell and the login scripts of the user"));
            }
            if let (Some(group), Some(_)) = (self.stderr.group, self.stdout.group) {
                return Ok(group);
            }
        }
    }

    async fn answer(&mut self, link: &Link, line: &Line) -> Result<()> {
        if self.stderr.group.is_some() {
            return Ok(());
        }
        let prompts = self.stderr.text().matches(&self.prompt).count();
        if prompts > 1 {
            return Err(self.refused());
        }
        if prompts > self.prompts_answered {
            self.prompts_answered = prompts;
            let mut answer = zeroize::Zeroizing::new(self.escalation.password().await?.expose().to_owned());
            answer.push('\n');
            line.write.data(answer.as_bytes()).await.map_err(|_| link.lost())?;
        }
        Ok(())
    }

    /// Why nothing reported, in the words of the host.
    fn refused(&self) -> Error {
        let said = self.stderr.text();
        let error = match self.rights {
            Rights::Login => {
                Error::new(Kind::Unreachable, "ssh.exec", "the host starts no commands for the login user")
                    .hint("check the user's login shell and `ForceCommand` in the host's sshd_config")
            }
            Rights::Root => self.sudo_refused(&said),
        };
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| self.is_worth_showing(line)).collect();
        if said.is_empty() { error } else { error.because(said.join("\n")) }
    }

    /// sudo repeats the whole command that it refuses; its own words are on lines that begin with its name.
    fn is_worth_showing(&self, line: &str) -> bool {
        let is_ours = line.is_empty() || line.contains(&self.mark) || line.contains(&self.prompt);
        !is_ours && (self.rights == Rights::Login || line.starts_with("sudo:"))
    }

    fn sudo_refused(&self, said: &str) -> Error {
        let says = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
        let (message, hint) = if said.contains(&format!("{} nosudo", self.mark)) {
            ("sudo is not installed", "install sudo on the host, or log in as root (`user: root`)")
        } else if says(&["is not in the sudoers", "not allowed to execute", "may not run sudo", "not allowed to run"]) {
            ("sudo does not let the login user become root", "allow the user in sudoers (`visudo`), or correct `user`")
        } else if says(&["must have a tty"]) {
            ("sudo insists on a terminal", "remove `requiretty` for this user from sudoers")
        } else if says(&["incorrect password", "try again"]) || said.matches(&self.prompt).count() > 1 {
            ("sudo did not accept the password", "correct `become_password` in the inventory")
        } else if says(&["password is required", "a terminal is required"]) {
            (
                "sudo asks for a password and the inventory gives none",
                "name `become_password` in the inventory, or allow NOPASSWD in sudoers",
            )
        } else {
            ("sudo did not start a command", "run `sudo sh -c id` on the host and see what it says")
        };
        unreachable("ssh.sudo", message).hint(hint)
    }
}

/// A stream up to the mark.
#[derive(Default)]
struct Preface {
    buffer: Vec<u8>,
    group: Option<u32>,
}

impl Preface {
    fn push(&mut self, data: &[u8], mark: &str) {
        self.buffer.extend_from_slice(data);
        if self.group.is_none() {
            self.find(mark.as_bytes());
        }
    }

    fn find(&mut self, mark: &[u8]) {
        let Some(start) = self.buffer.windows(mark.len()).position(|window| window == mark) else { return };
        let number = start + mark.len() + 1;
        let Some(length) = self.buffer.get(number..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
        else {
            return;
        };
        let digits = String::from_utf8_lossy(&self.buffer[number..number + length]).into_owned();
        if let Ok(group) = digits.parse() {
            self.group = Some(group);
            self.buffer.drain(..=number + length);
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_the_mark_is_not_the_commands() {
        let stream = b"welcome\nmark 1234\nfirst\nmark 5\n";
        for size in 1..stream.len() {
            let mut preface = Preface::default();
            stream.chunks(size).for_each(|chunk| preface.push(chunk, "mark"));
            assert_eq!(preface.group, Some(1234));
            assert_eq!(preface.text(), "first\nmark 5\n");
        }
    }
}
