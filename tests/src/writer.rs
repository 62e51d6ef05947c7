//! A client that writes numbered keys to a cluster of etcd all the time, and notes which were acknowledged.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use haengine_lab::Lab;
use nix::poll::{PollFd, PollFlags, poll};

/// It writes until it is asked what it saw.
pub struct Writer {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Written>,
}

/// What was acknowledged.
pub struct Written {
    /// The numbers of the keys.
    pub keys: BTreeSet<u64>,
    /// The longest time between two acknowledgements.
    pub longest_gap: Duration,
}

/// A hundred keys a second.
const PACE: Duration = Duration::from_millis(10);

/// What an endpoint may take before the next one is asked: less than an election, in milliseconds.
const PATIENCE: u16 = 1000;

/// Hands a connection on, with TLS; `$1` is the address, `$2` the port.
const CONNECT: &str = r"cd /opt/etcd/ssl 2>/dev/null && exec openssl s_client -quiet -verify_quiet -connect $1:$2 \
    -CAfile ca.pem -cert server.pem -key server-key.pem 2>/dev/null";

impl Writer {
    /// From a host to the members at these addresses, one after the other where one does not answer.
    pub fn start(lab: &Lab, host: &str, addresses: &[&str]) -> Writer {
        let stopped = Arc::new(AtomicBool::new(false));
        let command = |address: &&str| lab.exec_command(host, &["sh", "-c", CONNECT, "sh", address, "2379"]).unwrap();
        let commands: Vec<Command> = addresses.iter().map(command).collect();
        let flag = stopped.clone();
        let thread = std::thread::spawn(move || write(commands, &flag));
        Writer { stopped, thread }
    }

    /// Ends the writing, and tells what was acknowledged.
    pub fn stop(self) -> Written {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn write(mut endpoints: Vec<Command>, stopped: &AtomicBool) -> Written {
    let mut written = Written { keys: BTreeSet::new(), longest_gap: Duration::ZERO };
    let (mut last, mut key, mut at) = (None::<Instant>, 0, 0);
    while !stopped.load(Ordering::Relaxed) {
        let mut connection = Connection::open(&mut endpoints[at]);
        while !stopped.load(Ordering::Relaxed) {
            let began = Instant::now();
            key += 1;
            if !connection.put(key) {
                break;
            }
            let gap = last.map_or(Duration::ZERO, |last| last.elapsed());
            written.longest_gap = written.longest_gap.max(gap);
            last = Some(Instant::now());
            written.keys.insert(key);
            std::thread::sleep(PACE.saturating_sub(began.elapsed()));
        }
        at = (at + 1) % endpoints.len();
    }
    written
}

/// To one member.
struct Connection {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Connection {
    fn open(command: &mut Command) -> Connection {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Connection { child, to, from }
    }

    /// Writes a key; false where nobody acknowledged it in time.
    fn put(&mut self, key: u64) -> bool {
        let name = BASE64_STANDARD.encode(format!("number/{key}"));
        let body = format!(r#"{{"key":"{name}","value":"{}"}}"#, BASE64_STANDARD.encode(key.to_string()));
        let head = format!("POST /v3/kv/put HTTP/1.1\r\nHost: etcd\r\nContent-Length: {}\r\n\r\n", body.len());
        let asked = self.to.write_all((head + &body).as_bytes()).and_then(|()| self.to.flush()).is_ok();
        asked && self.is_answering() && self.is_acknowledged().unwrap_or(false)
    }

    fn is_answering(&self) -> bool {
        let mut waiting = [PollFd::new(self.from.get_ref().as_fd(), PollFlags::POLLIN)];
        poll(&mut waiting, PATIENCE).is_ok_and(|ready| ready > 0)
    }

    fn is_acknowledged(&mut self) -> std::io::Result<bool> {
        let (mut status, mut length) = (String::new(), 0);
        self.from.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            if self.from.read_line(&mut line)? == 0 {
                return Ok(false);
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        self.from.read_exact(&mut body)?;
        Ok(status.contains(" 200 "))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
