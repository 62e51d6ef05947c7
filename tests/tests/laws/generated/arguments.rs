//! Arguments from a verb's signature; where only some make sense, from a list beside it.

use haengine_kernel::signature::{Param, ParamKind, Signature};
use proptest::prelude::*;
use proptest::sample::select;

use super::text::{Place, line, lines, rhai};

/// What an argument may be, as a recipe writes it: for one verb, or for all of a module with `*`. `{d}` is the corner,
/// `{x}` what the call works on, `{u}` the unit.
const LISTS: &[(&str, &str, &[&str])] = &[
    ("*", "owner", &[r#""root""#, r#""daemon""#, r#""1234""#, r#""nobody-knows""#]),
    ("*", "group", &[r#""root""#, r#""adm""#, r#""1234""#, r#""nobody-knows""#]),
    ("*", "validate", &[r#""test -s %s""#, r#""grep -q a %s""#, r#""false %s""#, r#""cat %s""#]),
    ("file.line", "matching", &[r#""^a$""#, r#""b=""#, r#""^\\s*#""#, r#""(""#]),
    ("file.line", "prefix", &[r#""b=""#, r#""a""#, r#""[""#]),
    ("file.line", "after", &[r#""^\\[x\\]$""#, r#""a""#, r#""nothing""#]),
    ("file.line", "before", &[r#""^b""#, r#""^$""#, r#""nothing""#]),
    ("file.replace", "pattern", &[r#""a""#, r#""b=1""#, r#""^b=(.)$""#, r#""\n""#, r#""""#, r#""[""#, r#"" ""#]),
    ("file.replace", "replacement", &[r#""c""#, r#""$1""#, r#""""#, r#""a a""#, r#""ü\n""#, "s"]),
    ("file.replace", "count", &["0", "1", "2"]),
    ("file.link", "target", &[r#""second""#, r#""/etc/hostname""#, r#""a b""#, r#""/nowhere""#, r#""../0""#, r#""""#]),
    (
        "file.directory",
        "paths",
        &["{x}", "[{x}, {d} + \"/one\"]", "[{d} + \"/one\", {d} + \"/one/two\"]", "{x} + \"/a/b\"", "{d}"],
    ),
    ("file.absent", "paths", &["{x}", "{x}", "[{x}, {d} + \"/second\"]", "{d} + \"/nothing\"", "{d}"]),
    ("file.template", "template", &[r#""demo.j2""#]),
    ("file.template", "vars", &["#{ token: {text} }", "#{ token: s }", "#{ token: {text}, more: 1 }", "#{ }"]),
    (
        "file.copy_tree",
        "from",
        &["{d} + \"/src\"", "{d} + \"/src\"", "{d} + \"/src/\"", "{d} + \"/nothing\"", "{d} + \"/src/sub\""],
    ),
    ("file.copy_tree", "to", &["{d} + \"/dst\"", "{d} + \"/dst\"", "{d} + \"/src/inner\"", "{d} + \"/no/where\""]),
    ("file.copy_tree", "exclude", &[r#"["sub/*"]"#, r#"["sub"]"#, r#""**/b""#, r#"["a", "link"]"#, r#""[""#]),
    ("file.copy_tree", "only", &[r#"["a"]"#, r#"["sub/**"]"#, r#"["*"]"#]),
    ("ssh.upload", "local", &[r#""demo.j2""#, r#"["demo.j2", "laws.rhai"]"#, r#""nothing""#, r#""folder""#]),
    ("ssh.upload", "path", &["{x}", "{x}", "{x} + \"/\"", "{d}"]),
    ("service.*", "units", &["{u}", "{u}", "{u} + \".service\"", "[{u}]", "\"nobody-knows\""]),
    ("service.*", "restart_on", &["[{d} + \"/conf\"]", "{d} + \"/nothing\""]),
    ("service.*", "reload_on", &["[{d} + \"/conf\"]"]),
    ("service.*", "owns", &["[{d} + \"/own\"]"]),
    ("service.*", "timeout", &["\"10s\"", "20"]),
    (
        "pkg.installed",
        "packages",
        &[r#""tree""#, r#"["tree", "coreutils"]"#, r#""nobody-knows""#, r#""tree=0.1""#, r#""coreutils""#],
    ),
    ("cert.*", "path", &["{d} + \"/server.pem\"", "{d} + \"/server.pem\"", "{d} + \"/no/where.pem\""]),
    ("cert.authority", "certificate", &["{d} + \"/server.pem\"", "{d} + \"/ca.pem\"", "{d} + \"/new.pem\""]),
    ("cert.authority", "key", &["{d} + \"/server-key.pem\"", "{d} + \"/ca-key.pem\"", "{d} + \"/new-key.pem\""]),
    ("cert.*", "key", &["{d} + \"/server-key.pem\"", "{d} + \"/server-key.pem\"", "{d} + \"/nothing.pem\""]),
    (
        "cert.*",
        "authority",
        &[
            "#{ certificate: {d} + \"/ca.pem\", key: {d} + \"/ca-key.pem\" }",
            "#{ host: h, certificate: {d} + \"/ca.pem\", key: {d} + \"/ca-key.pem\" }",
        ],
    ),
    ("cert.*", "common_name", &[r#""authority""#, r#""server""#, r#""ü, O=x""#, r#""""#]),
    ("cert.*", "organization", &[r#"["a"]"#, r#"["a", "b"]"#]),
    ("cert.*", "organizations", &[r#"["a"]"#, r#"["system:masters"]"#]),
    ("cert.*", "names", &[r#"["one.example"]"#, r#"["two.example", "*.three.example"]"#, r#"["-no name-"]"#, "[]"]),
    ("cert.*", "addresses", &[r#"["192.0.2.1"]"#, r#"["2001:db8::1", "192.0.2.9"]"#, r#"["300.1.1.1"]"#]),
    ("cert.*", "usages", &[r#"["server"]"#, r#"["client"]"#, r#"["nonsense"]"#]),
    ("cert.*", "days", &["1", "30", "3650", "0", "-1"]),
    ("cert.*", "renew_before", &["0", "30", "400"]),
];

/// A call of a verb in this corner.
pub fn call(verb: &'static str, signature: &Signature, place: &Place) -> BoxedStrategy<String> {
    let of = |param: &Param| argument(verb, param, place);
    let positional: Vec<_> = signature.positional.iter().map(of).collect();
    let options: Vec<_> = signature.options.iter().map(|param| option(verb, param, place)).collect();
    let function = verb.replace('.', "::");
    (positional, options)
        .prop_map(move |(positional, options)| {
            let options: Vec<String> = options.into_iter().flatten().collect();
            let map = if options.is_empty() { String::new() } else { format!(", #{{ {} }}", options.join(", ")) };
            format!("{function}({}{map})", positional.join(", "))
        })
        .boxed()
}

/// An option, mostly left out unless it must be given.
fn option(verb: &str, param: &Param, place: &Place) -> BoxedStrategy<Option<String>> {
    let weight = if param.is_required() { 0.95 } else { 0.25 };
    let name = param.name;
    let given = argument(verb, param, place).prop_map(move |value| format!("{name}: {value}"));
    proptest::option::weighted(weight, given).boxed()
}

fn argument(verb: &str, param: &Param, place: &Place) -> BoxedStrategy<String> {
    let list = LISTS.iter().find(|(whose, name, _)| *name == param.name && is_of(verb, whose));
    match list {
        Some((_, _, list)) => {
            let (folder, path, unit) = (rhai(&place.folder()), rhai(&place.path()), rhai(&place.unit()));
            let fill = move |(text, value): (&str, String)| {
                let text = text.replace("{d}", &folder).replace("{x}", &path).replace("{u}", &unit);
                text.replace("{text}", &rhai(&value))
            };
            (select(*list), lines()).prop_map(fill).boxed()
        }
        None => of_kind(param.kind, place),
    }
}

fn is_of(verb: &str, whose: &str) -> bool {
    whose.strip_suffix('*').map_or(verb == whose, |module| verb.starts_with(module))
}

/// Whatever the kind of an argument takes.
fn of_kind(kind: ParamKind, place: &Place) -> BoxedStrategy<String> {
    let words = |list: &'static [&'static str]| select(list).prop_map(str::to_owned).boxed();
    match kind {
        ParamKind::Hosts | ParamKind::Host => Just("h".to_owned()).boxed(),
        ParamKind::Path | ParamKind::Paths => Just(rhai(&place.path())).boxed(),
        ParamKind::Text | ParamKind::LocalText => prop_oneof![
            6 => lines().prop_map(|text| rhai(&text)),
            3 => line().prop_map(|text| rhai(&text)),
            1 => Just("s".to_owned()),
            1 => lines().prop_map(|text| format!("[{}, s]", rhai(&text))),
        ]
        .boxed(),
        ParamKind::String | ParamKind::LocalPath | ParamKind::LocalPlace => line().prop_map(|text| rhai(&text)).boxed(),
        ParamKind::Strings | ParamKind::LocalPaths => line().prop_map(|text| format!("[{}]", rhai(&text))).boxed(),
        ParamKind::Command => words(&[r#""true""#, r#"["true"]"#]),
        ParamKind::Integer | ParamKind::Integers => words(&["0", "1", "7"]),
        ParamKind::Boolean => words(&["true", "false"]),
        ParamKind::Mode => words(&["0o644", "0o600", "0o755", "0o0", "0o4711", "0o2770", "0o1777"]),
        ParamKind::Duration => words(&["5", "\"500ms\"", "\"1m\""]),
        ParamKind::Choice(choices) => select(choices).prop_map(rhai).boxed(),
        ParamKind::Map => words(&["#{ }"]),
        ParamKind::Any => words(&["1", "\"a\"", "()"]),
    }
}
