//! The library in its own language, file by file: each `rhai/NAME.rhai` calls what `stdlib/rhai/NAME.rhai` has, with values that
//! are written out, and `rhai/NAME.txt` is all that it tells. No host is there: what asks one is proven on the lab.
//! `HAENGINE_BLESS=1` writes the texts anew.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may be blessed"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::{Event, Events, Stamped};
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::{HostSpec, Inventory, SecretRef, SecretSource};
use haengine_kernel::run::{Mode, Run};
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::{Connect, Transport};
use haengine_script::{Library, Prompt, Sources, Surroundings};
use tokio_util::sync::CancellationToken;

const INVENTORY: &str = "hosts:
  master1: { address: 192.0.2.1 }
  master2: { address: 192.0.2.2 }
  worker1: { address: 192.0.2.11 }
";

/// What each recipe is called.
const RECIPE: &str = "what_it_tells";

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

#[async_trait]
impl Connect for Nobody {
    async fn connect(&self, host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Err(Error::new(Kind::Unreachable, "test.nobody", format!("nobody is at {}", host.name)))
    }
}

fn here(folder: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(folder)
}

/// The names of the recipes in a folder.
fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(here(folder)).unwrap().map(|entry| entry.unwrap().path());
    let recipes = entries.filter(|path| path.extension().is_some_and(|ending| ending == "rhai"));
    let mut names: Vec<String> = recipes.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The libraries, and a recipe under a name that is none of theirs. It lives as long as the test.
fn sources(recipe: String) -> Sources {
    let files = haengine_stdlib::LIBRARIES.files();
    let libraries =
        files.filter_map(|file| Some((file.path().file_stem()?.to_str()?.to_owned(), file.contents_utf8()?)));
    let recipe: &'static str = Box::leak(recipe.into_boxed_str());
    Sources { folders: Vec::new(), embedded: [(RECIPE.to_owned(), recipe)].into(), libraries: libraries.collect() }
}

/// All that a recipe tells.
async fn told(path: &Path) -> String {
    let library = Library::new(haengine_stdlib::modules(), CancellationToken::new());
    let text = std::fs::read_to_string(path).unwrap();
    let recipe = library.load(&sources(text), RECIPE).unwrap_or_else(|fault| panic!("{}", fault.draw(false)));
    let inventory = Inventory::parse(INVENTORY, Path::new("site.yaml"), None).unwrap();
    let (events, mut reader) = Events::channel();
    let (cancel, nobody) = (CancellationToken::new(), Arc::new(Nobody));
    let bound = recipe.bind(&[], &inventory, &Nobody, None).unwrap_or_else(|fault| panic!("{}", fault.draw(false)));
    let hosts = Hosts::new(Arc::new(inventory), nobody.clone(), events.clone(), cancel.clone());
    let run = Run::new("r".to_owned(), Mode::Plan, hosts, events, cancel);
    let surroundings = Surroundings { run: run.clone(), prompt: nobody.clone(), secrets: nobody, forks: 4 };
    let ended = recipe.run(bound, surroundings).await;
    let mut lines: Vec<String> = std::iter::from_fn(|| reader.try_recv().ok()).filter_map(line).collect();
    lines.extend(ended.err().map(|fault| format!("ended: {}", fault.error().message())));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn line(stamped: Stamped) -> Option<String> {
    match stamped.event {
        Event::Log { message, .. } => Some(message),
        Event::Check(check) => {
            let findings = check.findings.iter().map(|finding| {
                let hint = finding.hint.as_ref().map(|hint| format!("\n    {hint}")).unwrap_or_default();
                format!("\n  {:?}: {}{hint}", finding.status, finding.message)
            });
            Some(format!("{:?}: {} {}{}", check.status, check.check, check.detail, findings.collect::<String>()))
        }
        _ => None,
    }
}

/// Recipes run on threads of the runtime, and without optimisation need more than their usual stack.
const STACK: usize = 64 << 20;

#[test]
fn each_library_says_what_it_should() {
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build().unwrap();
    runtime.block_on(async { tokio::spawn(all_say_what_they_should()).await.unwrap() });
}

async fn all_say_what_they_should() {
    let bless = std::env::var_os("HAENGINE_BLESS").is_some();
    for name in names("tests/rhai") {
        let said = told(&here(&format!("tests/rhai/{name}.rhai"))).await;
        let expected = here(&format!("tests/rhai/{name}.txt"));
        if bless {
            std::fs::write(&expected, &said).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(said, wanted, "{name}");
    }
}

/// Libraries whose functions all ask hosts.
const ON_THE_LAB: [&str; 1] = ["survey"];

#[test]
fn each_library_has_its_test() {
    let tested = names("tests/rhai");
    let lacking: Vec<String> = names("rhai")
        .into_iter()
        .filter(|name| !tested.contains(name) && !ON_THE_LAB.contains(&name.as_str()))
        .collect();
    assert!(lacking.is_empty(), "no test in tests/rhai: {lacking:?}");
    let gone: Vec<&String> = tested.iter().filter(|name| !names("rhai").contains(name)).collect();
    assert!(gone.is_empty(), "tests of nothing: {gone:?}");
}
