//! What recipes can say: each `language/NAME.rhai` is run on the toy module, and what it tells is compared with
//! `language/NAME.txt`, whole. `HAENGINE_BLESS=1` writes the files anew.
//!
//! The first lines of a case say how it is run: `// plan`, `// down: HOST`, `// broken: HOST`, `// key=value`,
//! `// given: HOST PATH CONTENT`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod toy;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::{CheckFinding, Event, Events, Stamped};
use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::journal::Store;
use haengine_kernel::lock::Holder;
use haengine_kernel::run::{Mode, Run};
use haengine_kernel::secret::Secret;
use haengine_script::{Fault, Prompt, Sources, Surroundings};
use tokio_util::sync::CancellationToken;
use toy::{Failure, World};

/// Says yes to questions that end with `sure?`; knows one secret.
struct Operator;

impl Prompt for Operator {
    fn confirm(&self, question: &str) -> Result<bool> {
        Ok(question.ends_with("sure?"))
    }
}

impl SecretSource for Operator {
    fn resolve(&self, reference: &SecretRef) -> Result<Secret> {
        match reference {
            SecretRef::Environment(name) if name == "CANARY" => Ok(Secret::new("canary-value".to_owned())),
            _ => Err(Error::new(Kind::Usage, "secret.missing", "there is no such secret")),
        }
    }
}

struct Case {
    plan: bool,
    pairs: Vec<(String, String)>,
    world: Arc<World>,
}

fn case(text: &str) -> Case {
    let mut case = Case { plan: false, pairs: Vec::new(), world: World::new() };
    for line in text.lines().map_while(|line| line.strip_prefix("// ")) {
        match line.split_once(": ") {
            _ if line == "plan" => case.plan = true,
            Some(("down", host)) => case.world.fail(host, Failure::Unreachable),
            Some(("broken", host)) => case.world.fail(host, Failure::Command("set")),
            Some(("given", words)) => {
                let words: Vec<&str> = words.splitn(3, ' ').collect();
                case.world.given(words[0], words[1], words[2]);
            }
            _ => match line.split_once('=') {
                Some((name, value)) => case.pairs.push((name.to_owned(), value.to_owned())),
                None => panic!("what is `{line}`?"),
            },
        }
    }
    case
}

async fn told_by(path: &Path) -> String {
    let case = case(&std::fs::read_to_string(path).unwrap());
    let (events, mut reader) = Events::channel();
    let cancel = CancellationToken::new();
    let folder = tempfile::tempdir().unwrap();
    let mode = if case.plan { Mode::Plan } else { apply(folder.path()) };
    let hosts = toy::hosts(&case.world, events.clone(), cancel.clone());
    let run = Run::new("r".into(), mode, hosts, events, cancel);
    let result = attempt(path, &case, &run).await;
    run.finish(if result.is_ok() { "succeeded" } else { "failed" }).await;
    let mut told = String::new();
    // Hosts that work beside each other tell in any order.
    let mut together: Vec<String> = Vec::new();
    while let Ok(Stamped { event, .. }) = reader.try_recv() {
        let beside = matches!(event, Event::Change(_));
        let Some(line) = line(event) else { continue };
        if !beside {
            together.sort();
            told.extend(together.drain(..));
        }
        together.push(line);
        if !beside {
            told.extend(together.drain(..));
        }
    }
    if let Err(fault) = result {
        writeln!(told, "{}", fault.draw(false).replace(&format!("{}/", cases().display()), "")).unwrap();
    }
    told
}

async fn attempt(path: &Path, case: &Case, run: &Arc<Run>) -> Result<(), Fault> {
    let sources = Sources { folders: vec![cases().join("lib")], ..Sources::default() };
    let recipe = toy::library().load(&sources, path.to_str().unwrap())?;
    let bound = recipe.bind(&case.pairs, &toy::inventory(), &Operator, None)?;
    let (prompt, secrets) = (Arc::new(Operator), Arc::new(Operator));
    recipe.run(bound, Surroundings { run: run.clone(), prompt, secrets, forks: 4 }).await
}

fn apply(folder: &Path) -> Mode {
    let run = Store::open(folder).unwrap().create().unwrap();
    let (since, state) = (jiff::Timestamp::UNIX_EPOCH, String::new());
    let holder = Holder { run: run.id.clone(), operator: "tester".to_owned(), state, since, dead: None };
    Mode::Apply { journal: run.journal().unwrap(), holder }
}

/// One line an event, without times.
fn line(event: Event) -> Option<String> {
    let line = match event {
        Event::StepStarted { step } => format!("step {step}"),
        Event::StepFinished { step, failed, .. } => format!("{} {step}", if failed { "broke" } else { "done" }),
        Event::Change(change) => {
            let step = if change.step.is_empty() { String::new() } else { format!(" in {}", change.step) };
            format!("{:?} {} on {} {}{step}", change.status, change.op, change.host, change.target).to_lowercase()
        }
        Event::Verified { name, outcome, .. } => format!("{outcome}: {name}"),
        Event::Check(check) => {
            let detail = if check.detail.is_empty() { String::new() } else { format!(": {}", check.detail) };
            let mut text = format!("{:?} {} / {}{detail}", check.status, check.group, check.check);
            for CheckFinding { status, message, hint, place } in check.findings {
                let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
                let place = place.replace(&format!("{}/", cases().display()), "");
                write!(text, "\n  {status:?}: {message}{hint}{place}").unwrap();
            }
            text
        }
        Event::Waiting { what } => format!("waiting for {what}"),
        Event::Log { message, level, .. } => format!("{level:?}: {message}").to_lowercase(),
        Event::RunFinished(totals) => format!(
            "{}: ok {}, changed {}, skipped {}, failed {}, unreachable {}",
            totals.outcome, totals.ok, totals.changed, totals.skipped, totals.failed, totals.unreachable
        ),
        _ => return None,
    };
    Some(line + "\n")
}

fn cases() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/language")
}

#[tokio::test(flavor = "multi_thread")]
async fn recipes_tell_what_is_written_beside_them() {
    let bless = std::env::var_os("HAENGINE_BLESS").is_some();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rhai")) {
        seen += 1;
        let (expected, told) = (path.with_extension("txt"), told_by(path).await);
        if bless {
            std::fs::write(&expected, &told).unwrap();
        }
        let written = std::fs::read_to_string(&expected).unwrap_or_default();
        if written != told {
            wrong.push(format!("--- {}\n{told}", path.file_name().unwrap().to_string_lossy()));
        }
    }
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "txt")) {
        assert!(path.with_extension("rhai").is_file(), "{} belongs to no case", path.display());
    }
    assert!(seen > 20, "only {seen} cases were found");
    assert!(wrong.is_empty(), "these tell something else than what is written:\n{}", wrong.join("\n"));
}

#[test]
fn parameters_come_in_the_order_in_which_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.rhai");
    let text = "fn params() { #{ z: param::string(\"Z.\"), a: param::host(\"A.\"),\n m: param::list(\"M.\").or([]) } }\nfn main(p) {}";
    std::fs::write(&file, text).unwrap();
    let recipe = toy::library().load(&Sources::default(), file.to_str().unwrap()).unwrap();
    let names: Vec<&str> = recipe.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["z", "a", "m"]);
}

/// The steps that are marked, as the journal's lines have them.
#[tokio::test(flavor = "multi_thread")]
async fn changes_know_the_step_whose_hosts_need_each_other() {
    let (folder, cancel) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let text = r#"fn main() {
    step("both", #{ together: true }, || step("inner", #{ together: true }, || toy::set(group("masters"), "/a", "one")));
    step("each", #{ together: false }, || step("then", || toy::set(host("worker1"), "/b", "one")));
}"#;
    std::fs::write(folder.path().join("a.rhai"), text).unwrap();
    let (events, _reader) = Events::channel();
    let case = Case { plan: false, pairs: Vec::new(), world: World::new() };
    let hosts = toy::hosts(&case.world, events.clone(), cancel.clone());
    let run = Run::new("r".into(), apply(folder.path()), hosts, events, cancel);
    attempt(&folder.path().join("a.rhai"), &case, &run).await.unwrap();
    run.finish("succeeded").await;
    let runs = std::fs::read_dir(folder.path().join("runs")).unwrap().map(|entry| entry.unwrap().path());
    let journal = runs.map(|path| path.join("journal.jsonl")).find(|path| path.is_file()).unwrap();
    let text = std::fs::read_to_string(journal).unwrap();
    let lines = text.lines().filter(|line| line.contains(r#""entry":"started""#));
    for line in lines {
        let marked = line.contains(r#""step":["both","inner"]"#);
        assert_eq!(marked, line.contains(r#""together":["both"]"#), "{line}");
        assert_eq!(!marked, line.contains(r#""step":["each","then"]"#), "{line}");
    }
    assert!(text.contains("together"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_a_step_does_not_have_is_refused() {
    let (folder, world) = (tempfile::tempdir().unwrap(), World::new());
    for (options, code) in [("#{ togther: true }", "call.unknown_option"), ("#{ together: 1 }", "call.type")] {
        let file = folder.path().join("a.rhai");
        std::fs::write(&file, format!("fn main() {{ let o = {options}; step(\"a\", o, || 1); }}")).unwrap();
        let (events, _reader) = Events::channel();
        let cancel = CancellationToken::new();
        let run = Run::new("r".into(), Mode::Plan, toy::hosts(&world, events.clone(), cancel.clone()), events, cancel);
        let case = Case { plan: true, pairs: Vec::new(), world: world.clone() };
        let fault = attempt(&file, &case, &run).await.unwrap_err();
        assert_eq!(fault.error().code(), code, "{}", fault.draw(false));
    }
}
