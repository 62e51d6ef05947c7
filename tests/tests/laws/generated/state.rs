//! What a host is before: commands one after the other, some of which do nothing after others.

use proptest::prelude::*;
use proptest::sample::select;

use super::text::{Place, lines, sh};

/// `$d` is the corner, `$x` what the call works on, `$t` a text, `$u` the unit.
const FILES: [&str; 16] = [
    r#"[ -p "$x" ] || printf %s "$t" >"$x""#,
    r#"[ -p "$x" ] || printf %s "$t" >"$x""#,
    r#"[ -p "$x" ] || printf %s "$t" >"$x"; touch -d @1600000000.25 "$x""#,
    r#"chmod 600 "$x""#,
    r#"chmod 4751 "$x""#,
    r#"chown 1:12345 "$x""#,
    r#"ln "$x" "$d/second""#,
    r#"mkdir "$x""#,
    r#"mkdir -p "$x/sub/deep"; echo in >"$x/sub/in"; ln -s nowhere "$x/sub/link""#,
    r#"ln -s second "$x""#,
    r#"ln -s /etc/hostname "$x""#,
    r#"mkfifo "$x""#,
    r#"chmod 500 "$d""#,
    r#"chown 1:1 "$d""#,
    r#"rm -rf "$d""#,
    r#"rm -rf "$d"; echo in the way >"$d""#,
];

/// Two trees, `src` and `dst`.
const TREES: [&str; 20] = [
    "mkdir -p src/sub; echo new >src/a; echo new >src/sub/b",
    "mkdir -p src/sub; echo new >src/a; echo new >src/sub/b",
    "mkdir -p src; head -c 200000 /dev/urandom >src/large",
    r#"mkdir -p src; printf %s "$t" >src/text; printf %s "$t" >"src/$n""#,
    "ln -s a src/link; ln src/a src/hard",
    "mkfifo src/pipe",
    "mkdir -p src/empty; chmod 2750 src/empty",
    "chmod 4711 src/a; chown 1:12345 src/a",
    "chmod 700 src; chown 2:2 src",
    "mkdir -p dst/sub; echo old >dst/a; echo old >dst/sub/b; echo own >dst/own",
    "mkdir -p dst; cp -a src/. dst/",
    "mkdir -p dst; echo now >dst/a; touch -r src/a dst/a",
    "mkdir -p dst; cp -a src/. dst/; touch -d @1500000000 dst/a",
    "mkdir -p dst; ln -s elsewhere dst/link",
    "mkdir -p dst/a",
    "mkdir -p dst; echo in the way >dst/sub",
    "ln dst/a dst/second",
    "chmod 500 dst; chown 1:1 dst",
    "echo no tree >dst",
    "ln -s src dst",
];

/// What a unit writes that says so to nobody.
const WRITES: &str = "mkdir -p $d/own; echo run >$d/own/log; ";

/// What is there for a call. What a unit writes stays after an undo, unless the call says that the unit owns it.
pub fn owned(given: String, code: &str) -> String {
    if code.contains("owns:") { given } else { given.replace(WRITES, "") }
}

const UNITS: [&str; 14] = [
    r#"unit 'ExecStart=/bin/sleep infinity'"#,
    r#"unit 'ExecStart=/bin/sleep infinity'"#,
    r#"unit 'Type=oneshot' 'RemainAfterExit=yes' 'ExecStart=/bin/true'"#,
    r#"unit 'ExecStart=/bin/false'"#,
    r#"unit "ExecStart=/bin/sh -c 'mkdir -p $d/own; echo run >$d/own/log; exec sleep infinity'""#,
    r#"unit 'ExecStart=/bin/sleep infinity' 'ExecReload=/bin/true'"#,
    "systemctl start $u",
    "systemctl start $u",
    "systemctl -q enable $u",
    "systemctl stop $u",
    "systemctl -q mask --runtime $u",
    r#"echo new >"$d/conf""#,
    r#"echo old >"$d/conf"; systemctl start $u; sleep 1.1; echo new >"$d/conf""#,
    "echo '# more' >>/etc/systemd/system/$u.service",
];
const UNIT: &str = r#"unit() {
    { echo '[Service]'; printf '%s\n' "$@"; printf '[Install]\nWantedBy=multi-user.target\n'; } >/etc/systemd/system/$u.service
    systemctl daemon-reload
}"#;

const CERTIFICATES: [&str; 8] = [
    "key server; request server; sign server",
    "key server; request server; sign server",
    "key server",
    "key server; request server; sign server; chmod 644 server.pem; chmod 640 server-key.pem; chown 1:1 server.pem",
    "echo nonsense >server.pem",
    "key other; mv other-key.pem server-key.pem",
    "rm -f ca-key.pem",
    "openssl x509 -in server.pem -text >both; cat server.pem >>both; mv both server.pem",
];
const AUTHORITY: &str = r#"key() { openssl ecparam -name prime256v1 -genkey -noout -out $1-key.pem; }
request() { openssl req -new -key $1-key.pem -subj /O=a/O=b/CN=$1 -out $1.csr; }
sign() {
    echo subjectAltName=DNS:one.example,IP:192.0.2.1 >ext
    openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 90 -extfile ext -out $1.pem
    rm -f ext $1.csr
}
key ca; openssl req -x509 -key ca-key.pem -out ca.pem -days 900 -subj /CN=authority"#;

/// A script that makes the corner.
pub fn given(verb: &'static str, place: &Place) -> BoxedStrategy<String> {
    let (module, op) = verb.split_once('.').unwrap_or((verb, ""));
    let (commands, functions): (&'static [&'static str], &str) = match (module, op) {
        ("file", "copy_tree") => (&TREES, ""),
        ("service", _) => (&UNITS, UNIT),
        ("cert", _) => (&CERTIFICATES, AUTHORITY),
        ("pkg", _) => (&[":"], ""),
        _ => (&FILES, ""),
    };
    let setting = format!(
        "d={}; x={}; n={}; u={}; export d\nmkdir -p \"$d\"; cd \"$d\"\n",
        sh(&place.folder()),
        sh(&place.path()),
        sh(&place.name),
        place.unit()
    );
    let functions = functions.to_owned();
    let most = if module == "file" { 5 } else { 4 };
    (proptest::collection::vec(select(commands), 0..most), lines())
        .prop_map(move |(commands, text)| {
            let done: String = commands.iter().map(|command| format!("{command}\n")).collect();
            format!("{setting}t={}\n{{ :; {functions}\n{done}}} >/dev/null 2>&1\n:", sh(&text))
        })
        .boxed()
}
