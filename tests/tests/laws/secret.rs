//! No secret in the journal, in events, in arguments or environments of processes, or in files that others may read.

use std::sync::Arc;

use haengine_kernel::event::Stamped;
use haengine_kernel::signature::ParamKind;
use haengine_kernel::verb::Verb;
use haengine_tests::canary::{self, Sampler};

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
const OLD: &str = "umask 077; cat /run/canary.old >/etc/demo.secret";

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
        verb: "file.put",
        takes: &["replaces"],
        given: OLD,
        code: r#"{ try { file::put(h, "/etc/demo.secret", "other\n", #{ replaces: s }) } catch (error) { error.message } }"#,
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
        let is_text = |kind| matches!(kind, ParamKind::Text | ParamKind::LocalText);
        let texts = signature.positional.iter().chain(signature.options).filter(|param| is_text(param.kind));
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
    let (wire, sampler) = (Wire::whole(), Sampler::start(&scene.stage.lab, h)?);
    let done = scene.run_over(case.code, &wire);
    let seen = sampler.end()?;
    let done = done?.well("run")?;
    unseen("an argument or the environment of a process on the host", &seen)?;
    unseen("a command that is sent", &wire.sent().join("\n"))?;
    unseen("an event", &text(&done.events)?)?;
    canary::unseen_in_folder(&scene.state_folder(), &WORDS)?;
    nobody_else_reads_it(scene, h)?;
    if let Some(undone) = scene.undo(&done.run)? {
        unseen("an event of the undo", &text(&undone.well("undo")?.events)?)?;
    }
    canary::unseen_in_folder(&scene.state_folder(), &WORDS)?;
    nothing_is_left(scene, h)
}

/// What is looked for would be seen if it were there: else all these cases prove nothing.
pub fn would_be_seen(scene: &Scene) -> Law {
    let h = scene.lane.hosts()[0];
    hide(scene, h)?;
    let sampler = Sampler::start(&scene.stage.lab, h)?;
    let code = format!(r#"ssh::run(h, ["sh", "-c", "sleep 0.1", "{CANARY}"])"#);
    scene.run(&code)?.well("run")?;
    if !sampler.end()?.contains(CANARY) {
        return Err("an argument of 0.1 s was not seen".to_owned());
    }
    scene.run(r#"file::put(h, "/etc/demo.secret", s, #{ mode: 0o644 })"#)?.well("run")?;
    match nobody_else_reads_it(scene, h) {
        Err(said) if said.contains("/etc/demo.secret") => Ok(()),
        _ => Err("a file that everybody may read was not seen".to_owned()),
    }
}

/// Puts the words to look for on the host.
fn hide(scene: &Scene, host: &str) -> Law {
    canary::hide(&scene.stage.lab, host, "new", &[CANARY])?;
    canary::hide(&scene.stage.lab, host, "old", &[OLDER])
}

const WORDS: [&str; 2] = [CANARY, OLDER];

fn unseen(place: &str, text: &str) -> Law {
    canary::unseen(place, text, &WORDS)
}

fn text(events: &[Stamped]) -> Law<String> {
    serde_json::to_string(events).map_err(said)
}

fn nobody_else_reads_it(scene: &Scene, host: &str) -> Law {
    canary::nobody_else_reads_it(&scene.stage.lab, host, &scene.stage.since)
}

/// After undo the new secret is nowhere on the host.
fn nothing_is_left(scene: &Scene, host: &str) -> Law {
    canary::nothing_is_left(&scene.stage.lab, host, "new", &scene.stage.since)
}
