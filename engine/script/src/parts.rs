//! Recipes of recipes: `parts(p)` gives the recipes that are played, each with its parameters.

use haengine_kernel::error::{Error, Kind};
use rhai::{Dynamic, Engine, EvalAltResult, Map};

use crate::frame::Frame;
use crate::part::Part;
use crate::phases::PARTS;
use crate::piece::Piece;
use crate::play::play;
use crate::raise::raise_at;
use crate::snapshot::SnapshotFile;
use crate::value::type_name;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// Plays the parts of a recipe.
///
/// # Errors
/// What ended one of them early, and when `parts` gives something else.
pub(crate) fn play_parts(engine: &Engine, file: &SnapshotFile, frame: Frame, given: Map) -> RhaiResult<()> {
    let whole = Piece::new(engine, file, frame.clone(), given);
    let mut parts = Vec::new();
    if let Some(list) = whole.phase(&PARTS, Vec::new())? {
        gather(&whole, list, &mut parts)?;
    }
    let pieces: Vec<Piece> = parts.iter().enumerate().map(|(index, part)| piece(engine, &frame, index, part)).collect();
    play(&pieces)
}

/// The parts of a list, also those of lists in it.
fn gather(whole: &Piece, item: Dynamic, parts: &mut Vec<Part>) -> RhaiResult<()> {
    let kind = type_name(&item);
    let item = item.flatten();
    if item.is_array() {
        return item.into_array().unwrap_or_default().into_iter().try_for_each(|item| gather(whole, item, parts));
    }
    let part = item.try_cast::<Part>().ok_or_else(|| {
        let error = Error::new(Kind::Usage, "phases.parts", format!("`parts` must give an array of parts, not {kind}"));
        raise_at(error.hint("write `[NAME::part(#{ … }), …]` with the names of imported recipes"), whole.spot(&PARTS))
    })?;
    parts.push(part);
    Ok(())
}

/// A part's number and name lead the path of its steps.
fn piece<'a>(engine: &'a Engine, frame: &Frame, index: usize, part: &'a Part) -> Piece<'a> {
    let name = format!("{} {}", index + 1, part.file.stem());
    let mut frame = frame.step(&name);
    frame.place.recipe.clone_from(&part.file.label);
    Piece::new(engine, &part.file, frame, part.given.clone()).named(name)
}
