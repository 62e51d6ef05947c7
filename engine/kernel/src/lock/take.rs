//! How a host's lock is taken, also from a run that died.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::error::{Error, Kind, Result};
use crate::host::Host;
use crate::identity::{Identity, WHO};
use crate::lock::{Holder, HostLock, held, is_dead};
use crate::transport::{Command, read_all, too_much};

/// Between its taking and its record, and between the end of its record and its own, the lock names nobody.
const NAMELESS: Duration = Duration::from_millis(100);
/// So often it is asked again then.
const ASKED: usize = 20;
/// What a host may answer who is asked for its lock.
const ANSWER: usize = 64 * 1024;
/// How long it may take over it.
const PATIENCE: Duration = Duration::from_secs(60);

enum Taken {
    Locked(HostLock, Identity),
    Unwritable(Identity),
    Held { process: u32, holder: Option<Holder>, mark: String },
}

impl Host {
    /// Takes the host's lock for a run, once.
    pub(crate) async fn lock(&self, holder: &Holder) -> Result<()> {
        let (lock, known) = (self.lock_cell(), self.identity_cell());
        let taken = async || {
            let (lock, identity) = self.interruptible(take(self, holder)).await?;
            // Whoever has asked before was told the same.
            let _ = known.set(identity);
            Ok(lock)
        };
        match lock.get_or_try_init(taken).await? {
            Some(lock) => lock.check().map_err(|error| error.on(self.name())),
            None => Ok(()),
        }
    }
}

/// Takes the lock, and hears who the host is. `None` where the user may not: the host then says so in a warning.
///
/// # Errors
/// Of kind `Locked`, naming run, operator and since when.
async fn take(host: &Host, holder: &Holder) -> Result<(Option<HostLock>, Identity)> {
    for _ in 0..ASKED {
        match attempt(host, holder).await? {
            Taken::Locked(lock, identity) => return Ok((Some(lock), identity)),
            Taken::Unwritable(identity) => {
                host.warn("not locked against other runs: the user may not write /run/haengine.lock");
                return Ok((None, identity));
            }
            Taken::Held { process, holder: Some(other), mark } if is_dead(holder, &other) => {
                host.awaits(&format!("what run {} was doing when it died", other.run));
                host.waiting(host.ok(&script(TAKE_OVER).arg(process.to_string()).arg(mark))).await?;
            }
            Taken::Held { holder: Some(other), .. } => return Err(held(Some(&other))),
            Taken::Held { holder: None, .. } => host.pause(NAMELESS).await?,
        }
    }
    Err(held(None))
}

const AT_WORK: &str = include_str!("at_work.sh");
const LOCK: &str = include_str!("lock_host.sh");
const TAKE_OVER: &str = include_str!("take_over.sh");

/// A script that asks what is at work, and who the host is.
fn script(text: &str) -> Command {
    Command::script(format!("{AT_WORK}{WHO}{text}"))
}

async fn attempt(host: &Host, holder: &Holder) -> Result<Taken> {
    let record = serde_json::to_string(holder)
        .map_err(|error| Error::new(Kind::Local, "lock.record", "cannot write the lock's record").because(error))?;
    let transport = host.transport().await?;
    let script = script(LOCK).arg(record).arg(transport.mark());
    let mut stream = transport.stream(&script).await?;
    let mut lines = BufReader::new(&mut stream.stdout);
    let first = tokio::time::timeout(PATIENCE, first_line(&mut lines)).await.map_err(|_| silent())??;
    let (word, said) = first.trim().split_once(' ').unwrap_or((first.trim(), ""));
    let identity = Identity::parse(said, transport.host_key());
    match word {
        "locked" => Ok(Taken::Locked(HostLock::keep(stream), identity)),
        "unwritable" => Ok(Taken::Unwritable(identity)),
        "held" => {
            let rest = read_all(lines, ANSWER).await.map_err(|cut| cut.explain(WHAT, lost))?;
            Ok(parse_held(&String::from_utf8_lossy(&rest)))
        }
        _ => {
            let said = read_all(stream.stderr, ANSWER).await.map_err(|cut| cut.explain(WHAT, lost))?;
            Err(Error::new(Kind::Failed, "lock.failed", "could not take the lock on the host")
                .hint("check that `flock`, `timeout` and `dd` are there")
                .because(String::from_utf8_lossy(&said).trim().to_owned()))
        }
    }
}

const WHAT: &str = "the answer of the host's lock";

/// The first line, which is all of the answer where the lock was taken.
async fn first_line(lines: impl AsyncRead + AsyncBufReadExt + Unpin) -> Result<String> {
    let mut first = Vec::new();
    lines.take(ANSWER as u64).read_until(b'\n', &mut first).await.map_err(lost)?;
    if first.len() == ANSWER && !first.ends_with(b"\n") {
        return Err(too_much(WHAT, ANSWER));
    }
    Ok(String::from_utf8_lossy(&first).into_owned())
}

fn silent() -> Error {
    let message = format!("the host did not answer for its lock within {} s", PATIENCE.as_secs());
    Error::new(Kind::Unreachable, "host.timeout", message).hint("look at the host's load and its disks")
}

/// The record is `PID JSON`, then the mark; it is empty in the instant between taking and writing.
fn parse_held(record: &str) -> Taken {
    let mut lines = record.trim().lines();
    let (process, json) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("0", ""));
    let mark = lines.next().unwrap_or_default().to_owned();
    Taken::Held { process: process.parse().unwrap_or(0), holder: serde_json::from_str(json).ok(), mark }
}

fn lost(error: std::io::Error) -> Error {
    Error::new(Kind::Unreachable, "lock.lost", "the connection broke while the lock was taken").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::tests::holder;

    #[tokio::test]
    async fn an_answer_without_an_end_is_not_read_to_its_end() {
        let flood = BufReader::new(tokio::io::repeat(b'x'));
        assert_eq!(first_line(flood).await.unwrap_err().code(), "host.too_much");
        let mut answer = BufReader::new(&b"held\n12 {}\nmark\n"[..]);
        assert_eq!(first_line(&mut answer).await.unwrap(), "held\n");
        assert_eq!(read_all(answer, ANSWER).await.unwrap(), b"12 {}\nmark\n");
        assert_eq!(first_line(&b""[..]).await.unwrap(), "");
    }

    #[test]
    fn a_record_says_who_holds_the_lock_and_how_its_shells_are_found() {
        let json = serde_json::to_string(&holder("r", "here", 1, false)).unwrap();
        let Taken::Held { process, holder, mark } = parse_held(&format!("12 {json}\nmark\n")) else { panic!("held") };
        assert_eq!((process, holder.unwrap().run.as_str(), mark.as_str()), (12, "r", "mark"));
        assert!(matches!(parse_held(""), Taken::Held { process: 0, holder: None, .. }));
    }
}
