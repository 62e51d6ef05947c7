//! Words that must be nowhere, and the places where they are looked for: arguments and environments of a host's
//! processes, files that others may read, folders of the operator.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use haengine_lab::Lab;

/// What went wrong, or what was found.
pub type Found<T = ()> = Result<T, String>;

/// Puts words, one a line, on a host where nobody but root reads them, and not as an argument. `name` tells them apart.
///
/// # Errors
/// When the host does not take them.
pub fn hide(lab: &Lab, host: &str, name: &str, words: &[&str]) -> Found {
    let script = format!("umask 077; cat >/run/canary.{name}");
    let mut command = lab.exec_command(host, &["sh", "-c", &script]).map_err(said)?;
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(said)?;
    child.stdin.take().ok_or("no stdin")?.write_all((words.join("\n") + "\n").as_bytes()).map_err(said)?;
    child.wait().map_err(said).map(drop)
}

/// Looks at arguments and environments of all processes of a host, over and over, for all words that are hidden there.
pub struct Sampler(Child);

const LOOK: &str = r#"
$| = 1;
my @words = map { open(my $f, "<", $_) or die; map { chomp; $_ } <$f> } glob("/run/canary.*");
print "ready\n";
my %seen;
while (1) {
    for my $file (glob("/proc/[0-9]*/cmdline"), glob("/proc/[0-9]*/environ")) {
        open(my $f, "<", $file) or next;
        local $/;
        my $text = <$f> // "";
        for my $word (@words) {
            print "$text\n" if index($text, $word) >= 0 && !$seen{$text}++;
        }
    }
}"#;

impl Sampler {
    /// Begins to look.
    ///
    /// # Errors
    /// When it does not begin.
    pub fn start(lab: &Lab, host: &str) -> Found<Sampler> {
        let mut command = lab.exec_command(host, &["perl", "-e", LOOK]).map_err(said)?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(said)?;
        let mut ready = [0; 6];
        child.stdout.as_mut().ok_or("no stdout")?.read_exact(&mut ready).map_err(said)?;
        Ok(Sampler(child))
    }

    /// What had a word in it.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn end(mut self) -> Found<String> {
        self.0.kill().map_err(said)?;
        let mut seen = Vec::new();
        self.0.stdout.take().ok_or("no stdout")?.read_to_end(&mut seen).map_err(said)?;
        self.0.wait().map_err(said)?;
        Ok(String::from_utf8_lossy(&seen).into_owned())
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everywhere that the user `guest` can read.
const AS_GUEST: &str = r#"words=$(cat /run/canary.*)
find / /tmp /run -xdev -type f -newerct "@$1" -size -1000k -print0 2>/dev/null |
    setpriv --reuid guest --regid users --clear-groups xargs -0 grep -lF -e "$words" 2>/dev/null
:"#;

/// Fails when a user without any right can read a hidden word in a file of a host that is newer than `since`, in
/// seconds.
///
/// # Errors
/// Each file.
pub fn nobody_else_reads_it(lab: &Lab, host: &str, since: &str) -> Found {
    let found = sh(lab, host, AS_GUEST, &[since])?;
    if found.trim().is_empty() { Ok(()) } else { Err(format!("a user without any right can read it in {found}")) }
}

const AS_ROOT: &str = r#"find / /tmp /run -xdev -type f ! -path '/run/canary.*' -newerct "@$2" -print0 |
    xargs -0 grep -lF -f "/run/canary.$1"; :"#;

/// Fails when the words of this name are still in any newer file of a host.
///
/// # Errors
/// Each file.
pub fn nothing_is_left(lab: &Lab, host: &str, name: &str, since: &str) -> Found {
    let found = sh(lab, host, AS_ROOT, &[name, since])?;
    if found.trim().is_empty() { Ok(()) } else { Err(format!("after undo the secret is still in {found}")) }
}

/// Fails when a text has one of the words.
///
/// # Errors
/// The place, and the line.
pub fn unseen(place: &str, text: &str, words: &[&str]) -> Found {
    match text.lines().find(|line| words.iter().any(|word| line.contains(word))) {
        Some(line) => Err(format!("the secret is in {place}: {line}")),
        None => Ok(()),
    }
}

/// Fails when a file below a folder has one of the words.
///
/// # Errors
/// The file, and the line.
pub fn unseen_in_folder(folder: &Path, words: &[&str]) -> Found {
    for entry in std::fs::read_dir(folder).map_err(said)? {
        let path = entry.map_err(said)?.path();
        if path.is_dir() {
            unseen_in_folder(&path, words)?;
        } else {
            let bytes = std::fs::read(&path).map_err(said)?;
            unseen(&path.display().to_string(), &String::from_utf8_lossy(&bytes), words)?;
        }
    }
    Ok(())
}

/// The standard output of a script that must succeed.
fn sh(lab: &Lab, host: &str, script: &str, arguments: &[&str]) -> Found<String> {
    let argv = [&["sh", "-c", script, "sh"], arguments].concat();
    let output = lab.exec_command(host, &argv).map_err(said)?.output().map_err(said)?;
    if !output.status.success() {
        return Err(format!("on {host}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
