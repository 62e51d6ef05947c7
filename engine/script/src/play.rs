//! Plays recipes in phases: all looks, then all checks, before anything is touched; then each act and prove.

use haengine_kernel::event::Check as Told;
use rhai::{Array, Dynamic, EvalAltResult};

use crate::phases::EXPECT;
use crate::piece::Piece;
use crate::preflight::hold;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// What was seen before anything was touched.
struct Seen {
    /// What each piece has found, or will find once those before it are played.
    found: Vec<Dynamic>,
    /// What the checks have told.
    told: Vec<Told>,
}

/// Plays pieces. Who takes a lock has looked before, perhaps while somebody else held it, and looks and checks again. A part
/// looks again once those before it are played.
///
/// # Errors
/// What ended a phase early, and when a part finds something else than it expected.
pub(crate) fn play(pieces: &[Piece]) -> RhaiResult<()> {
    pieces.iter().try_for_each(Piece::takes_what_is_given)?;
    let mut seen = look(pieces, &[])?;
    if pieces.iter().any(Piece::locks) {
        pieces.iter().zip(&seen.found).try_for_each(|(piece, found)| piece.lock(found))?;
        let again: Vec<Piece> = pieces.iter().map(Piece::quiet).collect();
        seen = look(&again, &seen.told)?;
    }
    for (index, (piece, expected)) in pieces.iter().zip(seen.found).enumerate() {
        let found = if index > 0 { piece.look_again(expected)? } else { expected };
        piece.act(found)?;
    }
    Ok(())
}

/// All looks, then all checks; what was told before is not told again.
fn look(pieces: &[Piece], before: &[Told]) -> RhaiResult<Seen> {
    let mut found = pieces.iter().map(Piece::look).collect::<RhaiResult<Vec<Dynamic>>>()?;
    for (index, piece) in pieces.iter().enumerate().skip(1) {
        let earlier: Array = pieces.iter().zip(&found).take(index).map(|(piece, found)| piece.told(found)).collect();
        if let Some(expected) = piece.phase(&EXPECT, vec![found[index].clone(), earlier.into()])? {
            found[index] = expected.flatten();
        }
    }
    let mut checks = Vec::new();
    for (piece, found) in pieces.iter().zip(&found) {
        checks.extend(piece.checks(found)?);
    }
    let told = match pieces.first() {
        Some(piece) => hold(piece.engine, checks, before)?,
        None => Vec::new(),
    };
    Ok(Seen { found, told })
}
