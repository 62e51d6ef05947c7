//! The terminal, shared by progress, lines and questions.

use indicatif::{MultiProgress, ProgressDrawTarget};

/// Where live progress is drawn, if anywhere.
#[derive(Clone, Default)]
pub struct Screen(Option<MultiProgress>);

impl Screen {
    /// A screen with live progress on standard error.
    pub fn live() -> Screen {
        Screen(Some(MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10))))
    }

    /// A screen without live progress.
    pub fn still() -> Screen {
        Screen(None)
    }

    /// Live progress, if there is any.
    pub fn progress(&self) -> Option<&MultiProgress> {
        self.0.as_ref()
    }

    /// Does something to the terminal while progress is out of the way.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(progress) => progress.suspend(work),
            None => work(),
        }
    }
}
