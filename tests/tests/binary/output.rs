//! What a person and a program see.

use crate::site::{Site, possible};

const RECIPE: &str = r#"
fn main() {
    step("place", || {
        file::directory(group("masters"), "/opt/demo");
        file::put(group("masters"), "/opt/demo/a", "one\n");
    });
    verify("it is there", || file::read(host("m1"), "/opt/demo/a") == "one\n");
}
"#;

#[test]
fn a_pipe_gets_whole_plain_lines_and_json_gets_only_json() {
    if !possible() {
        return;
    }
    let site = Site::new("out", 2);
    site.write("demo.rhai", RECIPE);
    let plan = site.haengine(&["plan", "demo.rhai", "-i", "site.yaml"]).ended_with(0);
    assert!(plan.out.contains("+one"), "the plan shows the difference:\n{}", plan.out);
    let run = site.haengine(&["run", "demo.rhai", "-i", "site.yaml"]).ended_with(0);
    assert!(!run.out.contains('\u{1b}') && !run.out.contains('\r'), "{}", run.out);
    for text in ["place", "m1, m2: file.put /opt/demo/a changed", "4 changed", "haengine undo"] {
        assert!(run.out.contains(text), "{text:?} is not in\n{}", run.out);
    }
    let json = site.haengine(&["run", "demo.rhai", "-i", "site.yaml", "--json"]).ended_with(0);
    let events = json.events();
    assert!(events.iter().all(|event| event["event"].is_string() && event["time"].is_string()));
    assert_eq!(json.finished()["ok"], 4);
    let show = site.haengine(&["show", run_id(&site, 1).as_str()]).ended_with(0);
    assert!(show.out.contains("file.put /opt/demo/a"), "{}", show.out);
}

#[test]
fn a_step_that_fails_after_a_change_ends_with_1_and_before_it_with_2() {
    if !possible() {
        return;
    }
    let site = Site::new("one", 1);
    site.write(
        "fails.rhai",
        r#"fn main() {
    step("place", || file::put(host("m1"), "/etc/placed-by-a-test", "text"));
    step("break", || ssh::query(host("m1"), "exit 7"));
}
"#,
    );
    let words = ["run", "fails.rhai", "-i", "site.yaml"];
    let first = site.haengine(&words).ended_with(1);
    assert!(
        first.errors.contains("fails.rhai:3:") && first.out.contains("haengine undo"),
        "{}{}",
        first.out,
        first.errors
    );
    // What the first run placed is there: nothing is changed before the same failure.
    let second = site.haengine(&[words.as_slice(), &["--json"]].concat()).ended_with(2);
    assert_eq!((&second.finished()["outcome"], &second.finished()["changed"]), (&"failed".into(), &0.into()));
    assert_eq!(site.on("m1", "cat /etc/placed-by-a-test"), "text");
}

/// The run that is `back` runs before the newest.
fn run_id(site: &Site, back: usize) -> String {
    let runs = site.haengine(&["runs", "--json"]).ended_with(0);
    runs.events()[back]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_terminal_gets_progress_that_a_person_can_follow() {
    if !possible() {
        return;
    }
    let site = Site::new("tty", 1);
    site.write("wait.rhai", "fn main() { step(\"a long step\", || ssh::run(host(\"m1\"), \"sleep 2\")); }");
    let inner = site.command(&["run", "wait.rhai", "-i", "site.yaml"]);
    let line: Vec<String> = std::iter::once(inner.get_program())
        .chain(inner.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut terminal = std::process::Command::new("script");
    terminal.args(["-qec", &line.join(" "), "/dev/null"]).current_dir(site.path()).env("TERM", "xterm");
    terminal.env("HAENGINE_STATE_DIR", site.path().join("state"));
    let seen = String::from_utf8_lossy(&terminal.output().unwrap().stdout).into_owned();
    for text in ["a long step", "m1", "sleep 2", "(1 s)"] {
        assert!(seen.contains(text), "{text:?} is not on the screen:\n{seen}");
    }
}
