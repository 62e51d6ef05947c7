//! Where a snapshot comes from: a file that etcdctl made on the host, or the gateway.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::redact::redact;
use haengine_kernel::transport::{Command, Exit, Output, Stream, read_all};
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What a host says first of a snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Facts {
    /// Whether it comes from the gateway.
    pub(in super::super) by_curl: bool,
    pub(in super::super) bytes: u64,
    pub(in super::super) sha256: String,
    pub(in super::super) revision: Option<i64>,
    pub(in super::super) keys: Option<i64>,
}

/// A snapshot on its way.
pub(in super::super) struct Source {
    pub(in super::super) facts: Facts,
    stream: Stream,
    /// What of the gateway is not a whole line yet, or came behind the first line.
    rest: Vec<u8>,
    buffer: Vec<u8>,
}

/// What a host may say first, and besides.
const SAID: usize = 64 * 1024;
/// A piece of the gateway's; etcd sends 32 KiB at once.
const LINE: usize = 16 * 1024 * 1024;

impl Source {
    /// Starts `command`; none, with how it ended, where it does not even begin.
    pub(in super::super) async fn open(host: &Host, command: &Command) -> Result<Result<Source, Output>> {
        let mut stream = host.stream(command).await?;
        let mut rest = Vec::new();
        let end = loop {
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                break end;
            }
            let count = read_some(&mut stream.stdout, &mut rest).await?;
            if count == 0 || rest.len() > SAID {
                return ended(stream, rest).await.map(Err);
            }
        };
        let facts = Facts::parse(&String::from_utf8_lossy(&rest[..end]));
        rest.drain(..=end);
        Ok(Ok(Source { facts, stream, rest, buffer: Vec::new() }))
    }

    /// The next piece; none at the end.
    pub(in super::super) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if !self.facts.by_curl && !self.rest.is_empty() {
                return Ok(Some(std::mem::take(&mut self.rest)));
            }
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return piece(&line).map(Some);
            }
            self.buffer.clear();
            let count = read_some(&mut self.stream.stdout, &mut self.buffer).await?;
            self.rest.extend_from_slice(&self.buffer);
            if self.rest.len() > LINE {
                return Err(unclear("a line that does not end"));
            }
            if count == 0 {
                let last = std::mem::take(&mut self.rest);
                return if last.is_empty() { Ok(None) } else { piece(&last).map(Some) };
            }
        }
    }

    /// How it ended.
    pub(in super::super) async fn end(self) -> Result<Output> {
        ended(self.stream, Vec::new()).await
    }
}

impl Facts {
    fn parse(line: &str) -> Facts {
        let mut words = line.splitn(4, ' ');
        let by_curl = words.next() != Some("etcdctl");
        let (bytes, sha256) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let status: Json = serde_json::from_str(words.next().unwrap_or_default()).unwrap_or_default();
        let (revision, keys) = (status["revision"].as_i64(), status["totalKey"].as_i64());
        Facts { by_curl, bytes: bytes.parse().unwrap_or_default(), sha256: sha256.to_owned(), revision, keys }
    }
}

async fn read_some(reader: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> Result<usize> {
    into.reserve(64 * 1024);
    reader.read_buf(into).await.map_err(lost)
}

async fn ended(stream: Stream, stdout: Vec<u8>) -> Result<Output> {
    let stderr = read_all(stream.stderr, SAID).await;
    let stderr = stderr.map_err(|cut| cut.explain("what the host says of a snapshot", lost))?;
    let exit: Exit = stream.exit.await?;
    Ok(Output { exit, stdout, stderr })
}

/// What a line of the gateway's holds.
fn piece(line: &[u8]) -> Result<Vec<u8>> {
    let json: Json = serde_json::from_slice(line).map_err(|_| unclear(&String::from_utf8_lossy(line)))?;
    if let Some(message) = json["error"]["message"].as_str().or(json["error"].as_str()) {
        return Err(unclear(message));
    }
    let blob = json["result"]["blob"].as_str().unwrap_or_default();
    BASE64_STANDARD.decode(blob).map_err(|_| unclear("a piece that is not base64"))
}

fn unclear(said: &str) -> Error {
    let said: String = redact(said.trim()).chars().take(200).collect();
    Error::new(Kind::Failed, "etcd.snapshot", "etcd's gateway gives no snapshot")
        .because(said)
        .hint("look at `journalctl -u etcd` on the member, or install `etcdctl` on the host")
}

pub(super) fn lost(error: std::io::Error) -> Error {
    Error::new(Kind::Unreachable, "ssh.lost", "the connection broke during the snapshot").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_first() {
        let said = r#"etcdctl 24608 6f60f0 {"hash":3432542857,"revision":2,"totalKey":6,"totalSize":24576}"#;
        let facts =
            Facts { bytes: 24608, sha256: "6f60f0".to_owned(), revision: Some(2), keys: Some(6), by_curl: false };
        assert_eq!(Facts::parse(said), facts);
        // etcdctl 3.6 has no status, and etcdutl may not be there.
        assert_eq!(Facts::parse("etcdctl 24608 6f60f0 "), Facts { revision: None, keys: None, ..facts });
        assert_eq!(Facts::parse("curl"), Facts { by_curl: true, ..Facts::default() });
    }

    #[test]
    fn pieces_of_the_gateway() {
        assert_eq!(piece(br#"{"result":{"remaining_bytes":"3","blob":"b25l"}}"#).unwrap(), b"one");
        assert_eq!(piece(br#"{"result":{}}"#).unwrap(), b"");
        let error = piece(br#"{"error":{"grpc_code":14,"message":"etcdserver: no leader"}}"#).unwrap_err();
        assert_eq!((error.code(), error.causes()), ("etcd.snapshot", vec!["etcdserver: no leader".to_owned()]));
        assert_eq!(piece(b"<html>").unwrap_err().code(), "etcd.snapshot");
    }
}
