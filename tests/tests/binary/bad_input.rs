//! Bad input: its exit code, a message that names place and remedy, and nothing touched.

use crate::site::{Site, differences, possible};

const RECIPE: &str = r#"
fn params() { #{ target: param::host("Where."), key: param::secret("A key.").optional() } }

fn main(p) {
    step("place", || file::put(p.target, "/etc/placed-by-a-test", "text"));
}
"#;

/// Words of the command line, exit code, and what the message must hold.
type Case<'a> = (&'a [&'a str], i32, &'a [&'a str]);

#[test]
fn it_is_refused_with_place_and_remedy_and_nothing_is_touched() {
    if !possible() {
        return;
    }
    let site = Site::new("bad", 1);
    site.write("good.rhai", RECIPE);
    site.write("typo.rhai", &RECIPE.replace("file::put", "file::putt"));
    site.write("option.rhai", &RECIPE.replace("\"text\")", "\"text\", #{ mod: 0o644 })"));
    site.write("syntax.rhai", &RECIPE.replace("step(", "step(("));
    site.write("fail.rhai", "fn main() { fail(\"not today\", \"come back tomorrow\"); }");
    inventories(&site);
    let before = site.manifest();

    let cases: [Case; 21] = [
        (&["run", "typo.rhai", "-i", "site.yaml", "target=m1"], 2, &["file::putt", "typo.rhai:5:", "put`"]),
        (&["run", "option.rhai", "-i", "site.yaml", "target=m1"], 2, &["option `mod`", "option.rhai:5:", "`mode`"]),
        (&["run", "syntax.rhai", "-i", "site.yaml", "target=m1"], 2, &["syntax.rhai:"]),
        (&["run", "fail.rhai", "-i", "site.yaml"], 2, &["not today", "come back tomorrow", "fail.rhai:1:"]),
        (&["run", "good.rhai", "-i", "site.yaml", "taget=m1"], 2, &["`taget`", "target="]),
        (&["run", "good.rhai", "-i", "site.yaml"], 2, &["`target` is missing", "target="]),
        (&["run", "good.rhai", "-i", "site.yaml", "target=m11"], 2, &["`m11`", "`m1`"]),
        (&["run", "good.rhai", "-i", "site.yaml", "target=m1", "key=hunter2"], 2, &["`key`", "env:NAME"]),
        (&["run", "god.rhai", "-i", "site.yaml", "target=m1"], 2, &["god.rhai"]),
        (&["run", "good.rhai", "-i", "nothing.yaml", "target=m1"], 2, &["nothing.yaml"]),
        (&["run", "good.rhai", "-i", "malformed.yaml", "target=m1"], 2, &["malformed.yaml:3", "adress", "`address`"]),
        (&["run", "good.rhai", "-i", "literal.yaml", "target=m1"], 2, &["literal.yaml:1", "env:NAME"]),
        (&["run", "good.rhai", "-i", "unreachable.yaml", "target=m1"], 3, &["192.168.2.99", "m1"]),
        (&["run", "good.rhai", "-i", "refused.yaml", "target=m1"], 3, &["refused", "2222"]),
        (&["run", "good.rhai", "-i", "wrong-key.yaml", "target=m1"], 3, &["m1", "wrong_key"]),
        (
            &["run", "good.rhai", "-i", "unknown-host-key.yaml", "target=m1"],
            3,
            &["SHA256:", "ssh-keygen -lf", "`echo "],
        ),
        (&["run", "good.rhai", "-i", "changed-host-key.yaml", "target=m1"], 3, &["changed", "known_changed:1"]),
        (&["run", "good.rhai", "-i", "no-sudo.yaml", "target=m1"], 3, &["sudo", "become_password"]),
        (&["run", "good.rhai", "-i", "wrong-password.yaml", "target=m1"], 3, &["sudo", "password"]),
        (&["run", "good.rhai", "-i", "expired.yaml", "target=m1"], 3, &["starts no commands", "assword", "expired"]),
        (&["run", "good.rhai", "-i", "expired-sudo.yaml", "target=m1"], 3, &["starts no commands", "no TTY"]),
    ];
    for (words, code, holds) in cases {
        let given = site.command(words).env("WRONG", "not-the-password").output().unwrap();
        let said = String::from_utf8_lossy(&given.stdout) + String::from_utf8_lossy(&given.stderr);
        assert_eq!(given.status.code(), Some(code), "{words:?}\n{said}");
        for text in holds {
            assert!(said.contains(text), "{words:?} does not say {text:?}:\n{said}");
        }
        for secret in ["hunter2", "not-the-password"] {
            assert!(!said.contains(secret), "{words:?} shows a secret:\n{said}");
        }
    }
    assert_eq!(differences(&before, &site.manifest()), "");
}

fn inventories(site: &Site) {
    let good = std::fs::read_to_string(site.path().join("site.yaml")).unwrap();
    let known = site.lab.known_hosts().display().to_string();
    site.write("malformed.yaml", &good.replace("address: 192.168.2.11", "adress: 192.168.2.11"));
    site.write("literal.yaml", &good.replace("user: root", "user: root, passphrase: hunter2"));
    site.write(
        "unreachable.yaml",
        &good.replace("192.168.2.11", "192.168.2.99").replace("user: root", "user: root, connect_timeout: 2s"),
    );
    site.write("refused.yaml", &good.replace("user: root", "user: root, port: 2222"));
    let key = site.path().join("wrong_key");
    let made =
        std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    let identity = site.lab.identity().display().to_string();
    site.write("wrong-key.yaml", &good.replace(&identity, "wrong_key"));
    site.write("unknown-host-key.yaml", &good.replace(&known, "known_none"));
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    site.write("known_changed", &format!("192.168.2.11 {public}"));
    site.write("changed-host-key.yaml", &good.replace(&known, "known_changed"));
    // The key is good, and sshd wants a new password first.
    site.on("m1", "chage -d 0 operator");
    site.write("expired.yaml", &good.replace("user: root", "user: operator"));
    site.write("expired-sudo.yaml", &good.replace("user: root", "user: operator, become: true"));
    site.write("no-sudo.yaml", &good.replace("user: root", "user: guest, become: true"));
    let wrong = "user: keeper, become: true, become_password: \"env:WRONG\"";
    site.write("wrong-password.yaml", &good.replace("user: root", wrong));
}
