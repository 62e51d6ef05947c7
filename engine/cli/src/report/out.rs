//! A stream of lines whose reader may go away.

use std::io::Write;

/// Standard output or the like. When its reader has gone (`haengine runs | head`), what is left is dropped: that
/// nobody reads is no reason to stop a run.
pub struct Out {
    sink: Box<dyn Write + Send>,
    gone: bool,
}

impl Out {
    /// Lines into `sink`.
    pub fn new(sink: impl Write + Send + 'static) -> Out {
        Out { sink: Box::new(sink), gone: false }
    }

    /// Standard output.
    pub fn stdout() -> Out {
        Out::new(std::io::stdout())
    }

    /// Standard error.
    pub fn stderr() -> Out {
        Out::new(std::io::stderr())
    }

    /// Writes the whole text at once, so that lines of other writers do not get in between.
    pub fn write(&mut self, text: &str) {
        if text.is_empty() || self.gone {
            return;
        }
        self.gone = self.sink.write_all(text.as_bytes()).and_then(|()| self.sink.flush()).is_err();
    }
}
