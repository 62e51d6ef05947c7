//! How much is read of what a host sends. A host that sends without end must not fill the operator's memory.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::{Error, Kind};

/// What one command may print in all on one of its outputs, where its verb does not say less.
pub const OUTPUT: usize = 64 * 1024 * 1024;

/// Why less was read than was sent.
#[derive(Debug)]
pub enum Cut {
    /// The host sent more than these bytes.
    TooMuch(usize),
    /// The connection broke.
    Broken(io::Error),
}

impl Cut {
    /// The error of it. `what` the host sent too much of; `broken` says what a broken connection means there.
    pub fn explain(self, what: &str, broken: impl FnOnce(io::Error) -> Error) -> Error {
        match self {
            Cut::TooMuch(most) => too_much(what, most),
            Cut::Broken(error) => broken(error),
        }
    }
}

/// The host sent more than may be read.
pub fn too_much(what: &str, most: usize) -> Error {
    let most = if most < 1 << 20 { format!("{} KiB", most >> 10) } else { format!("{} MiB", most >> 20) };
    Error::new(Kind::Failed, "host.too_much", format!("{what} is longer than {most}; the rest was not read"))
        .hint("look at what answers on the host: no answer that is meant well is so long")
}

/// Reads to the end, or until more than `most` bytes have come.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use haengine_kernel::transport::{Cut, read_all};
/// assert_eq!(read_all(&b"four"[..], 4).await.unwrap(), b"four");
/// assert!(matches!(read_all(tokio::io::repeat(b'x'), 4).await, Err(Cut::TooMuch(4))));
/// # });
/// ```
///
/// # Errors
/// When more comes, or the connection breaks.
pub async fn read_all(reader: impl AsyncRead + Unpin, most: usize) -> Result<Vec<u8>, Cut> {
    let mut bytes = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut bytes).await.map_err(Cut::Broken)?;
    if bytes.len() > most { Err(Cut::TooMuch(most)) } else { Ok(bytes) }
}
