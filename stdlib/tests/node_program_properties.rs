//! What holds for every unit, however its flags are written: each is found, a new value changes it and nothing else,
//! and a node renamed there and back is as it was, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use haengine_stdlib::node::change::Change;
use haengine_stdlib::node::identity::Identity;
use haengine_stdlib::node::program::Program;
use haengine_stdlib::node::service::Service;
use haengine_stdlib::node::traced::{Files, Letter};
use proptest::prelude::*;

const UNIT: &str = "/etc/systemd/system/kube-apiserver.service";
const VARIABLES: &str = "/etc/default/kube-apiserver";

/// How a flag is written.
#[derive(Clone, Copy, Debug)]
enum Style {
    Sign,
    Blank,
    WordInQuotes(char),
    ValueInQuotes(char),
    Escaped,
    ThroughVariable(&'static str),
    ThroughUnit,
    ThroughWords,
}

const STYLES: [Style; 12] = [
    Style::Sign,
    Style::Blank,
    Style::WordInQuotes('"'),
    Style::WordInQuotes('\''),
    Style::ValueInQuotes('"'),
    Style::ValueInQuotes('\''),
    Style::Escaped,
    Style::ThroughVariable(""),
    Style::ThroughVariable("\""),
    Style::ThroughVariable("'"),
    Style::ThroughUnit,
    Style::ThroughWords,
];

/// A flag of the command line, and what it needs in the file of variables and in `Environment=`.
fn written(number: usize, name: &str, value: &str, style: Style) -> (String, String, String) {
    let only = |word: String| (word, String::new(), String::new());
    match style {
        Style::Sign => only(format!("--{name}={value}")),
        Style::Blank => only(format!("--{name} {value}")),
        Style::WordInQuotes(quote) => only(format!("{quote}--{name}={value}{quote}")),
        Style::ValueInQuotes(quote) => only(format!("--{name}={quote}{value}{quote}")),
        Style::Escaped => only(format!("\\x2d\\055{name}={value}")),
        Style::ThroughVariable(quote) => {
            (format!("--{name}=${{V{number}}}"), format!("V{number}={quote}{value}{quote}\n"), String::new())
        }
        Style::ThroughUnit => {
            (format!("--{name}=${{V{number}}}"), String::new(), format!("Environment=\"V{number}={value}\"\n"))
        }
        Style::ThroughWords => {
            (format!("$V{number}"), format!("# words\nV{number}=\"--{name}={value}\" \n"), String::new())
        }
    }
}

fn files(flags: &[(usize, Style)], values: &[String], between: &str, ending: &str) -> Files {
    let (mut words, mut variables, mut fixed) = (String::new(), String::new(), String::new());
    for (number, (flag, style)) in flags.iter().enumerate() {
        let (word, variable, environment) = written(number, NAMES[*flag], &values[number], *style);
        words += between;
        words += &word;
        variables += &variable;
        fixed += &environment;
    }
    let mut files = Files::default();
    let unit = format!("[Service]\n{fixed}EnvironmentFile=-{VARIABLES}\nExecStart=/usr/bin/kube-apiserver{words}\n");
    files.add(UNIT, unit.replace('\n', ending));
    files.add(VARIABLES, variables.replace('\n', ending));
    files
}

/// Some that name the node itself, some that do not.
const NAMES: [&str; 6] =
    ["advertise-address", "bind-address", "insecure-bind-address", "service-account-issuer", "etcd-servers", "v"];

fn service(files: &Files) -> Service {
    Service::read(files, "kube-apiserver.service", &[UNIT], None).unwrap()
}

fn pairs(files: &Files) -> Vec<(String, String)> {
    let program = Program::of(files, &service(files)).unwrap();
    program.flags.given.iter().map(|flag| (flag.name.clone(), flag.said())).collect()
}

fn edited(files: &Files, changed: &[(String, String)]) -> Files {
    let mut after = files.clone();
    for (path, text) in changed {
        after.add(path, text);
    }
    after
}

fn texts(files: &Files) -> Vec<String> {
    (0..files.paths().count()).map(|file| files.text(file).to_owned()).collect()
}

fn flags() -> impl Strategy<Value = Vec<(usize, Style)>> {
    let style = prop::sample::select(STYLES.to_vec());
    prop::collection::vec((0..NAMES.len(), style), 1..8)
}

fn spacing() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![" ", "\t", " \\\n  ", " \\\n# a remark \\\n\t"])
}

fn ending() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["\n", "\r\n"])
}

fn value() -> impl Strategy<Value = String> {
    "[a-z0-9][a-zA-Z0-9.:/_,@=+~-]{0,20}"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_flag_is_found(flags in flags(), between in spacing(), ending in ending(), value in value()) {
        let files = files(&flags, &vec![value.clone(); flags.len()], between, ending);
        let expected: Vec<_> = flags.iter().map(|(flag, _)| (NAMES[*flag].to_owned(), value.clone())).collect();
        prop_assert_eq!(pairs(&files), expected);
    }

    #[test]
    fn a_new_value_changes_its_flag_and_nothing_else(
        flags in flags(), between in spacing(), ending in ending(), old in value(), new in value(),
        pick in any::<prop::sample::Index>(),
    ) {
        let files = files(&flags, &vec![old; flags.len()], between, ending);
        let name = NAMES[flags[pick.index(flags.len())].0];
        let program = Program::of(&files, &service(&files)).unwrap();
        let after = edited(&files, &program.set(&files, &[&program], name, &new).unwrap());
        let mut expected = pairs(&files);
        expected.iter_mut().rfind(|(given, _)| given == name).unwrap().1 = new;
        prop_assert_eq!(pairs(&after), expected);
        let lines = |files: &Files| texts(files).concat().lines().count();
        prop_assert_eq!(lines(&after), lines(&files));
    }

    #[test]
    fn a_node_renamed_there_and_back_is_as_it_was(flags in flags(), between in spacing(), ending in ending()) {
        let values: Vec<String> = flags.iter().map(|(flag, _)| match NAMES[*flag] {
            "service-account-issuer" | "etcd-servers" => "https://192.0.2.11:6443".to_owned(),
            _ => "192.0.2.11".to_owned(),
        }).collect();
        let before = files(&flags, &values, between, ending);
        let of = |last: u8| Identity { addresses: vec![[192, 0, 2, last].into()], names: Vec::new() };
        let rename = |old: u8, new: u8| Change { old: of(old), new: of(new), ..Change::default() };
        let there = edited(&before, &rename(11, 12).units(&before, &[service(&before)]).unwrap().texts);
        for ((name, value), (_, old)) in pairs(&there).iter().zip(pairs(&before)) {
            let own = name.ends_with("-address");
            prop_assert_eq!(value, &if own { "192.0.2.12".to_owned() } else { old });
        }
        let back = edited(&there, &rename(12, 11).units(&there, &[service(&there)]).unwrap().texts);
        prop_assert_eq!(texts(&back), texts(&before));
    }

    #[test]
    fn every_letter_is_where_it_says(flags in flags(), between in spacing(), ending in ending(), value in value()) {
        let files = files(&flags, &vec![value; flags.len()], between, ending);
        let service = service(&files);
        let letters = service.commands.iter().flat_map(|line| &line.words).flat_map(|word| &word.letters);
        for letter in letters {
            let Letter { at, char, .. } = letter;
            let written = &files.text(at.file)[at.start..at.end];
            prop_assert!(written.starts_with('\\') || written == char.to_string(), "{} for {}", written, char);
        }
    }

    #[test]
    fn whatever_a_file_says_it_is_read_or_refused(unit in ".{0,200}", variables in "[ -~\n\r\t]{0,200}") {
        let mut files = Files::default();
        files.add(UNIT, format!("[Service]\nEnvironmentFile={VARIABLES}\nExecStart=/usr/bin/kubelet $A {unit}\n"));
        files.add(VARIABLES, format!("A={variables}"));
        let service = Service::read(&files, "kubelet.service", &[UNIT], None);
        if let Ok(service) = service {
            let _ = Program::of(&files, &service);
            let old = Identity { addresses: Vec::new(), names: vec!["a".to_owned()] };
            let rename = Change { old, ..Change::default() };
            let _ = rename.units(&files, &[service]);
        }
    }
}

/// Two programs with flags that share variables: which flag, of which program, through which of three variables.
fn shared() -> impl Strategy<Value = Vec<(usize, bool, usize, bool)>> {
    prop::collection::vec((0..5usize, any::<bool>(), 0..3usize, any::<bool>()), 1..8)
}

fn sharing(flags: &[(usize, bool, usize, bool)]) -> Files {
    let mut units = ["".to_owned(), "".to_owned()];
    for (flag, second, variable, mixed) in flags {
        let value = if *mixed { format!("https://${{V{variable}}}:6443") } else { format!("${{V{variable}}}") };
        units[usize::from(*second)] += &format!(" --{}={value}", NAMES[*flag]);
    }
    let mut files = Files::default();
    for (unit, words) in ["/a", "/b"].iter().zip(units) {
        files.add(*unit, format!("[Service]\nEnvironmentFile={VARIABLES}\nExecStart=/usr/bin/kube-apiserver{words}\n"));
    }
    files.add(VARIABLES, "V0=192.0.2.11\nV1='192.0.2.11'\nV2=\"192.0.2.11\"\n");
    files
}

fn both(files: &Files) -> Vec<Service> {
    ["/a", "/b"].map(|path| Service::read(files, "kube-apiserver.service", &[path], None).unwrap()).into()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shared_variable_changes_for_nobody_who_wants_it_as_it_is(flags in shared()) {
        let before = sharing(&flags);
        let of = |last: u8| Identity { addresses: vec![[192, 0, 2, last].into()], names: Vec::new() };
        let rename = Change { old: of(11), new: of(12), ..Change::default() };
        let renamed = rename.units(&before, &both(&before)).unwrap();
        let after = edited(&before, &renamed.texts);
        for (old, new) in both(&before).iter().zip(both(&after)) {
            let (old, new) = (Program::of(&before, old).unwrap(), Program::of(&after, &new).unwrap());
            for (old, new) in old.flags.given.iter().zip(&new.flags.given) {
                let own = old.name.ends_with("-address");
                let expected = if own { old.said().replace("192.0.2.11", "192.0.2.12") } else { old.said() };
                prop_assert_eq!(new.said(), expected, "{}", old.name);
            }
        }
    }
}
