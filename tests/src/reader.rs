//! A client that reads from an API server many times a second, each time over a new connection.

use std::process::Child;
use std::time::Instant;

use crate::site::Site;

/// It reads until it is asked what it saw.
pub struct Reader<'a> {
    site: &'a Site,
    clients: Vec<Child>,
    since: Instant,
    /// Where it keeps certificates and answers.
    folder: String,
}

/// How many ask side by side.
const CLIENTS: u32 = 5;

/// It reads beside the first master, with the administrator's certificate, and writes a line for each answer. A request may
/// take five seconds. A program for each would take a processor of its own, and one for all of them would be late: it asks
/// one after the other.
const READ: &str = r#"
cd "$1" && exec stdbuf -oL curl -s --rate "$3/s" -H 'Connection: close' --max-time 5 --cacert ca --cert certificate --key key \
    -o /dev/null -w '%{http_code} after %{time_total} s: %{errormsg}\n' "https://$2/api/v1/nodes#[1-1000000]" >answers.$4"#;

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
        let rate = (times_a_second / CLIENTS).to_string();
        let client = |number: u32| {
            let argv = ["sh", "-c", READ, "sh", &folder, endpoint, &rate, &number.to_string()];
            site.lab.exec_command("worker1", &argv).unwrap().spawn().unwrap()
        };
        let (clients, since) = ((0..CLIENTS).map(client).collect(), Instant::now());
        let reader = Reader { site, clients, since, folder };
        site.until("worker1", &format!("grep -q ^200 {}/answers.*", reader.folder));
        reader
    }

    /// Ends the reading. Every request must have been answered.
    pub fn stop(self) {
        let failed = self.failures();
        assert!(failed.is_empty(), "{} requests failed: {failed:?}", failed.len());
    }

    /// Ends the reading, and tells what was not answered.
    pub fn failures(self) -> Vec<String> {
        // Whatever was under way when this was called has come to its end by then.
        let each = |script: &str| format!("cd {}; for answers in answers.*; do {script}; done", self.folder);
        self.site.on("worker1", &each("echo $(($(wc -l <$answers) + 2)) >enough.$answers"));
        self.site.until("worker1", &each("[ $(wc -l <$answers) -ge $(cat enough.$answers) ] || exit 1"));
        let said = self.site.on("worker1", &each("cat $answers"));
        // A machine that is busy makes it slower, which nobody would see else.
        eprintln!("{}: {} answers in {:.0?}", self.folder, said.lines().count(), self.since.elapsed());
        said.lines().filter(|line| !line.starts_with("200 ")).map(str::to_owned).collect()
    }
}

impl Drop for Reader<'_> {
    /// A test that failed leaves none behind; it ends with the one who asked for it.
    fn drop(&mut self) {
        for client in &mut self.clients {
            let _ = client.kill();
            let _ = client.wait();
        }
    }
}
