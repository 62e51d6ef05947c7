//! A command on a channel of its own, with streams, in a process group that ends when nobody waits for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::transport::{Command, Exit, OUTPUT, Stream};
use russh::{ChannelMsg, Sig};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::dial::{timed_out, too_much};
use super::kill::kill;
use super::line::Line;
use super::link::Link;
use super::spool::{Intake, spool};
use super::starter::Starter;
use super::stdin::Stdin;

/// What is needed to start one.
pub(super) struct Process {
    pub(super) starter: Arc<Starter>,
    /// Where output waits that nobody has read yet.
    pub(super) folder: PathBuf,
    /// The text for `sh`.
    pub(super) script: String,
    /// The command behind it, for its deadline and for errors.
    pub(super) command: Command,
}

impl Process {
    /// Starts it. From here on its process group ends when nobody waits for it any more.
    pub(super) async fn start(self) -> Result<Stream> {
        let link = self.starter.link.clone();
        let waiting = self.starter.for_command().await?;
        let most = self.command.unread.unwrap_or(OUTPUT as u64);
        let (stdout, stdout_reader) = spool(&self.folder, most);
        let (stderr, stderr_reader) = spool(&self.folder, most);
        let (exit, exited) = oneshot::channel();
        let (gone, cancel) = (CancellationToken::new(), link.ending.child_token());
        let guard = cancel.clone().drop_guard();
        let (line, group) = waiting.run(&link, &self.script).await?;
        let stdin = Stdin::new(&line.write, gone.clone());
        let attendant = Attendant {
            process: self,
            line,
            group,
            stdout,
            stderr,
            exit: Some(exit),
            arrived: Arc::default(),
            ended: CancellationToken::new(),
        };
        link.tasks.spawn(attendant.attend(cancel, gone));
        let exit = async move {
            let exit = exited.await.unwrap_or_else(|_| Err(link.lost()));
            // It has ended: letting go of it ends nothing.
            drop(guard.disarm());
            exit
        };
        Ok(Stream {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout_reader),
            stderr: Box::new(stderr_reader),
            exit: Box::pin(exit),
        })
    }
}

/// Stands by one process from its start to its end.
struct Attendant {
    process: Process,
    line: Line,
    group: u32,
    stdout: Intake,
    stderr: Intake,
    exit: Option<oneshot::Sender<Result<Exit>>>,
    /// How many messages have brought output.
    arrived: Arc<AtomicU64>,
    /// Cancelled when it has exited and no more output comes.
    ended: CancellationToken,
}

impl Attendant {
    async fn attend(mut self, cancel: CancellationToken, gone: CancellationToken) {
        let _gone = gone.drop_guard();
        let ending = self.follow(cancel).await;
        self.conclude(ending);
    }

    /// Hands on what arrives until it has ended.
    async fn follow(&mut self, cancel: CancellationToken) -> Ending {
        let mut killing: Option<JoinHandle<()>> = None;
        let mut ending = Ending::Unknown;
        let deadline = self.process.command.deadline.map(|limit| Instant::now() + limit);
        let ended = self.ended.clone();
        loop {
            let is_alive = killing.is_none() && matches!(ending, Ending::Unknown);
            tokio::select! {
                message = self.line.read.wait() => match message {
                    Some(ChannelMsg::Close) => return ending,
                    None => return ending.cut(),
                    Some(message) => {
                        if !self.receive(message, &mut ending) && is_alive {
                            ending = Ending::Flooded;
                            killing = Some(self.kill());
                        }
                    }
                },
                () = ended.cancelled() => {
                    self.take_rest(&mut ending);
                    return ending;
                }
                () = cancel.cancelled(), if is_alive => killing = Some(self.kill()),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if is_alive && deadline.is_some() => {
                    ending = Ending::TimedOut;
                    killing = Some(self.kill());
                }
                () = killed(&mut killing), if killing.is_some() => return ending,
            }
        }
    }

    /// False when more has come than may wait until it is read.
    fn receive(&mut self, message: ChannelMsg, ending: &mut Ending) -> bool {
        let exit = match message {
            ChannelMsg::Data { data } => {
                self.arrived.fetch_add(1, Ordering::Relaxed);
                return self.stdout.push(data);
            }
            ChannelMsg::ExtendedData { data, .. } => {
                self.arrived.fetch_add(1, Ordering::Relaxed);
                return self.stderr.push(data);
            }
            ChannelMsg::ExitStatus { exit_status } => Exit::Status(exit_status as i32),
            ChannelMsg::ExitSignal { signal_name, .. } => Exit::Signal(name(signal_name)),
            _ => return true,
        };
        let link = &self.process.starter.link;
        link.runtime.spawn(settled(link.clone(), self.arrived.clone(), self.ended.clone()));
        if matches!(ending, Ending::Unknown) {
            *ending = Ending::Exited;
            if let Some(waiting) = self.exit.take() {
                let _nobody_waits = waiting.send(Ok(exit));
            }
        }
        true
    }

    /// What came before the last round trip is here by then, though on a busy machine not yet received: without it, the
    /// output would end too early and look whole.
    fn take_rest(&mut self, ending: &mut Ending) {
        while let Some(Some(message)) = self.line.read.wait().now_or_never() {
            self.receive(message, ending);
        }
    }

    fn kill(&self) -> JoinHandle<()> {
        let Process { starter, .. } = &self.process;
        starter.link.tasks.spawn_on(kill(starter.clone(), self.group), &starter.link.runtime)
    }

    fn conclude(self, ending: Ending) {
        let link = &self.process.starter.link;
        let (result, cut) = match ending {
            Ending::Exited => (None, Ok(())),
            Ending::TimedOut => (Some(timed_out(&self.process.command)), Err("the command was ended".to_owned())),
            Ending::Flooded => (Some(too_much(&self.process.command)), Err("the command was ended".to_owned())),
            Ending::Cut => (None, Err(link.lost().to_string())),
            Ending::Unknown if !link.is_up() => (Some(link.lost()), Err(link.lost().to_string())),
            Ending::Unknown => {
                (Some(no_status(&self.process.command)), Err("sshd closed the channel too early".to_owned()))
            }
        };
        self.stdout.end(cut.clone());
        self.stderr.end(cut);
        if let (Some(waiting), Some(error)) = (self.exit, result) {
            let _nobody_waits = waiting.send(Err(error.on(&link.host)));
        }
    }
}

enum Ending {
    Unknown,
    Exited,
    TimedOut,
    /// It printed more than may wait until it is read.
    Flooded,
    /// It has exited, but the connection went before all of its output had arrived.
    Cut,
}

impl Ending {
    fn cut(self) -> Self {
        if let Ending::Exited = self { Ending::Cut } else { self }
    }
}

fn no_status(command: &Command) -> Error {
    let message = format!("sshd closed the channel of `{}` without an exit status", command.title());
    Error::new(Kind::Failed, "ssh.exec", message).hint("see the log of sshd on the host")
}

fn name(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name.trim_end_matches("@openssh.com").to_owned(),
        known => format!("{known:?}"),
    }
}

async fn killed(killing: &mut Option<JoinHandle<()>>) {
    if let Some(task) = killing {
        if !task.is_finished() {
            let _panicked = task.await;
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Cancels `ended` when a process that has exited leaves no more output. sshd keeps the channel open as long as
/// anything in the background holds the other end of a pipe; but what the process itself wrote is in those pipes, so
/// a pause and then a round trip that bring nothing are the end of it.
pub(super) async fn settled(link: Arc<Link>, arrived: Arc<AtomicU64>, ended: CancellationToken) {
    loop {
        let before = arrived.load(Ordering::Relaxed);
        sleep(Duration::from_millis(300)).await;
        link.settle().await;
        if arrived.load(Ordering::Relaxed) == before {
            return ended.cancel();
        }
    }
}
