//! A canary of each kind of secret is nowhere but where it belongs. What each verb does with its own secrets, the laws
//! of verbs say.

use std::process::Command;
use std::time::UNIX_EPOCH;

use haengine_tests::canary::{Sampler, hide, nobody_else_reads_it, nothing_is_left, unseen, unseen_in_folder};
use haengine_tests::site::{Given, Site, ended, possible};

const VARIABLE: &str = "canary-variable-3c1f";
const PARAMETER: &str = "canary-parameter-a7d2";
const FROM_FILE: &str = "canary-from-file-0b68";
const SUDO: &str = "canary-sudo-90be";
const PASSPHRASE: &str = "canary-passphrase-5e44";
const LITERAL: &str = "canary-literal-d113";

/// Secrets are placed, given to commands that say them again, refused by a validator that quotes them, and in the end
/// in the words of a command that fails.
const RECIPE: &str = r#"
fn params() { #{ s: param::secret("A canary."), f: param::secret("Another.") } }

fn main(p) {
    let h = host("m1");
    step("place", || {
        file::put(h, "/srv/ssl/token", h.vars.token, #{ mode: 0o600 });
        file::put(h, "/srv/ssl/parameter", ["user = ", p.s, "\n"], #{ mode: 0o600 });
    });
    step("certificates", || {
        let authority = #{ host: h, certificate: "/srv/ssl/ca.pem", key: "/srv/ssl/ca-key.pem" };
        cert::authority(h, #{ certificate: authority.certificate, key: authority.key, common_name: "canary" });
        cert::issue(host("m2"), "/srv/server.pem", #{ key: "/srv/server-key.pem", authority: authority, common_name: "server" });
        file::put(h, "/srv/ssl/copy.pem", file::read(h, authority.key), #{ mode: 0o600 });
    });
    step("say", || ssh::run(h, "cat; cat /srv/ssl/ca-key.pem >&2; sleep 0.3", #{ stdin: p.f }));
    step("fail", || {
        try { ssh::run(h, "cat >&2; exit 3", #{ stdin: p.f }); } catch (e) { log(`it said ${e}`); }
        let refused = #{ mode: 0o600, validate: "sed 's/^/no: /' %s >&2; false" };
        try { file::put(h, "/srv/ssl/refused", ["name ", h.vars.token, " more\n"], refused); } catch (e) { log(`it said ${e}`); }
        ssh::run(h, "echo this is why; cat >&2; exit 4", #{ stdin: p.s });
    });
}
"#;

const WORDS: [&str; 3] = ["run", "secrets.rhai", "-i"];
const PARAMETERS: [&str; 2] = ["s=env:CANARY_PARAMETER", "f=file:parameter"];

/// `keeper` has a key with a passphrase, and a password for sudo; an authority's key is there.
fn site() -> Site {
    let site = Site::new("secrets", 2);
    let key = site.path().join("key");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-a", "1", "-N", PASSPHRASE, "-f"]).arg(&key);
    assert!(keygen.status().unwrap().success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    for host in ["m1", "m2"] {
        site.on(
            host,
            &format!(
                "echo 'keeper:{SUDO}' | chpasswd; install -d -o keeper ~keeper/.ssh; \
            echo '{}' >>~keeper/.ssh/authorized_keys; chown keeper ~keeper/.ssh/authorized_keys",
                public.trim()
            ),
        );
    }
    site.on("m1", "mkdir -m 700 /srv/ssl && cd /srv/ssl && umask 077 && openssl genpkey -algorithm RSA -out ca-key.pem 2>/dev/null \
        && echo older >token");
    site.write("secrets.rhai", RECIPE);
    site.write("sudo", &format!("{SUDO}\n"));
    site.write("parameter", FROM_FILE);
    inventory(&site, "site.yaml", "env:CANARY_PASSPHRASE", "file:sudo");
    inventory(&site, "no_key.yaml", "env:CANARY_VARIABLE", "file:sudo");
    inventory(&site, "no_sudo.yaml", "env:CANARY_PASSPHRASE", "env:CANARY_VARIABLE");
    site
}

fn inventory(site: &Site, file: &str, passphrase: &str, sudo: &str) {
    site.write(file, &format!(
        "defaults: {{ user: keeper, identity_file: key, passphrase: \"{passphrase}\", known_hosts: \"{}\", agent: false, become: true, become_password: \"{sudo}\" }}\n\
        hosts: {{ m1: {{ address: 192.168.2.11 }}, m2: {{ address: 192.168.2.12 }} }}\nvars: {{ token: env:CANARY_VARIABLE }}\n",
        site.lab.known_hosts().display()
    ));
}

/// Runs the binary with the secrets in its environment, and its internals logged as `log` says.
fn haengine(site: &Site, log: &str, words: &[&str]) -> Given {
    let mut command = site.command(words);
    command.env("CANARY_VARIABLE", VARIABLE).env("CANARY_PARAMETER", PARAMETER).env("CANARY_PASSPHRASE", PASSPHRASE);
    ended(command.env("HAENGINE_LOG", log).spawn().unwrap())
}

/// The lines of a private key.
fn key_lines(site: &Site, host: &str, path: &str) -> Vec<String> {
    let text = site.on(host, &format!("cat {path}"));
    let lines: Vec<String> =
        text.lines().filter(|line| !line.starts_with('-') && line.len() > 30).map(str::to_owned).collect();
    assert!(!lines.is_empty(), "no key at {path} of {host}");
    lines
}

/// The words as a program may print bytes.
fn and_as_bytes(words: &[&str]) -> Vec<String> {
    let decimal = |word: &str| word.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    let hex = |word: &str| word.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    words.iter().flat_map(|word| [(*word).to_owned(), decimal(word), hex(word)]).collect()
}

#[test]
fn no_secret_is_seen() {
    if !possible() {
        return;
    }
    let site = site();
    let since = UNIX_EPOCH.elapsed().unwrap().as_secs().to_string();
    let key = key_lines(&site, "m1", "/srv/ssl/ca-key.pem");
    let mut words = vec![VARIABLE, PARAMETER, FROM_FILE, SUDO, PASSPHRASE];
    words.extend(key.iter().map(String::as_str));
    for host in ["m1", "m2"] {
        hide(&site.lab, host, "new", &words).unwrap();
    }
    let samplers = ["m1", "m2"].map(|host| (host, Sampler::start(&site.lab, host).unwrap()));

    let literal = format!("s={LITERAL}");
    let with = |start: &[&'static str]| [start, &["site.yaml"], &PARAMETERS].concat();
    let mut told = vec![
        ("a plan", haengine(&site, "off", &with(&["plan", "secrets.rhai", "-i"])).ended_with(0)),
        (
            "a plan's events",
            haengine(&site, "off", &[&with(&["plan", "secrets.rhai", "-i"])[..], &["--json"]].concat()).ended_with(0),
        ),
        ("a run", haengine(&site, "trace", &[&with(&WORDS)[..], &["--json"]].concat()).ended_with(1)),
    ];
    let run = told[2].1.finished()["run"].as_str().unwrap().to_owned();
    assert!(told[2].1.errors.contains("TRACE russh"), "the most verbose level is not this one");
    assert!(told[2].1.errors.contains("status 4"), "it did not come to its end:\n{}", told[2].1.out);
    told.push((
        "a resumed run",
        haengine(&site, "haengine=trace", &["resume", &run, "-v", "--unknown", "repeat"]).ended_with(1),
    ));
    told.push((
        "another key",
        haengine(&site, "trace", &[&WORDS[..], &["no_key.yaml"], &PARAMETERS].concat()).ended_with(3),
    ));
    told.push((
        "another password",
        haengine(&site, "trace", &[&WORDS[..], &["no_sudo.yaml"], &PARAMETERS].concat()).ended_with(3),
    ));
    told.push((
        "a literal",
        haengine(&site, "trace", &[&WORDS[..], &["site.yaml", literal.as_str(), PARAMETERS[1]]].concat()).ended_with(2),
    ));
    told.push(("show", haengine(&site, "trace", &["show", &run]).ended_with(0)));
    told.push(("show's events", haengine(&site, "trace", &["show", &run, "--json"]).ended_with(0)));
    told.push(("runs", haengine(&site, "trace", &["runs"]).ended_with(0)));
    for (host, sampler) in samplers {
        assert_eq!(sampler.end().unwrap(), "", "an argument or the environment of a process of {host}");
        nobody_else_reads_it(&site.lab, host, &since).unwrap();
    }
    let issued = key_lines(&site, "m2", "/srv/server-key.pem");
    told.push(("undo", haengine(&site, "trace", &["undo", &run, "--yes", "-v"]).ended_with(0)));

    words.push(LITERAL);
    words.extend(issued.iter().map(String::as_str));
    let forms = and_as_bytes(&words);
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    for (place, given) in &told {
        unseen(place, &given.out, &forms).unwrap();
        unseen(place, &given.errors, &forms).unwrap();
        // What a shell of ours is sent has texts in it that nobody could read here.
        unseen(place, &given.errors, &["base64 -d"]).unwrap();
    }
    unseen_in_folder(&site.path().join("state"), &forms).unwrap();
    hide(&site.lab, "m1", "new", &[VARIABLE, PARAMETER, FROM_FILE, SUDO, PASSPHRASE]).unwrap();
    nothing_is_left(&site.lab, "m1", "new", &since).unwrap();
}
