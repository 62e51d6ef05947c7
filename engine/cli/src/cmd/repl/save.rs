//! The session, written as a recipe.

use std::path::Path;

use haengine_kernel::error::{Error, Kind};
use haengine_script::lint::Severity;
use haengine_script::{Fault, Repl, Sources};

/// Writes the lines that succeeded; what there is to say about it. A file that is there is not replaced.
///
/// # Errors
/// When it cannot be written, or the lines make no recipe.
pub fn save(repl: &Repl, file: &str) -> Result<String, Fault> {
    let path = Path::new(file).with_extension("rhai");
    let shown = path.display().to_string();
    let text = repl.recipe("Saved from a session.");
    let mut options = std::fs::File::options();
    let written = options.write(true).create_new(true).open(&path);
    written.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())).map_err(|error| {
        Error::new(Kind::Local, "repl.save", format!("cannot write `{shown}`"))
            .hint("name a file that is not there yet, in a folder that is")
            .because(error)
    })?;
    let inventory = repl.run().hosts().inventory();
    // A name without a slash could be that of another recipe.
    let place = Path::new(".").join(&path);
    let findings = repl.library().check(&Sources::default(), &place.to_string_lossy(), Some(inventory));
    let wrong: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    let mut said = format!("saved as {shown}: `haengine run {shown}` does the same\n");
    if let Some(first) = wrong.first() {
        said = format!("saved as {shown}, which is not whole yet: {}; see `haengine check {shown}`\n", first.message);
    }
    Ok(said)
}
