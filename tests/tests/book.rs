//! The reference is made from the code, and what the book shows can be run. `HAENGINE_BLESS=1` writes the pages anew.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and reads its own environment"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use haengine_script::docs;
use haengine_script::{Library, Sources};
use tokio_util::sync::CancellationToken;

fn book() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../book/src")
}

fn library() -> Library {
    Library::new(haengine_stdlib::modules(), CancellationToken::new())
}

/// Compares a page with what the code says, or writes it.
fn page(name: &str, made: &str) {
    let path = book().join(name);
    if std::env::var_os("HAENGINE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == made,
        "book/src/{name} is not what the code says: `HAENGINE_BLESS=1 cargo test -p haengine-tests --test book`"
    );
}

#[test]
fn the_reference_is_what_the_code_says() {
    let mut index =
        "# Modules\n\nVerbs are called as `module::verb(hosts, …)`. `haengine doc NAME` shows the same.\n\n".to_owned();
    for module in haengine_stdlib::modules() {
        page(&format!("reference/{}.md", module.name), &docs::page(&module));
        let first = module.about.lines().next().unwrap_or_default();
        index.push_str(&format!("- [`{}`]({}.md): {first}\n", module.name, module.name));
    }
    index.push_str("- [The language](language.md): what recipes are made of besides the modules.\n");
    page("reference/README.md", &index);
    page("reference/language.md", &docs::language(&library()));
}

#[test]
fn the_page_of_the_command_line_is_what_it_says_of_itself() {
    let deps = std::env::current_exe().unwrap();
    let binary = deps.parent().unwrap().parent().unwrap().join("haengine");
    let help = |words: &[&str]| {
        let output =
            Command::new(&binary).args(words).arg("--help").env("COLUMNS", "100").env("NO_COLOR", "1").output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let top = help(&[]);
    let mut made = format!("# Command line\n\n```text\n{top}```\n");
    let commands = top.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in commands.filter_map(|line| line.split_whitespace().next()) {
        let said = help(&[command]);
        made.push_str(&format!("\n## haengine {command}\n\n```text\n{}```\n", before_global(&said)));
    }
    page("cli.md", &made);
}

/// The options that all commands share stand once, at the top.
fn before_global(help: &str) -> String {
    let (before, after) = help.split_once("Global options:").unwrap_or((help, ""));
    let examples = after.find("\nExample").map_or("", |start| &after[start + 1..]);
    format!("{}\n{}{examples}", before.trim_end(), if examples.is_empty() { "" } else { "\n" })
}

#[test]
fn recipes_in_the_book_pass_check() {
    let folder = tempfile::tempdir().unwrap();
    let scripts = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../scripts");
    let libraries = scripts.join("../stdlib/rhai");
    let sources = Sources { folders: vec![scripts, libraries], ..Sources::default() };
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in pages(&book()).into_iter().filter(|path| !path.starts_with(book().join("reference"))) {
        let text = std::fs::read_to_string(&path).unwrap();
        let page = path.display();
        for block in text.split("```rhai\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            seen += 1;
            // Later blocks import one that begins with its name.
            let named = block.lines().next().and_then(|line| line.strip_prefix("// "));
            let name =
                named.filter(|name| name.ends_with(".rhai")).map_or_else(|| format!("{seen}.rhai"), str::to_owned);
            let file = folder.path().join(name);
            std::fs::write(&file, block).unwrap();
            for finding in library().check(&sources, file.to_str().unwrap(), None) {
                wrong.push(format!("{page}:\n{}", finding.draw(false)));
            }
        }
    }
    assert!(seen >= 7, "only {seen} recipes were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All pages below a folder.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => found.extend(pages(&path)),
            false if path.extension().is_some_and(|ending| ending == "md") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// Of a library only the missing `main` is said.
#[test]
fn stock_recipes_and_libraries_pass_check() {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("..");
    let sources = Sources { folders: vec![root.join("stdlib/rhai")], ..Sources::default() };
    let mut seen = 0;
    for path in ["scripts", "stdlib/rhai"].iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap()) {
        let path = path.unwrap().path();
        let is_library = path.parent().unwrap().ends_with("rhai");
        let mut findings = library().check(&sources, path.to_str().unwrap(), None);
        findings.retain(|finding| !is_library || finding.code != "check.no_main");
        let drawn: Vec<String> = findings.iter().map(|finding| finding.draw(false)).collect();
        assert!(drawn.is_empty(), "{}", drawn.join("\n"));
        seen += 1;
    }
    assert!(seen > 8, "only {seen} files were found");
}
