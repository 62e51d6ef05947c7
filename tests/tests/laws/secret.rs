//! No secret in the journal, in events, in arguments or environments of processes, or in files that others may read.

use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::Arc;

use haengine_kernel::signature::ParamKind;
use haengine_kernel::verb::Verb;

use crate::Law;
use crate::scene::{CANARY, Scene};
use crate::stage::said;
use crate::wire::Wire;

/// A call with a secret: `s` is the canary, `t` a script with it.
pub struct Case {
    pub verb: &'static str,
    /// The parameters in which it stands.
    pub takes: &'static [&'static str],
    given: &'static str,
    pub code: &'static str,
}

/// What is there before, to be kept: a file that only root may read, with the older secret in it.
const OLD: &str = "umask 077; cat /run/laws.old >/etc/demo.secret";

/// The secret that was there before.
const OLDER: &str = "laws-former-51d0b8";

/// One for each parameter of each verb that may be a secret.
pub const CASES: &[Case] = &[
    Case {
        verb: "file.put",
        takes: &["content"],
        given: OLD,
        code: r#"file::put(h, "/etc/demo.secret", s, #{ mode: 0o600 })"#,
    },
    Case {
        verb: "file.template",
        takes: &["vars"],
        given: OLD,
        code: r#"file::template(h, "/etc/demo.secret", "demo.j2", #{ token: s }, #{ mode: 0o600 })"#,
    },
    Case { verb: "file.line", takes: &["line"], given: OLD, code: r#"file::line(h, "/etc/demo.secret", s)"# },
    Case {
        verb: "file.replace",
        takes: &["replacement"],
        given: OLD,
        code: r#"file::replace(h, "/etc/demo.secret", "former", s)"#,
    },
    Case {
        verb: "ssh.run",
        takes: &["stdin"],
        given: "",
        code: r#"ssh::run(h, "umask 077; cat >/etc/demo.secret; sleep 0.1", #{ stdin: s, undo: "rm -f /etc/demo.secret" })"#,
    },
    Case {
        verb: "ssh.query",
        takes: &["stdin"],
        given: "",
        code: r#"ssh::query(h, "wc -c; sleep 0.1", #{ stdin: s })"#,
    },
    Case {
        verb: "ssh.script",
        takes: &["stdin"],
        given: "",
        code: r#"ssh::script(h, "umask 077\ncat >/etc/demo.secret\nsleep 0.1\n", #{ stdin: s, undo: "rm -f /etc/demo.secret" })"#,
    },
    Case { verb: "ssh.script", takes: &["script"], given: "", code: "ssh::script(h, t)" },
];

/// Fails for a verb without an example, and for a parameter that takes a secret and has no case.
pub fn is_complete(verbs: &[Arc<dyn Verb>]) -> Law {
    let mut missing = Vec::new();
    for verb in verbs {
        if verb.examples().is_empty() {
            missing.push(format!("`{}` has no example", verb.name()));
        }
        let signature = verb.signature();
        let texts = signature.positional.iter().chain(signature.options).filter(|param| param.kind == ParamKind::Text);
        for param in texts {
            let has_case = |case: &Case| case.verb == verb.name() && case.takes.contains(&param.name);
            if !CASES.iter().any(has_case) {
                missing.push(format!("`{}` of `{}` has no case with a secret", param.name, verb.name()));
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

pub fn law(scene: &Scene, case: &Case) -> Law {
    let h = scene.lane.hosts()[0];
    hide(scene, h)?;
    scene.given(case.given)?;
    scene.plan(case.code)?.well("plan").and_then(|told| unseen("an event of the plan", &text(&told.events)?))?;
    let (wire, sampler) = (Wire::whole(), Sampler::start(scene, h)?);
    let done = scene.run_over(case.code, &wire);
    let seen = sampler.end()?;
    let done = done?.well("run")?;
    unseen("an argument or the environment of a process on the host", &seen)?;
    unseen("a command that is sent", &wire.sent().join("\n"))?;
    unseen("an event", &text(&done.events)?)?;
    unseen_in_folder(&scene.state_folder())?;
    nobody_else_reads_it(scene, h)?;
    if let Some(undone) = scene.undo(&done.run)? {
        unseen("an event of the undo", &text(&undone.well("undo")?.events)?)?;
    }
    unseen_in_folder(&scene.state_folder())?;
    nothing_is_left(scene, h)
}

/// What is looked for would be seen if it were there: else all these cases prove nothing.
pub fn would_be_seen(scene: &Scene) -> Law {
    let h = scene.lane.hosts()[0];
    hide(scene, h)?;
    let sampler = Sampler::start(scene, h)?;
    let code = format!(r#"ssh::run(h, ["sh", "-c", "sleep 0.1", "{CANARY}"])"#);
    scene.run(&code)?.well("run")?;
    if !sampler.end()?.contains(CANARY) {
        return Err("an argument of 0.1 s was not seen".to_owned());
    }
    scene.run(r#"file::put(h, "/etc/demo.secret", s)"#)?.well("run")?;
    match nobody_else_reads_it(scene, h) {
        Err(said) if said.contains("/etc/demo.secret") => Ok(()),
        _ => Err("a file that everybody may read was not seen".to_owned()),
    }
}

/// Puts the words to look for on the host, where nobody but root reads them, and not as an argument.
fn hide(scene: &Scene, host: &str) -> Law {
    for (file, word) in [("/run/laws.canary", CANARY), ("/run/laws.old", OLDER)] {
        let script = format!("umask 077; cat >{file}");
        let mut command = scene.stage.lab.exec_command(host, &["sh", "-c", &script]).map_err(said)?;
        let mut child = command.stdin(Stdio::piped()).spawn().map_err(said)?;
        child.stdin.take().ok_or("no stdin")?.write_all(word.as_bytes()).map_err(said)?;
        child.wait().map_err(said)?;
    }
    Ok(())
}

/// Looks at arguments and environments of all processes, over and over.
struct Sampler(Child);

const LOOK: &str = r#"
$| = 1;
my @words = map { open(my $f, "<", $_) or die; local $/; <$f> } ("/run/laws.canary", "/run/laws.old");
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
    fn start(scene: &Scene, host: &str) -> Law<Sampler> {
        let mut command = scene.stage.lab.exec_command(host, &["perl", "-e", LOOK]).map_err(said)?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(said)?;
        let mut ready = [0; 6];
        child.stdout.as_mut().ok_or("no stdout")?.read_exact(&mut ready).map_err(said)?;
        Ok(Sampler(child))
    }

    fn end(mut self) -> Law<String> {
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

fn unseen(place: &str, text: &str) -> Law {
    match text.lines().find(|line| line.contains(CANARY) || line.contains(OLDER)) {
        Some(line) => Err(format!("the secret is in {place}: {line}")),
        None => Ok(()),
    }
}

fn unseen_in_folder(folder: &std::path::Path) -> Law {
    for entry in std::fs::read_dir(folder).map_err(said)? {
        let path = entry.map_err(said)?.path();
        if path.is_dir() {
            unseen_in_folder(&path)?;
        } else {
            let bytes = std::fs::read(&path).map_err(said)?;
            unseen(&path.display().to_string(), &String::from_utf8_lossy(&bytes))?;
        }
    }
    Ok(())
}

fn text(events: &[haengine_kernel::event::Stamped]) -> Law<String> {
    serde_json::to_string(events).map_err(said)
}

/// Everywhere that the user `guest` can read.
const AS_GUEST: &str = r#"exec 3</run/laws.canary 4</run/laws.old
words=$(cat <&3; echo; cat <&4)
find / /tmp /run -xdev -type f -newerct "@$1" -size -1000k -print0 2>/dev/null |
    setpriv --reuid guest --regid users --clear-groups xargs -0 grep -lF -e "$words" 2>/dev/null
:"#;

fn nobody_else_reads_it(scene: &Scene, host: &str) -> Law {
    let found = scene.stage.sh(host, AS_GUEST, &[&scene.stage.since])?;
    let found = String::from_utf8_lossy(&found);
    if found.trim().is_empty() { Ok(()) } else { Err(format!("a user without any right can read it in {found}")) }
}

/// After undo the new secret is nowhere on the host.
const AS_ROOT: &str = r#"find / /tmp /run -xdev -type f ! -path /run/laws.canary -newerct "@$1" -print0 |
    xargs -0 grep -lF -f /run/laws.canary; :"#;

fn nothing_is_left(scene: &Scene, host: &str) -> Law {
    let found = scene.stage.sh(host, AS_ROOT, &[&scene.stage.since])?;
    let found = String::from_utf8_lossy(&found);
    if found.trim().is_empty() { Ok(()) } else { Err(format!("after undo the secret is still in {found}")) }
}
