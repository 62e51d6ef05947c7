//! `haengine init`: a folder to begin with.

use std::path::{Path, PathBuf};

use clap::Args;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_script::ejected::write_new;
use serde::Serialize;

use crate::context::Context;
use crate::exit::Exit;

/// Make a site's folder: an inventory, known hosts, a first recipe
///
/// The inventory's hosts are examples: put yours in their place. Nothing that is there is overwritten.
#[derive(Args)]
#[command(after_help = "Examples:
  haengine init                 in this folder
  haengine init mysite && cd mysite && haengine check hello -i site.yaml")]
pub struct InitArgs {
    /// The folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// What a new site consists of, by path.
const FILES: [(&str, &str); 4] = [
    ("README.md", include_str!("init/README.md")),
    ("known_hosts", include_str!("init/known_hosts")),
    ("scripts/hello.rhai", include_str!("init/hello.rhai")),
    ("site.yaml", include_str!("init/site.yaml")),
];

#[derive(Serialize)]
struct Created {
    path: PathBuf,
}

/// Makes the folder.
pub fn init(context: &Context, args: &InitArgs) -> Exit {
    match create(&args.folder) {
        Ok(created) => {
            context.tell("created", &created, || page(&created));
            Exit::Done
        }
        Err(error) => context.refuse(&error),
    }
}

fn create(folder: &Path) -> Result<Vec<Created>> {
    let paths: Vec<PathBuf> = FILES.iter().map(|(name, _)| folder.join(name)).collect();
    if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        let message = format!("{} is there already; nothing was written", path.display());
        return Err(Error::new(Kind::Refused, "init.there", message).hint("name an empty folder"));
    }
    let scripts = folder.join("scripts");
    std::fs::create_dir_all(&scripts).map_err(|error| {
        Error::new(Kind::Local, "init.folder", format!("cannot make the folder {}", scripts.display())).because(error)
    })?;
    paths.iter().zip(FILES).try_for_each(|(path, (_, text))| write_new(path, text))?;
    Ok(paths.into_iter().map(|path| Created { path }).collect())
}

fn page(created: &[Created]) -> String {
    let paths: String = created.iter().map(|one| format!("{}\n", one.path.display())).collect();
    format!("{paths}\nput your hosts into site.yaml, then: haengine check hello -i site.yaml\n")
}
