//! Hosts as maps: `get KEY`, `set KEY MODE FLAG` with the content as standard input, `del KEY`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::HostSpec;
use haengine_kernel::transport::{Command, Connect, Duplex, Exit, Output, Stream, Transport};

/// All hosts, their entries, and what is wrong with them.
#[derive(Default)]
pub struct World {
    entries: Mutex<BTreeMap<(String, String), Entry>>,
    failures: Mutex<BTreeMap<String, Failure>>,
    sent: Mutex<Vec<(String, String)>>,
}

/// What a host holds under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub content: String,
    pub mode: u32,
    pub flag: bool,
}

/// What is wrong with a host.
#[derive(Clone, Debug)]
pub enum Failure {
    /// No connection can be made.
    Unreachable,
    /// Every command of this name ends with status 1.
    Command(&'static str),
    /// Every command takes this long.
    Slow(Duration),
}

impl World {
    /// An empty world.
    pub fn new() -> Arc<World> {
        Arc::default()
    }

    /// Puts an entry on a host, as if it had always been there.
    pub fn given(&self, host: &str, key: &str, content: &str) {
        let entry = Entry { content: content.to_owned(), mode: 0o644, flag: false };
        self.entries.lock().unwrap().insert((host.to_owned(), key.to_owned()), entry);
    }

    /// Takes an entry from a host, as if it had never been there.
    pub fn forget(&self, host: &str, key: &str) {
        self.entries.lock().unwrap().remove(&(host.to_owned(), key.to_owned()));
    }

    /// The content under a key, if there is one.
    pub fn content(&self, host: &str, key: &str) -> Option<String> {
        self.entry(host, key).map(|entry| entry.content)
    }

    /// What is under a key, if anything.
    pub fn entry(&self, host: &str, key: &str) -> Option<Entry> {
        self.entries.lock().unwrap().get(&(host.to_owned(), key.to_owned())).cloned()
    }

    /// All entries by host and key: for comparing the world before and after.
    pub fn entries(&self) -> BTreeMap<(String, String), Entry> {
        self.entries.lock().unwrap().clone()
    }

    /// From now on this is wrong with the host; the last one said holds.
    pub fn fail(&self, host: &str, failure: Failure) {
        self.failures.lock().unwrap().insert(host.to_owned(), failure);
    }

    /// Nothing is wrong with the host any more.
    pub fn heal(&self, host: &str) {
        self.failures.lock().unwrap().remove(host);
    }

    /// The commands sent since the last time, with their hosts.
    pub fn sent(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }

    fn failure(&self, host: &str) -> Option<Failure> {
        self.failures.lock().unwrap().get(host).cloned()
    }

    fn obey(&self, host: &str, words: &[String], stdin: &str) -> Output {
        let mut entries = self.entries.lock().unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let at = |key: &str| (host.to_owned(), key.to_owned());
        match words.as_slice() {
            ["get", key] => match entries.get(&at(key)) {
                Some(Entry { content, mode, flag }) => said(0, &format!("{mode} {flag}\n{content}")),
                None => said(1, ""),
            },
            // The kernel's own script lets what was kept for undo go; its argument is the folder.
            ["set", "--", folder, ..] => {
                entries.retain(|(owner, key), _| owner != host || !key.starts_with(folder));
                said(0, "")
            }
            ["set", key, mode, flag] => {
                let (mode, flag) = (mode.parse().unwrap(), flag.parse().unwrap());
                entries.insert(at(key), Entry { content: stdin.to_owned(), mode, flag });
                said(0, "")
            }
            ["del", key] => {
                entries.remove(&at(key));
                said(0, "")
            }
            _ => said(127, ""),
        }
    }
}

fn said(status: i32, stdout: &str) -> Output {
    Output { exit: Exit::Status(status), stdout: stdout.as_bytes().to_vec(), stderr: Vec::new() }
}

/// Connects to the hosts of a world.
pub struct Wires(pub Arc<World>);

struct Wire {
    host: String,
    world: Arc<World>,
}

#[async_trait]
impl Connect for Wires {
    async fn connect(&self, host: &HostSpec) -> Result<Arc<dyn Transport>> {
        if let Some(Failure::Unreachable) = self.0.failure(&host.name) {
            let error = Error::new(Kind::Unreachable, "toy.unreachable", "nobody is there");
            return Err(error.hint("start the host"));
        }
        Ok(Arc::new(Wire { host: host.name.clone(), world: self.0.clone() }))
    }
}

#[async_trait]
impl Transport for Wire {
    async fn exec(&self, command: &Command) -> Result<Output> {
        let text = command.to_sh();
        let words = shlex::split(&text).unwrap();
        self.world.sent.lock().unwrap().push((self.host.clone(), text));
        match self.world.failure(&self.host) {
            Some(Failure::Command(name)) if words[0] == name => return Ok(said(1, "")),
            Some(Failure::Slow(time)) => tokio::time::sleep(time).await,
            _ => {}
        }
        let stdin = command.stdin.as_ref().map(|text| text.expose().to_owned()).unwrap_or_default();
        Ok(self.world.obey(&self.host, &words, &stdin))
    }

    /// Only the lock streams; it holds until it is dropped.
    async fn stream(&self, _command: &Command) -> Result<Stream> {
        Ok(Stream {
            stdin: Box::new(tokio::io::sink()),
            stdout: Box::new(&b"locked\n"[..]),
            stderr: Box::new(&b""[..]),
            exit: Box::pin(std::future::pending()),
        })
    }

    async fn open_tcp(&self, _address: &str, _port: u16) -> Result<Box<dyn Duplex>> {
        Err(Error::new(Kind::Failed, "toy.tcp", "there is no network"))
    }

    async fn close(&self) {}
}
