//! What an inventory means, and the whole text of each refusal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::error::Kind;

fn parse(text: &str) -> crate::error::Result<Inventory> {
    Inventory::parse(text, Path::new("site.yaml"), None)
}

/// Everything that the reader of a refusal sees.
fn refused(text: &str) -> String {
    let error = parse(text).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.advice().is_some_and(|hint| !hint.is_empty()), "no hint: {error}");
    let shown = format!("{}: {error}\nhint: {}", error.code(), error.advice().unwrap_or_default());
    assert!(!format!("{shown}{error:?}").contains("hunter2"), "the secret is shown: {shown}");
    shown
}

#[test]
fn an_empty_host_has_all_defaults() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".ssh")).unwrap();
    std::fs::write(folder.path().join(".ssh/id_rsa"), "").unwrap();
    std::fs::write(folder.path().join(".ssh/id_ed25519"), "").unwrap();
    let inventory = Inventory::parse("hosts: { master1: }", Path::new("/site/site.yaml"), Some(folder.path())).unwrap();
    let expected = HostSpec {
        name: "master1".into(),
        address: "master1".into(),
        port: 22,
        user: "root".into(),
        identity_files: vec![folder.path().join(".ssh/id_ed25519"), folder.path().join(".ssh/id_rsa")],
        passphrase: None,
        agent: true,
        known_hosts: folder.path().join(".ssh/known_hosts"),
        host_key: HostKeyPolicy::Strict,
        escalation: Become::No,
        jump: None,
        node_name: None,
        connect_timeout: Duration::from_secs(10),
        vars: BTreeMap::new(),
    };
    assert_eq!(inventory.hosts, [expected]);
}

#[test]
fn a_host_wins_over_the_defaults() {
    let text = r#"
defaults: { user: ops, port: 2222, identity_file: [keys/a, ~/b], passphrase: env:KEY, agent: false, known_hosts: known_hosts,
            host_key: accept-new, become: true, become_password: file:sudo, connect_timeout: 500ms }
hosts:
  plain: { address: 192.168.2.1 }
  other: { user: root, port: 22, identity_file: [], agent: true, known_hosts: /kh, host_key: strict, become: false,
           connect_timeout: 1m30s, jump: plain, node_name: k8s-other, passphrase: prompt, vars: { rack: b, vip: mine } }
vars: { vip: 192.168.2.88, list: [1, 2.5, null, { a: true }] }
"#;
    let inventory = Inventory::parse(text, Path::new("/site/site.yaml"), Some(Path::new("/home/ops"))).unwrap();
    let plain = inventory.host("plain").unwrap();
    assert_eq!((plain.user.as_str(), plain.port, plain.agent), ("ops", 2222, false));
    assert_eq!(plain.identity_files, [PathBuf::from("/site/keys/a"), PathBuf::from("/home/ops/b")]);
    assert_eq!(plain.passphrase, Some(SecretRef::Environment("KEY".into())));
    assert_eq!(plain.known_hosts, PathBuf::from("/site/known_hosts"));
    assert_eq!(plain.host_key, HostKeyPolicy::AcceptNew);
    assert_eq!(plain.escalation, Become::Sudo { password: Some(SecretRef::File("/site/sudo".into())) });
    assert_eq!(plain.connect_timeout, Duration::from_millis(500));
    let other = inventory.host("other").unwrap();
    assert_eq!((other.user.as_str(), other.port, other.agent), ("root", 22, true));
    assert_eq!((other.identity_files.len(), &other.known_hosts), (0, &PathBuf::from("/kh")));
    assert_eq!(other.passphrase, Some(SecretRef::Prompt("`passphrase` of `other`".into())));
    assert_eq!((&other.escalation, other.host_key), (&Become::No, HostKeyPolicy::Strict));
    assert_eq!(other.connect_timeout, Duration::from_secs(90));
    assert_eq!((other.jump.as_deref(), other.node_name.as_deref()), (Some("plain"), Some("k8s-other")));
    assert_eq!(other.vars["vip"], Variable::Plain("mine".into()));
    assert_eq!(other.vars["list"], Variable::Plain(serde_json::json!([1, 2.5, null, { "a": true }])));
    assert_eq!(plain.vars["vip"], Variable::Plain("192.168.2.88".into()));
}

#[test]
fn variables_in_the_form_of_a_reference_are_secrets() {
    let text = "hosts: { a: { vars: { mine: prompt } } }\nvars: { token: env:TOKEN, key: age:k.age, mirror: \"file:///srv\", word: prompts }";
    let inventory = Inventory::parse(text, Path::new("/site/site.yaml"), None).unwrap();
    let vars = &inventory.host("a").unwrap().vars;
    assert_eq!(vars["token"], Variable::Secret(SecretRef::Environment("TOKEN".into())));
    assert_eq!(vars["key"], Variable::Secret(SecretRef::Age("/site/k.age".into())));
    assert_eq!(vars["mine"], Variable::Secret(SecretRef::Prompt("the variable `mine` of `a`".into())));
    assert_eq!(vars["mirror"], Variable::Plain("file:///srv".into()));
    assert_eq!(vars["word"], Variable::Plain("prompts".into()));
}

#[test]
fn anchors_and_merges_work() {
    let text = "hosts:\n  a: &a { user: ops, port: 2222 }\n  b: { <<: *a, port: 22 }\n  c: *a\n";
    let ports: Vec<_> = parse(text).unwrap().hosts.iter().map(|host| (host.user.clone(), host.port)).collect();
    assert_eq!(ports, [("ops".to_owned(), 2222), ("ops".to_owned(), 22), ("ops".to_owned(), 2222)]);
}

#[test]
fn an_inventory_survives_json() {
    let text = "hosts: { a: { jump: b, become: true, become_password: prompt, vars: { n: 1 } }, b: }\ngroups: { g: [b, a] }\n\
                vars: { t: env:T, p: [x] }";
    let inventory = parse(text).unwrap();
    let json = serde_json::to_string(&inventory).unwrap();
    assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), inventory);
}

#[test]
fn the_examples_of_the_book_are_right() {
    let page = include_str!("../../../../book/src/inventory.md");
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 5, "the page has only {} examples", blocks.len());
    for block in blocks {
        let parsed = Inventory::parse(block, Path::new("/site/site.yaml"), Some(Path::new("/home/ops")));
        if let Err(error) = parsed {
            panic!("an example of the page is refused: {error}\n{block}");
        }
    }
}

#[test]
fn the_book_names_every_key() {
    let page = include_str!("../../../../book/src/inventory.md");
    for key in settings::KEYS.iter().chain(&["address", "jump", "node_name", "vars"]) {
        assert!(page.contains(&format!("| `{key}`")), "`{key}` has no row in the page's tables");
    }
}

#[test]
fn the_book_shows_errors_as_they_are() {
    let page = include_str!("../../../../book/src/inventory.md");
    for line in ["passphrase: x", "prot: 22"] {
        let error = parse(&format!("hosts:\n  master1: {{ {line} }}\n")).unwrap_err();
        let shown = format!("{error}\nhint: {}", error.advice().unwrap_or_default());
        assert!(page.contains(&shown), "the page lacks:\n{shown}");
    }
}

#[test]
fn deep_nesting_ends_in_an_error() {
    for open in ["[", "{a: "] {
        assert!(parse(&open.repeat(10_000)).is_err());
    }
    assert!(parse(&format!("vars: {{ a: {}1{} }}", "[".repeat(5_000), "]".repeat(5_000))).is_err());
    let bomb: String = (1..30).map(|n| format!("  v{n}: &v{n} [*v{0}, *v{0}]\n", n - 1)).collect();
    assert!(parse(&format!("vars:\n  v0: &v0 [1, 1]\n{bomb}hosts: {{ a: }}")).is_err());
}

#[test]
fn malformed_yaml_is_refused() {
    insta::assert_snapshot!(refused("hosts:\n  master1: { address: 192.168.2.119\n  master2: {}\n"), @"
    inventory.yaml: the file is not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
     --> site.yaml:3:10
      |
    3 |   master2: {}
      |          ^
    hint: correct the line; check its indentation, brackets and quotes
    ");
    insta::assert_snapshot!(refused("hosts: [a, b\n"), @"
    inventory.yaml: the file is not valid YAML: unclosed bracket '['
     --> site.yaml:1:8
      |
    1 | hosts: [a, b
      |        ^
    hint: correct the line; check its indentation, brackets and quotes
    ");
    insta::assert_snapshot!(refused("hosts:\n  master1:\n   - a\n  b: ]\n"), @"
    inventory.yaml: the file is not valid YAML: misplaced bracket
     --> site.yaml:4:6
      |
    4 |   b: ]
      |      ^
    hint: correct the line; check its indentation, brackets and quotes
    ");
    insta::assert_snapshot!(refused("hosts: {}\n---\nhosts: {}\n"), @"
    inventory.yaml: the file is not valid YAML: only single YAML document expected but multiple found
     --> site.yaml:3:1
      |
    3 | hosts: {}
      | ^
    hint: keep one document a file; give several files with several `-i`
    ");
    insta::assert_snapshot!(refused("hosts: { a: *nowhere }"), @"
    inventory.yaml: the file is not valid YAML: reference to unknown value
     --> site.yaml:1:13
      |
    1 | hosts: { a: *nowhere }
      |             ^
    hint: correct the line; check its indentation, brackets and quotes
    ");
    insta::assert_snapshot!(refused("hosts:\n\tmaster1: {}\n"), @"
    inventory.yaml: the file is not valid YAML: tabs disallowed within this context (block indentation)
     --> site.yaml:2:2
      |
    2 |  master1: {}
      |  ^
    hint: correct the line; check its indentation, brackets and quotes
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: \"hunter2 } }"), @"
    inventory.yaml: the file is not valid YAML: unclosed quote
     --> site.yaml:1:27
      |
    1 | hosts: { a: { passphrase: ‹secret›
      |                           ^
    hint: correct the line; check its indentation, brackets and quotes
    ");
}

#[test]
fn unknown_keys_are_refused_at_each_level() {
    insta::assert_snapshot!(refused("host: {}"), @"
    inventory.unknown_key: `host` is not a key of the inventory
     --> site.yaml:1:1
      |
    1 | host …
      | ^^^^
    hint: write `hosts`
    ");
    insta::assert_snapshot!(refused("hosts: { master1: { prot: 22 } }"), @"
    inventory.unknown_key: `prot` is not a key of the host `master1`
     --> site.yaml:1:21
      |
    1 | hosts: { master1: { prot …
      |                     ^^^^
    hint: write `port`
    ");
    insta::assert_snapshot!(refused("defaults: { jump: bastion }\nhosts: { a: }"), @"
    inventory.unknown_key: `jump` is not a key of `defaults`
     --> site.yaml:1:13
      |
    1 | defaults: { jump …
      |             ^^^^
    hint: move `jump` to each host that needs it
    ");
    insta::assert_snapshot!(refused("defaults: { usr: root }"), @"
    inventory.unknown_key: `usr` is not a key of `defaults`
     --> site.yaml:1:13
      |
    1 | defaults: { usr …
      |             ^^^
    hint: write `user`
    ");
    insta::assert_snapshot!(refused("defaults: { vars: { a: 1 } }"), @"
    inventory.unknown_key: `vars` is not a key of `defaults`
     --> site.yaml:1:13
      |
    1 | defaults: { vars …
      |             ^^^^
    hint: move `vars` to the top of the file; there they hold for all hosts
    ");
    insta::assert_snapshot!(refused("port: 22"), @"
    inventory.unknown_key: `port` is not a key of the inventory
     --> site.yaml:1:1
      |
    1 | port …
      | ^^^^
    hint: move `port` to a host, or to `defaults` if it holds for all
    ");
    insta::assert_snapshot!(refused("hosts: { master1: { rack: b } }"), @"
    inventory.unknown_key: `rack` is not a key of the host `master1`
     --> site.yaml:1:21
      |
    1 | hosts: { master1: { rack …
      |                     ^^^^
    hint: use one of: address, user, port, identity_file, passphrase, agent, known_hosts, host_key, become, become_password, connect_timeout, jump, node_name, vars
    ");
    insta::assert_snapshot!(refused("zebra: 1"), @"
    inventory.unknown_key: `zebra` is not a key of the inventory
     --> site.yaml:1:1
      |
    1 | zebra …
      | ^^^^^
    hint: use one of: defaults, hosts, groups, vars
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphras: hunter2 } }"), @"
    inventory.unknown_key: `passphras` is not a key of the host `a`
     --> site.yaml:1:15
      |
    1 | hosts: { a: { passphras …
      |               ^^^^^^^^^
    hint: write `passphrase`
    ");
}

#[test]
fn wrong_types_are_refused() {
    insta::assert_snapshot!(refused("- a\n"), @"
    inventory.type: the inventory must be a map, not a list
     --> site.yaml:1:1
      |
    1 | - a
      | ^
    hint: write the inventory as `name: value` pairs
    ");
    insta::assert_snapshot!(refused("just text"), @"
    inventory.type: the inventory must be a map, not a string
     --> site.yaml:1:1
      |
    1 | just text
      | ^^^^^^^^^
    hint: write the inventory as `name: value` pairs
    ");
    insta::assert_snapshot!(refused("hosts: [master1]"), @"
    inventory.type: `hosts` must be a map, not a list
     --> site.yaml:1:8
      |
    1 | hosts: [master1]
      |        ^
    hint: write `hosts` as `name: value` pairs
    ");
    insta::assert_snapshot!(refused("hosts: { master1: 192.168.2.119 }"), @"
    inventory.type: the host `master1` must be a map, not a string
     --> site.yaml:1:19
      |
    1 | hosts: { master1: 192.168.2.119 }
      |                   ^^^^^^^^^^^^^
    hint: write the host `master1` as `name: value` pairs
    ");
    insta::assert_snapshot!(refused("defaults: root"), @"
    inventory.type: `defaults` must be a map, not a string
     --> site.yaml:1:11
      |
    1 | defaults: root
      |           ^^^^
    hint: write `defaults` as `name: value` pairs
    ");
    insta::assert_snapshot!(refused("hosts: { a: { user: 1000 } }"), @"
    inventory.type: `user` must be a string, not a number
     --> site.yaml:1:21
      |
    1 | hosts: { a: { user: 1000 } }
      |                     ^^^^
    hint: put the value in quotes
    ");
    insta::assert_snapshot!(refused("hosts: { a: { user: } }"), @"
    inventory.type: `user` must be a string, not nothing
     --> site.yaml:1:19
      |
    1 | hosts: { a: { user: } }
      |                   ^
    hint: remove `user`, or give it a value
    ");
    insta::assert_snapshot!(refused("hosts: { a: { user: \"\" } }"), @r#"
    inventory.type: `user` is empty
     --> site.yaml:1:21
      |
    1 | hosts: { a: { user: "" } }
      |                     ^^
    hint: remove `user`, or give it a value
    "#);
    insta::assert_snapshot!(refused("hosts: { a: { agent: yes } }"), @"
    inventory.type: `agent` must be true or false, not a string
     --> site.yaml:1:22
      |
    1 | hosts: { a: { agent: yes } }
      |                      ^^^
    hint: write `true` or `false`, without quotes
    ");
    insta::assert_snapshot!(refused("hosts: { a: { become: \"true\" } }"), @r#"
    inventory.type: `become` must be true or false, not a string
     --> site.yaml:1:23
      |
    1 | hosts: { a: { become: "true" } }
      |                       ^^^^^^
    hint: write `true` or `false`, without quotes
    "#);
    insta::assert_snapshot!(refused("hosts: { a: { identity_file: 3 } }"), @"
    inventory.type: `identity_file` must be a string, not a number
     --> site.yaml:1:30
      |
    1 | hosts: { a: { identity_file: 3 } }
      |                              ^
    hint: put the value in quotes
    ");
    insta::assert_snapshot!(refused("hosts: { a: { identity_file: [a, 3] } }"), @"
    inventory.type: a path of `identity_file` must be a string, not a number
     --> site.yaml:1:34
      |
    1 | hosts: { a: { identity_file: [a, 3] } }
      |                                  ^
    hint: write a path, such as `~/.ssh/id_ed25519`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { vars: [1] } }"), @"
    inventory.type: `vars` must be a map, not a list
     --> site.yaml:1:21
      |
    1 | hosts: { a: { vars: [1] } }
      |                     ^
    hint: write `vars` as `name: value` pairs
    ");
    insta::assert_snapshot!(refused("hosts: { a: }\ngroups: { masters: a }"), @"
    inventory.type: the group `masters` must be a list of hosts, not a string
     --> site.yaml:2:20
      |
    2 | groups: { masters: a }
      |                    ^
    hint: write the hosts' names in brackets: `[master1, master2]`
    ");
    insta::assert_snapshot!(refused("hosts: { a: }\ngroups: { masters: [[a]] }"), @"
    inventory.type: a member of a group must be the name of a host, not a list
     --> site.yaml:2:21
      |
    2 | groups: { masters: [[a]] }
      |                     ^
    hint: write the hosts' names in brackets: `[master1, master2]`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { host_key: strikt } }"), @"
    inventory.choice: `strikt` is not a value of `host_key`
     --> site.yaml:1:25
      |
    1 | hosts: { a: { host_key: strikt } }
      |                         ^^^^^^
    hint: write `strict`, the nearest known name
    ");
    insta::assert_snapshot!(refused("hosts: { a: { user: root@b } }"), @"
    inventory.user: `user` is not the name of a user
     --> site.yaml:1:21
      |
    1 | hosts: { a: { user: root@b } }
      |                     ^^^^^^
    hint: write the login name alone, such as `root`; the host's address has a key of its own
    ");
    insta::assert_snapshot!(refused("hosts: { a: { address: 192.168.2.119:22 } }"), @"
    inventory.address: `192.168.2.119:22` is not an address
     --> site.yaml:1:24
      |
    1 | hosts: { a: { address: 192.168.2.119:22 } }
      |                        ^^^^^^^^^^^^^^^^
    hint: write the port under `port`
    ");
}

#[test]
fn ports_are_whole_and_in_range() {
    insta::assert_snapshot!(refused("hosts: { a: { port: 0 } }"), @"
    inventory.port: `port` 0 is not a port
     --> site.yaml:1:21
      |
    1 | hosts: { a: { port: 0 } }
      |                     ^
    hint: write a whole number from 1 to 65535
    ");
    insta::assert_snapshot!(refused("hosts: { a: { port: 65536 } }"), @"
    inventory.port: `port` 65536 is not a port
     --> site.yaml:1:21
      |
    1 | hosts: { a: { port: 65536 } }
      |                     ^^^^^
    hint: write a whole number from 1 to 65535
    ");
    insta::assert_snapshot!(refused("hosts: { a: { port: -1 } }"), @"
    inventory.port: `port` -1 is not a port
     --> site.yaml:1:21
      |
    1 | hosts: { a: { port: -1 } }
      |                     ^^
    hint: write a whole number from 1 to 65535
    ");
    insta::assert_snapshot!(refused("hosts: { a: { port: 2.5 } }"), @"
    inventory.port: `port` 2.5 is not a port
     --> site.yaml:1:21
      |
    1 | hosts: { a: { port: 2.5 } }
      |                     ^^^
    hint: write a whole number from 1 to 65535
    ");
    insta::assert_snapshot!(refused("hosts: { a: { port: \"22\" } }"), @r#"
    inventory.type: `port` must be a whole number, not a string
     --> site.yaml:1:21
      |
    1 | hosts: { a: { port: "22" } }
      |                     ^^^^
    hint: write a number without quotes, such as `22`
    "#);
}

#[test]
fn keys_are_given_once() {
    insta::assert_snapshot!(refused("hosts:\n  master1: {}\n  master2: {}\n  master1: {}\n"), @"
    inventory.duplicate_key: `master1` is given twice
     --> site.yaml:4:3
      |
    4 |   master1 …
      |   ^^^^^^^
    hint: keep one of the two
    ");
    insta::assert_snapshot!(refused("hosts: {}\nhosts: {}\n"), @"
    inventory.duplicate_key: `hosts` is given twice
     --> site.yaml:2:1
      |
    2 | hosts …
      | ^^^^^
    hint: keep one of the two
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: env:A, passphrase: hunter2 } }"), @"
    inventory.duplicate_key: `passphrase` is given twice
     --> site.yaml:1:34
      |
    1 | hosts: { a: { passphrase: env:A, passphrase …
      |                                  ^^^^^^^^^^
    hint: keep one of the two
    ");
    insta::assert_snapshot!(refused("hosts: { 1: , \"1\": }"), @r#"
    inventory.duplicate_key: `1` is given twice
     --> site.yaml:1:15
      |
    1 | hosts: { 1: , "1" …
      |               ^^^
    hint: keep one of the two
    "#);
}

#[test]
fn names_are_good_and_mean_one_thing() {
    insta::assert_snapshot!(refused("hosts: { \"bad name\": }"), @r#"
    inventory.name: `bad name` is not a name for a host
     --> site.yaml:1:10
      |
    1 | hosts: { "bad name": }
      |          ^^^^^^^^^^
    hint: use letters, digits, `-`, `_` and `.` only, with a letter or digit first, at most 253
    "#);
    insta::assert_snapshot!(refused("hosts: { -a: }"), @"
    inventory.name: `-a` is not a name for a host
     --> site.yaml:1:10
      |
    1 | hosts: { -a: }
      |          ^^
    hint: use letters, digits, `-`, `_` and `.` only, with a letter or digit first, at most 253
    ");
    insta::assert_snapshot!(refused("hosts: { a: }\ngroups: { \"../x\": [a] }"), @r#"
    inventory.name: `../x` is not a name for a group
     --> site.yaml:2:11
      |
    2 | groups: { "../x": [a] }
      |           ^^^^^^
    hint: use letters, digits, `-`, `_` and `.` only, with a letter or digit first, at most 253
    "#);
    insta::assert_snapshot!(refused("hosts: { all: }"), @"
    inventory.reserved: a host may not be called `all`
     --> site.yaml:1:10
      |
    1 | hosts: { all: }
      |          ^^^
    hint: choose another name; `all` is the built-in group of all hosts
    ");
    insta::assert_snapshot!(refused("hosts: { a: }\ngroups: { all: [a] }"), @"
    inventory.reserved: a group may not be called `all`
     --> site.yaml:2:11
      |
    2 | groups: { all: [a] }
      |           ^^^
    hint: choose another name; `all` is the built-in group of all hosts
    ");
    insta::assert_snapshot!(refused("hosts: { a: , b: }\ngroups: { b: [a] }"), @"
    inventory.duplicate_name: `b` is both a host and a group
     --> site.yaml:2:11
      |
    2 | groups: { b: [a] }
      |           ^
    the host is here
     --> site.yaml:1:15
      |
    1 | hosts: { a: , b: }
      |               ^
    hint: rename one of the two
    ");
}

#[test]
fn groups_name_known_hosts_once() {
    insta::assert_snapshot!(refused("hosts: { master1: , worker1: }\ngroups: { masters: [mastr1] }"), @"
    inventory.unknown_host: there is no host `mastr1`
     --> site.yaml:2:21
      |
    2 | groups: { masters: [mastr1] }
      |                     ^^^^^^
    hint: write `master1`, the nearest known name
    ");
    insta::assert_snapshot!(refused("hosts: { a: }\ngroups: { masters: [zebra] }"), @"
    inventory.unknown_host: there is no host `zebra`
     --> site.yaml:2:21
      |
    2 | groups: { masters: [zebra] }
      |                     ^^^^^
    hint: use one of: a
    ");
    insta::assert_snapshot!(refused("hosts: { a: , b: }\ngroups: { x: [a, b, a] }"), @"
    inventory.duplicate_member: `a` is twice in the group `x`
     --> site.yaml:2:21
      |
    2 | groups: { x: [a, b, a] }
      |                     ^
    hint: remove one of the two
    ");
    insta::assert_snapshot!(refused("hosts: { a: }\ngroups: { x: [a], y: [x] }"), @"
    inventory.unknown_host: `x` is a group; a group lists hosts only
     --> site.yaml:2:23
      |
    2 | groups: { x: [a], y: [x] }
      |                       ^
    hint: name hosts of `x` instead
    ");
}

#[test]
fn jumps_lead_somewhere() {
    insta::assert_snapshot!(refused("hosts: { a: { jump: bastoin }, bastion: }"), @"
    inventory.unknown_host: there is no host `bastoin`
     --> site.yaml:1:21
      |
    1 | hosts: { a: { jump: bastoin }, bastion: }
      |                     ^^^^^^^
    hint: write `bastion`, the nearest known name
    ");
    insta::assert_snapshot!(refused("hosts: { a: { jump: g } }\ngroups: { g: [a] }"), @"
    inventory.unknown_host: `g` is a group; a jump goes through one host
     --> site.yaml:1:21
      |
    1 | hosts: { a: { jump: g } }
      |                     ^
    hint: name hosts of `g` instead
    ");
    insta::assert_snapshot!(refused("hosts: { a: { jump: a } }"), @"
    inventory.jump_cycle: the jumps lead back to where they began: `a` → `a`
     --> site.yaml:1:21
      |
    1 | hosts: { a: { jump: a } }
      |                     ^
    hint: remove `jump` from the host that is reached directly
    ");
    insta::assert_snapshot!(refused("hosts:\n  a: { jump: b }\n  b: { jump: c }\n  c: { jump: b }\n"), @"
    inventory.jump_cycle: the jumps lead back to where they began: `b` → `c` → `b`
     --> site.yaml:3:14
      |
    3 |   b: { jump: c }
      |              ^
    hint: remove `jump` from the host that is reached directly
    ");
}

#[test]
fn an_inventory_has_hosts() {
    insta::assert_snapshot!(refused(""), @"
    inventory.empty: the inventory has no hosts
     --> site.yaml:1:1
      |
    1 |
      | ^
    hint: add one: `hosts: { master1: { address: 192.168.2.119 } }`
    ");
    insta::assert_snapshot!(refused("# only a comment\n"), @"
    inventory.empty: the inventory has no hosts
     --> site.yaml:1:1
      |
    1 | # only a comment
      | ^
    hint: add one: `hosts: { master1: { address: 192.168.2.119 } }`
    ");
    insta::assert_snapshot!(refused("vars: { a: 1 }\n"), @"
    inventory.empty: the inventory has no hosts
     --> site.yaml:1:1
      |
    1 | vars: { a: 1 }
      | ^
    hint: add one: `hosts: { master1: { address: 192.168.2.119 } }`
    ");
    insta::assert_snapshot!(refused("vars: { a: 1 }\nhosts: {}\n"), @"
    inventory.empty: the inventory has no hosts
     --> site.yaml:2:1
      |
    2 | hosts: {}
      | ^^^^^
    hint: add one: `hosts: { master1: { address: 192.168.2.119 } }`
    ");
}

#[test]
fn literal_secrets_are_refused_and_not_shown() {
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: hunter2 } }"), @"
    inventory.secret: `passphrase` of `a` is not a reference to a secret; a literal is refused
     --> site.yaml:1:15
      |
    1 | hosts: { a: { passphrase …
      |               ^^^^^^^^^^
    hint: write where it is found: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`
    ");
    insta::assert_snapshot!(refused("defaults:\n  become: true\n  become_password: \"hunter2\"\nhosts: { a: }\n"), @"
    inventory.secret: `become_password` in `defaults` is not a reference to a secret; a literal is refused
     --> site.yaml:3:3
      |
    3 |   become_password …
      |   ^^^^^^^^^^^^^^^
    hint: write where it is found: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`
    ");
    insta::assert_snapshot!(refused("hosts:\n  a:\n    passphrase: |\n      hunter2\n"), @"
    inventory.secret: `passphrase` of `a` is not a reference to a secret; a literal is refused
     --> site.yaml:3:5
      |
    3 |     passphrase …
      |     ^^^^^^^^^^
    hint: write where it is found: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: 1234567 } }"), @"
    inventory.secret: `passphrase` of `a` is not a reference to a secret; a literal is refused
     --> site.yaml:1:15
      |
    1 | hosts: { a: { passphrase …
      |               ^^^^^^^^^^
    hint: write where it is found: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: } }"), @"
    inventory.type: `passphrase` of `a` has no value
     --> site.yaml:1:15
      |
    1 | hosts: { a: { passphrase: ‹secret›
      |               ^^^^^^^^^^
    hint: remove `passphrase`, or say where it is found
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: [env:A, hunter2] } }"), @"
    inventory.secret: `passphrase` of `a` is not a reference to a secret; a literal is refused
     --> site.yaml:1:15
      |
    1 | hosts: { a: { passphrase …
      |               ^^^^^^^^^^
    hint: write where it is found: `env:NAME`, `file:PATH`, `age:PATH` or `prompt`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: env:hunter2! } }"), @"
    inventory.secret: `passphrase` of `a` does not name a variable after `env:`
     --> site.yaml:1:15
      |
    1 | hosts: { a: { passphrase …
      |               ^^^^^^^^^^
    hint: write `env:NAME`; a name has letters, digits and `_` only, and no space before it
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: file:///hunter2 } }"), @"
    inventory.secret: `passphrase` of `a` is a URL
     --> site.yaml:1:15
      |
    1 | hosts: { a: { passphrase …
      |               ^^^^^^^^^^
    hint: write `file:PATH`: a path follows the colon, without `//`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { passphrase: hunter2, prot: 22 } }"), @"
    inventory.unknown_key: `prot` is not a key of the host `a`
     --> site.yaml:1:36
      |
    1 | hosts: { a: { passphrase: ‹secret›
      |                                   ^
    hint: write `port`
    ");
    insta::assert_snapshot!(refused("hosts: { a: }\nvars: { token: \"env:\" }"), @"
    inventory.secret: the variable `token` does not name a variable after `env:`
     --> site.yaml:2:9
      |
    2 | vars: { token …
      |         ^^^^^
    hint: write `env:NAME`; a name has letters, digits and `_` only, and no space before it
    ");
    insta::assert_snapshot!(refused("hosts: { a: }\nvars: { db: { password: env:DB } }"), @"
    inventory.secret: a secret cannot be part of a list or a map
     --> site.yaml:2:25
      |
    2 | vars: { db: { password: env:DB } }
      |                         ^^^^^^
    hint: make it a variable of its own, directly under `vars`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { become_password: prompt } }"), @"
    inventory.become: `a` has a `become_password` and does not `become` root
     --> site.yaml:1:15
      |
    1 | hosts: { a: { become_password: prompt } }
      |               ^^^^^^^^^^^^^^^
    hint: add `become: true`, or remove `become_password`
    ");
}

#[test]
fn durations_have_a_unit() {
    insta::assert_snapshot!(refused("hosts: { a: { connect_timeout: 10 } }"), @"
    inventory.type: `connect_timeout` must be a duration, not a number
     --> site.yaml:1:32
      |
    1 | hosts: { a: { connect_timeout: 10 } }
      |                                ^^
    hint: write a number and its unit, such as `10s`, `500ms` or `2m`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { connect_timeout: 10x } }"), @"
    inventory.duration: `10x` is not a duration
     --> site.yaml:1:32
      |
    1 | hosts: { a: { connect_timeout: 10x } }
      |                                ^^^
    hint: write a number and its unit, such as `10s`, `500ms` or `2m`
    ");
    insta::assert_snapshot!(refused("hosts: { a: { connect_timeout: 0s } }"), @"
    inventory.duration: `0s` is not longer than nothing
     --> site.yaml:1:32
      |
    1 | hosts: { a: { connect_timeout: 0s } }
      |                                ^^
    hint: write a number and its unit, such as `10s`, `500ms` or `2m`
    ");
}

#[test]
fn paths_need_a_home_for_the_tilde() {
    insta::assert_snapshot!(refused("hosts: { a: { known_hosts: ~/known_hosts } }"), @"
    inventory.path: `known_hosts` begins with `~/`, and no home folder is known
     --> site.yaml:1:28
      |
    1 | hosts: { a: { known_hosts: ~/known_hosts } }
      |                            ^^^^^^^^^^^^^
    hint: set HOME, or write the whole path
    ");
    insta::assert_snapshot!(refused("hosts: { a: { known_hosts: ~ops/known_hosts } }"), @"
    inventory.path: `known_hosts` names another user's home folder
     --> site.yaml:1:28
      |
    1 | hosts: { a: { known_hosts: ~ops/known_hosts } }
      |                            ^^^^^^^^^^^^^^^^
    hint: write the whole path; only `~/`, the home folder of who runs this, is known
    ");
}

/// Pieces that make texts which are nearly inventories.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ \n\t:,{}\\[\\]\"'#&*|>-]{1,3}",
        prop::sample::select(vec![
            "hosts",
            "groups",
            "defaults",
            "vars",
            "all",
            "a",
            "port: 22",
            "jump: a",
            "passphrase: ",
            "prompt",
            "env:A",
            "~",
            "\n  ",
            "\n",
            ": ",
            "{ ",
            " }",
            "[a]",
            "1",
            "é",
            "\u{0}",
            "\u{feff}",
            "<<: *a",
            "&a ",
            "*a",
            "!!int ",
            "? ",
            "---\n",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn near_inventories_never_panic_and_each_error_has_a_place(text in nearly_yaml()) {
        if let Err(error) = parse(&text) {
            prop_assert!(error.to_string().contains("site.yaml:"), "{error}");
            prop_assert!(error.advice().is_some());
            prop_assert!(!error.to_string().contains(|c: char| c.is_control() && c != '\n'));
        }
    }

    /// Whatever else is wrong with a file, a literal in it stays out of the message.
    #[test]
    fn a_literal_is_never_shown(line in 0..8usize, at in 0..40usize, junk in "[ :,{}\\[\\]\"'#&*|>a-]{0,4}", cut in 0..6usize) {
        let mut lines: Vec<String> = [
            "defaults: { user: root, port: 22 }",
            "hosts:",
            "  master1:",
            "    address: 192.168.2.119",
            "    passphrase: Zhunter2Z",
            "    port: 22",
            "  master2: { port: 22, become_password: \"Zhunter2Z\", user: ops }",
            "groups: { masters: [master1] }",
        ].map(str::to_owned).to_vec();
        // The keys of the two secrets stay whole.
        let keep = [0, 0, 0, 0, 15, 0, 40, 0][line];
        let start = (keep + at).min(lines[line].len());
        let end = (start + cut).min(lines[line].len());
        lines[line].replace_range(start..end, &junk);
        if let Err(error) = parse(&lines.join("\n")) {
            prop_assert!(!format!("{error} {error:?} {:?}", error.advice()).contains("hunter2"), "{error}");
        }
    }
}
