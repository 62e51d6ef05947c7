//! A recipe from elsewhere: it reads nothing of this machine unasked, and does not hang or end haengine.

use std::time::{Duration, Instant};

use crate::Site;

fn site() -> Site {
    let site = Site::new();
    site.write("site.yaml", "hosts: { m1: { address: 127.0.0.1, port: 1 } }\n");
    site.write("mine/secret.txt", "hunter2\n");
    site.write("mine/secret.j2", "hunter2\n");
    site
}

/// Its folder is its own; what is beside that is not.
fn foreign(site: &Site, params: &str, main: &str) {
    let text =
        format!("//! From elsewhere.\n\nfn params() {{\n    #{{ {params} }}\n}}\n\nfn main(p) {{\n    {main}\n}}\n");
    site.write("foreign/recipe.rhai", &text);
    site.write("foreign/include.j2", "{% include \"../mine/secret.txt\" %}\n");
    site.write("foreign/own.j2", "mine\n");
}

#[test]
fn it_reads_nothing_that_nobody_named() {
    let site = site();
    let link = site.path("foreign/link.j2");
    foreign(&site, "", "");
    std::os::unix::fs::symlink(site.path("mine/secret.txt"), link).unwrap();
    let absolute = site.path("mine/secret.txt").display().to_string();
    let host = "host(\"m1\")";
    for (params, main) in [
        ("s: param::secret(\"S.\").or(\"file:mine/secret.txt\")".to_owned(), String::new()),
        (format!("s: param::secret(\"S.\").or(\"file:{absolute}\")"), String::new()),
        ("s: param::secret(\"S.\").or(\"env:HOME\")".to_owned(), String::new()),
        (String::new(), format!("ssh::upload({host}, \"../mine/secret.txt\", \"/tmp/x\")")),
        (String::new(), format!("ssh::upload({host}, \"{absolute}\", \"/tmp/x\")")),
        (String::new(), format!("ssh::upload({host}, [\"own.j2\", \"link.j2\"], \"/tmp/\")")),
        (String::new(), format!("ssh::script({host}, \"../mine/\" + \"secret.txt\")")),
        (String::new(), format!("file::template({host}, \"/tmp/x\", \"../mine/\" + \"secret.txt\", #{{}})")),
        (String::new(), format!("file::template({host}, \"/tmp/x\", \"link.j2\", #{{}})")),
        (String::new(), format!("file::template({host}, \"/tmp/x\", \"include.j2\", #{{}})")),
    ] {
        foreign(&site, &params, &main);
        for command in ["plan", "run"] {
            let given = site.run(&[command, "foreign/recipe.rhai", "-i", "site.yaml"]);
            let all = given.all();
            assert_eq!(given.code, 2, "{params} {main}: {all}");
            assert!(all.contains("outside of its own folder") || all.contains("of your environment"), "{main}: {all}");
            assert!(!all.contains("hunter2"), "{all}");
        }
    }
}

#[test]
fn it_reads_its_own_folder_and_what_the_command_line_names() {
    let site = site();
    let host = "host(\"m1\")";
    let absolute = site.path("mine/secret.txt").display().to_string();
    for (params, main, given) in [
        (
            "s: param::secret(\"S.\").or(\"file:mine/secret.txt\")",
            String::new(),
            vec!["s=file:mine/secret.txt".to_owned()],
        ),
        ("s: param::secret(\"S.\").or(\"env:HOME\")", String::new(), vec!["s=env:HOME".to_owned()]),
        ("f: param::string(\"F.\")", format!("ssh::upload({host}, p.f, \"/tmp/x\")"), vec![format!("f={absolute}")]),
        (
            "f: param::string(\"F.\")",
            format!("ssh::upload({host}, p.f, \"/tmp/x\")"),
            vec!["f=../mine/secret.txt".to_owned()],
        ),
        ("", format!("file::template({host}, \"/tmp/x\", \"own.j2\", #{{}})"), vec![]),
    ] {
        foreign(&site, params, &main);
        let mut words = vec!["plan", "foreign/recipe.rhai", "-i", "site.yaml"];
        words.extend(given.iter().map(String::as_str));
        let given = site.run(&words);
        // Nobody answers at the host: so far it came.
        assert!(!given.all().contains("local.outside"), "{main}: {}", given.all());
        assert_eq!(given.code, if main.is_empty() { 0 } else { 3 }, "{main}: {}", given.all());
    }
}

#[test]
fn what_it_would_read_is_told_before() {
    let site = site();
    foreign(
        &site,
        "s: param::secret(\"S.\").or(\"file:/etc/shadow\")",
        "ssh::upload(host(\"m1\"), \"../mine/secret.txt\", \"/tmp/x\")",
    );
    let given = site.run(&["describe", "foreign/recipe.rhai"]);
    assert!(given.out.contains("Reads on this machine\n"), "{}", given.out);
    assert!(given.out.contains("file:/etc/shadow") && given.out.contains("../mine/secret.txt"), "{}", given.out);
    let given = site.run(&["check", "foreign/recipe.rhai"]);
    assert_eq!(given.code, 2, "{}", given.all());
    assert_eq!(given.all().matches("check.local_outside").count(), 2, "{}", given.all());
}

#[test]
fn it_writes_beside_itself_and_where_the_command_line_says() {
    let site = site();
    let host = "host(\"m1\")";
    foreign(&site, "", "");
    std::os::unix::fs::symlink(site.path("mine"), site.path("foreign/link")).unwrap();
    for place in
        ["\"../mine/\" + \"new\"", "\"../mine/new\"", "\"link/new\"", "\"/tmp/haengine-new\"", "\".git/hooks/a\""]
    {
        foreign(&site, "", &format!("ssh::download({host}, \"/etc/hosts\", {place})"));
        for command in ["plan", "run"] {
            let given = site.run(&[command, "foreign/recipe.rhai", "-i", "site.yaml"]);
            let all = given.all();
            assert_eq!(given.code, 2, "{place}: {all}");
            assert!(all.contains("the recipe wants to write"), "{place}: {all}");
        }
    }
    let download = format!("ssh::download({host}, \"/etc/hosts\", p.into)");
    foreign(&site, "into: param::string(\"I.\")", &download);
    for into in ["into=../mine/new", "into=copies/{host}/"] {
        let given = site.run(&["run", "foreign/recipe.rhai", "-i", "site.yaml", into]);
        assert_eq!(given.code, 3, "nobody answers at the host, so far it came: {}", given.all());
    }
}

#[test]
fn where_it_would_write_is_told_before() {
    let site = site();
    let download = "ssh::download(host(\"m1\"), \"/etc/hosts\", ";
    foreign(&site, "", &format!("{download} \"/tmp/x\"); {download} \"a\" + \"b\"); {download} \"got/{{host}}/\")"));
    let given = site.run(&["describe", "foreign/recipe.rhai"]);
    let told = "Writes on this machine\n  `/tmp/x` (ssh::download)\n  what it works out as it runs (ssh::download)\n  `got/{host}/`";
    assert!(given.out.contains(told), "{}", given.out);
    let given = site.run(&["describe", "foreign/recipe.rhai", "--json"]);
    assert!(given.out.contains("\"writes\":[\"`/tmp/x` (ssh::download)\""), "{}", given.out);
    let given = site.run(&["check", "foreign/recipe.rhai"]);
    assert_eq!(given.code, 2, "{}", given.all());
    assert_eq!(given.all().matches("check.local_outside").count(), 1, "{}", given.all());
}

/// What a recipe of each name does where it is only asked what it takes.
const ENDLESS: [(&str, &str); 6] = [
    ("loop", "loop { }"),
    ("memory", "let s = \"x\"; loop { s += s; }"),
    ("list", "let a = []; loop { a.push(a); }"),
    ("deep", "let a = []; loop { a = [a]; }"),
    ("calls", "f(0);"),
    ("blocks", "g(0);"),
];

#[test]
fn what_has_no_end_is_told_and_does_not_hold_a_list() {
    let site = Site::new();
    let blocks = format!("{}g(n + 1);{}", "if true { ".repeat(40), "}".repeat(40));
    for (name, text) in ENDLESS {
        let text = format!(
            "fn f(n) {{ f(n + 1) }}\nfn g(n) {{ {blocks} }}\nfn params() {{ {text} #{{}} }}\nfn main(p) {{}}\n"
        );
        site.write(&format!("{name}.rhai"), &text);
    }
    site.write("top.rhai", "let x = 0;\nloop { x += 1; }\nfn main(p) {}\n");
    site.write("circle.rhai", "import \"round\" as r;\nfn main(p) {}\n");
    site.write("round.rhai", "fn main(p) { import \"circle\" as c; }\n");
    let since = Instant::now();
    let given = site.run(&["list"]);
    assert_eq!(given.code, 0, "{}", given.all());
    for name in ENDLESS.map(|(name, _)| name).into_iter().chain(["top", "circle", "round"]) {
        let line = given.out.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        assert!(line.contains("broken: "), "{line}");
    }
    assert!(since.elapsed() < Duration::from_secs(60), "{:?}", since.elapsed());
    assert_eq!(site.run(&["describe", "loop"]).code, 2);
}

#[test]
fn what_has_no_end_in_a_run_does_not_end_haengine() {
    let site = Site::new();
    let blocks = format!("{}g(n + 1);{}", "if true { ".repeat(40), "}".repeat(40));
    for (main, code) in [
        ("g(0);", 2),
        ("let a = []; for i in 0..3000 { a = [a]; } log(a);", 2),
        ("let a = []; let b = []; for i in 0..2000 { a = [a]; b = [b]; } log(a == b);", 0),
    ] {
        site.write("r.rhai", &format!("fn g(n) {{ {blocks} }}\nfn main(p) {{ {main} }}\n"));
        let given = site.run(&["run", "r"]);
        assert_eq!(given.code, code, "{main}: {}", given.all());
    }
}
