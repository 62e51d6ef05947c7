//! The real connection, watched, and broken where a case says so.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::FutureExt;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::HostSpec;
use haengine_kernel::transport::{Command, Connect, Duplex, Output, Stream, Transport};

/// Where a connection breaks. Calls are counted from 1 over all hosts of a run, its locks' left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Instead of the call.
    Before(usize),
    /// The call is made, its answer is lost.
    After(usize),
    /// The call's script is killed when it has run this many commands, as a power cut would.
    Within(usize, usize),
}

/// Somebody else who works on the host of a run, at a moment of one of its scripts.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The call, counted as for [`Break`].
    pub call: usize,
    /// After how many commands of its script.
    pub commands: usize,
    /// What is done, as root.
    pub deed: String,
    /// Commands before which it is not done: the windows that the design excludes.
    pub but_before: &'static [&'static str],
    /// The script is killed right after it.
    pub crash: bool,
}

/// What went over the wire of a run, and where it breaks.
#[derive(Default)]
pub struct Wire {
    point: Option<Break>,
    /// Each script counts its commands into a file on its host.
    counts: bool,
    calls: AtomicUsize,
    broken: AtomicBool,
    visit: Option<Visit>,
    /// What is changed in each script: a guard, and what stands there instead.
    mutation: Option<(String, String)>,
    /// All commands, as they are sent.
    sent: Mutex<Vec<String>>,
}

impl Wire {
    pub fn whole() -> Arc<Wire> {
        Arc::default()
    }

    pub fn counting() -> Arc<Wire> {
        Arc::new(Wire { counts: true, ..Wire::default() })
    }

    pub fn breaking(point: Break) -> Arc<Wire> {
        Arc::new(Wire { point: Some(point), ..Wire::default() })
    }

    /// A connection over which somebody else is met; `mutation` takes a guard out of the scripts.
    pub fn met(visit: Option<Visit>, mutation: Option<(&str, &str)>) -> Arc<Wire> {
        let mutation = mutation.map(|(guard, instead)| (guard.to_owned(), instead.to_owned()));
        Arc::new(Wire { visit, mutation, ..Wire::default() })
    }

    /// True when the point was reached.
    pub fn broke(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a call; its number, or none for one of the lock.
    fn note(&self, command: &Command) -> Result<Option<usize>> {
        let text = command.to_sh();
        let is_lock = text.contains("/run/haengine.lock");
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        if self.broke() {
            return Err(cut());
        }
        Ok((!is_lock).then(|| self.calls.fetch_add(1, Ordering::Relaxed) + 1))
    }

    /// The call as it is made; an error where the connection breaks before it.
    fn prepare(&self, number: Option<usize>, command: &Command) -> Result<Command> {
        let Some(number) = number else { return Ok(command.clone()) };
        let command = &self.mutated(command);
        if let Some(visit) = self.visit.as_ref().filter(|visit| visit.call == number) {
            return Ok(visited(command, visit));
        }
        match self.point {
            Some(Break::Before(point)) if point == number => {
                self.broken.store(true, Ordering::Relaxed);
                Err(cut())
            }
            Some(Break::Within(point, commands)) if point == number => Ok(mortal(command, number, commands)),
            _ if self.counts => Ok(mortal(command, number, usize::MAX >> 1)),
            _ => Ok(command.clone()),
        }
    }

    fn mutated(&self, command: &Command) -> Command {
        let Some((guard, instead)) = &self.mutation else { return command.clone() };
        let mut mutated = Command::script(command.to_sh().replace(guard, instead));
        (mutated.stdin, mutated.deadline, mutated.privilege) =
            (command.stdin.clone(), command.deadline, command.privilege);
        mutated
    }

    /// True when the answer of this call is lost.
    fn loses(&self, number: Option<usize>) -> bool {
        if self.visit.as_ref().is_some_and(|visit| visit.crash && number == Some(visit.call)) {
            self.broken.store(true, Ordering::Relaxed);
            return true;
        }
        let lost = match self.point {
            Some(Break::After(point) | Break::Within(point, _)) => number == Some(point),
            _ => false,
        };
        if lost {
            self.broken.store(true, Ordering::Relaxed);
        }
        lost
    }
}

/// Where scripts count their commands, one file a call.
pub const COUNTS: &str = "/run/laws.counts";

/// The same command, run by a shell that kills itself, and the shells below it, when it has run so many commands.
fn mortal(command: &Command, call: usize, commands: usize) -> Command {
    let mut mortal =
        Command::script(MORTAL).arg(commands.to_string()).arg(format!("{COUNTS}/{call}")).arg(command.to_sh());
    (mortal.stdin, mortal.deadline, mortal.privilege) = (command.stdin.clone(), command.deadline, command.privilege);
    mortal
}

/// Its names are its own: the script's must not be in the way.
const MORTAL: &str = r#"[ -d "${2%/*}" ] || mkdir -m 1777 "${2%/*}" 2>/dev/null
exec bash -c 'laws_count=0 laws_most=$1 laws_file=$2 laws_text=$3
laws_step() {
    laws_count=$((laws_count + 1))
    if [ "$laws_count" -gt "$laws_most" ]; then kill -9 $$ "$BASHPID"; fi
    echo "$laws_count" >"$laws_file"
}
set --
set -T
trap laws_step DEBUG
eval "$laws_text"' mortal "$@""#;

/// The same command, in the middle of which somebody else does something.
fn visited(command: &Command, visit: &Visit) -> Command {
    let crash = if visit.crash { "yes" } else { "no" };
    let mut visited = Command::script(VISITED).args([
        &visit.commands.to_string(),
        &visit.deed,
        &visit.but_before.join("\n"),
        crash,
        &command.to_sh(),
    ]);
    (visited.stdin, visited.deadline, visited.privilege) = (command.stdin.clone(), command.deadline, command.privilege);
    visited
}

/// A deed is done once, by a shell of its own. A script that ends earlier meets nobody.
const VISITED: &str = r#"exec bash -c 'laws_count=0 laws_when=$1 laws_deed=$2 laws_window=$3 laws_crash=$4 laws_text=$5
laws_step() {
    while IFS= read -r laws_one; do
        if [ -n "$laws_one" ]; then case $BASH_COMMAND in "$laws_one"*) return ;; esac; fi
    done <<<"$laws_window"
    laws_count=$((laws_count + 1))
    if [ "$laws_count" -gt "$laws_when" ] && mkdir /run/laws.visited 2>/dev/null; then
        sh -c "$laws_deed" </dev/null >/dev/null 2>&1 7<&- 8<&-
        if [ "$laws_crash" = yes ]; then kill -9 $$ "$BASHPID"; fi
    fi
}
set --
set -T
trap laws_step DEBUG
eval "$laws_text"' visited "$@""#;

fn cut() -> Error {
    Error::new(Kind::Unreachable, "laws.cut", "the test cut the connection")
}

/// Connects for real, and puts the wire in between.
pub struct Wired {
    pub inner: Arc<dyn Connect>,
    pub wire: Arc<Wire>,
}

#[async_trait]
impl Connect for Wired {
    async fn connect(&self, host: &HostSpec) -> Result<Arc<dyn Transport>> {
        let inner = self.inner.connect(host).await?;
        Ok(Arc::new(Watched { inner, wire: self.wire.clone() }))
    }
}

struct Watched {
    inner: Arc<dyn Transport>,
    wire: Arc<Wire>,
}

#[async_trait]
impl Transport for Watched {
    async fn exec(&self, command: &Command) -> Result<Output> {
        let number = self.wire.note(command)?;
        let command = self.wire.prepare(number, command)?;
        let output = self.inner.exec(&command).await;
        if self.wire.loses(number) { Err(cut()) } else { output }
    }

    async fn stream(&self, command: &Command) -> Result<Stream> {
        let number = self.wire.note(command)?;
        let command = self.wire.prepare(number, command)?;
        let stream = self.inner.stream(&command).await?;
        let (wire, inner) = (self.wire.clone(), stream.exit);
        let exit = async move {
            let exit = inner.await;
            if wire.loses(number) { Err(cut()) } else { exit }
        };
        Ok(Stream { exit: exit.boxed(), ..stream })
    }

    async fn open_tcp(&self, address: &str, port: u16) -> Result<Box<dyn Duplex>> {
        if self.wire.broke() { Err(cut()) } else { self.inner.open_tcp(address, port).await }
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// How many commands each call's script ran, from the files in [`COUNTS`], given as `FILE:COUNT` lines.
pub fn counted(lines: &str) -> BTreeMap<usize, usize> {
    let pair = |line: &str| {
        let (call, count) = line.split_once(':')?;
        Some((call.rsplit('/').next()?.parse().ok()?, count.trim().parse().ok()?))
    };
    lines.lines().filter_map(pair).collect()
}
