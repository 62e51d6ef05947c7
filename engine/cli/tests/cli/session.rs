//! Sessions without a terminal, and without hosts: lines from standard input.

use crate::{Given, Site};

fn site() -> Site {
    let site = Site::new();
    site.write(
        "site.yaml",
        "hosts: { m1: { address: 127.0.0.1 }, m-2: { address: 127.0.0.2 } }\ngroups: { both: [m1, m-2] }\n",
    );
    site
}

fn told(site: &Site, words: &[&str], lines: &str) -> Given {
    let output = site.command(words).write_stdin(lines).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Given { code: output.status.code().unwrap(), out: text(output.stdout), errors: text(output.stderr) }
}

const REPL: [&str; 3] = ["repl", "-i", "site.yaml"];

#[test]
fn lines_are_answered_and_leave_no_run_where_nothing_was_changed() {
    let site = site();
    let lines = "1 + 1\n_ * 21\nfn twice(n) {\n    n * 2\n}\nlet f = |n| twice(n);\nf.call(4)\n\
        both.map(|h| h.address)\n#{ a: #{ x: 1, y: \"one\" }, b: #{ x: 2, y: \"two\\nlines\" } }\nm1\nlog(host(\"m-2\").name)\n";
    insta::assert_snapshot!(told(&site, &REPL, lines).all(), @"
    --- stdout
    2
    42
    8
    127.0.0.1
    127.0.0.2
       X  Y
    a  1  one
    b  2  two
          lines
    m1
      m-2
    --- exit code 0
    ");
    assert_eq!(site.run(&["runs"]).out, "nothing was run yet\n");
}

#[test]
fn the_first_line_that_fails_ends_it() {
    let site = site();
    insta::assert_snapshot!(told(&site, &REPL, "let x = 1;\nlet y = x +\n  z;\nlog(\"never\")\n").all(), @"
    --- stderr
    error[recipe.unknown_variable]: there is no variable `z`
     --> repl:3:3
      |
    3 |   z;
      |   ^
      |
      = hint: write `x`
    --- exit code 2
    ");
    let failed = told(&site, &REPL, "fail(\"enough\")\n");
    assert_eq!((failed.code, failed.out.as_str()), (2, ""));
    assert!(failed.errors.contains("enough") && failed.errors.contains("repl:1:1"), "{}", failed.errors);
    assert_eq!(told(&site, &REPL, "ssh::query(m1, \"true\")\n").code, 3);
}

#[test]
fn a_program_reads_answers_as_json() {
    let site = site();
    let given = told(&site, &["repl", "--json"], ":help\n#{ a: 1 }\nlog(\"said\")\nfail(\"enough\")\n");
    let events: Vec<String> = given.json().iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(events, ["run_started", "answer", "log", "error", "run_finished"]);
    assert_eq!(given.json()[1]["value"]["a"], 1);
    assert_eq!(given.json()[4]["outcome"], "failed");
    assert_eq!(given.code, 2);
}

#[test]
fn commands_of_the_session() {
    let site = site();
    insta::assert_snapshot!(told(&site, &REPL, ":hosts\n:hosts both\n:undo\n:plan on\n:plan off\n:quit\nlog(\"never\")\n").all(), @r#"
    --- stdout
    NAME         WHERE      WHAT
    m1           127.0.0.1  host
    host("m-2")  127.0.0.2  host
    both         m1, m-2    group
    `!` works on all hosts
    `!` works on both
    nothing was changed
    --- exit code 0
    "#);
    let doc = told(&site, &REPL, ":doc file::put\n:doc\n:help\n:runs\n");
    assert_eq!(doc.code, 0);
    for word in ["file::put(hosts, path, content, options)", "step", ":save FILE", "repl"] {
        assert!(doc.out.contains(word), "{word} is not in {}", doc.out);
    }
    let timed = told(&site, &REPL, ":time 1 + 1\n");
    assert!(timed.out.starts_with("2\ntook "), "{}", timed.out);
    let wrong = told(&site, &REPL, ":retry\n");
    assert_eq!(wrong.code, 2);
    assert!(wrong.errors.contains("no step has failed"), "{}", wrong.errors);
}

#[test]
fn a_session_is_saved_and_another_loads_it() {
    let site = site();
    let lines = "fn greet(whom) { \"hello \" + whom }\ngreet(m1.name)\nlog(_)\n:save greeting\n";
    let saved = told(&site, &REPL, lines);
    assert!(
        saved.out.ends_with("saved as greeting.rhai: `haengine run greeting.rhai` does the same\n"),
        "{}",
        saved.out
    );
    let run = site.run(&["run", "greeting.rhai", "-i", "site.yaml"]);
    assert_eq!(run.code, 0, "{}", run.errors);
    assert!(run.out.contains("  hello m1\n"), "{}", run.out);
    let loaded = told(&site, &REPL, ":load greeting.rhai\ngreeting::greet(\"you\")\ngreeting::main(#{})\n");
    assert_eq!(loaded.code, 0, "{}", loaded.errors);
    assert!(loaded.out.contains("hello you\n") && loaded.out.contains("  hello m1\n"), "{}", loaded.out);
    let again = told(&site, &REPL, "1\n:save greeting\n");
    assert!(again.code == 2 && again.errors.contains("repl.save"), "{}", again.errors);
}

const BROKEN: &str = r#"fn params() { #{ whom: param::string("Who is greeted.") } }

fn main(p) {
    let place = "there";
    step("first", || log("once"));
    step("second", || if p.whom == "nobody" { fail("nobody is " + place) });
    step("third", || log("in the end, " + place));
}
"#;

const RUN: [&str; 5] = ["run", "broken.rhai", "whom=nobody", "--on-error", "repl"];

/// How long a step took differs each time.
fn without_times(text: &str) -> String {
    let lines = crate::recipes::steady(text);
    lines.lines().filter(|line| !line.contains("failed after")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_step_that_fails_is_looked_at_and_called_again_passed_over_or_left() {
    let site = site();
    site.write("broken.rhai", BROKEN);
    let retried = told(&site, &RUN, "p.whom\nplace\np.whom = \"somebody\";\nplace = \"here\";\n:retry\n");
    insta::assert_snapshot!(without_times(&retried.all()), @r#"
    --- stdout
    run broken.rhai as RUN
    first
      once
    second
    step `second` failed: mend the hosts or edit the recipe, then `:retry`; or `:skip`, `:undo`, `:quit`; `:help` for more
    nobody
    there
    third
      in the end, here
    run succeeded in TIME: 0 changed, 0 unchanged
    --- stderr
    error[recipe.fail]: nobody is there
     --> broken.rhai:6:47
      |
    6 |     step("second", || if p.whom == "nobody" { fail("nobody is " + place) });
      |                                               ^^^^
    --- exit code 0
    "#);
    let skipped = told(&site, &RUN, ":skip\n");
    assert_eq!(skipped.code, 0, "{}", skipped.errors);
    assert!(skipped.out.contains("step `second` was passed over by hand"), "{}", skipped.out);
    for lines in [":quit\n", "", "mistake\n", ":undo\n"] {
        let left = told(&site, &RUN, lines);
        assert_eq!(left.code, 2, "{lines}: {}", left.errors);
        assert!(left.errors.contains("nobody is there") && !left.out.contains("in the end"), "{}", left.out);
    }
    let stopped = told(&site, &["run", "broken.rhai", "whom=nobody"], ":skip\n");
    assert_eq!(stopped.code, 2, "nobody is asked without a terminal");
}

#[test]
fn an_edited_recipe_begins_at_the_top_and_a_broken_one_does_not() {
    use std::io::{BufRead, BufReader, Write};
    let site = site();
    site.write("broken.rhai", BROKEN);
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("haengine"))
        .args(RUN)
        .current_dir(site.path(""))
        .env("HOME", site.path(""))
        .env_remove("HAENGINE_STATE_DIR")
        .env_remove("XDG_STATE_HOME")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |text: &str| while !lines.next().unwrap().unwrap().contains(text) {};
    until("step `second` failed");
    site.write("broken.rhai", &BROKEN.replace("log(\"once\")", "log(\"twice\")").replace("== \"nobody\"", "== \"\""));
    keyboard.write_all(b":retry\n").unwrap();
    until("the recipe was edited: version 2 begins at the top");
    until("twice");
    until("in the end, there");
    until("run succeeded");
    assert!(child.wait().unwrap().success());
    let runs = site.run(&["runs", "--json"]).json();
    assert_eq!((runs.len(), &runs[0]["attempts"], &runs[0]["outcome"]), (1, &2.into(), &"succeeded".into()));
}

#[test]
fn watch_shows_what_is_wrong_and_what_a_save_mends() {
    use std::io::{BufRead, BufReader};
    let site = site();
    site.write("watched.rhai", "fn main() { log(1); }\n");
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("haengine"))
        .args(["watch", "watched.rhai", "-i", "site.yaml"])
        .current_dir(site.path(""))
        .env("HOME", site.path(""))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |text: &str| while !lines.next().unwrap().unwrap().contains(text) {};
    until("version 1: 0 would change");
    site.write("watched.rhai", "fn main() { lgo(1); }\n");
    until("version 1 is still the last good one");
    site.write("watched.rhai", "fn main() {\n    log(1;\n}\n");
    until("version 1 is still the last good one");
    site.write("watched.rhai", "fn main() { log(2); }\n");
    until("version 2: 0 would change");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut errors = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut errors).unwrap();
    assert!(errors.contains("watched.rhai:2:"), "{errors}");
}
