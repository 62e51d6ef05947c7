//! What shells are offered, and the definitions for editors.

use crate::Site;

fn site() -> Site {
    let site = Site::new();
    site.write(
        "greet.rhai",
        "//! Greets.\n\nfn params() {\n    #{\n        whom: param::host(\"Who.\"),\n        hosts: param::hosts(\"Where.\").or(\"all\"),\n        \
         tone: param::choice([\"warm\", \"cold\"], \"How.\").or(\"warm\"),\n        loud: param::boolean(\"Whether.\").or(false),\n    }\n}\n\nfn main(p) {}\n",
    );
    site.write("site.yaml", "hosts: { m1: , m2: , w1: }\ngroups: { masters: [m1, m2] }\n");
    site
}

/// What a shell is offered for the last of these words.
fn offered(shell: &str, words: &[&str]) -> Vec<String> {
    let all = [&["--", "haengine"], words].concat();
    let site = site();
    let mut command = site.command(&all);
    command.env("HAENGINE_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let text = String::from_utf8(output.stdout).unwrap();
    // Some shells get a description behind each.
    text.lines().filter_map(|line| line.split('\t').next()).map(|line| line.replace("\\:", ":")).collect()
}

#[test]
fn commands_and_recipes() {
    assert_eq!(offered("bash", &["zz"]), Vec::<String>::new());
    assert!(offered("bash", &["des"]).contains(&"describe".to_owned()));
    for command in ["run", "plan", "check", "describe"] {
        assert_eq!(offered("bash", &[command, "gre"]), ["greet"], "{command}");
        assert_eq!(offered("fish", &[command, "time_s"]), ["time_sync"], "{command}");
    }
    assert_eq!(offered("bash", &["run", "./gr"]), ["./greet.rhai"]);
}

#[test]
fn parameters_of_the_recipe() {
    assert_eq!(offered("fish", &["run", "greet", "wh"]), ["whom="]);
    let all = offered("fish", &["run", "greet", "-i", "site.yaml", ""]);
    assert_eq!(all[..4], ["whom=", "hosts=", "tone=", "loud="]);
    assert_eq!(offered("fish", &["run", "-i", "site.yaml", "greet", "tone="]), ["tone=warm", "tone=cold"]);
    assert_eq!(offered("fish", &["plan", "greet", "loud=t"]), ["loud=true"]);
}

#[test]
fn hosts_and_groups_of_the_inventory() {
    assert_eq!(offered("fish", &["run", "greet", "-i", "site.yaml", "whom=m"]), ["whom=m1", "whom=m2"]);
    assert_eq!(
        offered("fish", &["run", "greet", "-i", "site.yaml", "hosts=m"]),
        ["hosts=masters", "hosts=m1", "hosts=m2"]
    );
    assert_eq!(offered("fish", &["run", "greet", "--inventory=site.yaml", "hosts=w1,m2"]), ["hosts=w1,m2"]);
    assert_eq!(offered("fish", &["run", "greet", "whom=m"]), Vec::<String>::new());
    assert_eq!(offered("fish", &["run", "greet", "-i", "absent.yaml", "whom=m"]), Vec::<String>::new());
}

/// bash breaks words at `=`, and wants what stands behind it alone.
#[test]
fn words_that_the_shell_has_broken() {
    assert_eq!(offered("bash", &["run", "greet", "-i", "site.yaml", "whom", "=", "m"]), ["m1", "m2"]);
    assert_eq!(offered("bash", &["run", "greet", "-i", "site.yaml", "tone", "="]), ["warm", "cold"]);
}

#[test]
fn each_shell_has_its_script() {
    for shell in ["bash", "zsh", "fish"] {
        let given = Site::new().run(&["completions", shell]);
        assert_eq!((given.code, given.errors.as_str()), (0, ""));
        assert!(given.out.contains("HAENGINE_COMPLETE") && given.out.contains("haengine"), "{shell}: {}", given.out);
    }
    assert_eq!(Site::new().run(&["completions", "tcsh"]).code, 2);
}

/// A real bash, where there is one: the script is read, and its function is asked.
#[test]
fn bash_completes() {
    let site = site();
    let binary = assert_cmd::cargo::cargo_bin("haengine");
    let folder = binary.parent().unwrap().display();
    let script = "source <(haengine completions bash)\n\
                  COMP_WORDS=(haengine run greet -i site.yaml whom = m); COMP_CWORD=7; COMP_TYPE=9\n\
                  _clap_complete_haengine haengine m =\n\
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let output = std::process::Command::new("bash")
        .args(["-c", script])
        .current_dir(site.path("."))
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        said.split_whitespace().collect::<Vec<_>>(),
        ["m1", "m2"],
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn definitions_are_written_for_editors() {
    let site = Site::new();
    let given = site.run(&["doc", "--definitions", "editor/.rhai"]);
    assert_eq!((given.code, given.errors.as_str()), (0, ""));
    let text = std::fs::read_to_string(site.path("editor/.rhai/file.d.rhai")).unwrap();
    assert!(text.starts_with("module file;\n"), "{text}");
    assert!(text.contains("fn put(hosts: ?, path: String, content: ?, options: Map) -> Map;"), "{text}");
    assert!(given.out.lines().any(|line| line == "editor/.rhai/haengine.d.rhai"), "{}", given.out);
}

#[test]
fn findings_are_explained() {
    let given = Site::new().run(&["doc", "check.comparison"]);
    assert_eq!(given.code, 0);
    assert!(given.out.starts_with("check.comparison\n\nTwo values are compared that are never equal"), "{}", given.out);
    let given = Site::new().run(&["doc", "check.comparsion"]);
    assert!(given.code == 2 && given.errors.contains("look up `check.comparison`"), "{}", given.all());
    assert!(Site::new().run(&["doc"]).out.contains("check.unreachable"));
}
