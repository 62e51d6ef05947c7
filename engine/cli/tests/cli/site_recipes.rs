//! A site's own recipes: where they are looked for, how stock recipes become the site's, and what is said once they have
//! moved on.

use crate::Site;

/// Columns are as wide as the longest name.
fn narrow(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

fn line_of(text: &str, name: &str) -> String {
    narrow(text).lines().find(|line| line.starts_with(name)).unwrap().to_owned()
}

/// As if the haengine from which it was ejected had had another stock recipe.
fn age(site: &Site, name: &str) {
    let path = format!("scripts/.stock/{name}.rhai");
    let kept = std::fs::read_to_string(site.path(&path)).unwrap();
    let (_, text) = kept.split_once('\n').unwrap();
    let older = text.replacen("//! Keeps the clocks", "//! Kept the clocks", 1);
    assert_ne!(older, text);
    site.write(&path, &format!("// The stock text of haengine 0.0.9.\n{older}"));
}

const WARNING: &str = "warning: scripts/time_sync.rhai was ejected from haengine 0.0.9, and the stock recipe has changed since: \
                       see `haengine eject --diff time_sync`\n";

#[test]
fn an_ejected_recipe_is_used_in_the_place_of_the_stock_one() {
    let site = Site::new();
    assert!(line_of(&site.run(&["list"]).out, "time_sync").ends_with(" stock"));
    let given = site.run(&["eject", "time_sync"]);
    insta::assert_snapshot!(given.all(), @"
    --- stdout
    scripts/time_sync.rhai is yours now: it is used in the place of the stock recipe
    --- exit code 0
    ");
    let text = std::fs::read_to_string(site.path("scripts/time_sync.rhai")).unwrap();
    site.write("scripts/time_sync.rhai", &text.replacen("//! Keeps", "//! Here keeps", 1));
    insta::assert_snapshot!(line_of(&site.run(&["list"]).out, "time_sync"), @"time_sync Here keeps the clocks of hosts together with chrony. scripts/time_sync.rhai, in the place of the stock recipe");
    let described = site.run(&["describe", "time_sync"]);
    assert!(
        described.out.starts_with("time_sync  scripts/time_sync.rhai, in the place of the stock recipe\nHere keeps")
    );
    assert_eq!(described.errors, "");
    let again = site.run(&["eject", "time_sync"]);
    insta::assert_snapshot!(again.all(), @"
    --- stderr
    error[eject.there]: scripts/time_sync.rhai is there already
    hint: move it away first, or name another folder with `--to`
    --- exit code 2
    ");
}

#[test]
fn what_the_stock_recipe_has_become_is_told_until_it_is_accepted() {
    let site = Site::new();
    site.write("site.yaml", "hosts: { m1: { address: 127.0.0.1, port: 1 } }\n");
    site.run(&["eject", "time_sync"]);
    let same = site.run(&["eject", "--diff", "time_sync"]);
    assert_eq!(same.out, "the stock recipe is as it was when scripts/time_sync.rhai was ejected\n");
    age(&site, "time_sync");
    site.write(
        "use.rhai",
        "//! Uses another.\n\nimport \"time_sync\" as time_sync;\n\nfn main() { time_sync::main(#{}); }\n",
    );
    let commands: [&[&str]; 4] =
        [&["list"], &["describe", "time_sync"], &["check", "time_sync"], &["check", "use.rhai"]];
    for words in commands {
        let given = site.run(words);
        assert_eq!((given.code, given.errors.as_str()), (0, WARNING), "{words:?}");
    }
    let planned = site.run(&["plan", "time_sync", "-i", "site.yaml"]);
    assert!(planned.all().contains("was ejected from haengine 0.0.9"), "{}", planned.all());
    let listed = site.run(&["list", "--json"]).json();
    let recipe = listed.iter().find(|recipe| recipe["name"] == "time_sync").unwrap();
    assert_eq!((&recipe["stock"], &recipe["path"]), (&true.into(), &"scripts/time_sync.rhai".into()));
    assert!(recipe["moved_on"].as_str().unwrap().contains("0.0.9"));
    let diff = site.run(&["eject", "--diff", "time_sync"]);
    let changed: Vec<&str> = diff.out.lines().filter(|line| line.trim_start().starts_with(['-', '+'])).collect();
    assert_eq!((diff.code, changed.len()), (0, 2), "{}", diff.all());
    assert!(
        changed[0].contains("-//! Kept the clocks") && changed[1].contains("+//! Keeps the clocks"),
        "{}",
        diff.all()
    );
    assert_eq!(site.run(&["eject", "--accept", "time_sync"]).code, 0);
    assert_eq!(site.run(&["describe", "time_sync"]).errors, "");
}

#[test]
fn only_what_there_is_can_be_ejected() {
    let site = Site::new();
    insta::assert_snapshot!(site.run(&["eject", "time_snyc"]).all(), @"
    --- stderr
    error[eject.unknown]: haengine has no stock recipe `time_snyc`
    hint: write `time_sync`
    --- exit code 2
    ");
    insta::assert_snapshot!(site.run(&["eject", "--diff", "time_sync"]).all(), @"
    --- stderr
    error[eject.none]: `time_sync` was not ejected
    hint: eject it with `haengine eject time_sync`
    --- exit code 2
    ");
    let elsewhere = site.run(&["eject", "time_sync", "--to", "mine"]);
    assert_eq!(elsewhere.code, 0);
    assert_eq!(elsewhere.errors, "warning: recipes are not looked for in mine: name the file's path to run it\n");
    let library = site.run(&["eject", "survey", "--json"]);
    assert_eq!(library.json()[0]["path"], "scripts/survey.rhai");
}

#[test]
fn of_several_files_the_first_is_used_and_the_others_are_named() {
    let site = Site::new();
    site.write("both.rhai", "//! The nearer.\n\nfn main() {}\n");
    site.write("scripts/both.rhai", "//! The farther.\n\nfn main() {}\n");
    assert_eq!(
        line_of(&site.run(&["list"]).out, "both"),
        "both The nearer. ./both.rhai, in the place of scripts/both.rhai"
    );
}

#[test]
fn a_new_site_has_all_that_it_needs() {
    let site = Site::new();
    insta::assert_snapshot!(site.run(&["init", "mine"]).all(), @"
    --- stdout
    mine/README.md
    mine/known_hosts
    mine/scripts/hello.rhai
    mine/site.yaml

    put your hosts into site.yaml, then: haengine check hello -i site.yaml
    --- exit code 0
    ");
    let mut command = site.command(&["check", "hello", "time_sync", "-i", "site.yaml"]);
    let output = command.current_dir(site.path("mine")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "hello: nothing found\ntime_sync: nothing found\n");
    let again = site.run(&["init", "mine"]);
    insta::assert_snapshot!(again.all(), @"
    --- stderr
    error[init.there]: mine/README.md is there already; nothing was written
    hint: name an empty folder
    --- exit code 2
    ");
}
