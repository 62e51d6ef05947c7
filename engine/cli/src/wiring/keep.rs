//! What a run keeps in its folder beside the journal: undo and resume need no file that may have changed since.

use std::path::Path;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::RunFolder;
use haengine_script::snapshot::Snapshot;

/// Keeps the inventory.
///
/// # Errors
/// When it cannot be written.
pub fn inventory(folder: &RunFolder, inventory: &Inventory) -> Result<()> {
    let json = serde_json::to_vec_pretty(inventory).map_err(|error| unkept(folder, error.into()))?;
    std::fs::write(folder.path.join("inventory.json"), json).map_err(|error| unkept(folder, error))
}

/// The inventory that a run was made with.
///
/// # Errors
/// When it cannot be read.
pub fn kept_inventory(folder: &RunFolder) -> Result<Inventory> {
    let unreadable = |error: std::io::Error| {
        Error::new(Kind::Local, "runs.inventory", format!("cannot read the inventory of run {}", folder.id))
            .hint("name the inventory with `-i FILE`")
            .because(error)
    };
    let bytes = std::fs::read(folder.path.join("inventory.json")).map_err(unreadable)?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(error.into()))
}

/// Keeps the recipe's files, and what they are called.
///
/// # Errors
/// When they cannot be written.
pub fn recipe(folder: &RunFolder, snapshot: &Snapshot) -> Result<()> {
    write_recipe(&folder.path.join("recipe"), snapshot).map_err(|error| unkept(folder, error))
}

/// Paths of recipes lead anywhere; here each file gets a number before its own name.
fn write_recipe(place: &Path, snapshot: &Snapshot) -> std::io::Result<()> {
    std::fs::create_dir_all(place)?;
    let mut index = serde_json::Map::new();
    for (number, (name, file)) in snapshot.files.iter().enumerate() {
        let own = Path::new(&file.label).file_name().unwrap_or_default().to_string_lossy();
        let kept = format!("{number}-{own}");
        std::fs::write(place.join(&kept), file.text.as_bytes())?;
        index.insert(name.clone(), serde_json::json!({ "file": kept, "path": file.path }));
    }
    let index = serde_json::json!({ "main": snapshot.main, "files": index });
    std::fs::write(place.join("snapshot.json"), serde_json::to_vec_pretty(&index)?)
}

fn unkept(folder: &RunFolder, error: std::io::Error) -> Error {
    Error::new(Kind::Local, "runs.folder", format!("cannot write to the folder of run {}", folder.id))
        .hint("check free space and permissions of the state folder")
        .because(error)
}
