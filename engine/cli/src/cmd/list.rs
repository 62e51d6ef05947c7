//! `haengine list`: which recipes there are.

use std::path::PathBuf;

use clap::Args;
use haengine_kernel::harmless::one_line;
use haengine_script::{Library, Sources};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::exit::Exit;
use crate::report::Paint;
use crate::wiring;

/// List the recipes that can be run by name
///
/// Those of this folder come first, then those of ./scripts, then the stock recipes in the binary: of a name, the first is
/// used. Shown is which one that is, and in the place of which others.
#[derive(Args)]
#[command(after_help = "Example:\n  haengine list")]
pub struct ListArgs {}

/// Lists recipes.
pub fn list(context: &Context) -> Exit {
    let sources = wiring::sources();
    let library = wiring::library(CancellationToken::new());
    let recipes = sources.list().into_iter().map(|(name, path)| Shown::of(&library, &sources, name, path));
    let recipes: Vec<Shown> = recipes.collect();
    context.tell("recipe", &recipes, || page(&recipes, context.paint));
    recipes.iter().filter_map(|recipe| recipe.moved_on.as_ref()).for_each(|text| context.warn(text));
    Exit::Done
}

/// A recipe in the list.
#[derive(Serialize)]
struct Shown {
    name: String,
    /// Its file; none for one in the binary.
    path: Option<PathBuf>,
    /// True when it is in the binary, whether the site's file is used in its place or not.
    stock: bool,
    /// Other files of the site that have the name and are not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<PathBuf>,
    /// Set when it was ejected and the stock recipe has changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_on: Option<String>,
    about: String,
    /// Why it cannot be loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

impl Shown {
    fn of(library: &Library, sources: &Sources, name: String, path: Option<PathBuf>) -> Shown {
        let (about, broken) = match library.load(sources, &name) {
            Ok(recipe) => (recipe.about().lines().next().unwrap_or_default().to_owned(), None),
            Err(fault) => (String::new(), Some(fault.to_string())),
        };
        let stock = sources.embedded.contains_key(&name) || sources.libraries.contains_key(&name);
        let files = sources.folders.iter().map(|folder| folder.join(format!("{name}.rhai")));
        let hidden = files.filter(|file| Some(file) != path.as_ref() && file.is_file()).collect();
        let moved_on = path.as_deref().and_then(|path| sources.moved(path)).map(|moved| moved.text());
        Shown { name, path, stock, hidden, moved_on, about, broken }
    }

    /// Where it is, and what it is used in the place of.
    fn place(&self) -> String {
        let Some(path) = &self.path else { return "stock".to_owned() };
        let mut instead: Vec<String> = self.hidden.iter().map(|path| path.display().to_string()).collect();
        instead.extend(self.stock.then(|| "the stock recipe".to_owned()));
        match instead.as_slice() {
            [] => path.display().to_string(),
            _ => format!("{}, in the place of {}", path.display(), instead.join(" and ")),
        }
    }
}

fn page(recipes: &[Shown], paint: Paint) -> String {
    if recipes.is_empty() {
        return "there are no recipes here and none in the binary\n".to_owned();
    }
    let width = recipes.iter().map(|recipe| recipe.name.len()).max().unwrap_or_default();
    let line = |recipe: &Shown| {
        let about = match &recipe.broken {
            Some(broken) => paint.red(&one_line(&format!("broken: {broken}"))),
            None => one_line(&recipe.about),
        };
        let place = paint.dim(&format!("  {}", one_line(&recipe.place())));
        format!("{}  {about}{place}\n", paint.cyan(&format!("{:width$}", one_line(&recipe.name))))
    };
    recipes.iter().map(line).collect()
}
