//! What happens, told to a person or to a program.
//!
//! The kernel sends events; a [`Reporter`] on a thread of its own draws them, so that a slow terminal never slows a run.
//!
//! | file | what |
//! |---|---|
//! | json | one object a line |
//! | human, group, lines | lines for a person, equal results of several hosts in one |
//! | progress | what is under way, drawn live |
//! | failure, finding | errors with cause and hint, and what is wrong with a recipe |
//! | screen, out, paint, table | the terminal, streams, colours and columns |

pub mod failure;
pub mod finding;
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

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

    /// Draws also what would rather wait: a question follows.
    fn settle(&mut self) {
        self.flush();
    }

    /// When it wants to be called again even if nothing happens.
    fn due(&self) -> Option<Instant> {
        None
    }
}

/// Something to do at the terminal between two events, such as a question.
pub type Errand = Box<dyn FnOnce() + Send>;

/// What reaches the reporter.
pub struct Inbox {
    /// What happens.
    pub events: UnboundedReceiver<Stamped>,
    /// What is done once all that happened before is drawn; nothing is drawn meanwhile.
    pub errands: UnboundedReceiver<Errand>,
    /// While it is set, the end of a run is followed by something else.
    pub goes_on: Arc<AtomicBool>,
}

/// Draws events on a thread of its own until the run has finished or nobody can send any more.
///
/// # Errors
/// When the system has no thread left.
pub fn start(mut reporter: Box<dyn Reporter>, mut inbox: Inbox, runtime: &Handle) -> std::io::Result<JoinHandle<()>> {
    let runtime = runtime.clone();
    let work = move || while turn(reporter.as_mut(), &mut inbox, &runtime) {};
    std::thread::Builder::new().name("report".to_owned()).spawn(work)
}

/// What there is to do next.
#[expect(clippy::large_enum_variant, reason = "it is looked at once and not kept")]
enum Next {
    Draw(Stamped),
    Run(Errand),
    /// Nothing happened, but the reporter wants to draw.
    Due,
    End,
}

/// One turn; false after the last.
fn turn(reporter: &mut dyn Reporter, inbox: &mut Inbox, runtime: &Handle) -> bool {
    let next = runtime.block_on(next(reporter.due(), inbox));
    let (mut waiting, errand, mut finished) = match next {
        Next::Draw(event) => (Some(event), None, false),
        // What was told before a question was asked is waiting now.
        Next::Run(errand) => (inbox.events.try_recv().ok(), Some(errand), false),
        Next::Due => (None, None, false),
        Next::End => (None, None, true),
    };
    while let Some(event) = waiting {
        finished |= matches!(event.event, Event::RunFinished(_)) && !inbox.goes_on.load(Ordering::Relaxed);
        reporter.take(event);
        waiting = inbox.events.try_recv().ok();
    }
    match errand {
        Some(errand) => {
            reporter.settle();
            errand();
        }
        None => reporter.flush(),
    }
    !finished
}

async fn next(due: Option<Instant>, inbox: &mut Inbox) -> Next {
    let due = async {
        match due {
            Some(due) => tokio::time::sleep_until(due.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        event = inbox.events.recv() => event.map_or(Next::End, Next::Draw),
        Some(errand) = inbox.errands.recv() => Next::Run(errand),
        () = due => Next::Due,
    }
}
