//! House rules that a machine can see. Each says what to do when it fails.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and asks where it is when it runs"
)]

mod circles;
mod imports;
mod recipes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("..").canonicalize().unwrap()
}

/// Tracked and new files below the root, as paths relative to it.
fn files(ending: &str) -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<PathBuf> =
        names.lines().map(PathBuf::from).filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    assert!(!files.is_empty(), "no file ends with {ending}: is this a git checkout?");
    files.into_iter().filter(|path| root().join(path).is_file()).collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// The part of a source file before its tests.
fn product(path: &Path) -> String {
    let text = text(path);
    let end = text.find("#[cfg(test)]\nmod").unwrap_or(text.len());
    text[..end].to_owned()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs") || path.ends_with("fake.rs")
}

fn product_sources() -> Vec<PathBuf> {
    files(".rs").into_iter().filter(|path| !is_test(path)).collect()
}

/// Fails with every offence, not only the first.
fn none(rule: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{rule}\n  {}", offences.join("\n  "));
}

/// The names under `[dependencies]` of a crate.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let text = text(Path::new(manifest));
    let section = text.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).map(str::to_owned).collect()
}

#[test]
fn the_walls_stand() {
    let walls: [(&str, &[&str]); 5] = [
        (
            "engine/kernel/Cargo.toml",
            &[
                "rhai",
                "russh",
                "kube",
                "rcgen",
                "notify",
                "clap",
                "haengine-script",
                "haengine-runs",
                "haengine-stdlib",
                "haengine-lab",
            ],
        ),
        (
            "engine/script/Cargo.toml",
            &["russh", "kube", "rcgen", "clap", "haengine-runs", "haengine-stdlib", "haengine-lab"],
        ),
        (
            "engine/runs/Cargo.toml",
            &["rhai", "russh", "kube", "rcgen", "notify", "clap", "haengine-stdlib", "haengine-lab"],
        ),
        ("stdlib/Cargo.toml", &["rhai", "clap", "notify", "haengine-script", "haengine-runs", "haengine-lab"]),
        (
            "engine/lab/Cargo.toml",
            &["rhai", "russh", "clap", "haengine-kernel", "haengine-script", "haengine-runs", "haengine-stdlib"],
        ),
    ];
    let mut offences = Vec::new();
    for (manifest, forbidden) in walls {
        let found = dependencies(manifest);
        assert!(!found.is_empty(), "{manifest} has no dependencies: is the test reading it right?");
        offences
            .extend(forbidden.iter().filter(|name| found.contains(**name)).map(|name| format!("{manifest}: {name}")));
    }
    none("A crate names what its wall keeps out; see book/src/dev/architecture.md.", offences);
}

#[test]
fn russh_is_named_only_in_ssh() {
    let offences = product_sources()
        .into_iter()
        .filter(|path| path.starts_with("stdlib/src") && !path.starts_with("stdlib/src/ssh"))
        .filter(|path| product(path).contains("russh"))
        .map(|path| path.display().to_string());
    none("Only stdlib/src/ssh may name russh.", offences.collect());
}

#[test]
fn kube_is_named_only_in_k8s() {
    let offences = product_sources()
        .into_iter()
        .filter(|path| path.starts_with("stdlib/src") && !path.starts_with("stdlib/src/k8s"))
        .filter(|path| product(path).contains("kube::") || product(path).contains("k8s_openapi"))
        .map(|path| path.display().to_string());
    none("Only stdlib/src/k8s may name kube.", offences.collect());
}

/// The lines that offend, of what runs on hosts and has one of these endings.
fn lines_of_scripts(endings: &[&str], offends: impl Fn(&str) -> bool) -> Vec<String> {
    let of_product = ["stdlib", "scripts", "engine/kernel"];
    let scripts = endings.iter().flat_map(|ending| files(ending));
    let scripts = scripts.filter(|path| of_product.iter().any(|folder| path.starts_with(folder)) && !is_test(path));
    let mut offences = Vec::new();
    for path in scripts {
        let text = text(&path);
        let lines = text.lines().enumerate().filter(|(_, line)| offends(line));
        offences.extend(lines.map(|(number, line)| format!("{}:{}: {}", path.display(), number + 1, line.trim())));
    }
    offences
}

/// What the areas for kept and staged things are called in scripts.
const KEPT: [&str; 5] = ["\"$stage\"", "\"$stage/", "\"$stale/", "\"$kept\"", "--one-file-system"];

#[test]
fn nothing_is_deleted_with_all_in_it_but_what_is_kept_or_staged() {
    let mut offences = lines_of_scripts(&[".sh", ".rhai"], |line| {
        let Some((_, deleted)) = line.split_once("rm -r") else { return false };
        let ends = ["; ", " ||", " &&", "' "];
        let end = ends.iter().filter_map(|end| deleted.find(end)).min().unwrap_or(deleted.len());
        let mut names = deleted[..end].split(' ').skip(1).filter(|word| *word != "--" && !word.is_empty());
        !names.all(|name| KEPT.iter().any(|kept| name.starts_with(kept)))
    });
    let by_command = |path: &PathBuf| product(path).contains(".arg(\"-rf\")") && !path.ends_with("file/tree/place.rs");
    offences.extend(product_sources().into_iter().filter(by_command).map(|path| path.display().to_string()));
    none("Undo moves what it cannot prove to be ours, and removes folders with rmdir.", offences);
}

#[test]
fn no_question_to_a_host_of_the_cluster_goes_through_a_proxy() {
    let offences =
        lines_of_scripts(&[".sh", ".rhai", ".j2"], |line| line.contains("curl -") && !line.contains("--noproxy"));
    none("curl asks a proxy of the host's environment even for 127.0.0.1: give it `--noproxy '*'`.", offences);
}

/// systemd 219 and coreutils 8.22, as CentOS 7 has them, end with an error at these.
#[test]
fn no_script_asks_for_what_old_hosts_do_not_have() {
    let offences = lines_of_scripts(&[".sh", ".rhai", ".j2"], |line| {
        let shows = line.contains("systemctl show") && line.contains("--value");
        let syncs = line.contains("sync -f") && !line.contains("|| sync");
        let waits =
            line.contains("systemd-run") && ["--wait", "--pipe", "--collect"].iter().any(|word| line.contains(word));
        let others = ["--no-hostname", "systemctl revert", "ip -j", "ip --json", "ss -H", "sha256sum -z"];
        let is_code = !line.trim_start().starts_with('#') && !line.trim_start().starts_with("//");
        is_code && (shows || syncs || waits || others.iter().any(|word| line.contains(word)))
    });
    none("Old hosts refuse this: ask in the way that all of them know, or fall back to it.", offences);
}

#[test]
fn files_are_short() {
    let long = |path: &PathBuf| (product(path).lines().count(), path.display().to_string());
    let sources = product_sources();
    let offences = sources.iter().map(long).filter(|(lines, _)| *lines > 600);
    none(
        "A file is one noun or verb; split these.",
        offences.map(|(lines, path)| format!("{path}: {lines} lines")).collect(),
    );
}

#[test]
fn only_the_cli_prints_reads_the_environment_and_ends_the_process() {
    let forbidden =
        ["println!", "eprintln!", "print!(", "eprint!(", "env::var", "env::args", "env::current_dir", "process::exit"];
    let mut offences = Vec::new();
    for path in product_sources().into_iter().filter(|path| !path.starts_with("engine/cli")) {
        for (number, line) in product(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if forbidden.iter().any(|word| code.contains(word)) {
                offences.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    none("Hand it in as an argument, or send an event.", offences);
}

#[test]
fn only_ensure_applies() {
    let offences = product_sources()
        .into_iter()
        .filter(|path| path.starts_with("engine") && !path.ends_with("run/ensure.rs"))
        .filter(|path| product(path).contains("op.apply("));
    none("Nothing but run/ensure calls `Op::apply`.", offences.map(|path| path.display().to_string()).collect());
}

#[test]
fn no_drawer_files() {
    let drawers = ["util", "utils", "helper", "helpers", "common", "misc", "manager", "errors"];
    let offences = files("")
        .into_iter()
        .filter(|path| path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| drawers.contains(&stem)));
    none("Name the file after its one noun or verb.", offences.map(|path| path.display().to_string()).collect());
}

#[test]
fn every_module_has_its_page_and_every_verb_its_section() {
    let mut offences = Vec::new();
    for module in haengine_stdlib::modules() {
        let path = format!("book/src/reference/{}.md", module.name);
        let page = text(Path::new(&path));
        if page.is_empty() {
            offences.push(format!("{path} is missing"));
            continue;
        }
        for verb in module.verbs {
            let name = verb.name().replace('.', "::");
            if !page.lines().any(|line| line.starts_with("## ") && line.contains(&name)) {
                offences.push(format!("{path} has no section on {name}"));
            }
        }
    }
    none("Write the reference anew: `HAENGINE_BLESS=1 cargo test -p haengine-tests --test book`.", offences);
}

#[test]
fn every_verb_has_its_file_and_its_examples() {
    let mut offences = Vec::new();
    for verb in haengine_stdlib::modules().into_iter().flat_map(|module| module.verbs) {
        let (module, word) = verb.name().split_once('.').unwrap();
        let file = format!("stdlib/src/{module}/{word}.rs");
        if !root().join(&file).is_file() && !root().join(format!("stdlib/src/{module}/{word}/mod.rs")).is_file() {
            offences.push(format!("{} is not in {file}", verb.name()));
        }
        if verb.examples().is_empty() {
            offences.push(format!("{} has no example", verb.name()));
        }
        if verb.about().trim().is_empty() {
            offences.push(format!("{} does not say what it does", verb.name()));
        }
    }
    none("One verb, one file, with examples that the book shows and the laws run.", offences);
}

#[test]
fn every_recipe_has_its_page() {
    let summary = text(Path::new("book/src/SUMMARY.md"));
    let mut offences = Vec::new();
    for recipe in files(".rhai").into_iter().filter(|path| path.parent() == Some(Path::new("scripts"))) {
        let page = format!("recipes/{}.md", recipe.file_stem().unwrap().to_string_lossy());
        if !root().join("book/src").join(&page).is_file() || !summary.contains(&page) {
            offences.push(format!("{}: book/src/{page}, listed in SUMMARY.md", recipe.display()));
        }
    }
    none("Write the recipe's page.", offences);
}

#[test]
fn every_page_of_the_book_is_listed() {
    let summary = text(Path::new("book/src/SUMMARY.md"));
    let pages = files(".md").into_iter().filter_map(|path| path.strip_prefix("book/src").ok().map(Path::to_owned));
    let offences =
        pages.filter(|page| *page != Path::new("SUMMARY.md") && !summary.contains(&page.display().to_string()));
    none("List the page in book/src/SUMMARY.md.", offences.map(|page| page.display().to_string()).collect());
}

#[test]
fn nothing_speaks_of_one_machine() {
    let words = [concat!("/wo", "rk/"), concat!("/ro", "ot/.cargo"), concat!("/fa", "rm/")];
    let mut offences = Vec::new();
    for path in files("").into_iter().filter(|path| path.file_name().is_none_or(|name| name != "Cargo.lock")) {
        for (number, line) in text(&path).lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                offences.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    none("Paths of one machine do not belong here.", offences);
}

/// A build that is taken from a cache may have been made in another checkout, which is gone or has other files.
#[test]
fn tests_ask_where_they_are_when_they_run() {
    let built_in = concat!("env!(\"CARGO_MANI", "FEST_DIR\")");
    let offences = files(".rs").into_iter().filter(|path| text(path).contains(built_in));
    none("Ask `std::env::var(\"CARGO_MANIFEST_DIR\")`.", offences.map(|path| path.display().to_string()).collect());
}
