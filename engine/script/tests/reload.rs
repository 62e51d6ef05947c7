//! Files that are edited while they are used: no attempt sees two versions, and the last good one is served.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use haengine_kernel::error::Result;
use haengine_kernel::event::{Event, Events};
use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::run::{Mode, Run};
use haengine_kernel::secret::Secret;
use haengine_script::versions::Reload;
use haengine_script::watch::Watch;
use haengine_script::{Prompt, Recipe, Sources, Surroundings, Versions};
use tokio_util::sync::CancellationToken;
use toy::World;

struct Nobody;

impl Prompt for Nobody {
    fn confirm(&self, _question: &str) -> Result<bool> {
        Ok(false)
    }
}

impl SecretSource for Nobody {
    fn resolve(&self, _reference: &SecretRef) -> Result<Secret> {
        Ok(Secret::new(String::new()))
    }
}

/// Soon enough for a test, and long enough for a save that is several writes.
const SOON: Duration = Duration::from_millis(20);

/// A recipe and a library, both of which say which version they are.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Files {
        let files = Files { folder: tempfile::tempdir().unwrap() };
        files.write("main.rhai", &main(0));
        files.write("lib.rhai", &library(0));
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn versions(&self) -> Arc<Versions> {
        let main = self.path("main.rhai");
        Arc::new(Versions::open(toy::library(), Sources::default(), main.to_str().unwrap()).unwrap())
    }
}

/// Each run tells the versions again and again: the files are edited meanwhile.
fn main(version: usize) -> String {
    format!(
        "import \"lib\" as lib;\nfn version() {{ {version} }}\nfn main() {{\n    for turn in 0..300 {{\n        \
         log(version().to_string() + \"/\" + lib::version());\n    }}\n}}\n"
    )
}

fn library(version: usize) -> String {
    format!("fn version() {{ {version} }}\n")
}

/// What a run told: one word where it saw one version.
async fn seen(recipe: Recipe) -> BTreeSet<String> {
    let (events, mut told) = Events::channel();
    let cancel = CancellationToken::new();
    let hosts = toy::hosts(&World::new(), events.clone(), cancel.clone());
    let run = Run::new("r".into(), Mode::Plan, hosts, events, cancel);
    let nobody = Arc::new(Nobody);
    let bound = recipe.bind(&[], &toy::inventory(), &Nobody, None).unwrap();
    let surroundings = Surroundings { run, prompt: nobody.clone(), secrets: nobody, forks: 4 };
    recipe.run(bound, surroundings).await.unwrap();
    let mut words = BTreeSet::new();
    while let Ok(stamped) = told.try_recv() {
        if let Event::Log { message, .. } = stamped.event {
            words.insert(message);
        }
    }
    words
}

/// What the version says that is served.
fn served(versions: &Versions) -> (String, String) {
    let recipe = versions.current();
    let text = |ending: &str| {
        let file = recipe.snapshot().files.iter().find(|(name, _)| name.ends_with(ending));
        file.map(|(_, file)| file.text.to_string()).unwrap_or_default()
    };
    (text("main.rhai"), text("lib.rhai"))
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(20), "{what}, in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Numbers that look random and are the same in each run of the test.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// One edit, as people and editors make them. Gives whether the file is good after it.
fn edit(files: &Files, name: &str, good: &str, dice: &mut Dice) -> bool {
    let path = files.path(name);
    match dice.roll(6) {
        0 => files.write(name, good),
        // An editor writes beside and renames.
        1 => {
            files.write(".edited", good);
            std::fs::rename(files.path(".edited"), &path).unwrap();
        }
        // An editor moves the old one away and writes anew.
        2 => {
            let _ = std::fs::rename(&path, files.path("old~"));
            files.write(name, good);
        }
        3 => {
            files.write(name, &good[..good.len() / 2]);
            return false;
        }
        4 => {
            let _ = std::fs::remove_file(&path);
            return false;
        }
        _ => {
            files.write(name, &format!("{good}fn broken( {{\n"));
            return false;
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_edits_while_runs_go_on() {
    let (files, stop) = (Files::new(), Arc::new(AtomicBool::new(false)));
    let versions = files.versions();
    let watch = Watch::start(versions.clone(), SOON, |_| {}).unwrap();
    let (runs, mixed) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let running: Vec<_> = (0..2)
        .map(|_| {
            let (versions, stop, runs, mixed) = (versions.clone(), stop.clone(), runs.clone(), mixed.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let seen = seen(versions.current()).await;
                    runs.fetch_add(1, Ordering::Relaxed);
                    if seen.len() != 1 {
                        mixed.lock().unwrap().push(seen);
                    }
                }
            })
        })
        .collect();
    let edited = tokio::task::spawn_blocking(move || {
        let mut dice = Dice(7);
        let mut good = (main(0), library(0));
        for round in 1..=50 {
            let (mut texts, mut whole) = (good.clone(), (true, true));
            for turn in 0..20 {
                let version = round * 100 + turn;
                if dice.roll(2) == 0 {
                    texts.0 = main(version);
                    whole.0 = edit(&files, "main.rhai", &texts.0, &mut dice);
                } else {
                    texts.1 = library(version);
                    whole.1 = edit(&files, "lib.rhai", &texts.1, &mut dice);
                }
                std::thread::sleep(Duration::from_millis(dice.roll(4) as u64));
            }
            // Every round ends with a good state of both, after which nothing else may be served.
            if !whole.0 {
                files.write("main.rhai", &texts.0);
            }
            if !whole.1 {
                files.write("lib.rhai", &texts.1);
            }
            until("the last good version is served", || served(&versions) == texts);
            good = texts;
        }
        (files, versions)
    });
    let (files, versions) = edited.await.unwrap();
    // The last good version stays, whatever comes after it.
    let last = served(&versions);
    for text in ["fn main( {", "", "import \"nowhere\" as n; fn main() {}"] {
        files.write("lib.rhai", text);
        if text.is_empty() {
            std::fs::remove_file(files.path("main.rhai")).unwrap();
        }
        std::thread::sleep(SOON * 5);
        assert_eq!(served(&versions), last);
    }
    stop.store(true, Ordering::Relaxed);
    for task in running {
        task.await.unwrap();
    }
    drop(watch);
    assert_eq!(*mixed.lock().unwrap(), Vec::<BTreeSet<String>>::new(), "these runs saw two versions");
    assert!(runs.load(Ordering::Relaxed) > 20, "only {runs:?} runs went on meanwhile");
}

/// What a watch told, in words.
fn told(versions: &Arc<Versions>) -> (Watch, Arc<Mutex<Vec<String>>>) {
    let words = Arc::new(Mutex::new(Vec::new()));
    let told = words.clone();
    let watch = Watch::start(versions.clone(), SOON, move |news| {
        told.lock().unwrap().push(match news {
            Reload::Same => "same".to_owned(),
            Reload::Good(recipe) => format!("version {}", recipe.snapshot().number),
            Reload::Broken(fault) => fault.draw(false),
            Reload::Wrong(findings) => findings.iter().map(|finding| finding.draw(false)).collect(),
        });
    });
    (watch.unwrap(), words)
}

#[test]
fn versions_are_counted_and_a_broken_one_is_told_with_its_place() {
    let files = Files::new();
    let versions = files.versions();
    let (_watch, words) = told(&versions);
    let last = || words.lock().unwrap().last().cloned().unwrap_or_default();
    assert_eq!(versions.current().snapshot().number, 1);
    files.write("lib.rhai", &library(1));
    until("the second version", || last() == "version 2");
    // What says the same is the same version.
    files.write("lib.rhai", &library(1));
    files.write("main.rhai", "fn main() {\n    lgo(;\n}\n");
    until("the broken one", || last().contains("main.rhai:2:"));
    assert_eq!(versions.current().snapshot().number, 2);
    files.write("main.rhai", &main(0));
    until("the good one again", || last() == "version 2");
    // What would fail at some line is no good version either.
    files.write("lib.rhai", "");
    until("a function that is not there", || last().contains("lib::version"));
    files.write("lib.rhai", &library(2));
    until("the next one", || last() == "version 3");
}

#[cfg(unix)]
#[test]
fn links_and_folders_that_appear_later_are_watched() {
    let files = Files::new();
    std::fs::create_dir(files.path("elsewhere")).unwrap();
    files.write("elsewhere/real.rhai", &library(0));
    std::fs::remove_file(files.path("lib.rhai")).unwrap();
    std::os::unix::fs::symlink("elsewhere/real.rhai", files.path("lib.rhai")).unwrap();
    let versions = files.versions();
    let (_watch, words) = told(&versions);
    let last = || words.lock().unwrap().last().cloned().unwrap_or_default();
    files.write("elsewhere/real.rhai", &library(1));
    until("what the link leads to", || last() == "version 2");
    files.write("main.rhai", &main(0).replace("\"lib\"", "\"later/lib\""));
    until("a folder that is not there", || last().contains("later/lib"));
    std::fs::create_dir(files.path("later")).unwrap();
    files.write("later/lib.rhai", &library(2));
    until("the folder", || last() == "version 3");
    std::fs::remove_dir_all(files.path("later")).unwrap();
    until("its end", || last().contains("later/lib"));
    std::fs::create_dir(files.path("later")).unwrap();
    files.write("later/lib.rhai", &library(3));
    until("the folder again", || last() == "version 4");
}

#[test]
fn a_template_is_part_of_the_version() {
    let files = Files::new();
    files.write("main.rhai", "fn main() { log(\"x.conf.j2\"); }\n");
    let versions = files.versions();
    let (_watch, words) = told(&versions);
    let last = || words.lock().unwrap().last().cloned().unwrap_or_default();
    let held = |path: &Path| versions.current().snapshot().templates.get(path).map(|text| text.to_string());
    files.write("x.conf.j2", "{% include 'part.j2' %}");
    until("a template", || last() == "version 2");
    let kept = versions.current();
    files.write("part.j2", "one");
    until("what it includes", || last() == "version 3");
    files.write("part.j2", "two");
    until("a change of it", || last() == "version 4");
    assert_eq!(held(&files.path("part.j2")).as_deref(), Some("two"));
    assert_eq!(kept.snapshot().templates.len(), 1, "a version that was taken does not change");
}
