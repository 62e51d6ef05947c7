//! The persistent shells of one host with the same rights.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::transport::{Command, Output};
use tokio::time::Instant;

use super::dial::{timed_out, too_much};
use super::link::Link;
use super::shell::{Answer, Shell};
use super::starter::Starter;

/// A command that is done within this time, and the way there and back, holds nobody up.
const SHORT: Duration = Duration::from_millis(5);

/// One shell at first, and a few more while long commands keep the others busy.
pub(super) struct Pool {
    link: Arc<Link>,
    starter: Arc<Starter>,
    most: usize,
    shells: Mutex<Vec<Arc<Shell>>>,
    opening: tokio::sync::Mutex<()>,
    fastest: AtomicU64,
}

impl Pool {
    /// At most so many shells, made by `starter`.
    pub(super) fn new(starter: Arc<Starter>, most: usize) -> Self {
        Pool {
            link: starter.link.clone(),
            starter,
            most,
            shells: Mutex::default(),
            opening: tokio::sync::Mutex::new(()),
            fastest: AtomicU64::new(Duration::from_millis(100).as_micros() as u64),
        }
    }

    /// Runs a short command; what provably did not start is tried again in another shell.
    pub(super) async fn exec(&self, command: &Command) -> Result<Output> {
        let script = command.to_sh();
        loop {
            let shell = self.shell().await?;
            let started = Instant::now();
            match shell.call(script.clone(), command.stdin.clone(), command.deadline).await {
                Answer::Output(output) => {
                    self.fastest.fetch_min(started.elapsed().as_micros() as u64, Ordering::Relaxed);
                    return Ok(output);
                }
                Answer::NotStarted if self.link.ending.is_cancelled() => return Err(self.link.lost()),
                Answer::NotStarted => {}
                Answer::TimedOut => return Err(timed_out(command)),
                Answer::TooMuch => return Err(too_much(command)),
                Answer::Died => return Err(died(command)),
                Answer::Lost => return Err(self.link.lost()),
            }
        }
    }

    /// A shell that is not kept busy by a long command: one that is there, a new one, or else the least busy.
    pub(super) async fn shell(&self) -> Result<Arc<Shell>> {
        if let Some(shell) = self.free() {
            return Ok(shell);
        }
        let _turn = self.opening.lock().await;
        if let Some(shell) = self.free() {
            return Ok(shell);
        }
        let busy = self.living().into_iter().min_by_key(|shell| shell.pending());
        match busy {
            Some(shell) if self.living().len() >= self.most => Ok(shell),
            busy => match (Shell::open(&self.starter).await, busy) {
                (Ok(shell), _) => {
                    let shell = Arc::new(shell);
                    self.shells.lock().unwrap_or_else(PoisonError::into_inner).push(shell.clone());
                    Ok(shell)
                }
                (Err(_), Some(shell)) if self.link.is_up() => Ok(shell),
                (Err(error), _) => Err(error),
            },
        }
    }

    fn free(&self) -> Option<Arc<Shell>> {
        let patience = SHORT + 2 * Duration::from_micros(self.fastest.load(Ordering::Relaxed));
        let free = self.living().into_iter().filter(|shell| shell.is_free(patience));
        free.min_by_key(|shell| shell.pending())
    }

    fn living(&self) -> Vec<Arc<Shell>> {
        let mut shells = self.shells.lock().unwrap_or_else(PoisonError::into_inner);
        shells.retain(|shell| !shell.is_dead());
        shells.clone()
    }
}

fn died(command: &Command) -> Error {
    let message = format!("the shell on the host ended while `{}` ran", command.title());
    Error::new(Kind::Failed, "ssh.exec", message)
        .hint("see whether the command killed its own process group, and whether the host ran out of memory")
}
