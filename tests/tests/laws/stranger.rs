//! A stranger loses nothing: somebody else makes, fills, edits, renames and links where an op works, at any moment of its
//! run or of its undo, crashes included. What is theirs is there afterwards, and undo names what it leaves or keeps.
//!
//! The windows that the design excludes are excluded by their commands: a file that is renamed over ours between our last
//! comparison and our own rename ([`WINDOW`]), and what is written into a file between our last comparison and our own
//! writing into it ([`WRITING`]).
//!
//! `HAENGINE_STRANGERS` says how many cases each verb gets, `HAENGINE_SEED` which.

use std::collections::BTreeMap;

use haengine_kernel::event::{Event, Status};
use haengine_kernel::op::Example;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::Law;
use crate::scene::{Scene, Told};
use crate::stage::said;
use crate::wire::{COUNTS, Visit, Wire, counted};

/// Cases of a verb where nothing else is said.
pub const CASES: usize = 3;

/// Before this command a rename by somebody else can be lost, where the host has no RENAME_EXCHANGE.
pub const WINDOW: &[&str] = &["mv -fT -- \"$temporary\" \"$path\""];

/// Before these commands, where a file is written in place, what somebody else writes into it can be lost.
pub const WRITING: &[&str] = &["truncate -c", "dd if=\"$1\" of=/proc/self/fd/7"];

/// What a stranger does at `$p`, and how it is seen that nothing of it is lost: `$t` is a word that is nowhere else.
struct Deed {
    name: &'static str,
    does: &'static str,
    /// Holds as long as nothing is lost.
    stands: &'static str,
    /// It replaces what is there by a rename.
    renames: bool,
}

/// Where they are: a link of ours in the path may be gone by the time that they are looked for.
const PLACE: &str = "folder=$(readlink -f -- \"${p%/*}\") && p=$folder/${p##*/}; printf %s \"$p\" >/run/laws.place; ";

/// A word in a file, wherever undo moved it to, but for what a run keeps to put back.
macro_rules! word {
    () => {
        "grep -rqsF --exclude-dir=proc --exclude-dir=sys -e \"$t\" \"$p\" \"$p\".theirs /var/lib/haengine/*/aside /*/.haengine/*/aside"
    };
}
const WORD: &str = word!();

const DEEDS: [Deed; 9] = [
    Deed {
        name: "writes a file where nothing is",
        does: "[ -e \"$p\" ] || [ -L \"$p\" ] || { printf %s \"$t\" >\"$p\" && : >/run/laws.done; }",
        stands: WORD,
        renames: false,
    },
    Deed {
        name: "adds to a file",
        does: "[ -f \"$p\" ] && ! [ -L \"$p\" ] && printf %s \"$t\" >>\"$p\" && : >/run/laws.done",
        stands: WORD,
        renames: false,
    },
    Deed {
        name: "saves a file as editors do",
        does: "[ -d \"$p\" ] || [ -L \"$p\" ] || { printf %s \"$t\" >\"$p.new\" && mv -fT \"$p.new\" \"$p\" && : >/run/laws.done; }",
        stands: WORD,
        renames: true,
    },
    Deed {
        name: "makes a directory where nothing is",
        does: "mkdir \"$p\" && : >/run/laws.done",
        stands: "[ -d \"$p\" ] || find /var/lib/haengine/*/aside -type d -name \"${p##*/}\" 2>/dev/null | grep -q .",
        renames: false,
    },
    Deed {
        name: "makes a directory with something in it",
        does: "mkdir \"$p\" && printf %s \"$t\" >\"$p/f\" && : >/run/laws.done",
        stands: WORD,
        renames: false,
    },
    Deed {
        name: "fills a directory",
        does: "[ -d \"$p\" ] && ! [ -L \"$p\" ] && printf %s \"$t\" >\"$p/theirs\" && : >/run/laws.done",
        stands: WORD,
        renames: false,
    },
    Deed {
        name: "makes a link where nothing is",
        does: "[ -e \"$p\" ] || { ln -s \"$t\" \"$p\" && : >/run/laws.done; }",
        stands: "[ \"$(readlink \"$p\")\" = \"$t\" ] || find /var/lib/haengine/*/aside -lname \"$t\" 2>/dev/null | grep -q .",
        renames: false,
    },
    Deed {
        name: "gives a file a second name and another content",
        does: "[ -f \"$p\" ] && ! [ -L \"$p\" ] && ln \"$p\" \"$p.theirs\" && printf %s \"$t\" >>\"$p.theirs\" && : >/run/laws.done",
        stands: WORD,
        renames: false,
    },
    Deed {
        name: "moves it away and puts another in its place",
        does: "[ -e \"$p\" ] && ! [ -L \"$p\" ] && mv -T \"$p\" \"$p.theirs\" && printf %s \"$t\" >\"$p\" && : >/run/laws.done",
        stands: concat!("[ -e \"$p.theirs\" ] && ", word!()),
        renames: true,
    },
];

/// One case.
pub struct Case {
    deed: usize,
    path: String,
    /// The undo is visited, not the run.
    in_undo: bool,
    call: usize,
    commands: usize,
    /// The call is the one that changes the host.
    is_last: bool,
    crash: bool,
}

/// Generated cases of one example.
pub fn law(scene: &Scene, example: &Example, seed: u64, cases: usize) -> Law {
    let mut random = random(seed);
    if paths(example.code).is_empty() {
        return Ok(());
    }
    let counts = [moments(scene, example, false)?, moments(scene, example, true)?];
    for number in 0..cases {
        let Some(case) = case(&mut random, example, &counts) else { return Ok(()) };
        let told = format!("seed {seed}, case {number}: {}", case.title());
        meet(scene, example, &case, None).map_err(|error| format!("{told}:\n{error}"))?;
    }
    Ok(())
}

/// How many commands each call of a run, or of its undo, has.
pub fn moments(scene: &Scene, example: &Example, in_undo: bool) -> Law<BTreeMap<usize, usize>> {
    fresh(scene, example)?;
    let (counting, whole) = (Wire::counting(), Wire::whole());
    let (run, undo) = if in_undo { (&whole, &counting) } else { (&counting, &whole) };
    let done = scene.run_over(example.code, run)?.well("run")?;
    let counts = |scene: &Scene| scene.stage.sh(scene.lane.hosts()[0], &format!("grep -H . {COUNTS}/* || :"), &[]);
    let mut seen = counts(scene)?;
    scene.undo_over(&done.run, undo)?;
    if in_undo {
        seen = counts(scene)?;
    }
    Ok(counted(&String::from_utf8_lossy(&seen)))
}

fn case(random: &mut TestRng, example: &Example, counts: &[BTreeMap<usize, usize>; 2]) -> Option<Case> {
    let mut below = |limit: usize| random.next_u32() as usize % limit.max(1);
    let in_undo = below(2) == 1;
    let counts = &counts[usize::from(in_undo)];
    let total: usize = counts.values().sum();
    let mut moment = below(total);
    let (mut call, mut commands) = (1, 0);
    for (number, count) in counts {
        if moment < *count {
            (call, commands) = (*number, moment);
            break;
        }
        moment -= count;
    }
    let paths = paths(example.code);
    let path = paths.get(below(paths.len()))?;
    let child = below(4) == 0;
    let path = if child { format!("{path}/theirs.d") } else { path.clone() };
    // A run that finds nothing to do only looks.
    let is_last = counts.len() > 1 && counts.keys().next_back() == Some(&call);
    Some(Case { deed: below(DEEDS.len()), path, in_undo, call, commands, is_last, crash: below(4) == 0 })
}

/// The paths that a call names.
fn paths(code: &str) -> Vec<String> {
    let words = code.split('"').skip(1).step_by(2);
    words.filter(|word| word.starts_with('/') && !word.contains(['*', ' '])).map(str::to_owned).collect()
}

impl Case {
    /// A case that is written out.
    pub fn of(deed: &str, path: &str, in_undo: bool, call: usize, commands: usize) -> Law<Case> {
        let deed = DEEDS.iter().position(|one| one.name == deed).ok_or_else(|| format!("no deed `{deed}`"))?;
        Ok(Case { deed, path: path.to_owned(), in_undo, call, commands, is_last: false, crash: false })
    }

    fn title(&self) -> String {
        let during = if self.in_undo { "undo" } else { "run" };
        let crash = if self.crash { ", then all is dark" } else { "" };
        let Case { path, call, commands, .. } = self;
        format!(
            "somebody {} at {path}, after {commands} commands of call {call} of the {during}{crash}",
            DEEDS[self.deed].name
        )
    }
}

/// Plays a case: the run, its undo, and whether all is there. `mutation` takes a guard out.
pub fn meet(scene: &Scene, example: &Example, case: &Case, mutation: Option<(&str, &str)>) -> Law {
    fresh(scene, example)?;
    let (deed, word) = (&DEEDS[case.deed], format!("stranger-{}", uuid()));
    let is_elsewhere = lies_in_a_folder_of_before(scene, case)?;
    let (place, words) = (format!("p='{}'; {PLACE}", case.path), format!("t='{word}'; "));
    let visit = Visit {
        call: case.call,
        commands: case.commands,
        deed: format!("{place}{words}{}", deed.does),
        but_before: if deed.renames { WINDOW } else { WRITING },
        crash: case.crash,
    };
    let met = Wire::met(Some(visit), mutation);
    let unmet = || Wire::met(None, mutation);
    let (run, undo) = if case.in_undo { (unmet(), met) } else { (met, unmet()) };
    let done = scene.run_over(example.code, &run)?;
    let mut undone = scene.undo_over(&done.run, &undo)?;
    if undone.as_ref().is_some_and(|undone| undone.result.is_err()) {
        // It can be tried again, and is no less careful then.
        undone = scene.undo_over(&done.run, &unmet())?.or(undone);
    }
    let happened = scene.stage.sh(scene.lane.hosts()[0], "[ -e /run/laws.done ] && echo yes || :", &[])?;
    if happened.is_empty() {
        return Ok(());
    }
    let stands = format!("p=$(cat /run/laws.place); {words}if {}; then echo yes; fi", deed.stands);
    if scene.stage.sh(scene.lane.hosts()[0], &stands, &[])?.is_empty() {
        let what = undone.as_ref().map(|undone| format!("{:?} {:?}", undone.result, told(undone)));
        return Err(format!("{word} is lost; the run: {:?}; the undo: {what:?}", done.result));
    }
    if is_elsewhere { Ok(()) } else { named(scene, case, &done, undone.as_ref()) }
}

/// True when what is done lies beside what the run changes, in a folder that was there before: nobody has to name it.
fn lies_in_a_folder_of_before(scene: &Scene, case: &Case) -> Law<bool> {
    let folder = match DEEDS[case.deed].name {
        "fills a directory" => case.path.as_str(),
        _ => case.path.strip_suffix("/theirs.d").unwrap_or_default(),
    };
    let there = "[ -n \"$1\" ] && [ -d \"$1\" ] && echo yes || :";
    Ok(!scene.stage.sh(scene.lane.hosts()[0], there, &[folder])?.is_empty())
}

/// What is at a path that was changed, and is not as before, is named by the run or by the undo.
fn named(scene: &Scene, case: &Case, done: &Told, undone: Option<&Told>) -> Law {
    // The same path on another host is another place.
    let here = |change: &(String, String, String)| change.0 == scene.lane.hosts()[0];
    let changes = done.changes(Status::Changed).into_iter().chain(done.changes(Status::Failed));
    let targets = changes.filter(here).map(|change| change.2);
    let touches = |target: &String| target.starts_with('/') && case.path.starts_with(target.as_str());
    // What is there before the run has looked is what the run found.
    if case.in_undo || case.crash || !case.is_last || !targets.into_iter().any(|target| touches(&target)) {
        return Ok(());
    }
    let Some(undone) = undone else { return Ok(()) };
    let there = format!("p='{}'; grep -rqsF stranger- \"$p\" && echo yes || :", case.path);
    let is_there = !scene.stage.sh(scene.lane.hosts()[0], &there, &[])?.is_empty();
    let said = |told: &Told| told.result.is_err() || !self::told(told).is_empty();
    if is_there && !said(undone) && !said(done) {
        return Err(format!("something of theirs is at {}, and nobody says so", case.path));
    }
    Ok(())
}

/// What was told of somebody else.
fn told(told: &Told) -> Vec<String> {
    let texts = told.events.iter().filter_map(|stamped| match &stamped.event {
        Event::Remnant { remnant, .. } => Some(remnant.line()),
        Event::Log { message, .. } if message.contains("somebody else") => Some(message.clone()),
        Event::Change(change) => change.error.as_ref().map(|error| error.message.clone()),
        _ => None,
    });
    texts.collect()
}

/// The host as the example wishes it, without what a case before has left.
fn fresh(scene: &Scene, example: &Example) -> Law {
    let host = scene.lane.hosts()[0];
    let paths = paths(example.code).join("\n");
    let script = r#"
        systemctl reset-failed 2>/dev/null
        rm -rf /run/laws.visited /run/laws.done /run/laws.place /run/laws.counts /var/lib/haengine
        printf '%s\n' "$1" | while IFS= read -r path; do
            case $path in /opt/* | /srv/* | /etc/demo* | /etc/motd) rm -rf -- "$path" "$path.theirs" "$path.new" "${path%/*}"/.haengine-* ;; esac
        done
        rm -rf /opt/demo /srv/demo"#;
    scene.stage.sh(host, script, &[&paths]).map(drop)?;
    scene.given(example.given)
}

fn uuid() -> String {
    let mut bytes = [0; 8];
    random(u64::from(std::process::id()) ^ now()).fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(said);
    since.map_or(0, |time| u64::try_from(time.as_nanos() & u128::from(u64::MAX)).unwrap_or_default())
}

fn random(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}
