//! A client that reads from an API server many times a second, each time over a new connection.

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use haengine_tests::site::Site;

/// It reads until it is asked what it saw.
pub struct Reader<'a> {
    site: &'a Site,
    child: Child,
    /// Asks for one request after the other, and says in the end how many it asked for.
    asking: Option<JoinHandle<usize>>,
    stop: Arc<AtomicBool>,
    /// Where it keeps certificates and answers.
    folder: String,
}

/// It reads beside the first master, with the administrator's certificate: a request for each line. One may take five
/// seconds.
const READ: &str = r#"
cd "$1" || exit
while read -r _; do
    curl -s --max-time 5 --cacert ca --cert certificate --key key -o /dev/null \
        -w '%{http_code} after %{time_total} s: %{errormsg}\n' "https://$2/api/v1/nodes" >>answers &
done
wait"#;

impl<'a> Reader<'a> {
    /// Of the first master, twenty times a second.
    pub fn start(site: &'a Site) -> Reader<'a> {
        Reader::of(site, "192.168.2.119:6443", 20)
    }

    /// Of an endpoint.
    pub fn of(site: &'a Site, endpoint: &str, times_a_second: u32) -> Reader<'a> {
        let folder = format!("/tmp/reader-{endpoint}");
        site.on("worker1", &format!("rm -rf {folder}; mkdir -m 700 {folder}"));
        for (file, from) in [("ca", "ca.pem"), ("certificate", "admin.pem"), ("key", "admin-key.pem")] {
            let text = site.on("master1", &format!("cat /opt/kubernetes/ssl/{from}"));
            assert!(text.contains("-----END"), "{from} is not there");
            site.on("worker1", &format!("cat >{folder}/{file} <<'PEM'\n{text}PEM\n"));
        }
        let mut command = site.lab.exec_command("worker1", &["sh", "-c", READ, "sh", &folder, endpoint]).unwrap();
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let (lines, stop) = (child.stdin.take().unwrap(), Arc::new(AtomicBool::new(false)));
        let asking = Some(std::thread::spawn({
            let (stop, pace) = (stop.clone(), Duration::from_secs(1) / times_a_second);
            move || ask(lines, pace, &stop)
        }));
        let reader = Reader { site, child, asking, stop, folder };
        site.until("worker1", &format!("grep -q ^200 {}/answers", reader.folder));
        reader
    }

    /// Ends the reading. Every request must have been answered.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let asked = self.asking.take().unwrap().join().unwrap();
        self.child.wait().unwrap();
        let said = self.site.on("worker1", &format!("cat {0}/answers; rm -r {0}", self.folder));
        let failed: Vec<&str> = said.lines().filter(|line| !line.starts_with("200 ")).collect();
        assert!(failed.is_empty(), "{} of {asked} requests failed: {failed:?}", failed.len());
        assert_eq!(said.lines().count(), asked, "not every request came to an end");
    }
}

/// Keeps the pace also where the machine is late: what was missed is asked for at once.
fn ask(mut lines: ChildStdin, pace: Duration, stop: &AtomicBool) -> usize {
    let (since, mut asked) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        if lines.write_all(b"\n").is_err() {
            break;
        }
        asked += 1;
        std::thread::sleep((pace * asked).saturating_sub(since.elapsed()));
    }
    asked as usize
}

impl Drop for Reader<'_> {
    /// A test that failed leaves none behind.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
