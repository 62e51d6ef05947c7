//! A recipe in phases, with its parameters, in its place: what it finds, checks and does.

use std::sync::Arc;
use std::time::Instant;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::Event;
use rhai::{Array, CallFnOptions, Dynamic, Engine, EvalAltResult, Map, Scope};

use crate::check::Check;
use crate::difference::Difference;
use crate::frame::{Frame, Given};
use crate::phases::{ACT, CHECKS, EXPECT, LOCK, LOOK, PHASES, PROVE, Phase};
use crate::preflight::{Asked, flat};
use crate::raise::raise_at;
use crate::snapshot::SnapshotFile;
use crate::spot::Spot;
use crate::value::type_name;

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// A recipe of phases that is played, alone or as a part of another.
pub(crate) struct Piece<'a> {
    pub engine: &'a Engine,
    file: &'a SnapshotFile,
    /// Where it stands.
    frame: Frame,
    /// Its parameters.
    given: Map,
    /// Its number and name, where it is a part.
    part: Option<String>,
}

impl<'a> Piece<'a> {
    /// A recipe that is played alone.
    pub fn new(engine: &'a Engine, file: &'a SnapshotFile, frame: Frame, given: Map) -> Piece<'a> {
        Piece { engine, file, frame, given, part: None }
    }

    /// The same as a part with this number and name.
    pub fn named(self, part: String) -> Piece<'a> {
        Piece { part: Some(part), ..self }
    }

    /// The same, that says nothing.
    pub fn quiet(&self) -> Piece<'a> {
        let frame = Frame { is_quiet: true, ..self.frame.clone() };
        Piece { part: self.part.clone(), ..Piece::new(self.engine, self.file, frame, self.given.clone()) }
    }

    fn is_plan(&self) -> bool {
        self.frame.common.as_ref().is_none_or(|common| common.run.is_plan())
    }

    /// True when the run takes a lock for it; a plan takes none.
    pub fn locks(&self) -> bool {
        LOCK.is_in(&self.file.ast) && !self.is_plan()
    }

    /// What it finds; an empty map where it does not look.
    pub fn look(&self) -> RhaiResult<Dynamic> {
        Ok(self.phase(&LOOK, Vec::new())?.map_or_else(|| Map::new().into(), Dynamic::flatten))
    }

    /// What it finds once those before it are played. A plan has nothing but what it expects.
    pub fn look_again(&self, expected: Dynamic) -> RhaiResult<Dynamic> {
        if self.is_plan() {
            return Ok(expected);
        }
        let found = self.quiet().look()?;
        match Difference::between(&expected, &found).filter(|_| EXPECT.is_in(&self.file.ast)) {
            None => Ok(found),
            Some(difference) => Err(self.unexpected(&difference)),
        }
    }

    fn unexpected(&self, Difference { path, expected, found }: &Difference) -> Box<EvalAltResult> {
        let part = self.part.as_deref().unwrap_or_default();
        let what = if path.is_empty() { "what it finds".to_owned() } else { format!("`{path}`") };
        let message = format!("part `{part}` finds something else than was planned: {what} is {found}, not {expected}");
        let hint =
            "look at the plan of a new run, which begins with what is there now; correct `expect` where it was wrong";
        raise_at(Error::new(Kind::Failed, "phases.unexpected", message).hint(hint), self.spot(&EXPECT))
    }

    /// What later parts are told of it.
    pub fn told(&self, found: &Dynamic) -> Dynamic {
        let parameters = self.given.clone().into();
        let name = self.file.stem().to_owned().into();
        Map::from([("name".into(), name), ("parameters".into(), parameters), ("found".into(), found.clone())]).into()
    }

    pub fn checks(&self, found: &Dynamic) -> RhaiResult<Vec<Asked>> {
        let Some(given) = self.phase(&CHECKS, vec![found.clone()])? else { return Ok(Vec::new()) };
        let list = given.flatten();
        let kind = type_name(&list);
        let list: Array = list.into_array().map_err(|_| self.no_list(kind))?;
        let frame = Arc::new(self.in_phase(&CHECKS));
        let all = flat("preflight", list, "")?.into_iter();
        Ok(all.map(|check| Asked { check: self.grouped(check), frame: frame.clone() }).collect())
    }

    /// A part's number and name lead the names of its groups.
    fn grouped(&self, check: Check) -> Check {
        let group = match (self.part.as_deref(), check.group.as_deref().unwrap_or_default()) {
            (Some(part), "") => part.to_owned(),
            (Some(part), group) => format!("{part}: {group}"),
            (None, "") => "preflight".to_owned(),
            (None, group) => group.to_owned(),
        };
        Check { group: Some(group), ..check }
    }

    fn no_list(&self, kind: &str) -> Box<EvalAltResult> {
        let message = format!("`checks` must give an array of checks, not {kind}");
        let hint = "write `[check(\"its name\", || { … }), …]` as its last line";
        raise_at(Error::new(Kind::Usage, "phases.checks", message).hint(hint), self.spot(&CHECKS))
    }

    /// Where a phase is defined; of a file without it, nowhere.
    pub fn spot(&self, phase: &Phase) -> Option<Spot> {
        let position = self.file.definition(phase.name)?;
        let (line, column) = (position.line()?, position.position().unwrap_or(1));
        Some(Spot { file: self.file.label.clone(), line, column, function: None })
    }

    pub fn lock(&self, found: &Dynamic) -> RhaiResult<()> {
        self.phase(&LOCK, vec![found.clone()]).map(|_| ())
    }

    /// A part is a step of the whole.
    pub fn act(&self, found: Dynamic) -> RhaiResult<()> {
        let events = self.frame.common.as_ref().filter(|_| self.part.is_some()).map(|common| common.run.events());
        let (step, started) = (self.frame.place.step_path(), Instant::now());
        let say = |event: Event| events.iter().for_each(|events| events.send(event.clone()));
        say(Event::StepStarted { step: step.clone() });
        let result = self.phase(&ACT, vec![found.clone()]).and_then(|_| self.phase(&PROVE, vec![found])).map(|_| ());
        say(Event::StepFinished { step, seconds: started.elapsed().as_secs_f64(), failed: result.is_err() });
        result
    }

    /// What a phase gives; none where the recipe does not have it.
    pub fn phase(&self, phase: &'static Phase, more: Vec<Dynamic>) -> RhaiResult<Option<Dynamic>> {
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
    pub fn takes_what_is_given(&self) -> RhaiResult<()> {
        let wrong = |phase: &&&Phase| !phase.is_in(&self.file.ast);
        for phase in PHASES.iter().filter(wrong) {
            let named = self.file.ast.iter_functions().find(|function| function.name == phase.name);
            if let Some(count) = named.map(|function| function.params.len()) {
                let message = format!("`{}` must take {}, not {count}", phase.name, phase.arguments());
                let error = Error::new(Kind::Usage, "phases.arguments", message);
                return Err(raise_at(error.hint(format!("write `{}`", phase.written())), self.spot(phase)));
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
