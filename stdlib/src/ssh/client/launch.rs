//! How a process starts on the host: in a process group that we know, as login user or through sudo.
//!
//! It is started before its script is known, and waits for it on its standard input. So the slow part (a login shell
//! that reads its rc file, sudo and PAM) can be over before anybody needs the process, and no script is ever seen in
//! the arguments of the login shell.

use std::time::Duration;

use futures::FutureExt;
use haengine_kernel::error::{Error, Kind, Result};
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
///
/// Every login shell hands it on as it stands, see [`word`]. The line end comes from `IFS`, which every shell sets
/// when it starts; and the folders are those in which sudo's `secure_path` or an old `sshd` does not look.
const INNER: &str = concat!(
    r#"read -r a b c d g e </proc/$$/stat; "#,
    r#"if [ -n "$g" ] && [ -z "${4-}" ]; then [ "$g" = $$ ] || exec setsid sh -c "$1" sh "$1" "$2" "${3-}" again; fi; "#,
    r#"case ${3-} in =*) LC_ALL=${3#=}; if [ -n "$LC_ALL" ]; then export LC_ALL; else unset LC_ALL; fi;; esac; "#,
    r#"PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin; export PATH; "#,
    r#"echo "$2 $$"; echo "$2 $$" >&2; "#,
    r#"n=${IFS#??}; n=${n%"${n#?}"}; s=; "#,
    r#"while IFS= read -r l; do if [ "$l" = "$2" ]; then break; fi; s=$s$l$n; done; "#,
    r#"[ "$l" = "$2" ] || exit 0; "#,
    r#"set -- "$s"; unset a b c d e g l n s; "#,
    r#"eval "$1""#,
);

/// `$1` is [`INNER`], `$2` the mark, `$3` the prompt, or nothing where there is no password to give. It says that the
/// login shell let it start, so what follows is sudo's. sudo reads its password byte by byte up to the end of the
/// line, so the rest of the input is the command's.
const SUDO: &str = concat!(
    r#"echo "$2 sudo" >&2; l="=${LC_ALL-}"; LC_ALL=C; export LC_ALL; "#,
    r#"command -v sudo >/dev/null 2>&1 || { echo "$2 nosudo" >&2; exit 127; }; "#,
    r#"if [ -n "$3" ]; then exec sudo -S -p "$3" -- sh -c "$1" sh "$1" "$2" "$l"; fi; "#,
    r#"exec sudo -n -- sh -c "$1" sh "$1" "$2" "$l""#,
);

/// `text` as one word of every login shell.
///
/// Between single quotes sh, bash, dash, zsh, fish, tcsh and busybox agree on all but these: a quote ends them, csh
/// takes `!` for its history and a line end for a missing quote, fish takes `\` before a quote for an escape.
fn word(text: &str) -> String {
    debug_assert!(!text.contains(['\'', '!', '\n', '\\']), "not the same to every login shell: {text}");
    format!("'{text}'")
}

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
        let (inner, mark) = (word(INNER), &self.mark);
        match self.rights {
            Rights::Login => format!("exec sh -c {inner} sh {inner} {mark}"),
            Rights::Root => {
                let prompt = if self.escalation.has_password() { self.prompt.as_str() } else { "" };
                format!("exec sh -c {} sh {inner} {mark} {}", word(SUDO), word(prompt))
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
        let errors = self.stderr.text();
        match errors.split_once(&format!("{} sudo\n", self.mark)) {
            // sudo repeats the whole command that it refuses; its own words are on lines that begin with its name.
            Some((_, said)) => self.because(self.sudo_refused(said), said, |line| line.starts_with("sudo:")),
            None => self.because(login_refused(), &format!("{}\n{errors}", self.stdout.text()), |_| true),
        }
    }

    /// `error` with what was `said` and `is_worth` showing.
    fn because(&self, error: Error, said: &str, is_worth: impl Fn(&str) -> bool) -> Error {
        let is_ours = |line: &str| line.is_empty() || line.contains(&self.mark) || line.contains(&self.prompt);
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !is_ours(line) && is_worth(line)).collect();
        if said.is_empty() { error } else { error.because(said.join("\n")) }
    }

    fn sudo_refused(&self, said: &str) -> Error {
        let says = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
        let (message, hint) = if said.contains(&format!("{} nosudo", self.mark)) {
            ("sudo is not installed", "install sudo on the host, or log in as root (`user: root`)")
        } else if says(&["is not in the sudoers", "not allowed to execute", "may not run sudo", "not allowed to run"]) {
            ("sudo does not let the login user become root", "allow the user in sudoers (`visudo`), or correct `user`")
        } else if says(&["expired"]) {
            ("sudo lets nobody in whose account or password has expired", "renew it on the host (`chage -l USER`)")
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

fn login_refused() -> Error {
    let hint = "log in as a user whom the host lets run commands: see what it said, its login shell, an expired \
        password, `command=` in authorized_keys and `ForceCommand` in its sshd_config";
    Error::new(Kind::Unreachable, "ssh.exec", "the host starts no commands for the login user").hint(hint)
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

    /// The first mark that a number follows: SUDO marks lines as well.
    fn find(&mut self, mark: &[u8]) {
        let starts = self.buffer.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark);
        let found = starts.map(|(start, _)| start + mark.len() + 1).find_map(|number| {
            let rest = self.buffer.get(number..)?;
            let length = rest.iter().position(|byte| *byte == b'\n')?;
            Some((std::str::from_utf8(&rest[..length]).ok()?.parse().ok()?, number + length))
        });
        if let Some((group, end)) = found {
            self.group = Some(group);
            self.buffer.drain(..=end);
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
    fn every_login_shell_takes_the_texts_as_one_word() {
        for text in [INNER, SUDO] {
            assert_eq!(word(text).len(), text.len() + 2);
        }
    }

    #[test]
    fn the_mark_of_sudo_is_not_the_processes() {
        let mut preface = Preface::default();
        preface.push(b"mark sudo\nlecture\nmark 12", "mark");
        assert_eq!(preface.group, None);
        preface.push(b"34\nown\n", "mark");
        assert_eq!(preface.group, Some(1234));
        assert_eq!(preface.text(), "own\n");
    }

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
