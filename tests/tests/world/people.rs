//! Other people.

use haengine_tests::site::{Given, Site, differences, ended, possible};

use crate::scene::said;

/// Each of them holds each host for a while.
const RECIPE: &str = r#"
fn main(p) {
    step("place", || file::put(group("masters"), "/srv/placed", "new\n"));
    step("wait", || ssh::run(group("masters"), "sleep 1", #{ unless: "test -e /srv/waited" }));
    step("done", || file::put(group("masters"), "/srv/waited", "new\n"));
}
"#;

fn site(name: &str) -> Site {
    let site = Site::new(name, 3);
    site.write("people.rhai", RECIPE);
    site.each_says("echo old | tee /srv/placed");
    site
}

/// Two operators, each with a state folder of their own.
fn both(site: &Site) -> Vec<Given> {
    let start = |who: &str| {
        let mut command = site.command(&["run", "people.rhai", "-i", "site.yaml", "--json", "--yes"]);
        command.env("HAENGINE_STATE_DIR", site.path().join(who)).env("USER", who).spawn().unwrap()
    };
    let children = ["ada", "bob"].map(start);
    children.into_iter().map(ended).collect()
}

#[test]
fn of_two_operators_who_start_at_once_one_is_told_to_wait() {
    if !possible() {
        return;
    }
    let site = site("both");
    let before = site.manifest();
    for round in 0..4 {
        let mut given = both(&site);
        given.sort_by_key(|given| given.code);
        let codes: Vec<i32> = given.iter().map(|given| given.code).collect();
        assert_eq!(codes, [0, 5], "round {round}:\n{}\n{}", given[0].out, given[1].out);
        said(&given[1], &["m1", "has held the lock since"]);
        assert_eq!(given[1].finished()["changed"], 0, "whoever waits has touched nothing: {}", given[1].out);
        let winner = given[0].finished()["run"].as_str().unwrap().to_owned();
        for who in ["ada", "bob"] {
            let folder = site.path().join(who);
            if folder.join("runs").join(&winner).exists() {
                site.haengine(&["undo", &winner, "--yes", "--state-dir", folder.to_str().unwrap()]).ended_with(0);
            }
        }
        assert_eq!(differences(&before, &site.manifest()), "", "round {round}");
    }
}

#[test]
fn what_somebody_edited_is_not_overwritten_by_undo() {
    if !possible() {
        return;
    }
    let site = site("edited");
    let before = site.manifest();
    let run = site.haengine(&["run", "people.rhai", "-i", "site.yaml", "--json"]).ended_with(0);
    let run = run.finished()["run"].as_str().unwrap().to_owned();
    site.on("m2", "echo theirs >>/srv/placed");
    let undo = site.haengine(&["undo", &run, "--yes", "--json"]).ended_with(1);
    said(&undo, &["m2", "/srv/placed", "was changed since by somebody else", "undo.drift"]);
    let now = site.each_says("{ cat /srv/placed; ls /srv; }");
    assert_eq!(now, "m1 old\nm1 placed\nm2 new\nm2 theirs\nm2 placed\nm3 old\nm3 placed\n", "the others are back");
    site.on("m2", "printf 'new\\n' >/srv/placed");
    site.haengine(&["undo", &run, "--yes", "--json"]).ended_with(0);
    assert_eq!(differences(&before, &site.manifest()), "");
}
