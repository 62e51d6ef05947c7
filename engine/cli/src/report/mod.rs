//! What happens, told to a person or to a program.
//!
//! The kernel sends events; a [`Reporter`] on a thread of its own draws them, so that a slow terminal never slows a run.
//!
//! | file | what |
//! |---|---|
//! | json | one object a line |
//! | human, group, lines | lines for a person, equal results of several hosts in one |
//! | progress | what is under way, drawn live |
//! | failure | errors with cause and hint |
//! | screen, out, paint, table | the terminal, streams, colours and columns |

pub mod failure;
pub mod group;
pub mod human;
pub mod json;
pub mod lines;
pub mod out;
pub mod paint;
pub mod progress;
pub mod screen;
pub mod table;
#[cfg(test)]
mod tests;

use std::thread::JoinHandle;
use std::time::Instant;

use haengine_kernel::event::{Event, Stamped};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;

pub use human::Human;
pub use json::Json;
pub use out::Out;
pub use paint::Paint;
pub use screen::Screen;

/// Draws events.
pub trait Reporter: Send {
    /// Takes one event; drawing may wait for [`flush`](Reporter::flush).
    fn take(&mut self, event: Stamped);

    /// Draws what was taken. Called when no further event waits.
    fn flush(&mut self);

    /// When it wants to be called again even if nothing happens.
    fn due(&self) -> Option<Instant> {
        None
    }
}

/// Draws events on a thread of its own until the run has finished or nobody can send any more.
///
/// # Errors
/// When the system has no thread left.
pub fn start(
    mut reporter: Box<dyn Reporter>,
    mut events: UnboundedReceiver<Stamped>,
    runtime: &Handle,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = runtime.clone();
    std::thread::Builder::new()
        .name("report".to_owned())
        .spawn(move || runtime.block_on(draw(reporter.as_mut(), &mut events)))
}

async fn draw(reporter: &mut dyn Reporter, events: &mut UnboundedReceiver<Stamped>) {
    loop {
        let next = match reporter.due() {
            Some(due) => tokio::time::timeout_at(due.into(), events.recv()).await,
            None => Ok(events.recv().await),
        };
        let mut waiting = match next {
            Ok(Some(event)) => Some(event),
            Ok(None) => break,
            Err(_) => None,
        };
        let mut finished = false;
        while let Some(event) = waiting {
            finished |= matches!(event.event, Event::RunFinished(_));
            reporter.take(event);
            waiting = events.try_recv().ok();
        }
        reporter.flush();
        if finished {
            return;
        }
    }
    reporter.flush();
}
