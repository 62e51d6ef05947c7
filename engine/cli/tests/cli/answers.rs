//! Commands that only look.

use crate::Site;

#[test]
fn without_runs_there_is_nothing_to_list() {
    let site = Site::new();
    insta::assert_snapshot!(site.run(&["runs"]).all(), @"
    --- stdout
    nothing was run yet
    --- exit code 0
    ");
    assert_eq!(site.run(&["runs", "--json"]).out, "");
}

#[test]
fn the_state_folder_follows_option_variable_and_home() {
    let site = Site::new();
    let there = |path: &str| site.path(path).join("runs").is_dir();
    site.command(&["runs"]).assert().success();
    assert!(there(".local/state/haengine"));
    site.command(&["runs"]).env("HAENGINE_STATE_DIR", site.path("variable")).assert().success();
    assert!(there("variable"));
    let option = site.path("option");
    let words = ["runs", "--state-dir", option.to_str().unwrap()];
    site.command(&words).env("HAENGINE_STATE_DIR", site.path("unused")).assert().success();
    assert!(there("option") && !site.path("unused").exists());
}

#[test]
fn a_state_folder_that_cannot_be_made_is_told() {
    let site = Site::new();
    site.write("file", "");
    insta::assert_snapshot!(site.run(&["runs", "--state-dir", "file"]).all(), @"
    --- stderr
    error[runs.folder]: cannot make the state folder SITE/file/runs
      because: Not a directory (os error 20)
    hint: check permissions and free space, or name another folder with --state-dir
    --- exit code 2
    ");
}

#[test]
fn a_lab_that_is_not_there_is_told() {
    let site = Site::new();
    insta::assert_snapshot!(site.run(&["lab", "status"]).all(), @"
    --- stdout
    there is no lab `lab`
    --- exit code 0
    ");
    let lines = site.run(&["lab", "status", "--json"]).json();
    assert_eq!((&lines[0]["event"], &lines[0]["up"]), (&"lab".into(), &false.into()));
}

#[test]
fn modules_are_explained() {
    let site = Site::new();
    let all = site.run(&["doc"]);
    assert_eq!(all.code, 0);
    for module in ["ssh", "file", "service", "pkg"] {
        assert!(all.out.lines().any(|line| line.starts_with(module)), "{module}");
        assert_eq!(site.run(&["doc", module]).code, 0);
    }
}
