//! Runs as their journals tell them: listed, shown, refused.

use crate::{Given, Site};

const ID: &str = "20260314-091502-kqzt";

/// A journal of two attempts: the first died in an action, the second failed.
const JOURNAL: &str = r#"{"time":"2026-03-14T09:15:02.1Z","entry":"run","version":2,"run":"20260314-091502-kqzt","recipe":"site.rhai","parameters":{"hosts":"masters"},"inventory":["site.yaml"],"operator":"ops@desk"}
{"time":"2026-03-14T09:15:03.2Z","entry":"started","change":1,"call":1,"key":{"recipe":"site.rhai","step":["configure"],"ordinal":0,"op":"file.put","host":"m1","target":"/etc/demo.conf"},"arguments":{},"before":{},"reversible":true,"summary":"change, 4 B","diff":"@@ -1 +1 @@\n-old\n+new\n"}
{"time":"2026-03-14T09:15:03.3Z","entry":"succeeded","change":1,"seconds":0.05}
{"time":"2026-03-14T09:15:04.0Z","entry":"started","change":2,"call":2,"key":{"recipe":"site.rhai","step":["start"],"ordinal":0,"op":"ssh.run","host":"m1","target":"make it"},"arguments":{},"before":null,"reversible":false}
{"time":"2026-03-14T09:20:00.0Z","entry":"resumed","operator":"eve@desk"}
{"time":"2026-03-14T09:20:01.0Z","entry":"started","change":3,"call":3,"key":{"recipe":"site.rhai","step":["start"],"ordinal":0,"op":"ssh.run","host":"m1","target":"make it"},"arguments":{},"before":null,"reversible":false}
{"time":"2026-03-14T09:20:03.0Z","entry":"failed","change":3,"error":{"kind":"failed","code":"ssh.exit","message":"`make it` ended with status 2","causes":["no rule to make it"]}}
{"time":"2026-03-14T09:20:03.5Z","entry":"finished","outcome":"failed"}
"#;

const FORGOTTEN: &str = "{\"time\":\"2026-03-15T08:00:00Z\",\"entry\":\"forgotten\",\"operator\":\"eve@desk\"}\n";
const UNDOING: &str = "{\"time\":\"2026-03-15T08:00:00Z\",\"entry\":\"undo_started\",\"change\":1}\n";

fn site(more: &str) -> Site {
    let site = Site::new();
    write(&site, ID, &format!("{JOURNAL}{more}"));
    site
}

fn write(site: &Site, id: &str, journal: &str) {
    site.write(&format!(".local/state/haengine/runs/{id}/journal.jsonl"), journal);
}

fn refused(site: &Site, words: &[&str], code: &str) -> Given {
    let given = site.run(words);
    assert_eq!(given.code, 2, "{}", given.all());
    assert!(given.errors.contains(&format!("error[{code}]")), "{}", given.all());
    given
}

#[test]
fn a_run_is_shown_with_its_attempts_and_differences() {
    let site = site("");
    insta::assert_snapshot!(site.run(&["show", ID]).all(), @"
    --- stdout
    run 20260314-091502-kqzt
      recipe     site.rhai
      parameters hosts=masters
      inventory  site.yaml
      operator   ops@desk
      started    2026-03-14 09:15:02
      took       5.4 s
      outcome    failed
      attempts   2
      changes    3

    attempt 1 of 2: 2026-03-14 09:15:02 by ops@desk, died after 1.9 s

    configure
      m1: file.put /etc/demo.conf changed: change, 4 B (50 ms)
          @@ -1 +1 @@
          -old
          +new

    start
      m1: ssh.run make it broken off, looked at again by the next attempt, cannot be undone

    attempt 2 of 2: 2026-03-14 09:20:00 by eve@desk, failed after 3.5 s

    start
      m1: ssh.run make it failed, cannot be undone
        `make it` ended with status 2
        no rule to make it

    it can be gone on with: `haengine resume 20260314-091502-kqzt`
    1 change can be taken back: `haengine undo 20260314-091502-kqzt`
    1 change has no inverse and would stay after an undo:
      m1: ssh.run make it
    --- exit code 0
    ");
    let short = site.run(&["show", ID, "--short"]).out;
    assert!(!short.contains("-old") && short.contains("change, 4 B"), "{short}");
    let lines = site.run(&["show", ID, "--json"]).json();
    assert_eq!((&lines[0]["attempts"], &lines[1]["attempt"], &lines[3]["attempt"]), (&2.into(), &1.into(), &2.into()));
    assert!(lines[1]["diff"].as_str().unwrap().contains("-old\n+new\n"));
}

#[test]
fn hosts_that_give_only_the_weaker_proof_are_named() {
    let host = |name: &str, births: &str| {
        format!(
            "{{\"time\":\"2026-03-14T09:15:02.2Z\",\"entry\":\"host\",\"host\":\"{name}\",\"machine_id\":\"a1\"{births}}}\n"
        )
    };
    let births = [host("m1", ",\"births\":false"), host("m2", ",\"births\":true"), host("m3", "")];
    let shown = site(&births.concat()).run(&["show", ID]).out;
    assert!(
        shown.contains("  no births  on m1: inode, content, owner and mode prove what is the run's own\n"),
        "{shown}"
    );
}

#[test]
fn a_run_that_cannot_be_read_is_listed_as_such() {
    let site = site("");
    write(&site, "20260315-091502-bbbb", "{}\n");
    insta::assert_snapshot!(site.run(&["runs"]).all(), @"
    --- stdout
    RUN                   STARTED              RECIPE     OUTCOME     CHANGES  TIME   HOSTS
    20260315-091502-bbbb                                  unreadable
    20260314-091502-kqzt  2026-03-14 09:15:02  site.rhai  failed      3        5.4 s  m1
    --- stderr
    error[journal.line]: SITE/.local/state/haengine/runs/20260315-091502-bbbb/journal.jsonl:1: not a line of a journal
      because: missing field `time` at line 1 column 2
    hint: look at the file: a newer haengine may have written it, or somebody has edited it; nothing was touched
    --- exit code 2
    ");
    let given = site.run(&["runs", "--json"]);
    let lines = given.json();
    assert_eq!((given.code, &lines[0]["outcome"], &lines[1]["outcome"]), (2, &"unreadable".into(), &"failed".into()));
    assert_eq!(lines[0]["error"]["code"], "journal.line");
}

#[test]
fn a_run_that_is_forgotten_is_neither_undone_nor_resumed() {
    let site = site(FORGOTTEN);
    insta::assert_snapshot!(site.run(&["undo", ID]).all(), @"
    --- stderr
    error[undo.forgotten]: run 20260314-091502-kqzt was forgotten at 2026-03-15T08:00:00Z: what the hosts had kept for its undo is gone
    hint: see with `haengine show 20260314-091502-kqzt` what it changed, and change it back by hand or with a recipe
    --- exit code 2
    ");
    refused(&site, &["resume", ID], "resume.forgotten");
    assert!(site.run(&["show", ID]).out.contains("forgotten at 2026-03-15 08:00:00"));
    assert_eq!(site.run(&["runs", "--json"]).json()[0]["outcome"], "forgotten");
}

#[test]
fn a_run_whose_undo_has_begun_is_neither_resumed_nor_forgotten() {
    let site = site(UNDOING);
    refused(&site, &["resume", ID], "resume.undone");
    let given = refused(&site, &["forget", ID, "--yes"], "forget.undoing");
    assert!(given.errors.contains(&format!("`haengine undo {ID}`")), "{}", given.errors);
    assert_eq!(site.run(&["runs", "--json"]).json()[0]["outcome"], "partly undone");
}

#[test]
fn without_its_recipe_a_run_is_not_resumed() {
    let given = refused(&site(""), &["resume", ID], "runs.kept");
    assert!(given.errors.contains("run the recipe anew"), "{}", given.errors);
}

#[test]
fn a_run_that_is_not_known_is_told() {
    let site = site("");
    for command in ["resume", "forget"] {
        let given = refused(&site, &[command, "20260314-091502-kqzz"], "runs.unknown");
        assert!(given.errors.contains(ID), "it names the nearest: {}", given.errors);
    }
}

#[test]
fn forgetting_is_asked_about_first() {
    let site = site("");
    let given = refused(&site, &["forget", ID], "prompt.no_terminal");
    let question = "it has failed; 1 change could not be taken back any more";
    assert!(given.errors.contains(question), "{}", given.errors);
    assert_eq!(site.run(&["runs", "--json"]).json()[0]["outcome"], "failed");
}

#[test]
fn a_run_that_succeeded_has_nothing_to_go_on_with() {
    let site = Site::new();
    site.write("empty.rhai", "fn main(p) {\n}\n");
    site.run(&["run", "empty.rhai"]);
    let id = site.run(&["runs", "--json"]).json()[0]["run"].as_str().unwrap().to_owned();
    let given = site.run(&["resume", &id, "--json"]);
    assert_eq!(
        (given.code, given.json().last().unwrap()["outcome"].as_str()),
        (0, Some("succeeded")),
        "{}",
        given.all()
    );
}

#[test]
fn a_run_that_failed_before_it_changed_anything_is_resumed_with_its_own_recipe_and_parameters() {
    let site = Site::new();
    let recipe = |text: &str| {
        format!(
            "import \"other\" as o;\nfn params() {{ #{{ a: param::string(\"It.\") }} }}\nfn main(p) {{ log(\"{text} \" + p.a); o::stop(); }}\n"
        )
    };
    site.write("mine.rhai", &recipe("first"));
    site.write("other.rhai", "fn stop() { fail(\"stop\"); }\n");
    assert_eq!(site.run(&["run", "mine.rhai", "a=1"]).code, 2);
    let id = site.run(&["runs", "--json"]).json()[0]["run"].as_str().unwrap().to_owned();
    site.write("mine.rhai", &recipe("second"));
    site.write("other.rhai", "fn stop() { }\n");
    let given = site.run(&["resume", &id]);
    assert!(given.code == 2 && given.out.contains("first 1") && given.errors.contains("stop"), "{}", given.all());
    let given = site.run(&["run", "mine.rhai", "a=1"]);
    assert!(given.code == 0 && given.out.contains("second 1"), "{}", given.all());
    assert_eq!(site.run(&["runs", "--json"]).json().len(), 2);
}

/// A run of `greet.rhai` that looks as if it had died after a change.
pub(crate) fn died(site: &Site) -> String {
    site.write(
        "greet.rhai",
        "fn params() { #{ whom: param::string(\"Who.\") } }\nfn main(p) { log(\"hello \" + p.whom); }\n",
    );
    site.run(&["run", "greet.rhai", "whom=world"]);
    let id = site.run(&["runs", "--json"]).json()[0]["run"].as_str().unwrap().to_owned();
    let path = site.path(&format!(".local/state/haengine/runs/{id}/journal.jsonl"));
    let head = std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned();
    let change = JOURNAL.lines().nth(1).unwrap();
    write(site, &id, &format!("{head}\n{change}\n"));
    id
}

#[test]
fn the_next_run_goes_on_with_an_unfinished_one_unless_something_is_different() {
    let run = |words: &[&str]| {
        let site = Site::new();
        let id = died(&site);
        let given = site.run(&[&["run", "greet.rhai"], words].concat());
        assert_eq!(given.code, 0, "{}", given.all());
        (given.out.contains(&format!("resume of {id}")), site, id, given)
    };
    let (resumed, site, id, given) = run(&["whom=world", "--yes"]);
    assert!(resumed && given.out.contains("this run died before: going on with it"), "{}", given.all());
    assert_eq!(site.run(&["runs", "--json"]).json()[0]["outcome"], "succeeded");
    assert!(site.run(&["show", &id]).out.contains("attempts   2"));
    assert!(!site.run(&["run", "greet.rhai", "whom=world"]).out.contains("resume of"), "it has come to its end");
    assert!(run(&["whom=world"]).0, "nobody can be asked");
    assert!(!run(&["whom=moon"]).0);
    assert!(!run(&["whom=world", "--anew"]).0);
    let site = Site::new();
    died(&site);
    site.write("site.yaml", "hosts: { m1: { address: 127.0.0.1 } }\n");
    assert!(!site.run(&["run", "greet.rhai", "whom=world", "-i", "site.yaml"]).out.contains("resume of"));
    site.write("greet.rhai", "fn params() { #{ whom: param::string(\"Who.\") } }\nfn main(p) { }\n");
    assert!(!site.run(&["run", "greet.rhai", "whom=world"]).out.contains("resume of"), "the recipe was edited");
}

/// What undo left and kept of the first change.
const REMAINS: &str = r#"{"time":"2026-03-15T08:00:00Z","entry":"undo_started","change":1}
{"time":"2026-03-15T08:00:01Z","entry":"undone","change":1,"remains":[{"what":"/opt/demo","why":"somebody else's files are in it"},{"what":"/var/lib/demo","why":"it appeared","kept":"/var/lib/haengine/r/aside/1/demo","by_rule":true}]}
"#;

#[test]
fn what_an_undo_left_and_kept_is_listed() {
    let site = site(REMAINS);
    let shown = site.run(&["show", ID, "--short"]).out;
    for line in [
        "m1: `/opt/demo` stays: somebody else's files are in it",
        "m1: `/var/lib/demo` was moved to `/var/lib/haengine/r/aside/1/demo`: it appeared",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert_eq!(site.run(&["show", ID, "--json"]).json()[1]["remains"][0]["what"], "/opt/demo");
    assert_eq!(site.run(&["runs", "--json"]).json()[0]["outcome"], "undone");
}

#[test]
fn a_run_of_an_earlier_version_is_shown_and_not_resumed() {
    let site = Site::new();
    write(&site, ID, &JOURNAL.replacen("\"version\":2", "\"version\":1", 1));
    let given = refused(&site, &["resume", ID], "journal.old");
    assert!(given.errors.contains("0.1.0") && given.errors.contains("haengine undo"), "{}", given.all());
    let shown = site.run(&["show", ID]).out;
    assert!(shown.contains("only that can go on with it") && !shown.contains("haengine resume"), "{shown}");
}
