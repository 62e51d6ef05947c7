//! Plays the phases of recipes: all looks, then all checks, before anything is touched; then each act and prove.

use std::sync::Arc;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::Check as Told;
use rhai::{Array, CallFnOptions, Dynamic, Engine, EvalAltResult, Map, Scope};

use crate::frame::{Frame, Given};
use crate::phases::{ACT, CHECKS, LOCK, LOOK, PHASES, PROVE, Phase};
use crate::preflight::{Asked, flat, hold};
use crate::raise::raise_at;
use crate::snapshot::SnapshotFile;
use crate::spot::Spot;
use crate::value::type_name;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// A recipe of phases that is played.
pub(crate) struct Piece<'a> {
    pub engine: &'a Engine,
    pub file: &'a SnapshotFile,
    /// Where it stands.
    pub frame: Frame,
    /// Its parameters.
    pub given: Map,
}

/// What was seen before anything was touched.
struct Seen {
    /// What each piece has found.
    found: Vec<Dynamic>,
    /// What the checks have told.
    told: Vec<Told>,
}

/// Plays pieces. Who takes a lock has looked before, perhaps while somebody else held it, and looks and checks again.
///
/// # Errors
/// What ended a phase early.
pub(crate) fn play(pieces: &[Piece]) -> RhaiResult<()> {
    pieces.iter().try_for_each(Piece::takes_what_is_given)?;
    let mut seen = look(pieces, &[])?;
    if pieces.iter().any(Piece::locks) {
        pieces.iter().zip(&seen.found).try_for_each(|(piece, found)| piece.lock(found))?;
        let again: Vec<Piece> = pieces.iter().map(Piece::quiet).collect();
        seen = look(&again, &seen.told)?;
    }
    pieces.iter().zip(seen.found).try_for_each(|(piece, found)| piece.act(found))
}

/// All looks, then all checks; what was told before is not told again.
fn look(pieces: &[Piece], before: &[Told]) -> RhaiResult<Seen> {
    let found = pieces.iter().map(Piece::look).collect::<RhaiResult<Vec<Dynamic>>>()?;
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

impl Piece<'_> {
    /// The same, that says nothing.
    fn quiet(&self) -> Piece<'_> {
        let frame = Frame { is_quiet: true, ..self.frame.clone() };
        Piece { engine: self.engine, file: self.file, frame, given: self.given.clone() }
    }

    /// True when the run takes a lock for it; a plan takes none.
    fn locks(&self) -> bool {
        LOCK.is_in(&self.file.ast) && self.frame.session.as_ref().is_some_and(|session| !session.run.is_plan())
    }

    /// What it finds; an empty map where it does not look.
    fn look(&self) -> RhaiResult<Dynamic> {
        Ok(self.phase(&LOOK, Vec::new())?.map_or_else(|| Map::new().into(), Dynamic::flatten))
    }

    fn checks(&self, found: &Dynamic) -> RhaiResult<Vec<Asked>> {
        let Some(given) = self.phase(&CHECKS, vec![found.clone()])? else { return Ok(Vec::new()) };
        let list = given.flatten();
        let kind = type_name(&list);
        let list: Array = list.into_array().map_err(|_| self.no_list(kind))?;
        let frame = Arc::new(self.in_phase(&CHECKS));
        let all = flat("preflight", list, "preflight")?.into_iter();
        Ok(all.map(|check| Asked { check, frame: frame.clone() }).collect())
    }

    fn no_list(&self, kind: &str) -> Box<EvalAltResult> {
        let message = format!("`checks` must give an array of checks, not {kind}");
        let hint = "write `[check(\"its name\", || { … }), …]` as its last line";
        raise_at(Error::new(Kind::Usage, "phases.checks", message).hint(hint), self.definition(&CHECKS))
    }

    /// Where a phase is defined.
    fn definition(&self, phase: &Phase) -> Option<Spot> {
        let position = self.file.definition(phase.name)?;
        let (line, column) = (position.line()?, position.position().unwrap_or(1));
        Some(Spot { file: self.file.label.clone(), line, column, function: None })
    }

    fn lock(&self, found: &Dynamic) -> RhaiResult<()> {
        self.phase(&LOCK, vec![found.clone()]).map(|_| ())
    }

    fn act(&self, found: Dynamic) -> RhaiResult<()> {
        self.phase(&ACT, vec![found.clone()])?;
        self.phase(&PROVE, vec![found]).map(|_| ())
    }

    /// What a phase gives; none where the recipe does not have it.
    fn phase(&self, phase: &'static Phase, more: Vec<Dynamic>) -> RhaiResult<Option<Dynamic>> {
        if !phase.is_in(&self.file.ast) {
            return Ok(None);
        }
        let mut arguments = vec![Dynamic::from(self.given.clone())];
        arguments.extend(more);
        let options = CallFnOptions::new().with_tag(self.in_phase(phase).tag()).eval_ast(true);
        let mut scope = Scope::new();
        self.engine.call_fn_with_options(options, &mut scope, &self.file.ast, phase.name, arguments).map(Some)
    }

    /// A lock that is never taken is worse than a recipe that does not run.
    fn takes_what_is_given(&self) -> RhaiResult<()> {
        let wrong = |phase: &&&Phase| !phase.is_in(&self.file.ast);
        for phase in PHASES.iter().filter(wrong) {
            let named = self.file.ast.iter_functions().find(|function| function.name == phase.name);
            if let Some(count) = named.map(|function| function.params.len()) {
                let message = format!("`{}` must take {}, not {count}", phase.name, phase.arguments());
                let error = Error::new(Kind::Usage, "phases.arguments", message);
                return Err(raise_at(error.hint(format!("write `{}`", phase.written())), self.definition(phase)));
            }
        }
        Ok(())
    }

    fn in_phase(&self, phase: &'static Phase) -> Frame {
        let given = phase.first_argument(&self.file.ast);
        let given = given.map(|name| Arc::new(Given { name, parameters: self.given.clone() }));
        Frame { phase: Some(phase), given, ..self.frame.clone() }
    }
}
