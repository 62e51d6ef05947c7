//! How a process starts on the host: in a process group that we know, as login user or through sudo.

use std::time::Duration;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::transport::quote;
use russh::ChannelMsg;

use super::dial::{seconds, unreachable};
use super::line::Line;
use super::link::Link;
use super::rights::{Escalation, Rights};

/// Linux takes no single argument above 128 KiB, and sshd hands the whole command to the login shell as one.
const LONGEST: usize = 127 * 1024;

/// How long a process may take until it reports; a wrong password alone costs sudo two seconds.
const START: Duration = Duration::from_secs(30);

/// `$1` is this text, `$2` the script, `$3` the mark, `$4` the login user's locale after `=` (through sudo only).
///
/// sshd already gives each command a session of its own, and so does a sudo with `use_pty`; only elsewhere is
/// `setsid` needed, and there it does not fork, so the process stays the one that sudo and sshd wait for. The mark
/// goes out on both streams: before it there is only what the login shell and sudo had to say.
const INNER: &str = r#"read -r a b c d g e </proc/$$/stat
if [ -n "$g" ] && [ "$g" != $$ ] && [ -z "${5-}" ]; then exec setsid sh -c "$1" sh "$1" "$2" "$3" "${4-}" again; fi
case ${4-} in =*) LC_ALL=${4#=}; if [ -n "$LC_ALL" ]; then export LC_ALL; else unset LC_ALL; fi;; esac
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
printf '%s %s\n' "$3" $$; printf '%s %s\n' "$3" $$ >&2
exec sh -c "$2" sh"#;

/// `$1` is [`INNER`], `$2` the script, `$3` the mark, `$4` the prompt, or nothing where there is no password to give.
/// sudo reads its password byte by byte up to the end of the line, so the rest of the input is the command's.
const SUDO: &str = r#"l="=${LC_ALL-}"; LC_ALL=C; export LC_ALL
command -v sudo >/dev/null 2>&1 || { printf '%s nosudo\n' "$3" >&2; exit 127; }
if [ -n "$4" ]; then exec sudo -S -p "$4" -- sh -c "$1" sh "$1" "$2" "$3" "$l"; fi
exec sudo -n -- sh -c "$1" sh "$1" "$2" "$3" "$l""#;

/// A process that has reported.
pub(super) struct Begun {
    /// Its process group.
    pub(super) group: u32,
    /// What it has already written.
    pub(super) stdout: Vec<u8>,
    /// What it has already written to its standard error.
    pub(super) stderr: Vec<u8>,
}

/// Thirty-two hexadecimal digits that nobody can guess.
pub(super) fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Starts `script` on `line` and waits until it reports. Gives sudo the password if, and only if, it asks.
pub(super) async fn launch(
    link: &Link,
    line: &mut Line,
    escalation: &Escalation,
    rights: Rights,
    script: &str,
) -> Result<Begun> {
    let mut start = Start::new(escalation, rights);
    let text = start.text(script);
    if text.len() > LONGEST {
        let message = format!("the command is {} bytes long; a host takes {LONGEST}", text.len());
        return Err(Error::new(Kind::Failed, "ssh.exec", message)
            .hint("put the text into a file with `file::put` and run that, or give it as standard input"));
    }
    let started = async {
        line.write.exec(false, text).await.map_err(|_| link.lost())?;
        start.until_reported(link, line).await
    };
    match tokio::time::timeout(START, started).await {
        Ok(result) => result,
        Err(_) => Err(unreachable("ssh.timeout", format!("no process started within {}", seconds(START)))
            .hint("check the load of the host, its login scripts and its sudo configuration")),
    }
    .map_err(|error| error.on(&link.host))
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
    fn new(escalation: &'a Escalation, rights: Rights) -> Self {
        let nonce = nonce();
        Start {
            escalation,
            rights,
            mark: format!("haengine-{nonce}"),
            prompt: format!("haengine-password-{nonce}:"),
            prompts_answered: 0,
            stdout: Preface::default(),
            stderr: Preface::default(),
        }
    }

    fn text(&self, script: &str) -> String {
        let (inner, script, mark) = (quote(INNER), quote(script), &self.mark);
        match self.rights {
            Rights::Login => format!("exec sh -c {inner} sh {inner} {script} {mark}"),
            Rights::Root => {
                let prompt = if self.escalation.has_password() { self.prompt.as_str() } else { "" };
                format!("exec sh -c {} sh {inner} {script} {mark} {}", quote(SUDO), quote(prompt))
            }
        }
    }

    async fn until_reported(&mut self, link: &Link, line: &mut Line) -> Result<Begun> {
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
            if let (Some(group), Some(_)) = (self.stderr.group, self.stdout.group) {
                let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
                return Ok(Begun { group, stdout, stderr });
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

    fn is_worth_showing(&self, line: &str) -> bool {
        !line.is_empty() && !line.contains(&self.mark) && !line.contains(&self.prompt)
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
            ("sudo did not accept the password", "correct the password of `become` in the inventory")
        } else if says(&["password is required", "a terminal is required"]) {
            (
                "sudo asks for a password and the inventory gives none",
                "give the password of `become` in the inventory, or allow NOPASSWD in sudoers",
            )
        } else {
            ("sudo did not start a command", "run `sudo sh -c id` on the host and see what it says")
        };
        unreachable("ssh.sudo", message).hint(hint)
    }
}

/// A stream up to the mark, and what came after it.
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

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
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
            assert_eq!(preface.take(), b"first\nmark 5\n");
        }
    }
}
