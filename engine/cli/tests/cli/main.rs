//! The built binary as a person or a program sees it: whole outputs, exit codes.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and PATH is the tester's"
)]

mod answers;
mod completions;
mod durable;
mod foreign;
mod harmless;
mod help;
mod kept;
mod misuse;
mod phases;
mod recipes;
mod secrets;
mod session;
mod site_recipes;
mod terminal;

use std::path::PathBuf;
use std::process::Stdio;

use assert_cmd::Command;

/// A folder with a state of its own, in which commands run.
pub(crate) struct Site {
    folder: tempfile::TempDir,
}

/// What a command gave.
pub(crate) struct Given {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub errors: String,
}

impl Site {
    pub(crate) fn new() -> Site {
        Site { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A command in this folder, with nothing of the tester's own environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::cargo_bin("haengine").unwrap();
        command.env_clear().env("HOME", self.folder.path()).env("PATH", std::env::var("PATH").unwrap());
        command.env("USER", "ops").env("TZ", "UTC").current_dir(self.folder.path()).args(words);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Given {
        let output = self.command(words).output().unwrap();
        let text = |bytes: Vec<u8>| self.shown(&String::from_utf8(bytes).unwrap());
        Given { code: output.status.code().unwrap(), out: text(output.stdout), errors: text(output.stderr) }
    }

    /// The same with the folder's own name taken out, since it differs each time.
    fn shown(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "SITE/")
    }
}

impl Given {
    /// Everything in one text, for a snapshot.
    pub(crate) fn all(&self) -> String {
        let part = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("--- {name}\n{text}") };
        format!("{}{}--- exit code {}", part("stdout", &self.out), part("stderr", &self.errors), self.code)
    }

    /// Standard output as JSON, a value a line.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let site = Site::new();
    let binary = assert_cmd::cargo::cargo_bin("haengine");
    let mut child = std::process::Command::new(binary)
        .args(["doc", "--state-dir"])
        .arg(site.path("state"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success());
}
