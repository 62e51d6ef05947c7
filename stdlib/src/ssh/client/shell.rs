//! A persistent `sh`: many short commands, one round trip each, any number of them in flight.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use haengine_kernel::error::Result;
use haengine_kernel::transport::{Exit, Output};
use russh::ChannelMsg;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::frame::{Frames, framed, prologue};
use super::kill::kill;
use super::line::{Line, nonce};
use super::link::Link;
use super::process::settled;
use super::starter::Starter;

/// More than this is no short command's output; it belongs on a channel of its own.
const LONGEST_OUTPUT: usize = haengine_kernel::transport::OUTPUT;

/// What became of a call.
pub(super) enum Answer {
    /// It ran.
    Output(Output),
    /// It took longer than its deadline and was ended.
    TimedOut,
    /// It printed more than a call may.
    TooMuch,
    /// The shell ended while it ran; nobody knows how far it came.
    Died,
    /// It certainly did not start.
    NotStarted,
    /// The connection is gone; nobody knows how far it came.
    Lost,
}

/// A handle on a shell that runs in a task of its own.
pub(super) struct Shell {
    calls: mpsc::UnboundedSender<Call>,
    load: Arc<Mutex<Load>>,
}

#[derive(Default)]
struct Load {
    pending: usize,
    head_since: Option<Instant>,
}

struct Call {
    script: String,
    stdin: Option<haengine_kernel::secret::Secret>,
    deadline: Option<Duration>,
    reply: oneshot::Sender<Answer>,
}

fn lock(load: &Mutex<Load>) -> MutexGuard<'_, Load> {
    load.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shell {
    /// Starts a shell.
    pub(super) async fn open(starter: &Arc<Starter>) -> Result<Self> {
        let link = &starter.link;
        let (line, group) = starter.for_us().await?.run(link, &format!("exec sh -s {}", link.mark)).await?;
        let nonce = nonce();
        let (calls, queue) = mpsc::unbounded_channel();
        let load = Arc::new(Mutex::new(Load::default()));
        let runner = Runner {
            link: link.clone(),
            starter: starter.clone(),
            group,
            queue,
            load: load.clone(),
            pending: VecDeque::new(),
            next: 0,
            stdout: Frames::new(&nonce),
            stderr: Frames::new(&nonce),
        };
        link.tasks.spawn(runner.run(line, prologue(&nonce)));
        Ok(Shell { calls, load })
    }

    /// True when it takes no more calls.
    pub(super) fn is_dead(&self) -> bool {
        self.calls.is_closed()
    }

    /// How many calls wait for their answer.
    pub(super) fn pending(&self) -> usize {
        lock(&self.load).pending
    }

    /// True unless its present command has been at work for longer than `patience`.
    pub(super) fn is_free(&self, patience: Duration) -> bool {
        lock(&self.load).head_since.is_none_or(|since| since.elapsed() < patience)
    }

    /// Runs one command. Dropping this ends the command, and the shell with it, once it is its turn.
    pub(super) async fn call(
        &self,
        script: String,
        stdin: Option<haengine_kernel::secret::Secret>,
        deadline: Option<Duration>,
    ) -> Answer {
        let (reply, answer) = oneshot::channel();
        {
            let mut load = lock(&self.load);
            load.pending += 1;
            load.head_since.get_or_insert_with(Instant::now);
        }
        if self.calls.send(Call { script, stdin, deadline, reply }).is_err() {
            return Answer::NotStarted;
        }
        answer.await.unwrap_or(Answer::NotStarted)
    }
}

struct Runner {
    link: Arc<Link>,
    starter: Arc<Starter>,
    group: u32,
    queue: mpsc::UnboundedReceiver<Call>,
    load: Arc<Mutex<Load>>,
    pending: VecDeque<Pending>,
    next: u64,
    stdout: Frames,
    stderr: Frames,
}

struct Pending {
    number: u64,
    reply: oneshot::Sender<Answer>,
    deadline: Option<Duration>,
    /// When its turn came, as far as we can see.
    since: Instant,
    stdout: Option<Vec<u8>>,
    stderr: Option<Vec<u8>>,
    status: i32,
}

/// Why we end a shell ourselves.
enum Verdict {
    TimedOut,
    TooMuch,
    Cancelled,
}

impl Runner {
    async fn run(mut self, mut line: Line, prologue: String) {
        let (texts, outgoing) = mpsc::unbounded_channel();
        let writer = self.link.runtime.spawn(write(line.write.clone(), outgoing));
        let _sent = texts.send(Bytes::from(prologue));
        let verdict = self.converse(&mut line, texts).await;
        writer.abort();
        self.conclude(verdict);
    }

    /// Until the shell has ended, for whatever reason.
    async fn converse(&mut self, line: &mut Line, texts: mpsc::UnboundedSender<Bytes>) -> Option<Verdict> {
        let mut verdict = None;
        let mut killing: Option<JoinHandle<()>> = None;
        let ended = CancellationToken::new();
        let link = self.link.clone();
        loop {
            let deadline = self.head_deadline();
            let is_alive = killing.is_none();
            tokio::select! {
                message = line.read.wait() => match message {
                    Some(ChannelMsg::Data { data }) => self.take(&data, &[]),
                    Some(ChannelMsg::ExtendedData { data, .. }) => self.take(&[], &data),
                    Some(ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. }) => {
                        // What it left in the background may hold the channel open for ever.
                        link.runtime.spawn(settled(link.clone(), Arc::default(), ended.clone()));
                        self.queue.close();
                    }
                    Some(ChannelMsg::Close) | None => return verdict,
                    Some(_) => {}
                },
                () = ended.cancelled() => return verdict,
                call = self.queue.recv(), if is_alive => match call {
                    Some(call) => self.send(call, &texts),
                    None if self.pending.is_empty() => return verdict,
                    // The pool is gone, and so are those who wait for answers.
                    None => verdict = Some(Verdict::Cancelled),
                },
                () = abandoned(self.pending.front_mut()), if is_alive => verdict = Some(Verdict::Cancelled),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if is_alive && deadline.is_some() => {
                    verdict = Some(Verdict::TimedOut);
                }
                () = link.ending.cancelled(), if is_alive => {
                    if self.pending.is_empty() {
                        return verdict;
                    }
                    verdict = Some(Verdict::Cancelled);
                }
                () = finished(&mut killing), if !is_alive => return verdict,
            }
            if self.stdout.len().max(self.stderr.len()) > LONGEST_OUTPUT {
                verdict.get_or_insert(Verdict::TooMuch);
            }
            if verdict.is_some() && killing.is_none() {
                self.queue.close();
                killing = Some(self.kill());
            }
        }
    }

    fn kill(&self) -> JoinHandle<()> {
        let ending = kill(self.starter.clone(), self.group);
        self.link.tasks.spawn_on(ending, &self.link.runtime)
    }

    fn head_deadline(&self) -> Option<Instant> {
        let head = self.pending.front()?;
        Some(head.since + head.deadline?)
    }

    fn send(&mut self, call: Call, texts: &mpsc::UnboundedSender<Bytes>) {
        self.next += 1;
        let text = framed(self.next, &call.script, call.stdin.as_ref().map(|stdin| stdin.expose()));
        let _sent = texts.send(Bytes::from(text));
        self.pending.push_back(Pending {
            number: self.next,
            reply: call.reply,
            deadline: call.deadline,
            since: Instant::now(),
            stdout: None,
            stderr: None,
            status: 0,
        });
    }

    fn take(&mut self, stdout: &[u8], stderr: &[u8]) {
        self.stdout.push(stdout);
        while let Some(part) = self.stdout.next() {
            if let Some(pending) = self.pending.iter_mut().find(|pending| pending.number == part.call) {
                (pending.stdout, pending.status) = (Some(part.text), part.status);
            }
        }
        self.stderr.push(stderr);
        while let Some(part) = self.stderr.next() {
            if let Some(pending) = self.pending.iter_mut().find(|pending| pending.number == part.call) {
                pending.stderr = Some(part.text);
            }
        }
        self.answer();
    }

    fn answer(&mut self) {
        while self.pending.front().is_some_and(|head| head.stdout.is_some() && head.stderr.is_some()) {
            let Some(done) = self.pending.pop_front() else { return };
            let (stdout, stderr) = (done.stdout.unwrap_or_default(), done.stderr.unwrap_or_default());
            let _gone = done.reply.send(Answer::Output(Output { exit: Exit::Status(done.status), stdout, stderr }));
            let now = Instant::now();
            if let Some(head) = self.pending.front_mut() {
                head.since = now;
            }
            let mut load = lock(&self.load);
            load.pending = load.pending.saturating_sub(1);
            load.head_since = (load.pending > 0).then_some(now);
        }
    }

    /// Tells everybody who still waits. Output arrives in order, so behind the first one nothing has started, unless
    /// the connection took the proof with it.
    fn conclude(&mut self, verdict: Option<Verdict>) {
        self.queue.close();
        let is_lost = !self.link.is_up();
        for (place, pending) in self.pending.drain(..).enumerate() {
            let answer = match (&verdict, place) {
                _ if is_lost => Answer::Lost,
                (Some(Verdict::TimedOut), 0) => Answer::TimedOut,
                (Some(Verdict::TooMuch), 0) => Answer::TooMuch,
                (_, 0) => Answer::Died,
                _ => Answer::NotStarted,
            };
            let _gone = pending.reply.send(answer);
        }
    }
}

async fn write(write: Arc<russh::ChannelWriteHalf<russh::client::Msg>>, mut texts: mpsc::UnboundedReceiver<Bytes>) {
    while let Some(text) = texts.recv().await {
        if write.data_bytes(text).await.is_err() {
            return;
        }
    }
}

/// Ready when nobody waits for the present command any more.
async fn abandoned(head: Option<&mut Pending>) {
    match head {
        Some(pending) => pending.reply.closed().await,
        None => std::future::pending().await,
    }
}

/// Ready a little after the killing is done: its victim's channel should have closed by then.
async fn finished(killing: &mut Option<JoinHandle<()>>) {
    match killing {
        Some(killing) => {
            if !killing.is_finished() {
                let _panicked = killing.await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        None => std::future::pending().await,
    }
}
