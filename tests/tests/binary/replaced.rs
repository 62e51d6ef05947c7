//! A name that leads to another machine by now: nothing is touched, there and elsewhere.

use haengine_tests::site::{Given, Site, possible};

const RECIPE: &str = r#"
fn main(p) {
    file::directory(group("changed"), "/srv/shared");
    file::put(group("changed"), "/srv/shared/conf", "ours\n");
    fail("on purpose");
}
"#;

/// `m1` is at the address of `m3`, where somebody has the same folder.
fn elsewhere(site: &Site) {
    let text = std::fs::read_to_string(site.path().join("site.yaml")).unwrap();
    let (right, wrong) = ("m1: { address: 192.168.2.11 }", "m1: { address: 192.168.2.13 }");
    assert!(text.contains(right), "{text}");
    site.write("elsewhere.yaml", &text.replace(right, wrong));
    site.on("m3", "mkdir /srv/shared && echo ours >/srv/shared/conf");
}

fn refused(given: &Given, word: &str) {
    for part in ["host.replaced", "machine-id was", "--replaced m1", word] {
        assert!(given.errors.contains(part), "{part} is not in {}", given.errors);
    }
}

fn conf(site: &Site) -> String {
    site.each_says("cat /srv/shared/conf 2>/dev/null")
}

#[test]
fn another_machine_is_left_alone_until_the_old_one_is_given_up() {
    if !possible() {
        return;
    }
    let hosts = (1..=3).map(|i| haengine_lab::HostSpec::new(format!("m{i}"), [192, 168, 2, 10 + i].into())).collect();
    let site = Site::with("replaced", hosts, "changed: [m1, m2]");
    site.write("replaced.rhai", RECIPE);
    let ran = site.haengine(&["run", "replaced.rhai", "-i", "site.yaml", "--json"]).ended_with(1);
    let id = ran.finished()["run"].as_str().unwrap().to_owned();
    elsewhere(&site);
    let all = "m1 ours\nm2 ours\nm3 ours\n";
    assert_eq!(conf(&site), all);

    for command in ["undo", "forget", "resume"] {
        let given = site.haengine(&[command, &id, "--yes", "-i", "elsewhere.yaml"]).ended_with(2);
        refused(&given, "`m1` is another machine than the one that run");
        assert_eq!(conf(&site), all, "after {command}");
    }
    let wrong = site.haengine(&["undo", &id, "--yes", "--replaced", "m3"]).ended_with(2);
    assert!(wrong.errors.contains("undo.replaced"), "{}", wrong.errors);

    let undo = ["undo", &id, "--yes", "-i", "elsewhere.yaml", "--replaced", "m1"];
    let given = site.haengine(&undo).ended_with(0);
    assert!(given.out.contains("gave up 2 changes on m1"), "{}\n{}", given.out, given.errors);
    assert_eq!(conf(&site), "m1 ours\nm3 ours\n");
    assert_eq!(site.on("m2", "ls -d /srv/shared 2>&1 | grep -c 'No such'"), "1\n");
    assert_eq!(site.haengine(&["runs", "--json"]).ended_with(0).events()[0]["outcome"], "undone");
    let shown = site.haengine(&["show", &id]).ended_with(0).out;
    assert!(shown.contains("given up: its machine is no more"), "{shown}");
}
