//! `haengine eject`: a stock recipe becomes the site's own.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_script::Sources;
use haengine_script::ejected::is_ejected;
use serde::Serialize;

use crate::complete;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::lines;
use crate::wiring;

/// Copy a stock recipe into the site's folder, to change it there
///
/// From then on the site's file is used in the place of the stock recipe. What the stock recipe was is kept beside it, in
/// `.stock`: once a newer haengine brings another one, `list`, `describe`, `check`, `plan` and `run` say so, and --diff shows
/// what has changed in it. Libraries that recipes import can be ejected in the same way.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine eject add_master              makes scripts/add_master.rhai
  haengine eject --diff add_master       what has changed in the stock recipe since
  haengine eject --accept add_master     you have taken it over: stop warning")]
pub struct EjectArgs {
    /// The name of a stock recipe
    #[arg(value_name = "RECIPE", add = ArgValueCompleter::new(complete::recipes))]
    recipe: String,

    /// The folder of the site's recipes
    #[arg(long, value_name = "DIR", default_value = "scripts")]
    to: PathBuf,

    /// Show what has changed in the stock recipe since it was ejected
    #[arg(long, conflicts_with = "accept")]
    diff: bool,

    /// Take the stock recipe of this haengine for the one that was ejected
    #[arg(long)]
    accept: bool,
}

/// What was done, or what has changed, for a program.
#[derive(Serialize)]
struct Ejected {
    name: String,
    path: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

/// Ejects a recipe.
pub fn eject(context: &Context, args: &EjectArgs) -> Exit {
    let sources = wiring::sources();
    let done = match (args.diff, args.accept) {
        (true, _) => difference(context, &sources, args),
        (_, true) => accept(context, &sources, args),
        _ => copy(context, &sources, args),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(error) => context.refuse(&error),
    }
}

fn copy(context: &Context, sources: &Sources, args: &EjectArgs) -> Result<()> {
    let path = sources.eject(&args.recipe, &args.to, env!("CARGO_PKG_VERSION"))?;
    tell(
        context,
        args,
        &path,
        None,
        &format!("{} is yours now: it is used in the place of the stock recipe\n", path.display()),
    );
    let used = wiring::site(sources, &args.recipe).and_then(|used| used.canonicalize().ok());
    if used != path.canonicalize().ok() {
        context.warn(&format!("recipes are not looked for in {}: name the file's path to run it", args.to.display()));
    }
    Ok(())
}

fn difference(context: &Context, sources: &Sources, args: &EjectArgs) -> Result<()> {
    let path = ejected(sources, args)?;
    let diff = sources.moved(&path).and_then(|moved| moved.diff());
    let text = match &diff {
        Some(diff) => lines::diff(diff.text(), context.paint),
        None => format!("the stock recipe is as it was when {} was ejected\n", path.display()),
    };
    tell(context, args, &path, diff.map(|diff| diff.text().to_owned()), &text);
    Ok(())
}

fn accept(context: &Context, sources: &Sources, args: &EjectArgs) -> Result<()> {
    let path = ejected(sources, args)?;
    sources.keep(&args.recipe, path.parent().unwrap_or(Path::new(".")), env!("CARGO_PKG_VERSION"))?;
    tell(context, args, &path, None, &format!("{} counts as ejected from this haengine\n", path.display()));
    Ok(())
}

/// The site's file of a recipe that was ejected.
fn ejected(sources: &Sources, args: &EjectArgs) -> Result<PathBuf> {
    let named = args.to.join(format!("{}.rhai", args.recipe));
    let path = wiring::site(sources, &args.recipe).filter(|path| is_ejected(path)).unwrap_or(named);
    if is_ejected(&path) {
        return Ok(path);
    }
    let message = format!("`{}` was not ejected", args.recipe);
    Err(Error::new(Kind::Usage, "eject.none", message).hint(format!("eject it with `haengine eject {}`", args.recipe)))
}

fn tell(context: &Context, args: &EjectArgs, path: &Path, diff: Option<String>, text: &str) {
    let record = Ejected { name: args.recipe.clone(), path: path.to_owned(), diff };
    context.tell("ejected", &[record], || text.to_owned());
}
