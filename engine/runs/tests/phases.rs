//! Recipes in phases, from their beginning to their end: under the lock, on resume, and where a step is mended.

#![allow(clippy::unwrap_used)]

mod site;

use haengine_kernel::event::Event;
use haengine_runs::{End, Wish};
use site::{FAILED, Failure, Site, mended};

/// What it copies changes before the second look.
const COPY: &str = r#"
fn params() { #{} }

fn look(p) { #{ old: toy::get(host("master2"), "/b"), holder: toy::get(host("master1"), "/lock") } }

fn checks(p, found) { [check("what is there", || `${found.old}`)] }

fn lock(p, found) { toy::lock(host("master1")); }

fn act(p, found) {
    step("first", || toy::set(host("master1"), "/a", `for ${found.holder}`));
    step("greet", || toy::set(host("master2"), "/b", "two"));
}

fn prove(p, found) { verify("it is there", || toy::get(host("master2"), "/b") == "two"); }
"#;

fn site(text: &str) -> Site {
    let site = Site::new("");
    site.write_whole(text);
    site
}

/// Checks, steps and changes in their order, since it was last asked.
fn played(site: &mut Site) -> Vec<String> {
    let mut said = Vec::new();
    while let Ok(stamped) = site.told.try_recv() {
        match stamped.event {
            Event::Check(check) => {
                let recorded = if check.recorded { " (recorded)" } else { "" };
                said.push(format!("{:?} {}: {}{recorded}", check.status, check.check, check.detail));
            }
            Event::Change(change) => said.push(format!("{:?} {}", change.status, change.target)),
            Event::Verified { name, outcome, .. } => said.push(format!("{outcome} {name}")),
            _ => {}
        }
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_looks_once_and_a_run_again_under_its_lock() {
    let mut site = site(COPY);
    assert_eq!(site.workshop.plan(site.prepare().unwrap()).await.0, End::Done);
    assert!(site.world.entries().is_empty());
    let looks = |site: &Site| site.world.sent().into_iter().filter(|(_, sent)| sent == "get /lock").count();
    assert_eq!(looks(&site), 1);
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), End::Done);
    assert_eq!(looks(&site), 2);
    let planned = ["Passed what is there: ", "Planned /a", "Planned /b", "would verify it is there"];
    let run = ["Passed what is there: ", "Changed /a", "Changed /b", "passed it is there"];
    assert_eq!(played(&mut site), [planned, run].concat());
    assert_eq!(site.world.content("master1", "/a").unwrap(), "for tester", "the second look saw who holds the lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_looks_and_checks_again() {
    let mut site = site(COPY);
    site.world.fail("master2", Failure::Command("set"));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), FAILED);
    assert_eq!(played(&mut site), ["Passed what is there: ", "Changed /a", "Failed /b"]);
    site.world.heal("master2");
    site.world.given("master2", "/b", "someone's");
    site.write_whole("fn main() { }");
    assert_eq!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    let again = ["Passed what is there: someone's", "Unchanged /a", "Changed /b", "passed it is there"];
    assert_eq!(played(&mut site), again);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_a_phase_is_mended_in_its_place() {
    let site = site(COPY);
    let (end, heard) = mended(&site, Wish::Retry, None).await;
    assert_eq!((end, heard.join(", ").as_str()), (End::Done, "greet, turned away"));
    assert_eq!(site.world.content("master2", "/b").unwrap(), "two");
}

/// It may begin only where nobody has begun, and its own first change is such a beginning.
const ONCE: &str = r#"
fn look(p) { #{ begun: toy::get(host("master1"), "/a") } }

fn checks(p, found) {
    [
        check("nobody has begun", #{ before_first_change: true }, || {
            if found.begun != () { refuse(`there is ${found.begun}`, "look at it"); }
            warn("it will take long");
            "nothing is there"
        }),
        check("now", || `${found.begun}`),
    ]
}

fn lock(p, found) { toy::lock(host("master1")); }

fn act(p, found) {
    toy::set(host("master1"), "/a", "one");
    toy::set(host("master2"), "/b", "two");
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_before_the_first_change_is_not_asked_after_it() {
    let mut site = site(ONCE);
    site.world.fail("master2", Failure::Command("set"));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), FAILED);
    let first = ["Warning nobody has begun: nothing is there", "Passed now: "];
    assert_eq!(played(&mut site)[..2], first);
    assert_eq!(site.runs().resume(&site.newest(), None).await.unwrap(), FAILED);
    let again =
        ["Warning nobody has begun: nothing is there (recorded)", "Passed now: one", "Unchanged /a", "Failed /b"];
    assert_eq!(played(&mut site), again);
    site.world.heal("master2");
    assert_eq!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    assert_eq!(played(&mut site)[..2], again[..2], "the answer outlives each attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_refused_or_has_changed_nothing_is_asked_again() {
    let mut site = site(ONCE);
    site.world.given("master1", "/a", "someone's");
    assert_ne!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), End::Done);
    let refused = ["Refused nobody has begun: nothing is there", "Passed now: someone's"];
    assert_eq!(played(&mut site), refused);
    site.world.forget("master1", "/a");
    site.world.fail("master1", Failure::Command("set"));
    assert_ne!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    assert_eq!(played(&mut site)[0], "Warning nobody has begun: nothing is there");
    site.world.heal("master1");
    site.world.given("master1", "/a", "someone's");
    assert_ne!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    assert_eq!(played(&mut site), refused, "the lock was not taken, and nothing was changed");
}

const FIRST: &str = r#"
fn params() { #{ port: param::integer("The port.").or(1) } }

fn look(p) { #{ port: toy::get(host("master1"), "/port") } }

fn lock(p, found) { toy::lock(host("master1")); }

fn act(p, found) { step("write", || toy::set(host("master1"), "/port", `${p.port}`)); }
"#;

const SECOND: &str = r#"
fn params() { #{} }

fn look(p) { #{ port: toy::get(host("master1"), "/port") } }

fn expect(p, found, earlier) { found.port = `${earlier[0].parameters.port}`; found }

fn checks(p, found) { [check("there is a port", || found.port)] }

fn act(p, found) { step("copy", || toy::set(host("master2"), "/copy", found.port)); }
"#;

const BOTH: &str = r#"
import "first" as first;
import "second" as second;

fn params() { #{} }

fn parts(p) { [first::part(#{ port: 2 }), second::part(#{})] }
"#;

fn parted() -> Site {
    let site = site(BOTH);
    for (name, text) in [("first.rhai", FIRST), ("second.rhai", SECOND)] {
        std::fs::write(site.folder.path().join(name), text).unwrap();
    }
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_parts_shows_what_the_run_makes() {
    let mut site = parted();
    assert_eq!(site.workshop.plan(site.prepare().unwrap()).await.0, End::Done);
    assert_eq!(played(&mut site), ["Passed there is a port: 2", "Planned /port", "Planned /copy"]);
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), End::Done);
    assert_eq!(played(&mut site), ["Passed there is a port: 2", "Changed /port", "Changed /copy"]);
    assert_eq!(site.world.content("master2", "/copy").unwrap(), "2");
    assert_eq!(site.runs().undo(&site.newest(), &[]).await.unwrap(), End::Done);
    assert!(site.world.entries().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_parts_goes_on_in_the_part_that_failed() {
    let mut site = parted();
    site.world.fail("master2", Failure::Command("set"));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), FAILED);
    assert_eq!(played(&mut site), ["Passed there is a port: 2", "Changed /port", "Failed /copy"]);
    site.world.heal("master2");
    // It goes on with the files that it began with.
    std::fs::write(site.folder.path().join("second.rhai"), "fn main() { }").unwrap();
    assert_eq!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    assert_eq!(played(&mut site), ["Passed there is a port: 2", "Unchanged /port", "Changed /copy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_a_part_is_mended_in_its_place() {
    let site = parted();
    let (end, heard) = mended(&site, Wish::Retry, None).await;
    assert_eq!((end, heard.join(", ").as_str()), (End::Done, "2 second / copy, turned away"));
}
