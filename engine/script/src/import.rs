//! `import`: other recipes of the same snapshot. Their `main` applies their own `params()` first; one that has phases gets
//! a `main` that plays them, and a `part` for recipes that are made of recipes.

use std::sync::Arc;

use haengine_kernel::error::Error;
use rhai::{
    CallFnOptions, Dynamic, Engine, EvalAltResult, GlobalRuntimeState, Map, Module, ModuleResolver, NativeCallContext,
    Position, Scope, Shared,
};

use crate::frame::{Frame, Given};
use crate::limits::on_a_deep_stack;
use crate::params::{Parameter, bind_map, declared};
use crate::part::Part;
use crate::parts::play_parts;
use crate::phases::Form;
use crate::piece::Piece;
use crate::play::play;
use crate::raise::{placed, raise};
use crate::snapshot::{Snapshot, SnapshotFile};

type RhaiResult<T> = Result<T, Box<EvalAltResult>>;

/// Finds imported files in the snapshot of the run, never on disk: a run does not see two versions of a file.
pub(crate) struct SnapshotResolver;

impl ModuleResolver for SnapshotResolver {
    fn resolve(&self, _: &Engine, _: Option<&str>, path: &str, position: Position) -> RhaiResult<Shared<Module>> {
        Err(EvalAltResult::ErrorModuleNotFound(path.to_owned(), position).into())
    }

    fn resolve_raw(
        &self,
        engine: &Engine,
        global: &mut GlobalRuntimeState,
        _scope: &mut Scope,
        path: &str,
        position: Position,
    ) -> RhaiResult<Shared<Module>> {
        let unknown = || Box::new(EvalAltResult::ErrorModuleNotFound(path.to_owned(), position));
        let tag = global.tag.clone();
        let frame = tag.read_lock::<Arc<Frame>>().ok_or_else(unknown)?.clone();
        let importer = global.source().and_then(|source| frame.snapshot.labelled(source));
        let importer = importer.unwrap_or_else(|| frame.snapshot.main_file());
        let file = importer.imports.get(path).and_then(|name| frame.snapshot.files.get(name)).ok_or_else(unknown)?;
        let module = module_of(engine, file, global.clone())
            .map_err(|error| EvalAltResult::ErrorInModule(path.to_owned(), error, position))?;
        Ok(module.into())
    }
}

/// The file's functions as a module; `main` is replaced by one that applies the file's parameters.
fn module_of(engine: &Engine, file: &SnapshotFile, mut global: GlobalRuntimeState) -> RhaiResult<Module> {
    let mut functions = (*file.ast).clone();
    functions.retain_functions(|_, _, name, _| name != "main");
    let mut module = Module::eval_ast_as_new_raw(engine, &mut Scope::new(), &mut global, &functions)?;
    module.set_id(file.label.as_str());
    if Form::of(&file.ast) != Form::Library {
        let file = file.clone();
        let own_part = file.ast.iter_functions().any(|function| function.name == "part");
        let whole = file.clone();
        module.set_native_fn("main", move |context: NativeCallContext, given: Map| {
            call_main(&context, &whole, given).map_err(|error| placed(error, &context))
        });
        if !own_part {
            module.set_native_fn("part", move |context: NativeCallContext, given: Map| {
                let part = bound(&context, &file, given).and_then(|(_, given)| Part::new(&file, given));
                part.map_err(|error| placed(error, &context))
            });
        }
    }
    Ok(module)
}

fn call_main(context: &NativeCallContext, file: &SnapshotFile, given: Map) -> RhaiResult<Dynamic> {
    let (frame, given) = bound(context, file, given)?;
    let mut inner = (*frame).clone();
    inner.place.recipe.clone_from(&file.label);
    run_main(context.engine(), file, inner, given)
}

/// The frame of a call, and the parameters of a file as it shall see them.
fn bound(context: &NativeCallContext, file: &SnapshotFile, given: Map) -> RhaiResult<(Arc<Frame>, Map)> {
    let frame = Frame::of(context)?;
    let common = frame.common(context)?;
    let parameters = parameters_of(context.engine(), file, &frame.snapshot)?;
    let (inventory, reach) = (common.run.hosts().inventory(), common.reach.clone());
    let scope = crate::params::Context { inventory, secrets: &*common.secrets, home: None, reach };
    let bound = bind_map(&parameters, given, &scope).map_err(raise)?;
    Ok((frame.clone(), bound))
}

/// Calls the file's `main`, or plays its phases or parts.
pub(crate) fn run_main(engine: &Engine, file: &SnapshotFile, frame: Frame, given: Map) -> RhaiResult<Dynamic> {
    let form = Form::of(&file.ast);
    if !form.phases().is_empty() {
        frame.only_reads(&format!("{}::main", file.stem()))?;
    }
    match form {
        Form::Phases => play(&[Piece::new(engine, file, frame, given)]).map(|()| Dynamic::UNIT),
        Form::Parts => play_parts(engine, file, frame, given).map(|()| Dynamic::UNIT),
        Form::Main | Form::Library => written_main(engine, file, frame, given),
    }
}

/// Calls the file's `main`, with or without its parameters, as it is written.
fn written_main(engine: &Engine, file: &SnapshotFile, mut frame: Frame, given: Map) -> RhaiResult<Dynamic> {
    let main = file.ast.iter_functions().find(|function| function.name == "main");
    let (takes, name) =
        (main.as_ref().map(|main| main.params.len()), main.and_then(|main| main.params.first().copied()));
    frame.given = name.map(|name| Arc::new(Given { name: name.to_owned(), parameters: given.clone() }));
    let options = CallFnOptions::new().with_tag(frame.tag()).eval_ast(true);
    let mut scope = Scope::new();
    match takes {
        Some(0) => engine.call_fn_with_options(options, &mut scope, &file.ast, "main", ()),
        Some(1) => engine.call_fn_with_options(options, &mut scope, &file.ast, "main", (given,)),
        Some(_) => Err(raise(
            recipe_error("recipe.main", "`main` must take one argument, the parameters")
                .hint("write `fn main(p) { … }`"),
        )),
        None => Err(raise(
            recipe_error("recipe.no_main", "the recipe has no `main`")
                .hint("add `fn main(p) { … }`, or phases: `fn act(p, found) { … }`"),
        )),
    }
}

fn recipe_error(code: &'static str, message: &str) -> Error {
    Error::new(haengine_kernel::error::Kind::Usage, code, message)
}

/// What the file's `params()` declares; nothing when it has none.
pub(crate) fn parameters_of(
    engine: &Engine,
    file: &SnapshotFile,
    snapshot: &Arc<Snapshot>,
) -> RhaiResult<Vec<Parameter>> {
    let declares = file.ast.iter_functions().any(|function| function.name == "params" && function.params.is_empty());
    // The top level is evaluated in any case: what it does to a host is refused here, before a run.
    let mut ast = if declares { (*file.ast).clone() } else { file.ast.merge(&engine.compile("fn params() { #{} }")?) };
    ast.set_source(file.label.as_str());
    let frame = Frame::new(snapshot.clone(), None, Default::default());
    let options = CallFnOptions::new().with_tag(frame.tag()).eval_ast(true);
    let asked = on_a_deep_stack(|| {
        let value: Dynamic = engine.call_fn_with_options(options, &mut Scope::new(), &ast, "params", ())?;
        declared(value, &file.ast).map_err(raise)
    });
    asked.unwrap_or_else(|panic| Err(raise(recipe_error("engine.panic", &format!("`params()` broke off: {panic}")))))
}
