//! What the files of a crate import from each other, read from their `use` lines and paths.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A path of names, as in `crate::report::Paint`.
pub type Names = Vec<String>;

/// The files of a crate, and what each names.
pub struct Crate {
    modules: BTreeMap<Names, Module>,
}

/// A file of a crate.
struct Module {
    file: PathBuf,
    /// All paths that it writes, from the root of the crate.
    paths: Vec<Names>,
    /// What it hands on under a name of its own.
    reexports: BTreeMap<String, Names>,
}

impl Crate {
    /// Reads the files below `root`, each with its text.
    pub fn read(root: &Path, files: impl Iterator<Item = (PathBuf, String)>) -> Crate {
        let texts: BTreeMap<Names, (PathBuf, String)> =
            files.map(|(file, text)| (module_of(root, &file), (file, without_comments(&text)))).collect();
        let known: BTreeSet<Names> = texts.keys().cloned().collect();
        let read = |(here, (file, text)): (Names, (PathBuf, String))| {
            let module = Module::read(&here, file, &text, &known);
            (here, module)
        };
        Crate { modules: texts.into_iter().map(read).collect() }
    }

    /// The files that each file imports. A folder's own file and the files in the folder belong together: what one of
    /// them imports from the other is none.
    pub fn imports(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        self.modules.iter().map(|(here, module)| (module.file.as_path(), self.imports_of(here, module))).collect()
    }

    fn imports_of(&self, here: &Names, module: &Module) -> BTreeSet<&Path> {
        let named = module.paths.iter().map(|path| self.home(path, 0));
        let others = named.filter(|there| there != here && !is_child(here, there) && !is_child(there, here));
        others.map(|there| self.modules[&there].file.as_path()).collect()
    }

    /// The file in which what a path names is written, through what others hand on.
    fn home(&self, path: &[String], handed: usize) -> Names {
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length])).unwrap_or(0);
        let here = path[..length].to_vec();
        let next = path.get(length).and_then(|name| self.modules.get(&here)?.reexports.get(name));
        match next {
            // Who hands on in a ring does not compile.
            Some(next) if handed < 8 => self.home(next, handed + 1),
            _ => here,
        }
    }
}

impl Module {
    fn read(here: &Names, file: PathBuf, text: &str, known: &BTreeSet<Names>) -> Module {
        let (mut paths, mut names, mut reexports) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (uses, rest) = split(text);
        for (is_public, tree) in uses {
            for (path, name) in expanded(&tree) {
                let Some(path) = from_root(here, &path, &names, known) else { continue };
                if is_public {
                    reexports.insert(name.clone(), path.clone());
                }
                names.insert(name, path.clone());
                paths.push(path);
            }
        }
        paths.extend(inline(&rest).filter_map(|path| from_root(here, &path, &names, known)));
        Module { file, paths, reexports }
    }
}

fn is_child(parent: &Names, child: &Names) -> bool {
    child.len() == parent.len() + 1 && child.starts_with(parent)
}

/// `src/report/mod.rs` and `src/report.rs` are `report`.
fn module_of(root: &Path, file: &Path) -> Names {
    let below = file.strip_prefix(root).unwrap_or(file).with_extension("");
    let mut names: Names = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        names.pop();
    }
    names
}

fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .fold(String::new(), |all, line| all + line + "\n")
}

/// The trees of the `use` lines, with whether each hands on what it names; and all other text.
fn split(text: &str) -> (Vec<(bool, String)>, String) {
    let (mut uses, mut rest) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let words = line.trim_start();
        let Some((before, tree)) = words.split_once("use ").filter(|(before, _)| is_visibility(before)) else {
            rest = rest + line + "\n";
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            let Some(more) = lines.next() else { break };
            tree = tree + " " + more;
        }
        uses.push((!before.is_empty(), tree.replace(';', "")));
    }
    (uses, rest)
}

fn is_visibility(before: &str) -> bool {
    before.is_empty() || before == "pub " || (before.starts_with("pub(") && before.ends_with(") "))
}

/// The paths of a `use` tree, each with the name that it gets here.
fn expanded(tree: &str) -> Vec<(Names, String)> {
    let tree = tree.trim();
    if let Some((before, inner)) = tree.split_once('{') {
        let prefix = names(before);
        let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
        let within = parts(inner).into_iter().flat_map(|part| expanded(&part));
        return within.map(|(path, name)| joined(&prefix, path, name)).collect();
    }
    let (path, name) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name)));
    let path = names(path);
    let name = name.map(|name| name.trim().to_owned()).or_else(|| path.last().cloned());
    if path.is_empty() { Vec::new() } else { vec![(path, name.unwrap_or_default())] }
}

/// `self` in braces is what stands before them.
fn joined(prefix: &Names, path: Names, name: String) -> (Names, String) {
    if path == ["self"] {
        let own = prefix.last().cloned().unwrap_or_default();
        return (prefix.clone(), if name == "self" { own } else { name });
    }
    (prefix.iter().cloned().chain(path).collect(), name)
}

/// The parts between commas that stand in no further braces.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for letter in text.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().into_iter().for_each(|part| part.push(letter));
    }
    parts
}

fn names(path: &str) -> Names {
    path.split("::").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The paths of several names in code.
fn inline(text: &str) -> impl Iterator<Item = Names> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':');
    words.filter(|word| word.contains("::")).map(names).filter(|path| path.len() > 1)
}

/// A path as it is written here, from the root of the crate; none where it leads to another crate.
fn from_root(here: &Names, path: &[String], used: &BTreeMap<String, Names>, known: &BTreeSet<Names>) -> Option<Names> {
    let (first, rest) = path.split_first()?;
    let base = match first.as_str() {
        "crate" => Names::new(),
        "self" => here.clone(),
        "super" => here.split_last()?.1.to_vec(),
        name => {
            let child: Names = here.iter().cloned().chain([name.to_owned()]).collect();
            used.get(name).cloned().or_else(|| known.contains(&child).then_some(child))?
        }
    };
    if rest.first().is_some_and(|name| name == "super") {
        return from_root(&base, rest, used, known);
    }
    Some(base.into_iter().chain(rest.iter().cloned()).collect())
}

#[test]
fn imports_are_read_through_what_folders_hand_on() {
    let files = [
        ("src/lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("src/a/mod.rs", "mod x;\n\npub use x::X;\n"),
        ("src/a/x.rs", "// use crate::c;\nuse super::super::b::{self, B as Other};\n"),
        ("src/b.rs", "use std::path::Path;\n\nuse crate::{a::X, c};\n\nfn f() -> c::C {\n    X\n}\n"),
        ("src/c.rs", "pub struct C;\n"),
    ];
    let read = Crate::read(Path::new("src"), files.map(|(file, text)| (file.into(), text.to_owned())).into_iter());
    let imports = read.imports();
    let of = |file: &str| imports[Path::new(file)].iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
    assert_eq!(of("src/b.rs"), ["src/a/x.rs", "src/c.rs"]);
    assert_eq!(of("src/a/x.rs"), ["src/b.rs"]);
    assert!(of("src/a/mod.rs").is_empty() && of("src/c.rs").is_empty());
}
