//! A client that reads from an API server many times a second, each time over a new connection.

use std::process::Child;
use std::time::Instant;

use haengine_tests::site::Site;

/// It reads until it is asked what it saw.
pub struct Reader<'a> {
    site: &'a Site,
    child: Child,
    since: Instant,
    /// Where it keeps certificates and answers.
    folder: String,
}

/// It reads beside the first master, with the administrator's certificate, and writes a line for each answer. A request may
/// take five seconds. One program for all of them: starting one for each would take a processor of its own.
const READ: &str = r#"
cd "$1" && exec stdbuf -oL curl -s --rate "$3/s" -H 'Connection: close' --max-time 5 --cacert ca --cert certificate --key key \
    -o /dev/null -w '%{http_code} after %{time_total} s: %{errormsg}\n' "https://$2/api/v1/nodes#[1-1000000]" >answers"#;

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
        let rate = times_a_second.to_string();
        let mut command =
            site.lab.exec_command("worker1", &["sh", "-c", READ, "sh", &folder, endpoint, &rate]).unwrap();
        let reader = Reader { site, child: command.spawn().unwrap(), since: Instant::now(), folder };
        site.until("worker1", &format!("grep -q ^200 {}/answers", reader.folder));
        reader
    }

    /// Ends the reading. Every request must have been answered.
    pub fn stop(self) {
        // Whatever was under way when this was called has come to its end by then.
        let count =
            || self.site.on("worker1", &format!("wc -l <{}/answers", self.folder)).trim().parse::<usize>().unwrap();
        let enough = count() + 2;
        self.site.until("worker1", &format!("[ $(wc -l <{}/answers) -ge {enough} ]", self.folder));
        let said = self.site.on("worker1", &format!("cat {}/answers", self.folder));
        // A machine that is busy makes it slower, which nobody would see else.
        eprintln!("{}: {} answers in {:.0?}", self.folder, said.lines().count(), self.since.elapsed());
        let failed: Vec<&str> = said.lines().filter(|line| !line.starts_with("200 ")).collect();
        assert!(failed.is_empty(), "{} of {} requests failed: {failed:?}", failed.len(), said.lines().count());
    }
}

impl Drop for Reader<'_> {
    /// A test that failed leaves none behind; it ends with the one who asked for it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
