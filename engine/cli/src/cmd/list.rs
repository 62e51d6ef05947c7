//! `haengine list`: which recipes there are.

use clap::Args;
use haengine_script::{Library, Sources};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::exit::Exit;
use crate::report::Paint;
use crate::wiring;

/// List the recipes that can be run by name
///
/// Those of this folder and of ./scripts come before those in the binary, which a file of the same name replaces.
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
    Exit::Done
}

/// A recipe in the list.
#[derive(Serialize)]
struct Shown {
    name: String,
    /// Its file; none for one in the binary.
    path: Option<std::path::PathBuf>,
    about: String,
    /// Why it cannot be loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

impl Shown {
    fn of(library: &Library, sources: &Sources, name: String, path: Option<std::path::PathBuf>) -> Shown {
        match library.load(sources, &name) {
            Ok(recipe) => {
                let about = recipe.about().lines().next().unwrap_or_default().to_owned();
                Shown { name, path, about, broken: None }
            }
            Err(fault) => Shown { name, path, about: String::new(), broken: Some(fault.to_string()) },
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
            Some(broken) => paint.red(&format!("broken: {broken}")),
            None => recipe.about.clone(),
        };
        let place = recipe.path.as_ref().map(|path| paint.dim(&format!("  {}", path.display()))).unwrap_or_default();
        format!("{}  {about}{place}\n", paint.cyan(&format!("{:width$}", recipe.name)))
    };
    recipes.iter().map(line).collect()
}
