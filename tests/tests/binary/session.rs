//! Sessions on real hosts, at a real terminal: keys are sent to tmux, and its screen is read.

use std::fmt::Write;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use haengine_tests::site::{Site, differences, ended, possible};

/// The binary in a terminal. It ends with it, also when a test panics.
struct Terminal {
    socket: String,
}

impl Terminal {
    fn start(site: &Site, words: &[&str]) -> Terminal {
        Terminal::script(site, &format!("exec \"$0\" {}", words.join(" ")))
    }

    /// A script that gets the binary as `$0`: the last word that `around` adds.
    fn script(site: &Site, script: &str) -> Terminal {
        let terminal = Terminal { socket: format!("haengine-{}-{}", std::process::id(), site.lab.name()) };
        let mut words =
            vec!["tmux", "-u", "-L", &terminal.socket, "-f", "/dev/null", "new-session", "-d", "-x", "110", "-y", "44"];
        words.extend(["-e", "TERM=screen", "sh", "-c", script]);
        assert!(site.around(&words).status().unwrap().success());
        terminal
    }

    fn tmux(&self, words: &[&str]) -> String {
        let output =
            Command::new("tmux").args(["-u", "-L", &self.socket]).args(words).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Text as it is.
    fn types(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// A key by its name.
    fn presses(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    fn line(&self, text: &str) {
        self.types(text);
        self.presses("Enter");
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-S", "-200"])
    }

    /// Waits until the screen shows this.
    fn shows(&self, text: &str) {
        self.shows_times(text, 1);
    }

    fn shows_times(&self, text: &str, times: usize) {
        let since = Instant::now();
        while self.screen().matches(text).count() < times {
            assert!(since.elapsed() < Duration::from_secs(20), "{text:?} is not on the screen:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn ends(&self) {
        let since = Instant::now();
        while !self.tmux(&["list-panes"]).is_empty() {
            assert!(since.elapsed() < Duration::from_secs(20), "it has not ended:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// True where these tests can run; says so loudly where they cannot.
fn has_terminal() -> bool {
    let there = Command::new("tmux").arg("-V").output().is_ok();
    if !there {
        println!("SKIPPED: there is no tmux");
    }
    there && possible()
}

#[test]
fn a_session_at_a_terminal() {
    if !has_terminal() {
        return;
    }
    let site = Site::new("session", 2);
    let before = site.manifest();
    site.write("words.rhai", "fn greet() { \"first version\" }\n");
    let terminal = Terminal::start(&site, &["repl", "-i", "site.yaml"]);
    terminal.shows(">");

    // Completion, with the signature and the first line of its page.
    terminal.types("ssh::q");
    terminal.presses("Tab");
    terminal.shows("query(hosts, command, options)");
    terminal.shows("Runs a command that only looks");
    terminal.presses("Enter");
    terminal.line("(m1, \"hostname\").stdout");
    terminal.shows("\nm1\n");

    // Several lines that belong together.
    terminal.line("fn twice(text) {");
    terminal.shows("…");
    terminal.line("text + text }");
    terminal.line("twice(\"ab\") + _");
    terminal.shows("\nababm1\n");

    // An interrupt ends the command on the host, and the session goes on.
    terminal.line("ssh::run(m1, \"sleep 98741\")");
    site.until("m1", "pgrep -f 'sleep 9874[1]'");
    terminal.presses("C-c");
    terminal.shows("interrupted");
    site.until("m1", "! pgrep -f 'sleep 9874[1]'");
    terminal.line("_ + \" is kept\"");
    terminal.shows("m1 is kept");

    // What is edited meanwhile is said, and used.
    terminal.line("import \"words\" as words; words::greet()");
    terminal.shows("first version");
    site.write("words.rhai", "fn greet() { \"second version\" }\n");
    terminal.line("words::greet()");
    terminal.shows("reloaded");
    terminal.shows("second version");

    // A command on all hosts; equal outputs stand once.
    terminal.line("!uname -s");
    terminal.shows("m1, m2\n  Linux");

    terminal.line(":plan on");
    terminal.line("file::put(masters, \"/etc/session\", \"planned\\n\")");
    terminal.shows("would change");
    terminal.line(":plan off");
    assert_eq!(site.on("m1", "ls /etc/session 2>/dev/null"), "");
    terminal.line("file::put(masters, \"/etc/session\", \"placed\\n\").m1.changed");
    terminal.shows("\ntrue\n");
    assert_eq!(site.on("m2", "cat /etc/session"), "placed\n");
    terminal.line(":save saved");
    terminal.shows("saved as saved.rhai");
    terminal.line(":undo");
    terminal.shows("[y/N]");
    terminal.line("yes");
    terminal.shows("2 taken back");
    assert_eq!(differences(&before, &site.manifest()), "");
    terminal.line(":quit");
    terminal.ends();

    let history = site.path().join("state/history");
    let kept = std::fs::read_to_string(&history).unwrap();
    assert!(kept.contains("words::greet()"), "{kept}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&history).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    // The saved session is a recipe like any other.
    let text = std::fs::read_to_string(site.path().join("saved.rhai")).unwrap();
    let again = site.haengine(&["run", "saved.rhai", "-i", "site.yaml", "--json"]).ended_with(0);
    assert_eq!(again.finished()["changed"], 2, "{text}\n{}", again.out);
    assert_eq!(site.on("m2", "cat /etc/session"), "placed\n");
}

/// The third of five steps reads a path that is not there.
const BROKEN: &str = r#"
fn params() { #{ target: param::host("Where.") } }

fn main(p) {
    let h = p.target;
    let path = "/etc/hostnam";
    step("place", || file::put(h, "/etc/repaired", "text\n"));
    step("count", || ssh::run(h, "echo once >>/srv/counted", #{ undo: "rm -f /srv/counted" }));
    let text = "";
    step("read", || text = file::read(h, path));
    step("copy", || file::put(h, "/etc/repaired-copy", text));
    step("done", || ssh::run(h, "touch /srv/done", #{ unless: "test -e /srv/done", undo: "rm -f /srv/done" }));
}
"#;

#[test]
fn a_run_is_repaired_where_it_stands() {
    if !has_terminal() {
        return;
    }
    let site = Site::new("repair", 1);
    let before = site.manifest();
    site.write("broken.rhai", BROKEN);
    let terminal = Terminal::start(&site, &["run", "broken.rhai", "-i", "site.yaml", "target=m1"]);
    terminal.shows("step `read` failed: look at it here, and repair it? [y/N]");
    terminal.line("y");
    terminal.shows("repair>");
    // The parameters and what the closure has captured are in scope, the hosts connected.
    terminal.line("p.target.name + path");
    terminal.shows("m1/etc/hostnam");
    terminal.line("ssh::query(h, \"ls /etc/hostname\").stdout");
    terminal.shows("\n/etc/hostname\n");
    site.write("broken.rhai", "fn main( {");
    terminal.line(":retry");
    terminal.shows("cannot be used as it is now");
    site.write("broken.rhai", &BROKEN.replace("/etc/hostnam\"", "/etc/hostname\""));
    terminal.line(":retry");
    terminal.shows("begins at the top");
    terminal.ends();

    assert_eq!(site.on("m1", "cat /srv/counted /etc/repaired-copy; ls /srv/done"), "once\nm1\n/srv/done\n");
    let runs = site.haengine(&["runs", "--json"]).ended_with(0).events();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!((&runs[0]["attempts"], &runs[0]["outcome"]), (&2.into(), &"succeeded".into()));
    let run = runs[0]["run"].as_str().unwrap();
    let shown = site.haengine(&["show", run, "--json"]).ended_with(0).events();
    let mut made = String::new();
    for change in shown.iter().filter(|event| event["event"] == "run_change") {
        writeln!(made, "{} {} {}", change["attempt"], change["step"], change["phase"]).unwrap();
    }
    let expected = "1 \"place\" \"changed\"\n1 \"count\" \"changed\"\n2 \"copy\" \"changed\"\n2 \"done\" \"changed\"\n";
    assert_eq!(made, expected, "what was done is not done again");
    site.haengine(&["undo", run, "--yes"]).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "");
}

#[test]
fn lines_without_a_terminal_work_on_live_hosts_and_their_exit_code_tells() {
    if !possible() {
        return;
    }
    let site = Site::new("lines", 2);
    let before = site.manifest();
    let given = |lines: &str| {
        let mut child = site.command(&["repl", "-i", "site.yaml"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        ended(child)
    };
    let looked = given("let names = ssh::query(masters, \"hostname\");\nnames.m2.stdout\n").ended_with(0);
    assert_eq!(looked.out, "m2\n", "{}", looked.errors);
    assert_eq!(site.haengine(&["runs"]).ended_with(0).out, "nothing was run yet\n");

    let failed = given("file::put(m1, \"/etc/lines\", \"one\\n\");\nssh::run(m2, \"exit 3\")\nlog(\"never\")\n");
    let failed = failed.ended_with(1);
    assert!(failed.errors.contains("ended with status 3") && failed.errors.contains("repl:2:6"), "{}", failed.errors);
    let runs = site.haengine(&["runs", "--json"]).ended_with(0).events();
    assert_eq!((&runs[0]["recipe"], &runs[0]["outcome"]), (&"repl".into(), &"failed".into()));
    assert_eq!(site.on("m1", "cat /etc/lines"), "one\n");
    let resumed = site.haengine(&["resume", runs[0]["run"].as_str().unwrap()]).ended_with(2);
    assert!(resumed.errors.contains("resume.session"), "{}", resumed.errors);
    site.haengine(&["undo", runs[0]["run"].as_str().unwrap(), "--yes"]).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "");

    let undone = given("file::put(m1, \"/etc/lines\", \"one\\n\");\n:undo\nfile::stat(m1, \"/etc/lines\").exists\n");
    assert!(undone.ended_with(0).out.ends_with("false\n"));
    assert_eq!(differences(&before, &site.manifest()), "");
}

/// Programs that a host answers with, and what they say: a title, another screen, hidden text, no cursor, the mouse, the
/// keypad, letters of lines, the clipboard, colours, a bell, C1, directions.
const IMPOSTORS: &str = "systemctl dpkg dpkg-query apt-get apt-cache nginx haproxy keepalived openssl curl find mv ln dd \
    sha256sum tar ss ip findmnt getent journalctl chown chmod rm cp touch";
const EVIL: &str = r"\033]0;stolen\007\033]2;stolen\007\033kstolen\033\134\033[?1049h\033[8m\033[?25l\033[?1000h\033=\033(0\033]52;c;c3RvbGVu\007\033[31m\007\302\233\342\200\256\033[2J\033[Hstolen\n";

/// Every sort of verb, each of which fails by what the host says.
const MET: &str = r#"
fn tried(deed) { try { deed.call(); } catch (error) { warn(`${error.message} ${error.hint ?? ""}`); } }

fn main() {
    let h = host("m1");
    tried(|| file::put(h, "/srv/a", "text\n"));
    tried(|| file::directory(h, "/srv/folder"));
    tried(|| file::link(h, "/srv/link", "/etc"));
    tried(|| file::absent(h, "/etc/motd"));
    tried(|| file::line(h, "/etc/hosts", "192.0.2.1 a"));
    tried(|| file::find(h, "/etc"));
    tried(|| file::copy_tree(h, "/etc/default", h, "/srv/default"));
    tried(|| service::running(h, "cron"));
    tried(|| service::stopped(h, "cron"));
    tried(|| service::enabled(h, "cron"));
    tried(|| pkg::installed(h, "tree"));
    tried(|| cert::inspect(h, "/etc/ssl/none.pem"));
    tried(|| node::survey(h));
    tried(|| node::sockets(h));
    tried(|| k8s::nodes(h));
    tried(|| ssh::query(h, "systemctl is-active cron"));
    tried(|| ssh::run(h, ["systemctl", "restart", "cron"]));
    step("the last", || ssh::run(h, "systemctl restart cron; exit 7"));
}
"#;

#[test]
fn a_hostile_host_leaves_the_terminal_as_it_was() {
    if !has_terminal() {
        return;
    }
    let site = Site::new("impostors", 1);
    site.write("met.rhai", MET);
    let lie = format!("#!/bin/sh\nprintf '{EVIL}'; printf '{EVIL}' >&2; exit 1\n");
    let place = format!("cat >/usr/local/bin/impostor <<'END'\n{lie}END\nchmod 755 /usr/local/bin/impostor");
    site.on("m1", &format!("{place}; for name in {IMPOSTORS}; do ln -s impostor /usr/local/bin/$name; done"));
    let terminal = Terminal::script(
        &site,
        "printf '\\033]2;ours\\007'; \"$0\" run met.rhai -i site.yaml --yes; echo \"ended with $?\"; exec cat",
    );
    let flags = "#{pane_title} #{alternate_on}#{cursor_flag}#{mouse_any_flag}#{keypad_flag}#{insert_flag}";
    terminal.shows("ended with 1");
    assert_eq!(terminal.tmux(&["display-message", "-p", flags]), "ours 01000\n", "{}", terminal.screen());
    assert_eq!(terminal.tmux(&["show-buffer"]), "", "the clipboard");
    let screen = terminal.screen();
    assert!(screen.contains("stolen"), "nothing of it was told:\n{screen}");
    // Nor does what follows have a colour, another set of letters or no sight.
    let last = terminal.tmux(&["capture-pane", "-p", "-e"]);
    let plain = |line: &str| {
        ["\u{1b}[0m", "\u{1b}[39m", "\u{1b}[49m"].iter().fold(line.to_owned(), |line, off| line.replace(off, ""))
    };
    assert!(last.lines().any(|line| plain(line) == "ended with 1"), "{last:?}");
}
