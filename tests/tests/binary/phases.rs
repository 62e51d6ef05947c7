//! A recipe of recipes in phases on a real host: planned, killed in its second part, gone on with and taken back.

use haengine_tests::site::{Given, Site, differences, possible};

use crate::interrupted::signal;

/// It begins only where nobody has begun.
const PLACE: &str = r#"
fn params() { #{ h: param::host("Where.") } }

fn look(p) { step("look", || #{ text: file::read(p.h, "/etc/phased", #{ missing: "empty" }) }) }

fn checks(p, found) {
    [
        check("nobody has begun", #{ before_first_change: true }, || {
            if found.text != "" { refuse(`it says ${found.text}`, "take it away"); }
            "nothing is there"
        }),
        check("it can be read", || `${found.text.len()} characters`),
    ]
}

fn act(p, found) { step("place", || file::put(p.h, "/etc/phased", "text\n")); }

fn prove(p, found) { verify("it is there", || file::read(p.h, "/etc/phased") == "text\n"); }
"#;

/// It stays in `wait` until somebody lets it go on.
const REPEAT: &str = r#"
fn params() { #{ h: param::host("Where.") } }

fn look(p) { #{ text: file::read(p.h, "/etc/phased", #{ missing: "empty" }) } }

fn expect(p, found, earlier) { found.text = "text\n"; found }

fn checks(p, found) { [check("there is a text", || found.text != "")] }

fn act(p, found) {
    step("repeat", || file::put(p.h, "/etc/phased-again", found.text));
    step("wait", || {
        ssh::run(p.h, "touch /run/phased; while ! [ -e /run/phased-go ]; do sleep 0.1; done",
            #{ unless: "test -e /run/phased-go" });
    });
    step("end", || file::put(p.h, "/etc/phased-end", found.text));
}
"#;

const BOTH: &str = r#"
import "place" as place;
import "repeat" as repeat;

fn params() { #{ h: param::host("Where.").or("m1") } }

fn parts(p) { [place::part(#{ h: p.h }), repeat::part(#{ h: p.h })] }
"#;

/// Checks and changes in their order: name and status.
fn told(given: &Given) -> Vec<String> {
    let word = |event: &serde_json::Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let events = given.events().into_iter();
    let line = |event: serde_json::Value| match event["event"].as_str() {
        Some("check") if event["recorded"] == true => Some(format!("{}: recorded", word(&event, "check"))),
        Some("check") => Some(format!("{}: {}", word(&event, "check"), word(&event, "status"))),
        Some("change") => Some(format!("{}: {}", word(&event, "step"), word(&event, "status"))),
        _ => None,
    };
    events.filter_map(line).collect()
}

#[test]
fn parts_are_planned_killed_resumed_and_undone() {
    if !possible() {
        return;
    }
    let site = Site::new("phases", 1);
    for (name, text) in [("place.rhai", PLACE), ("repeat.rhai", REPEAT), ("both.rhai", BOTH)] {
        site.write(name, text);
    }
    let before = site.manifest();
    let planned = site.haengine(&["plan", "both.rhai", "-i", "site.yaml", "--json"]).ended_with(0);
    let checks = ["nobody has begun: passed", "it can be read: passed", "there is a text: passed"];
    let changes = |status: &str| {
        ["1 place / place", "2 repeat / repeat", "2 repeat / wait", "2 repeat / end"]
            .map(|step| format!("{step}: {status}"))
    };
    assert_eq!(told(&planned)[..3], checks);
    assert_eq!(told(&planned)[3..], changes("planned"));
    assert_eq!(differences(&before, &site.manifest()), "", "a plan touches nothing");

    let mut child = site.start(&["run", "both.rhai", "-i", "site.yaml", "--json"]);
    site.until("m1", "[ -e /run/phased ]");
    signal("KILL", &child);
    child.wait().unwrap();
    site.on("m1", "touch /run/phased-go");
    let resumed = site.haengine(&["run", "both.rhai", "-i", "site.yaml", "--json", "--yes"]).ended_with(0);
    let again = ["nobody has begun: recorded", "it can be read: passed", "there is a text: passed"];
    assert_eq!(told(&resumed)[..3], again);
    let made = [
        "1 place / place: unchanged",
        "2 repeat / repeat: unchanged",
        "2 repeat / wait: skipped",
        "2 repeat / end: changed",
    ];
    assert_eq!(told(&resumed)[3..], made);
    assert_eq!(site.on("m1", "cat /etc/phased /etc/phased-again /etc/phased-end"), "text\ntext\ntext\n");

    let id = resumed.events()[0]["run"].as_str().unwrap().to_owned();
    site.haengine(&["undo", &id, "--yes"]).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "", "undo takes back all parts");
}
