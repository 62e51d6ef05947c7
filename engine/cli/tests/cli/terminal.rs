//! Questions at a real terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::Site;

const ASKS: &str = r#"fn params() { #{ key: param::secret("What opens it.") } }

fn main(p) {
    confirm("Go on?");
    log(p.key);
    log("the run goes on");
}
"#;

/// The binary at a terminal of its own.
struct Person {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
}

impl Person {
    fn at(site: &Site, words: &[&str]) -> Person {
        let terminal = nix::pty::openpty(None, None).unwrap();
        let slave = || std::process::Stdio::from(terminal.slave.try_clone().unwrap());
        let child = Command::new(assert_cmd::cargo::cargo_bin("haengine"))
            .args(words)
            .current_dir(site.path(""))
            .env("HOME", site.path(""))
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env_remove("HAENGINE_STATE_DIR")
            .env_remove("XDG_STATE_HOME")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .unwrap();
        let keyboard = File::from(terminal.master);
        let (mut eyes, screen) = (keyboard.try_clone().unwrap(), Arc::new(Mutex::new(String::new())));
        let seen = screen.clone();
        // Ends with an error once nobody holds the other side any more.
        std::thread::spawn(move || {
            let mut bytes = [0_u8; 4096];
            while let Ok(count @ 1..) = eyes.read(&mut bytes) {
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Person { child, keyboard, screen }
    }

    fn seen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    fn waits_for(&self, text: &str) {
        let since = Instant::now();
        while !self.seen().contains(text) {
            assert!(since.elapsed() < Duration::from_secs(20), "{text:?} is not on the screen:\n{}", self.seen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn types(&mut self, text: &str) {
        // As a person does, a moment after the question: what was typed before it is thrown away.
        std::thread::sleep(Duration::from_millis(300));
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }
}

/// A test that fails leaves nobody waiting at a terminal.
impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_secret_is_typed_unseen_and_the_run_goes_on() {
    let site = Site::new();
    site.write("asks.rhai", ASKS);
    let mut person = Person::at(&site, &["run", "asks.rhai", "key=prompt"]);
    person.waits_for("key");
    person.types("canary-typed\n");
    person.waits_for("[y/N]");
    person.types("yes\n");
    let status = person.child.wait().unwrap();
    person.waits_for("run succeeded");
    let seen = person.seen();
    assert_eq!(status.code(), Some(0), "{seen}");
    assert!(seen.contains("the run goes on"), "{seen}");
    assert!(seen.contains("yes"), "what is no secret is seen as it is typed:\n{seen}");
    assert!(!seen.contains("canary"), "{seen}");
}

#[test]
fn a_person_is_asked_whether_to_go_on_with_an_unfinished_run() {
    for (answer, said, runs) in [("yes", "resume succeeded", 1), ("no", "run succeeded", 2)] {
        let site = Site::new();
        let id = crate::kept::died(&site);
        let mut person = Person::at(&site, &["run", "greet.rhai", "whom=world"]);
        person.waits_for(&format!("run {id} of this has died after 1 change: go on with it?"));
        person.types(&format!("{answer}\n"));
        let status = person.child.wait().unwrap();
        person.waits_for(said);
        assert_eq!(status.code(), Some(0), "{}", person.seen());
        assert_eq!(site.run(&["runs", "--json"]).json().len(), runs);
    }
}
