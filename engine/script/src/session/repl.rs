//! What was said so far, and the next line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use haengine_kernel::arguments::LocalTexts;
use haengine_kernel::run::{Place, Run};
use rhai::{AST, Dynamic, Engine, Position, Scope, Token};

use crate::fault::Fault;
use crate::frame::{Common, Frame, Surroundings};
use crate::from_rhai::fault_in;
use crate::host::HostRef;
use crate::library::Library;
use crate::load::unparsed;
use crate::session::NAME;
use crate::session::answer::Answer;
use crate::session::imports::{Imports, Reloaded, path};
use crate::session::text;
use crate::snapshot::{Snapshot, SnapshotFile};
use crate::sources::{Source, Sources};

/// The variable that holds the last value.
const LAST: &str = "_";

/// A session: each line sees what those before it defined.
pub struct Repl {
    pub(super) library: Library,
    pub(super) common: Common,
    pub(super) scope: Scope<'static>,
    /// All lines that could be parsed. A line's number in it is its place, also when a function of it fails much later.
    pub(super) text: String,
    /// The lines that were executed to their end.
    pub(super) done: Vec<Done>,
    sources: Sources,
    /// The functions of all lines: without them earlier definitions would vanish.
    functions: AST,
    imports: Imports,
    place: Place,
    /// Where calls find their frame: the engine's default tag, shared.
    tag: Dynamic,
    underscores: Underscores,
}

/// A line that was executed to its end.
pub(super) struct Done {
    pub text: String,
    /// It gave a value, which was the last one from then on.
    pub gave: bool,
    /// How many statements it has.
    pub statements: usize,
}

/// Where `_` is a variable in the text that is parsed next.
type Underscores = Arc<Mutex<BTreeSet<(usize, usize)>>>;

impl Repl {
    /// A session in these surroundings, without a line so far. Must be made within a runtime.
    pub fn new(library: &Library, sources: Sources, surroundings: Surroundings) -> Repl {
        let common = Common::new(surroundings);
        let mut repl = Repl::within(library, sources, common, Place { recipe: NAME.to_owned(), ..Place::default() });
        repl.name_hosts();
        repl
    }

    /// A session as part of a run that goes on. Of its own steps nobody is asked.
    pub(crate) fn within(library: &Library, sources: Sources, common: Common, place: Place) -> Repl {
        let common = Common { mender: None, ..common };
        let mut tag = frame_of(&common, &place, no_snapshot()).tag();
        tag = tag.into_shared();
        let underscores = Underscores::default();
        let (shared, places) = (tag.clone(), underscores.clone());
        let library = library.with(|engine| {
            engine.set_default_tag(shared);
            read_last_value(engine, places);
        });
        Repl {
            library,
            common,
            scope: Scope::new(),
            text: String::new(),
            done: Vec::new(),
            sources,
            functions: AST::empty(),
            imports: Imports::default(),
            place,
            tag,
            underscores,
        }
    }

    /// Each host and group is a variable of its name, where that can be one.
    pub(crate) fn name_hosts(&mut self) {
        let inventory = self.common.run.hosts().inventory().clone();
        for spec in &inventory.hosts {
            self.name(&spec.name, Dynamic::from(HostRef::new(spec.clone())));
        }
        let groups = inventory.groups.iter().map(|(name, _)| name.as_str()).chain(["all"]);
        for group in groups {
            let hosts = inventory.group(group).unwrap_or_default();
            let hosts: rhai::Array = hosts.into_iter().map(|spec| Dynamic::from(HostRef::new(spec.clone()))).collect();
            self.name(group, hosts.into());
        }
    }

    /// Puts a value in scope, unless its name can be no variable: then it is reached another way.
    pub(crate) fn name(&mut self, name: &str, value: Dynamic) {
        if rhai::is_valid_identifier(name) && self.library.engine.compile(format!("let {name} = 1;")).is_ok() {
            self.scope.push_dynamic(name, value);
        }
    }

    /// From now on lines are part of this run, or plan.
    pub fn set_run(&mut self, run: Arc<Run>) {
        self.common.run = run;
    }

    /// The run, or plan, that lines are part of.
    pub fn run(&self) -> &Arc<Run> {
        &self.common.run
    }

    /// The language of the session.
    pub fn library(&self) -> &Library {
        &self.library
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = rhai::ScriptFnMetadata<'_>> {
        self.functions.iter_functions().filter(|function| !function.name.starts_with("anon$"))
    }

    /// Reads imported files again where they have changed; none where nothing has.
    pub fn reload(&mut self) -> Option<Reloaded> {
        self.imports.reload(&self.library, &self.sources)
    }

    /// Executes a line, which may be several lines long; one that ends with `;` gives nothing. Must be called where it may
    /// wait.
    ///
    /// # Errors
    /// What ended it early, with its place in the session.
    pub fn evaluate(&mut self, line: &str) -> Result<Answer, Fault> {
        let (value, statements) = self.execute(line)?;
        let answer = if line.trim_end().ends_with(';') { Answer::Nothing } else { self.keep(value)? };
        let (text, gave) = (line.trim().to_owned(), answer != Answer::Nothing);
        // What was only planned was not done; what it defines, later lines may need.
        if !self.common.run.is_plan() || ["let ", "const ", "fn ", "import "].iter().any(|word| text.starts_with(word))
        {
            self.done.push(Done { text, gave, statements });
        }
        Ok(answer)
    }

    /// The same without a trace in the session.
    ///
    /// # Errors
    /// As [`evaluate`](Repl::evaluate).
    pub fn aside(&mut self, line: &str) -> Result<Answer, Fault> {
        let text = self.text.clone();
        let given = self.execute(line);
        self.text = text;
        Ok(Answer::of(&given?.0)?)
    }

    /// The value of a line, and how many statements it has.
    fn execute(&mut self, line: &str) -> Result<(Dynamic, usize), Fault> {
        let source = self.source(line);
        let ast = self.parse(line, &source)?;
        self.imports.add(&self.library, &self.sources, &source, &ast)?;
        self.text = source.text.to_string();
        let statements = ast.statements().len();
        let mut ast = self.functions.merge(&ast);
        ast.set_source(NAME);
        self.functions = ast.clone_functions_only();
        let snapshot = self.snapshot(source, &ast);
        if let Some(mut frame) = self.tag.write_lock::<Arc<Frame>>() {
            *frame = Arc::new(frame_of(&self.common, &self.place, snapshot.clone()));
        }
        let engine = self.library.engine.clone();
        let told = |error| fault_in(NAME, error, &engine, &snapshot);
        let value: Dynamic = engine.eval_ast_with_scope(&mut self.scope, &ast).map_err(|error| told(*error))?;
        Ok((value.flatten(), statements))
    }

    /// The last value is `_` from now on.
    fn keep(&mut self, value: Dynamic) -> Result<Answer, Fault> {
        let answer = Answer::of(&value)?;
        if answer != Answer::Nothing {
            // A closure that has captured the one before keeps it.
            let _ = self.scope.remove::<Dynamic>(LAST);
            self.scope.push_dynamic(LAST, value);
        }
        Ok(answer)
    }

    /// All lines so far and this one.
    fn source(&self, line: &str) -> Source {
        let text = format!("{}{}\n", self.text, line.trim_end());
        Source { label: NAME.to_owned(), path: Some(path()), text: text.into() }
    }

    /// Parses the line at its place in the session; the imports of earlier lines stand in the first.
    fn parse(&self, line: &str, source: &Source) -> Result<AST, Fault> {
        let before = self.text.matches('\n').count();
        let again = if before > 0 { self.imports.again() } else { String::new() };
        let places = text::last_values(line).into_iter().map(|(line, column)| (line + before, column));
        self.set_underscores(places.collect());
        let padded = format!("{again}{}{line}", "\n".repeat(before));
        let engine = &self.library.engine;
        let parsed = engine.compile_with_scope(&self.scope, padded);
        // Files that the line imports are none of its text.
        self.set_underscores(BTreeSet::new());
        parsed.map_err(|error| unparsed(&error, source, engine))
    }

    fn set_underscores(&self, places: BTreeSet<(usize, usize)>) {
        *self.underscores.lock().unwrap_or_else(PoisonError::into_inner) = places;
    }

    fn snapshot(&self, source: Source, ast: &AST) -> Arc<Snapshot> {
        let Source { label, path, text } = source;
        let (ast, imports) = (Arc::new(ast.clone()), self.imports.names.clone());
        let mut files = self.imports.files.clone();
        files.insert(label.clone(), SnapshotFile { label: label.clone(), path, text, ast, imports });
        let templates = crate::templates::read(&files);
        Arc::new(Snapshot { number: 0, main: label, files, templates })
    }
}

fn frame_of(common: &Common, place: &Place, snapshot: Arc<Snapshot>) -> Frame {
    Frame::new(snapshot, Some(Arc::new(common.clone())), place.clone())
}

/// Before the first line there is none.
fn no_snapshot() -> Arc<Snapshot> {
    Arc::new(Snapshot { number: 0, main: NAME.to_owned(), files: BTreeMap::new(), templates: LocalTexts::default() })
}

/// Rhai knows `_` only as the default of a `switch`; where the text means the last value, it is a variable.
#[expect(deprecated, reason = "Rhai marks what reads its tokens so")]
fn read_last_value(engine: &mut Engine, places: Underscores) {
    engine.on_parse_token(move |token, position, _| {
        let at = |position: Position| Some((position.line()?, position.position()?));
        let known = places.lock().unwrap_or_else(PoisonError::into_inner);
        match token {
            Token::Underscore if at(position).is_some_and(|place| known.contains(&place)) => {
                Token::Identifier(Box::new(LAST.into()))
            }
            other => other,
        }
    });
}
