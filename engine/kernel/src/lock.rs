//! One run at a time on a host.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::task::JoinHandle;

use crate::error::{Error, Kind, Result};
use crate::host::Host;
use crate::identity::{Identity, WHO};
use crate::transport::Command;

/// The lock ends on its own this long after the last heartbeat; see `lock_host.sh`.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Between its taking and its record, and between the end of its record and its own, the lock names nobody.
const NAMELESS: Duration = Duration::from_millis(100);
/// So often it is asked again then.
const ASKED: usize = 20;

/// Who holds a lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// The person: user and machine.
    pub operator: String,
    /// The state folder, by which a dead run of the same operator is told from a live one elsewhere.
    pub state: String,
    /// Since when, in UTC.
    pub since: jiff::Timestamp,
    /// Tells whether a run of the same state folder is dead.
    #[serde(skip)]
    pub dead: Option<DeadRuns>,
}

impl Holder {
    /// Whether `other` is a run that died, as far as this one can know.
    pub fn outlives(&self, other: &Holder) -> bool {
        is_dead(self, other)
    }

    /// What somebody is told who finds this one's lock.
    pub fn refusal(&self) -> Error {
        held(Some(self))
    }
}

/// Answers whether a run of this state folder has died.
#[derive(Clone)]
pub struct DeadRuns(pub Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl std::fmt::Debug for DeadRuns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeadRuns")
    }
}

/// A host's lock, held by a small process there.
pub struct HostLock {
    heart: std::sync::Mutex<Option<JoinHandle<()>>>,
    lost: Arc<AtomicBool>,
}

enum Taken {
    Locked(HostLock, Identity),
    Unwritable(Identity),
    Held { process: u32, holder: Option<Holder>, mark: String },
}

impl HostLock {
    /// Takes the lock, and hears who the host is. `None` where the user may not: the host then says so in a warning.
    ///
    /// # Errors
    /// Of kind `Locked`, naming run, operator and since when.
    pub(crate) async fn take(host: &Host, holder: &Holder) -> Result<(Option<HostLock>, Identity)> {
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

    /// Whether the lock still stands.
    ///
    /// # Errors
    /// `lock.lost` when the small process has gone.
    pub(crate) fn check(&self) -> Result<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Unreachable, "lock.lost", "the lock on the host was lost")
                .hint("check the connection to the host, then run again"));
        }
        Ok(())
    }

    /// Lets the lock go.
    pub(crate) async fn release(&self) {
        let heart = self.heart.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(heart) = heart {
            heart.abort();
            let _ = heart.await;
        }
    }
}

const AT_WORK: &str = include_str!("at_work.sh");
const LOCK: &str = include_str!("lock_host.sh");
const TAKE_OVER: &str = include_str!("take_over.sh");

/// A script that asks what is at work, and who the host is.
fn script(text: &str) -> Command {
    Command::script(format!("{AT_WORK}{WHO}{text}"))
}

/// Our run is alive, since we are; an earlier attempt of it is not.
fn is_dead(ours: &Holder, other: &Holder) -> bool {
    let earlier = ours.run == other.run && ours.since != other.since;
    ours.state == other.state && (earlier || ours.dead.as_ref().is_some_and(|dead| (dead.0)(&other.run)))
}

async fn attempt(host: &Host, holder: &Holder) -> Result<Taken> {
    let record = serde_json::to_string(holder)
        .map_err(|error| Error::new(Kind::Local, "lock.record", "cannot write the lock's record").because(error))?;
    let transport = host.transport().await?;
    let script = script(LOCK).arg(record).arg(transport.mark());
    let mut stream = transport.stream(&script).await?;
    let mut lines = BufReader::new(&mut stream.stdout);
    let mut first = String::new();
    lines.read_line(&mut first).await.map_err(lost)?;
    let (word, said) = first.trim().split_once(' ').unwrap_or((first.trim(), ""));
    let identity = Identity::parse(said, transport.host_key());
    match word {
        "locked" => Ok(Taken::Locked(keep_alive(stream), identity)),
        "unwritable" => Ok(Taken::Unwritable(identity)),
        "held" => {
            let mut rest = String::new();
            lines.read_to_string(&mut rest).await.map_err(lost)?;
            Ok(parse_held(&rest))
        }
        _ => {
            let mut said = String::new();
            let _ = stream.stderr.read_to_string(&mut said).await;
            Err(Error::new(Kind::Failed, "lock.failed", "could not take the lock on the host")
                .hint("check that `flock`, `timeout` and `dd` are there")
                .because(said.trim().to_owned()))
        }
    }
}

fn keep_alive(mut stream: crate::transport::Stream) -> HostLock {
    let lost = Arc::new(AtomicBool::new(false));
    let seen = lost.clone();
    let heart = tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = &mut stream.exit => break,
                () = tokio::time::sleep(HEARTBEAT) => {
                    if stream.stdin.write_all(b"beat\n").await.is_err() || stream.stdin.flush().await.is_err() {
                        break;
                    }
                }
            }
        }
        seen.store(true, Ordering::Relaxed);
    });
    HostLock { heart: std::sync::Mutex::new(Some(heart)), lost }
}

/// The record is `PID JSON`, then the mark; it is empty in the instant between taking and writing.
fn parse_held(record: &str) -> Taken {
    let mut lines = record.trim().lines();
    let (process, json) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("0", ""));
    let mark = lines.next().unwrap_or_default().to_owned();
    Taken::Held { process: process.parse().unwrap_or(0), holder: serde_json::from_str(json).ok(), mark }
}

fn held(holder: Option<&Holder>) -> Error {
    let message = match holder {
        Some(Holder { run, operator, since, .. }) => {
            format!("run {run} of {operator} has held the lock since {since:.0}")
        }
        None => "another run holds the lock".to_owned(),
    };
    Error::new(Kind::Locked, "lock.held", message).hint("wait until that run has ended")
}

fn lost(error: std::io::Error) -> Error {
    Error::new(Kind::Unreachable, "lock.lost", "the connection broke while the lock was taken").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(run: &str, state: &str, second: i64, dead: bool) -> Holder {
        let since = jiff::Timestamp::from_second(second).unwrap();
        let dead = Some(DeadRuns(Arc::new(move |_| dead)));
        Holder { run: run.to_owned(), operator: "o".to_owned(), state: state.to_owned(), since, dead }
    }

    /// A host whose network was cut holds the lock of the attempt before for some seconds more.
    #[test]
    fn an_earlier_attempt_of_the_same_run_is_dead_and_this_one_is_not() {
        let ours = holder("r", "here", 2, false);
        assert!(is_dead(&ours, &holder("r", "here", 1, false)));
        assert!(!is_dead(&ours, &holder("r", "here", 2, false)), "two names of one host");
        assert!(!is_dead(&ours, &holder("r", "elsewhere", 1, false)));
        assert!(!is_dead(&ours, &holder("other", "here", 1, false)));
        assert!(is_dead(&holder("r", "here", 2, true), &holder("other", "here", 1, false)));
    }

    #[test]
    fn a_record_says_who_holds_the_lock_and_how_its_shells_are_found() {
        let json = serde_json::to_string(&holder("r", "here", 1, false)).unwrap();
        let Taken::Held { process, holder, mark } = parse_held(&format!("12 {json}\nmark\n")) else { panic!("held") };
        assert_eq!((process, holder.unwrap().run.as_str(), mark.as_str()), (12, "r", "mark"));
        assert!(matches!(parse_held(""), Taken::Held { process: 0, holder: None, .. }));
    }
}
