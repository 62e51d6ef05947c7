//! What a change is known by is the same in phases as in a `main`.

#![allow(clippy::unwrap_used)]

mod toy;

use std::path::Path;

use toy::World;

const MAIN: &str = r#"fn main(p) {
    let found = step("look", || #{ text: toy::get(host("master1"), "/a") });
    step("write", || {
        toy::set(group("masters"), "/b", "one");
        step("deeper", || toy::act(host("worker1"), "hello"));
    });
    toy::set(host("worker1"), "/c", "two");
}"#;

const PHASES: &str = r#"fn look(p) { step("look", || #{ text: toy::get(host("master1"), "/a") }) }
fn lock(p, found) { toy::lock(host("master1")); }
fn act(p, found) {
    step("write", || {
        toy::set(group("masters"), "/b", "one");
        step("deeper", || toy::act(host("worker1"), "hello"));
    });
    toy::set(host("worker1"), "/c", "two");
}"#;

/// The keys of the changes that a recipe of this text makes, as the journal has them.
async fn keys(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    toy::run_in(folder.path(), &World::new(), false, text).await.unwrap();
    let runs = std::fs::read_dir(folder.path().join("runs")).unwrap().map(|entry| entry.unwrap().path());
    let journal = runs.map(|path| path.join("journal.jsonl")).find(|path| path.is_file()).unwrap();
    let lines = std::fs::read_to_string(journal).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let started = lines.filter(|line| line["entry"] == "started");
    let mut keys: Vec<String> =
        started.map(|line| line["key"].to_string().replace(&shown(folder.path()), "")).collect();
    keys.sort();
    keys
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn phases_are_no_part_of_a_key() {
    let keys = [keys(MAIN).await, keys(PHASES).await];
    assert_eq!(keys[0].len(), 4, "{keys:?}");
    assert_eq!(keys[0], keys[1]);
}
