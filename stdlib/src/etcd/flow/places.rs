//! Where a snapshot goes: the host, the operator's machine, or both; never seen half done, never over what is there.

use std::path::Path;

use futures::future::BoxFuture;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::transport::{Command, Exit, Output, Stream, read_all};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::seal::Seal;
use super::source::{Source, lost};
use super::whole::Whole;
use crate::ssh::local_file::Fresh;

const POUR: &str = concat!(include_str!("../file.sh"), include_str!("pour.sh"));
/// What a host may say of a file.
const SAID: usize = 64 * 1024;

/// Places that are filled.
pub(in super::super) struct Places {
    local: Option<Fresh>,
    host: Option<Pour>,
    seal: Seal,
    hash: Sha256,
    bytes: u64,
}

/// What lies at the places: size and SHA-256.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Print {
    pub(in super::super) bytes: u64,
    pub(in super::super) sha256: String,
}

/// A file on the host that is being written.
struct Pour {
    stdin: Box<dyn AsyncWrite + Send + Unpin>,
    end: BoxFuture<'static, Result<Output>>,
}

impl Places {
    /// Begins at both places that are named.
    pub(in super::super) async fn begin(
        host: &Host,
        local: Option<&Path>,
        path: Option<&str>,
        recipients: &[String],
    ) -> Result<Places> {
        let local = match local {
            Some(local) => Some(Fresh::create(local, 0o600).await?),
            None => None,
        };
        let pour = match path {
            Some(path) => Some(Pour::begin(host, path).await?),
            None => None,
        };
        Ok(Places { local, host: pour, seal: Seal::new(recipients)?, hash: Sha256::new(), bytes: 0 })
    }

    /// Takes all of a snapshot; how its source ended, and whether it was whole.
    pub(in super::super) async fn fill(&mut self, host: &Host, mut source: Source) -> Result<(Output, bool)> {
        let mut whole = Whole::default();
        while let Some(piece) = source.next().await? {
            whole.feed(&piece);
            let sealed = self.seal.seal(piece)?;
            self.write(&sealed).await?;
            host.progress("a snapshot of etcd", self.bytes, None);
        }
        Ok((source.end().await?, whole.is_whole()))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        if let Some(local) = &mut self.local {
            local.write(bytes).await?;
        }
        if let Some(pour) = &mut self.host {
            // Where the host takes no more, it says why at the end.
            let _ = pour.stdin.write_all(bytes).await;
        }
        Ok(())
    }

    /// Everything gets its place; how the host's part ended where it did not.
    pub(in super::super) async fn place(mut self) -> Result<Result<Print, Output>> {
        let last = std::mem::replace(&mut self.seal, Seal::Plain).finish()?;
        self.write(&last).await?;
        let sha256: String = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(pour) = self.host {
            let output = pour.place(&sha256).await?;
            if output.exit != Exit::Status(0) {
                return Ok(Err(output));
            }
        }
        if let Some(local) = self.local {
            local.place_new().await?;
        }
        Ok(Ok(Print { bytes: self.bytes, sha256 }))
    }
}

impl Pour {
    async fn begin(host: &Host, path: &str) -> Result<Pour> {
        let Stream { stdin, stdout, stderr, exit } = host.stream(&Command::script(POUR).arg(path)).await?;
        let end = async {
            let said = tokio::try_join!(read_all(stdout, SAID), read_all(stderr, SAID));
            let (stdout, stderr) = said.map_err(|cut| cut.explain("what the host says of a snapshot", lost))?;
            Ok(Output { exit: exit.await?, stdout, stderr })
        };
        Ok(Pour { stdin, end: Box::pin(end) })
    }

    /// The hash at the end says that nothing is missing.
    async fn place(mut self, sha256: &str) -> Result<Output> {
        let _ = self.stdin.write_all(format!("{sha256}\n").as_bytes()).await;
        let _ = self.stdin.shutdown().await;
        self.end.await
    }
}
