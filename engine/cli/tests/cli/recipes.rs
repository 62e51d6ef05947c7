//! Recipes that need no host: how they are found, described, refused, run and kept.

use crate::Site;

const EMPTY: &str = "//! Does nothing.\n\nfn main(p) {\n}\n";

const GREET: &str = r#"//! Greets somebody.
//!
//! It says hello and nothing else.

fn params() {
    #{
        whom: param::string("Who is greeted."),
        tone: param::choice(["warm", "cold"], "How it sounds.").or("warm"),
        key: param::secret("Never shown.").optional(),
    }
}

fn main(p) {
    step("greet", || {
        log("hello " + p.whom);
    });
}
"#;

fn site() -> Site {
    let site = Site::new();
    site.write("empty.rhai", EMPTY);
    site.write("scripts/greet.rhai", GREET);
    site.write("site.yaml", "hosts: { m1: { address: 127.0.0.1 } }\n");
    site
}

/// Run ids and times differ each time.
pub(crate) fn steady(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let is_time = |at: usize| words[at].parse::<f64>().is_ok() && words.get(at + 1).is_some_and(|next| is_unit(next));
    let steady: Vec<&str> = (0..words.len())
        .filter(|at| *at == 0 || !is_time(at - 1))
        .map(|at| if is_time(at) { "TIME" } else { words[at] })
        .collect();
    let text = steady.join(" ").replace("TIME 0 ", "TIME: 0 ");
    let id = text.lines().flat_map(|line| line.split([' ', '`', ','])).find(|word| is_id(word)).map(str::to_owned);
    id.map_or(text.clone(), |id| text.replace(&id, "RUN"))
}

fn is_unit(word: &str) -> bool {
    matches!(word, "s:" | "ms:")
}

fn is_id(word: &str) -> bool {
    word.len() == 20 && word.as_bytes()[8] == b'-' && word.as_bytes()[15] == b'-'
}

#[test]
fn a_recipe_runs_and_is_kept() {
    let site = site();
    let given = site.run(&["run", "greet", "whom=world"]);
    insta::assert_snapshot!(steady(&given.all()), @"
    --- stdout
    run greet as RUN
    greet
      hello world
    run succeeded in TIME: 0 changed, 0 unchanged
    --- exit code 0
    ");
    let runs = site.run(&["runs", "--json"]).json();
    assert_eq!((runs.len(), &runs[0]["outcome"], &runs[0]["recipe"]), (1, &"succeeded".into(), &"greet".into()));
    let id = runs[0]["run"].as_str().unwrap().to_owned();
    let folder = site.path(".local/state/haengine/runs").join(&id);
    assert_eq!(std::fs::read_to_string(folder.join("recipe/0-greet.rhai")).unwrap(), GREET);
    assert!(folder.join("inventory.json").is_file());
    let shown = site.run(&["show", &id]);
    let parameters = shown.out.lines().find(|line| line.trim_start().starts_with("parameters")).unwrap();
    assert!(parameters.contains("whom=world") && parameters.contains("tone=warm"), "{parameters}");
}

#[test]
fn undo_of_a_run_without_changes_has_nothing_to_do() {
    let site = site();
    site.run(&["run", "empty"]);
    let id = site.run(&["runs", "--json"]).json()[0]["run"].as_str().unwrap().to_owned();
    insta::assert_snapshot!(steady(&site.run(&["undo", &id]).all()), @"
    --- stdout
    undo of RUN, which ran empty
      nothing to undo
    undo succeeded in TIME: 0 taken back, 0 unchanged
    --- exit code 0
    ");
    let last = site.run(&["undo", &id, "--json"]).json().pop().unwrap();
    assert_eq!((&last["outcome"], &last["changed"]), (&"succeeded".into(), &0.into()));
}

#[test]
fn a_plan_keeps_nothing() {
    let site = site();
    insta::assert_snapshot!(steady(&site.run(&["plan", "greet", "whom=world", "--exit-code"]).all()), @"
    --- stdout
    plan of greet: nothing is touched
    greet
      hello world
    plan succeeded in TIME: 0 would change, 0 unchanged
    nothing was touched
    --- exit code 0
    ");
    assert!(!site.path(".local").exists());
}

#[test]
fn json_begins_and_ends_as_the_contract_says() {
    let lines = site().run(&["run", "greet", "whom=world", "--json"]).json();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["run_started", "step_started", "log", "step_finished", "run_finished"]);
    assert!(lines.iter().all(|line| line["time"].is_string()));
    let last = lines.last().unwrap().as_object().unwrap();
    let fields: Vec<&str> = last.keys().map(String::as_str).collect();
    let contract =
        ["event", "run", "outcome", "ok", "changed", "skipped", "failed", "unreachable", "seconds", "waited", "time"];
    assert_eq!(fields, contract);
}

#[test]
fn recipes_are_listed_and_described() {
    let site = site();
    let given = site.run(&["list"]);
    // Columns are as wide as the longest name, and the binary brings recipes of its own.
    let narrow = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
    let ours: String = given.out.lines().filter(|line| line.ends_with(".rhai")).map(narrow).collect();
    insta::assert_snapshot!(ours, @"
    empty Does nothing. ./empty.rhai
    greet Greets somebody. scripts/greet.rhai
    ");
    insta::assert_snapshot!(site.run(&["describe", "greet"]).all(), @"
    --- stdout
    greet  scripts/greet.rhai
    Greets somebody.

    It says hello and nothing else.

    Parameters
      whom  Who is greeted. (string, required)
      tone  How it sounds. (warm|cold, default warm)
      key   Never shown. (secret, optional)

    Undo takes away what inode and birth prove to be the run's; where a host tells no births, inode, content, owner
    and mode do.

    haengine plan greet -i INVENTORY whom=…
    --- exit code 0
    ");
}

#[test]
fn a_typo_is_drawn_with_its_place() {
    let site = site();
    site.write("typo.rhai", "fn main(p) {\n    let x = ;\n}\n");
    insta::assert_snapshot!(site.run(&["check", "typo.rhai", "empty"]).all(), @"
    --- stdout
    error[recipe.syntax]: unexpected `;`
     --> typo.rhai:2:13
      |
    2 |     let x = ;
      |             ^

    typo.rhai: 1 errors
    empty: nothing found
    --- exit code 2
    ");
    insta::assert_snapshot!(site.run(&["run", "typo.rhai"]).all(), @"
    --- stderr
    error[recipe.syntax]: unexpected `;`
     --> typo.rhai:2:13
      |
    2 |     let x = ;
      |             ^
    --- exit code 2
    ");
}

#[test]
fn what_would_fail_at_some_line_is_refused_before_the_first() {
    let site = site();
    site.write(
        "late.rhai",
        "fn main(p) {\n    log(\"begin\");\n    file::putt(\"m1\", \"/etc/motd\", \"x\");\n    lgo(1);\n}\n",
    );
    insta::assert_snapshot!(site.run(&["run", "late.rhai"]).all(), @r#"
    --- stderr
    error[check.unknown_function]: the module `file` has no function `putt`
     --> late.rhai:3:5
      |
    3 |     file::putt("m1", "/etc/motd", "x");
      |     ^^^^^^^^^^
      |
      = hint: write `file::put`

    error[check.unknown_function]: there is no function `lgo`
     --> late.rhai:4:5
      |
    4 |     lgo(1);
      |     ^^^
      |
      = hint: write `log`

    --- exit code 2
    "#);
    assert!(!site.path(".local/state/haengine/runs").exists());
    let lines = site.run(&["plan", "late.rhai", "--json"]).json();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["error", "error", "run_finished"]);
    assert!(lines[0]["causes"][0].as_str().unwrap().starts_with("at late.rhai:3:"), "{}", lines[0]);
    let found = site.run(&["check", "late.rhai", "--json"]);
    let events: Vec<String> = found.json().iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!((found.code, events.as_slice()), (2, &["finding".to_owned(), "finding".into(), "checked".into()][..]));
}

#[test]
fn what_a_recipe_refuses_is_refused() {
    let site = site();
    site.write("no.rhai", "fn main(p) {\n    fail(\"not today\", \"come back tomorrow\");\n}\n");
    insta::assert_snapshot!(steady(&site.run(&["run", "no.rhai"]).all()), @r#"
    --- stdout
    run no.rhai as RUN
    run failed in TIME: 0 changed, 0 unchanged
    nothing was touched
    --- stderr
    error[recipe.fail]: not today
     --> no.rhai:2:5
      |
    2 |     fail("not today", "come back tomorrow");
      |     ^^^^
      |
      = hint: come back tomorrow
    --- exit code 2
    "#);
}

const PREFLIGHT: &str = r#"fn main(p) {
    let h = host("m1");
    preflight([
        check_group("the target", [
            check("its name is short", || h.name),
            check("its port is free", || {
                refuse("port 22 is held by sshd", "choose another port");
                warn("port 80 is near", "look at it");
            }),
            check("it answers", || ssh::query(h, "true").status),
        ]),
        check_group("the cluster", [check("it has masters", || fail("there is no master", "add one"))]),
    ]);
    file::put(h, "/etc/motd", "never");
}
"#;

#[test]
fn a_preflight_tells_all_findings_and_refuses() {
    let site = site();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    site.write("closed.yaml", &format!("hosts: {{ m1: {{ address: 127.0.0.1, port: {port} }} }}\n"));
    site.write("first.rhai", PREFLIGHT);
    let given = site.run(&["run", "first.rhai", "-i", "closed.yaml"]);
    insta::assert_snapshot!(steady(&given.all()).replace(&port.to_string(), "PORT"), @r#"
    --- stdout
    run first.rhai as RUN
    the target
      ✓ its name is short: m1
      ✗ its port is free
          refused: port 22 is held by sshd
            hint: choose another port
          warning: port 80 is near
            hint: look at it
      ? it answers
          not checked: m1: 127.0.0.1:PORT refused the connection
            hint: start sshd on the host, or correct `port` in the inventory
            at first.rhai:10:41
    the cluster
      ✗ it has masters
          refused: there is no master
            hint: add one
    checks: 1 passed, 1 not checked, 2 refused
    run failed in TIME: 0 changed, 0 unchanged, 1 unreachable
    nothing was touched
    --- stderr
    error[preflight.refused]: the preflight found 2 reasons not to begin
     --> first.rhai:7:17
      |
    7 |                 refuse("port 22 is held by sshd", "choose another port");
      |                 ^^^^^^
      |
      = note: the target: its port is free: port 22 is held by sshd (first.rhai:7:17)
                choose another port
              the cluster: it has masters: there is no master (first.rhai:12:64)
                add one
      = note: called from first.rhai:3:5
      = hint: correct each of them, and run the recipe again
    --- exit code 2
    "#);
    let given = site.run(&["plan", "first.rhai", "-i", "closed.yaml", "--json"]);
    let lines = given.json();
    let checks: Vec<&serde_json::Value> = lines.iter().filter(|line| line["event"] == "check").collect();
    let statuses: Vec<&str> = checks.iter().map(|check| check["status"].as_str().unwrap()).collect();
    assert_eq!((given.code, statuses.as_slice()), (2, &["passed", "refused", "not_checked", "refused"][..]));
    assert_eq!((&checks[0]["group"], &checks[0]["detail"]), (&"the target".into(), &"m1".into()));
    let findings = checks[1]["findings"].as_array().unwrap();
    assert_eq!(
        (&findings[0]["message"], &findings[0]["hint"]),
        (&"port 22 is held by sshd".into(), &"choose another port".into())
    );
    assert_eq!((&findings[1]["status"], findings.len()), (&"warning".into(), 2));
}

#[test]
fn unknown_missing_and_wrong_parameters_name_the_remedy() {
    let site = site();
    insta::assert_snapshot!(site.run(&["run", "greet", "whmo=x"]).all(), @"
    --- stderr
    error[param.unknown]: the recipe has no parameter `whmo`
    hint: write `whom=…`
    --- exit code 2
    ");
    insta::assert_snapshot!(site.run(&["run", "greet"]).all(), @"
    --- stderr
    error[param.missing]: parameter `whom` is missing: Who is greeted.
    hint: add `whom=…`: a text
    --- exit code 2
    ");
    insta::assert_snapshot!(site.run(&["run", "greet", "whom=x", "tone=hot"]).all(), @"
    --- stderr
    error[param.type]: parameter `tone` must be one of `warm`, `cold`, not `hot`
    --- exit code 2
    ");
    insta::assert_snapshot!(site.run(&["run", "greet", "whom=x", "key=hunter2"]).all(), @"
    --- stderr
    error[secret.literal]: parameter `key` is not a reference to a secret; a literal is refused
    hint: write where it is found: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`
    --- exit code 2
    ");
    assert!(!site.path(".local/state/haengine/runs").exists(), "nothing is kept of what was refused");
}

#[test]
fn an_unknown_recipe_names_the_nearest() {
    insta::assert_snapshot!(site().run(&["plan", "gret"]).all(), @"
    --- stderr
    error[recipe.unknown]: there is no recipe `gret`
    hint: write `greet`, or list the recipes with `haengine list`
    --- exit code 2
    ");
}

#[test]
fn a_host_without_an_inventory_is_explained() {
    let site = site();
    site.write("on.rhai", "fn params() { #{ target: param::host(\"Where.\") } }\nfn main(p) {}\n");
    insta::assert_snapshot!(site.run(&["run", "on.rhai", "target=m1"]).all(), @"
    --- stderr
    error[inventory.unknown_host]: there is no host `m1`
    hint: name the inventory with `-i FILE`
    --- exit code 2
    ");
    assert_eq!(site.run(&["run", "on.rhai", "target=m1", "-i", "site.yaml"]).code, 0);
    insta::assert_snapshot!(site.run(&["run", "on.rhai", "target=m1", "-i", "sit.yaml"]).all(), @"
    --- stderr
    error[inventory.missing_file]: there is no inventory `sit.yaml`
    hint: write `site.yaml`, the nearest file there is
    --- exit code 2
    ");
}

#[test]
fn a_question_without_a_terminal_is_refused_and_yes_answers_it() {
    let site = site();
    site.write("ask.rhai", "fn main(p) {\n    confirm(\"sure?\");\n}\n");
    insta::assert_snapshot!(steady(&site.run(&["run", "ask.rhai"]).all()), @r#"
    --- stdout
    run ask.rhai as RUN
    run failed in TIME: 0 changed, 0 unchanged
    nothing was touched
    --- stderr
    error[prompt.no_terminal]: nobody can be asked: sure?
     --> ask.rhai:2:5
      |
    2 |     confirm("sure?");
      |     ^^^^^^^
      |
      = hint: answer with `--yes`, or run it in a terminal
    --- exit code 2
    "#);
    assert_eq!(site.run(&["run", "ask.rhai", "--yes"]).code, 0);
    assert_eq!(site.run(&["plan", "ask.rhai"]).code, 0);
}

#[test]
fn a_host_that_refuses_the_connection_has_an_exit_code_of_its_own() {
    let site = site();
    // Nothing listens on the port of a socket that has just been closed.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    site.write("closed.yaml", &format!("hosts: {{ m1: {{ address: 127.0.0.1, port: {port} }} }}\n"));
    site.write("put.rhai", "fn main(p) {\n    file::put(host(\"m1\"), \"/etc/motd\", \"hello\");\n}\n");
    let given = site.run(&["run", "put.rhai", "-i", "closed.yaml"]);
    insta::assert_snapshot!(steady(&given.all()).replace(&port.to_string(), "PORT"), @r#"
    --- stdout
    run put.rhai as RUN
      m1: file.put /etc/motd unreachable: 127.0.0.1:PORT refused the connection
    run failed in TIME: 0 changed, 0 unchanged, 1 unreachable
    nothing was touched
    --- stderr
    error[ssh.refused]: m1: 127.0.0.1:PORT refused the connection
     --> put.rhai:2:11
      |
    2 |     file::put(host("m1"), "/etc/motd", "hello");
      |           ^^^
      |
      = hint: start sshd on the host, or correct `port` in the inventory
    --- exit code 3
    "#);
    assert_eq!(site.run(&["plan", "put.rhai", "-i", "closed.yaml"]).code, 3);
}

#[test]
fn an_interrupt_ends_the_run_in_order() {
    let site = site();
    site.write("wait.rhai", "fn main(p) {\n    sleep(\"60s\");\n}\n");
    let binary = assert_cmd::cargo::cargo_bin("haengine");
    let child = std::process::Command::new(binary)
        .args(["run", "wait.rhai", "--json"])
        .current_dir(site.path(""))
        .env("HOME", site.path(""))
        .env_remove("HAENGINE_STATE_DIR")
        .env_remove("XDG_STATE_HOME")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let journal = || site.run(&["runs", "--json"]).json().first().map(|run| run["outcome"].clone());
    let patience = std::time::Instant::now();
    while journal() != Some("running".into()) && patience.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let id = site.run(&["runs", "--json"]).json()[0]["run"].as_str().unwrap().to_owned();
    assert_eq!(site.run(&["undo", &id, "--yes"]).code, 5, "a live run is not undone");
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let interrupted = std::time::Instant::now();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(interrupted.elapsed().as_secs() < 30);
    let last: serde_json::Value =
        serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().last().unwrap()).unwrap();
    assert_eq!(last["outcome"], "interrupted");
    assert_eq!(journal(), Some("interrupted".into()));
}
