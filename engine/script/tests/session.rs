//! What a session answers: each `session/NAME.txt` is a transcript on the toy module. Lines that begin with `> ` are what
//! a person writes, those that begin with `… ` go on with it, and the rest is what was told. `HAENGINE_BLESS=1` writes
//! the answers anew. `> :plan` and `> :run` say whether the lines that follow only show what they would change.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]

mod toy;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::Result;
use haengine_kernel::event::{Event, Events};
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::journal::Store;
use haengine_kernel::lock::Holder;
use haengine_kernel::run::{Mode, Run};
use haengine_kernel::secret::Secret;
use haengine_script::session::{Answer, Reloaded};
use haengine_script::{Fault, Prompt, Repl, Sources, Surroundings};
use toy::World;

struct Operator;

impl Prompt for Operator {
    fn confirm(&self, _question: &str) -> Result<bool> {
        Ok(true)
    }
}

impl SecretSource for Operator {
    fn resolve(&self, _reference: &SecretRef) -> Result<Secret> {
        Ok(Secret::new("canary-value".to_owned()))
    }
}

/// A session on a world of its own.
struct Stage {
    world: Arc<World>,
    hosts: Arc<Hosts>,
    cancel: Cancel,
    events: Events,
    told: tokio::sync::mpsc::UnboundedReceiver<haengine_kernel::event::Stamped>,
    folder: tempfile::TempDir,
    repl: Repl,
}

impl Stage {
    fn new(sources: Sources) -> Stage {
        let (events, told) = Events::channel();
        let (world, cancel, folder) = (World::new(), Cancel::new(), tempfile::tempdir().unwrap());
        let hosts = toy::hosts(&world, events.clone(), cancel.clone());
        let run = run(apply(folder.path()), &hosts, &events, &cancel);
        let surroundings = Surroundings { run, prompt: Arc::new(Operator), secrets: Arc::new(Operator), forks: 4 };
        let library = haengine_script::Library::new(vec![toy::module()], cancel.clone());
        let repl = Repl::new(&library, sources, surroundings);
        Stage { world, hosts, cancel, events, told, folder, repl }
    }

    fn set_plan(&mut self, plan: bool) {
        self.hosts.forget_plans();
        let mode = if plan { Mode::Plan } else { apply(self.folder.path()) };
        self.repl.set_run(run(mode, &self.hosts, &self.events, &self.cancel));
    }

    /// What is told of a line: changes and words first, then its value.
    fn answer(&mut self, line: &str) -> String {
        let mut text = String::new();
        match line {
            ":plan" => self.set_plan(true),
            ":run" => self.set_plan(false),
            line => {
                let given = tokio::task::block_in_place(|| self.repl.evaluate(line));
                text.push_str(&self.changes());
                text.push_str(&shown(given));
            }
        }
        text
    }

    fn changes(&mut self) -> String {
        let mut lines = Vec::new();
        while let Ok(stamped) = self.told.try_recv() {
            match stamped.event {
                Event::Change(change) => lines.push(
                    format!("{:?} {} on {} {}\n", change.status, change.op, change.host, change.target).to_lowercase(),
                ),
                Event::Log { message, .. } => lines.push(format!("{message}\n")),
                _ => {}
            }
        }
        lines.sort();
        lines.concat()
    }
}

fn shown(given: Result<Answer, Fault>) -> String {
    match given {
        Ok(Answer::Nothing) => String::new(),
        Ok(Answer::Value(value)) => format!("{value}\n"),
        Ok(Answer::Kind(kind)) => format!("{kind}\n"),
        Err(fault) => fault.draw(false) + "\n",
    }
}

fn run(mode: Mode, hosts: &Arc<Hosts>, events: &Events, cancel: &Cancel) -> Arc<Run> {
    Run::new("r".into(), mode, hosts.clone(), events.clone(), cancel.clone())
}

fn apply(folder: &Path) -> Mode {
    let run = Store::open(folder).unwrap().create().unwrap();
    let (since, state) = (jiff::Timestamp::UNIX_EPOCH, String::new());
    let holder = Holder { run: run.id.clone(), operator: "tester".to_owned(), state, since, dead: None };
    Mode::Apply { journal: run.journal().unwrap(), holder }
}

fn cases() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/session")
}

/// What a person writes in a transcript, whole.
fn written(transcript: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in transcript.lines() {
        if let Some(first) = line.strip_prefix("> ") {
            lines.push(first.to_owned());
        } else if let (Some(more), Some(last)) = (line.strip_prefix("… "), lines.last_mut()) {
            write!(last, "\n{more}").unwrap();
        }
    }
    lines
}

fn told(transcript: &str) -> String {
    let sources = Sources { folders: vec![cases().join("lib")], ..Sources::default() };
    let (mut stage, mut text) = (Stage::new(sources), String::new());
    for line in written(transcript) {
        writeln!(text, "> {}", line.replace('\n', "\n… ")).unwrap();
        text.push_str(&stage.answer(&line).replace(&format!("{}/", cases().display()), ""));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_answer_as_their_transcripts_say() {
    let bless = std::env::var_os("HAENGINE_BLESS").is_some();
    let mut wrong = Vec::new();
    let paths = std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path());
    let paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "txt")).collect();
    for path in &paths {
        let transcript = std::fs::read_to_string(path).unwrap();
        let told = told(&transcript);
        if bless {
            std::fs::write(path, &told).unwrap();
        } else if transcript != told {
            wrong.push(format!("--- {}\n{told}", path.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(paths.len() > 5, "only {} transcripts were found", paths.len());
    assert!(wrong.is_empty(), "these sessions answer something else:\n{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_line_and_the_session_goes_on() {
    let mut stage = Stage::new(Sources::default());
    stage.answer("let x = 1;");
    let cancel = stage.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        cancel.cancel();
    });
    let ended = tokio::task::block_in_place(|| stage.repl.evaluate("x = 2; sleep(30); x = 3;"));
    assert_eq!(ended.unwrap_err().error().code(), "run.cancelled");
    stage.hosts.close().await;
    stage.cancel.renew();
    assert_eq!(stage.answer("x"), "2\n");
    stage.world.given("master1", "/a", "one");
    assert_eq!(stage.answer("toy::get(master1, \"/a\")"), "\"one\"\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_file_is_read_again_when_it_has_changed_and_a_broken_one_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.rhai");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("fn version() { 1 }");
    let mut stage = Stage::new(Sources { folders: vec![folder.path().to_owned()], ..Sources::default() });
    assert_eq!(stage.answer("import \"one\" as one; one::version()"), "1\n");
    assert!(stage.repl.reload().is_none());
    write("fn version() { 2 }");
    assert!(matches!(stage.repl.reload(), Some(Reloaded::Files(files)) if files.len() == 1));
    assert_eq!(stage.answer("one::version()"), "2\n");
    write("fn version() { 3 ");
    assert!(matches!(stage.repl.reload(), Some(Reloaded::Broken(fault)) if fault.draw(false).contains("one.rhai:1")));
    assert!(stage.repl.reload().is_none(), "what is broken is told once");
    assert_eq!(stage.answer("one::version()"), "2\n");
    write("fn version() { 4 }");
    assert!(matches!(stage.repl.reload(), Some(Reloaded::Files(_))));
    assert_eq!(stage.answer("let f = || one::version(); f.call()"), "4\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_saved_as_a_recipe_that_does_the_same() {
    let mut stage = Stage::new(Sources::default());
    for line in [
        "fn twice(text) { text + text }",
        "let path = \"/a\";",
        "toy::set(masters, path, twice(\"ab\"))",
        "toy::get(master1, path)",
        "mistake",
        ":plan",
        "toy::set(worker1, \"/never\", \"only planned\")",
        ":run",
        "log(_ + `\n  as it is`)",
        "[1, 2].map(|n| n + 1)",
        "log(_.len)",
    ] {
        stage.answer(line);
    }
    let recipe = stage.repl.recipe("Saved from a session.");
    insta::assert_snapshot!(recipe, @r#"
    //! Saved from a session.

    fn twice(text) { text + text }

    fn main(p) {
        let master1 = host("master1");
        let masters = group("masters");
        let path = "/a";
        toy::set(masters, path, twice("ab"));
        let value3 = toy::get(master1, path);
        log(value3 + `
      as it is`);
        let value5 = [1, 2].map(|n| n + 1);
        log(value5.len);
    }
    "#);
    let file = stage.folder.path().join("saved.rhai");
    std::fs::write(&file, recipe).unwrap();
    let before = stage.world.entries();
    let recipe = toy::library().load(&Sources::default(), file.to_str().unwrap()).unwrap();
    let bound = recipe.bind(&[], &toy::inventory(), &Operator, None).unwrap();
    let run = run(apply(stage.folder.path()), &stage.hosts, &stage.events, &stage.cancel);
    let surroundings = Surroundings { run, prompt: Arc::new(Operator), secrets: Arc::new(Operator), forks: 4 };
    recipe.run(bound, surroundings).await.unwrap();
    assert_eq!(stage.world.entries(), before);
    let told = stage.changes();
    // A line end right behind a backtick is none of the text.
    assert!(told.contains("unchanged toy.set on master1 /a") && told.contains("abab  as it is"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_follow_is_known_by_the_place() {
    let mut stage = Stage::new(Sources::default());
    stage.answer("let settings = #{ first: 1, second: master1 }; fn twice(text) { text + text }");
    let found = |text: &str| {
        let completion = stage.repl.complete(text);
        let words: Vec<String> = completion.suggestions.into_iter().map(|one| one.text).collect();
        (completion.start, words)
    };
    let words = |text: &str| found(text).1;
    assert_eq!(found("log(mast"), (4, vec!["master1".to_owned(), "master2".to_owned(), "masters".to_owned()]));
    assert_eq!(words("toy::s"), ["set"]);
    assert_eq!(words("to"), ["toy::"]);
    assert_eq!(words("host(\"m"), ["master1", "master2"]);
    assert_eq!(words("group(\""), ["all", "masters", "workers"]);
    assert_eq!(words("toy::set(masters, \"/a\", \"b\", #{ "), ["flag: ", "mode: "]);
    assert_eq!(words("toy::set(masters, \"/a\", \"b\", #{ flag: true, m"), ["mode: "]);
    assert_eq!(words("settings."), ["first", "second"]);
    assert_eq!(words("master1.na"), ["name"]);
    assert_eq!(words("twi"), ["twice"]);
    assert!(words("masters.").contains(&"len".to_owned()));
    assert_eq!(words("toy::set(masters, \"/mo"), Vec::<String>::new());
    let about = stage.repl.complete("toy::s").suggestions[0].about.clone();
    assert_eq!(about, "toy::set(hosts, path, content, options)  Puts an entry.");
}
