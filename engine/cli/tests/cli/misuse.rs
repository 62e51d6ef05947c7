//! Bad words on the command line: exit code 2, and what to write instead.

use crate::Site;

fn given(words: &[&str]) -> String {
    Site::new().run(words).all()
}

#[test]
fn an_unknown_command_names_the_nearest() {
    insta::assert_snapshot!(given(&["rnu"]), @"
    --- stderr
    error: unrecognized subcommand 'rnu'

      tip: a similar subcommand exists: 'runs'

    Usage: haengine [OPTIONS] <COMMAND>

    For more information, try '--help'.
    --- exit code 2
    ");
}

#[test]
fn an_unknown_option_is_refused() {
    insta::assert_snapshot!(given(&["runs", "--jsn"]), @"
    --- stderr
    error: unexpected argument '--jsn' found

      tip: a similar argument exists: '--json'

    Usage: haengine runs --json

    For more information, try '--help'.
    --- exit code 2
    ");
}

#[test]
fn a_parameter_without_a_value_is_refused() {
    insta::assert_snapshot!(given(&["run", "time_sync", "hosts"]), @"
    --- stderr
    error: invalid value 'hosts' for '[KEY=VALUE]...': write parameters as key=value

    For more information, try '--help'.
    --- exit code 2
    ");
}

#[test]
fn forks_must_be_above_zero() {
    insta::assert_snapshot!(given(&["runs", "--forks", "0"]), @"
    --- stderr
    error: invalid value '0' for '--forks <N>': write a number above 0

    For more information, try '--help'.
    --- exit code 2
    ");
}

#[test]
fn an_unknown_run_is_refused() {
    insta::assert_snapshot!(given(&["show", "20260314-091502-kqzt"]), @"
    --- stderr
    error[runs.unknown]: there is no run `20260314-091502-kqzt`
    hint: list the runs with `haengine runs`
    --- exit code 2
    ");
}

#[test]
fn undo_of_an_unknown_run_is_refused() {
    insta::assert_snapshot!(given(&["undo", "20260314-091502-kqzt"]), @"
    --- stderr
    error[runs.unknown]: there is no run `20260314-091502-kqzt`
    hint: list the runs with `haengine runs`
    --- exit code 2
    ");
}

#[test]
fn an_unknown_verb_names_the_nearest() {
    assert!(given(&["doc", "file::putt"]).contains("look up `file::put`"));
    insta::assert_snapshot!(given(&["doc", "flie"]), @"
    --- stderr
    error[doc.unknown]: there is no function or verb `flie`
    hint: look up `file`
    --- exit code 2
    ");
}

#[test]
fn a_lab_needs_an_inventory() {
    insta::assert_snapshot!(given(&["lab", "up"]), @"
    --- stderr
    error[inventory.none]: no inventory is given
    hint: name one with `-i FILE`
    --- exit code 2
    ");
}

#[test]
fn a_lab_that_is_not_there_has_no_inside() {
    insta::assert_snapshot!(given(&["lab", "exec", "--", "true"]), @"
    --- stderr
    error[lab.absent]: there is no lab `lab`
    hint: bring it up with `haengine lab up -i FILE`
    --- exit code 2
    ");
}

#[test]
fn json_has_an_error_of_every_refusal() {
    let site = Site::new();
    let words: [&[&str]; 5] = [
        &["--json", "rnu"],
        &["show", "absent", "--json"],
        &["undo", "absent", "--json"],
        &["run", "absent", "--json"],
        &["doc", "frobnicate", "--json"],
    ];
    for words in words {
        let given = site.run(words);
        let lines = given.json();
        assert_eq!(given.code, 2, "{words:?}");
        let error = lines.iter().find(|line| line["event"] == "error").unwrap_or_else(|| panic!("{words:?}"));
        assert!(error["time"].is_string() && error["code"].is_string() && error["message"].is_string(), "{error}");
        if matches!(words[0], "undo" | "run") {
            let last = lines.last().unwrap();
            assert_eq!((&last["event"], &last["outcome"]), (&"run_finished".into(), &"failed".into()));
        }
    }
}
