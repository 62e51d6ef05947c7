//! A run from its beginning to its end, through the crate's own front door, on hosts that are maps in memory.

#![allow(clippy::unwrap_used)]

mod site;

use std::sync::atomic::Ordering;

use haengine_runs::{End, Refusal, Room, Wish};
use site::{FAILED, Failure, GREET, Site, mended};

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_is_planned_run_taken_back_and_forgotten() {
    let mut site = Site::new(GREET);
    let (end, totals) = site.workshop.plan(site.prepare().unwrap()).await;
    assert_eq!((end, totals.changed, site.world.entries().len()), (End::Done, 2, 0));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), End::Done);
    assert_eq!(site.world.content("master2", "/b").unwrap(), "two");
    assert_eq!(site.told(), ["plan", "succeeded", "run", "succeeded"]);
    assert_eq!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    assert_eq!(site.runs().undo(&site.newest(), &[]).await.unwrap(), End::Done);
    assert!(site.world.entries().is_empty());
    assert_eq!(site.runs().undo(&site.newest(), &[]).await.unwrap(), End::Done);
    assert_eq!(site.runs().forget(&site.newest(), &[]).await.unwrap(), End::Done);
    assert_eq!(site.told(), ["resume", "succeeded", "undo", "succeeded", "undo", "succeeded", "forget", "succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_fail_is_refused_before_anything_is_begun() {
    let site = Site::new("toy::sett(host(\"master1\"), \"/a\", \"one\");");
    let Err(Refusal::Findings(findings)) = site.prepare() else { panic!("it must be refused") };
    assert_eq!(findings.len(), 1);
    assert!(site.store().ids().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_is_found_and_goes_on() {
    let mut site = Site::new(GREET);
    site.world.fail("master2", Failure::Command("set"));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), FAILED);
    let failed = site.newest();
    site.world.heal("master2");
    let prepared = site.prepare().unwrap();
    let found = site.runs().find(&prepared).unwrap().unwrap();
    assert!(found.agree(site.person.as_ref()).unwrap());
    assert_eq!(site.runs().go_on(found, prepared, None).await.unwrap(), End::Done);
    assert_eq!((site.newest(), site.store().summary(&failed).unwrap().attempts), (failed, 2));
    assert_eq!(site.told(), ["run", "host.exit", "failed", "resume", "succeeded"]);
    assert!(site.runs().find(&site.prepare().unwrap()).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_is_resumed_with_what_it_was_made_of() {
    let site = Site::new(GREET);
    site.world.fail("master2", Failure::Command("set"));
    assert_eq!(site.runs().run(site.prepare().unwrap(), None).await.unwrap(), FAILED);
    site.world.heal("master2");
    site.write("toy::set(host(\"master1\"), \"/other\", \"another recipe by now\");");
    assert_eq!(site.runs().resume(&site.newest(), None).await.unwrap(), End::Done);
    assert_eq!(site.world.content("master2", "/b").unwrap(), "two");
    assert!(site.world.content("master1", "/other").is_none());
}

/// A crash after a journal was made and before its first line, or within that.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_before_its_first_line_goes_on_and_is_taken_back() {
    for torn in ["", "{\"time\":\"2026-01-0"] {
        let site = Site::new(GREET);
        site.runs().run(site.prepare().unwrap(), None).await.unwrap();
        let id = site.newest();
        site.runs().undo(&id, &[]).await.unwrap();
        std::fs::write(site.store().look(&id).unwrap().path.join("journal.jsonl"), torn).unwrap();
        assert_eq!(site.runs().resume(&id, None).await.unwrap(), End::Done);
        let summary = site.store().summary(&id).unwrap();
        assert_eq!((summary.outcome.as_str(), summary.attempts, summary.changes), ("succeeded", 1, 2));
        assert_eq!(site.runs().undo(&id, &[]).await.unwrap(), End::Done);
        assert!(site.world.entries().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_to_an_undo_is_left_alone() {
    let site = Site::new(GREET);
    site.runs().run(site.prepare().unwrap(), None).await.unwrap();
    site.person.declines.store(true, Ordering::Relaxed);
    let Err(Refusal::Fault(fault)) = site.runs().undo(&site.newest(), &[]).await else { panic!("it was declined") };
    assert_eq!(fault.error().code(), haengine_runs::undo::DECLINED);
    assert_eq!(site.world.entries().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_is_retried_passed_over_or_taken_back() {
    let site = Site::new(GREET);
    let (end, heard) = mended(&site, Wish::Retry, None).await;
    assert_eq!((end, heard.join(", ").as_str()), (End::Done, "greet, turned away"));
    assert_eq!(site.world.content("master2", "/b").unwrap(), "two");

    let site = Site::new(GREET);
    assert_eq!(mended(&site, Wish::Skip, None).await.0, End::Done);
    assert!(site.world.content("master2", "/b").is_none());

    let mut site = Site::new(GREET);
    assert_eq!(mended(&site, Wish::Undo, None).await.0, FAILED);
    assert!(site.world.entries().is_empty());
    assert_eq!(site.told(), ["run", "undo", "succeeded"]);
    assert_eq!(mended(&site, Wish::Leave, None).await.0, FAILED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_recipe_begins_at_the_top_of_the_same_run() {
    let site = Site::new(GREET);
    let edited =
        r#"toy::set(host("master1"), "/a", "one"); step("greet", || toy::set(host("master2"), "/c", "three"));"#;
    let (end, heard) = mended(&site, Wish::Retry, Some(edited)).await;
    assert_eq!(end, End::Done);
    assert!(heard.contains(&"the recipe was edited: version 2 begins at the top".to_owned()), "{heard:?}");
    assert_eq!((site.world.content("master2", "/c").unwrap(), site.store().ids().unwrap().len()), ("three".into(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_a_run_like_any_other_and_leave_no_trace_without_changes() {
    let site = Site::new(GREET);
    let runs = site.runs();
    let line = |room: &Room<'_>, line: &str| {
        let repl = room.repl().clone();
        let line = line.to_owned();
        tokio::task::spawn_blocking(move || repl.lock().unwrap().evaluate(&line).map(drop))
    };
    let mut room = Room::open(&runs, site.workshop.inventory().unwrap()).await.unwrap();
    line(&room, r#"toy::set(master1, "/a", "one")"#).await.unwrap().unwrap();
    assert!(room.has_touched());
    assert_eq!(room.take_back(true).await.unwrap(), End::Done);
    assert!(site.world.entries().is_empty() && !room.has_touched());
    room.leave("succeeded").await;
    let ids = site.store().ids().unwrap();
    assert_eq!(ids.len(), 1, "the run that changed nothing has gone");
    assert_eq!(site.store().summary(&ids[0]).unwrap().outcome, "undone");
}
