//! Recipes in phases: how they are described.

use crate::Site;

const RECIPE: &str = r#"//! Greets in phases.
import "lib/greetings" as greetings;

fn params() { #{ where: param::hosts("Where.").or("all"), whom: param::string("Whom.").or("you") } }

fn look(p) { #{ old: file::read(p.where, "/etc/motd") } }

fn checks(p, found) {
    let last = check("all is as before", || true);
    let several = [last];
    several += greetings::more(p).map(|name| check(name, || true));
    [
        check("there is a greeting", || found.old != ""),
        check(`it is not for ${p.whom}`, || if found.old.contains("hello") { refuse("it is", "leave it"); }),
        greetings::checks_of(p.where),
    ] + several
}

fn lock(p, found) { if found.old != "" { k8s::lock(p.where[0]); } }

fn act(p, found) {
    step("greet", || {
        for h in p.where { step(`on ${h.name}`, || greetings::place(h, p.whom)); }
        verify("it is there", || true);
    });
    greetings::rest(p);
    repeat(p, 3);
}

fn repeat(p, times) { if times > 0 { step("again", || log(p.whom)); repeat(p, times - 1); } }

fn prove(p, found) {
    each(p.where, |h| verify("it is read", || file::read(h, "/etc/motd") != found.old));
}
"#;

const LIBRARY: &str = r#"//! Greetings.

fn checks_of(hosts) { hosts.map(|h| check(h.name, || one(h))) + [check("the rest", || step("never shown", || 1))] }

fn more(p) { let list = ["a", "b"]; list }

fn one(h) { file::read(h, "/etc/motd") }

fn place(h, whom) { step("write", || file::put(h, "/etc/motd", `hello ${whom}`)); }

fn rest(p) { step("the rest", || verify("nothing is left", || true)); }
"#;

fn site() -> Site {
    let site = Site::new();
    site.write("greet.rhai", RECIPE);
    site.write("lib/greetings.rhai", LIBRARY);
    site.write("bare.rhai", "//! Does one thing.\n\nfn look(p) { }\n\nfn act(p, found) { log(\"done\"); }\n");
    site
}

#[test]
fn what_phases_do_is_described_without_running_them() {
    let site = site();
    insta::assert_snapshot!(site.run(&["describe", "greet.rhai"]).all(), @r"
    --- stdout
    greet.rhai  greet.rhai
    Greets in phases.

    Parameters
      where  Where. (hosts, default all)
      whom   Whom. (string, default you)

    Checks
      there is a greeting
      it is not for ${p.whom}
      …
      the rest
      all is as before

    Lock
      k8s::lock

    Steps
      greet
      greet / on ${h.name}
      greet / on ${h.name} / write
      the rest
      again

    Proofs
      it is there
      nothing is left
      it is read

    Undo takes away what inode and birth prove to be the run's; where a host tells no births, inode, content, owner
    and mode do.

    haengine plan greet.rhai -i INVENTORY
    --- exit code 0
    ");
    insta::assert_snapshot!(site.run(&["describe", "bare.rhai"]).all(), @r"
    --- stdout
    bare.rhai  bare.rhai
    Does one thing.

    It takes no parameters.

    Checks
      none

    Lock
      none

    Steps
      none

    Proofs
      none

    Undo takes away what inode and birth prove to be the run's; where a host tells no births, inode, content, owner
    and mode do.

    haengine plan bare.rhai -i INVENTORY
    --- exit code 0
    ");
}

#[test]
fn what_parts_there_are_is_described() {
    let site = site();
    let text = r#"//! Greets twice.
import "greet" as greet;
import "bare" as bare;

fn params() { #{ where: param::hosts("Where.") } }

fn parts(p) { [greet::part(#{ where: p.where })] + p.where.map(|h| bare::part(#{})) }
"#;
    site.write("both.rhai", text);
    insta::assert_snapshot!(site.run(&["describe", "both.rhai"]).all(), @r"
    --- stdout
    both.rhai  both.rhai
    Greets twice.

    Parameters
      where  Where. (hosts, required)

    Parts
      greet
      bare

    Undo takes away what inode and birth prove to be the run's; where a host tells no births, inode, content, owner
    and mode do.

    haengine plan both.rhai -i INVENTORY where=…
    --- exit code 0
    ");
    let told = site.run(&["describe", "both.rhai", "--json"]);
    let line: serde_json::Value = serde_json::from_str(told.out.lines().next().unwrap()).unwrap();
    assert_eq!((&line["parts"], line.get("steps")), (&serde_json::json!(["greet", "bare"]), None));
}

#[test]
fn a_program_gets_what_phases_do_as_lists() {
    let told = site().run(&["describe", "greet.rhai", "--json"]);
    let line: serde_json::Value = serde_json::from_str(told.out.lines().next().unwrap()).unwrap();
    let checks = ["there is a greeting", "it is not for ${p.whom}", "…", "the rest", "all is as before"];
    assert_eq!(line["checks"], serde_json::json!([{ "group": "", "checks": checks }]));
    assert_eq!(line["lock"], "k8s::lock");
    let steps = ["greet", "greet / on ${h.name}", "greet / on ${h.name} / write", "the rest", "again"];
    assert_eq!(line["steps"], serde_json::json!(steps));
    assert_eq!(line["proofs"], serde_json::json!(["it is there", "nothing is left", "it is read"]));
}
