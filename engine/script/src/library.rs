//! The language of recipes: Rhai with our functions and modules.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use haengine_kernel::cancel::Cancel;
use haengine_kernel::registry::Registry;
use rhai::{Dynamic, Engine, FnPtr, Map, NativeCallContext, OptimizationLevel};

use crate::part::Part;
use crate::{bridge, fanout, import, limits, lookup, params, preflight, step, talk, unknown, waiting};
use haengine_kernel::module::Module;

/// The language: an engine with all functions and modules, and the verbs behind them.
#[derive(Clone)]
pub struct Library {
    pub(crate) engine: Arc<Engine>,
    /// The same for what is asked before a run, with narrow limits.
    pub(crate) declarations: Arc<Engine>,
    modules: Arc<Vec<Module>>,
    registry: Arc<Registry>,
    cancel: Cancel,
    /// Numbers snapshots.
    pub(crate) loads: Arc<AtomicU64>,
}

impl Library {
    /// The language with these modules. Recipes stop soon after `cancel` is set, wherever they are.
    pub fn new(modules: Vec<Module>, cancel: impl Into<Cancel>) -> Library {
        let cancel = cancel.into();
        let mut registry = Registry::default();
        modules.iter().flat_map(|module| &module.verbs).for_each(|verb| registry.add(verb.clone()));
        Library {
            engine: Arc::new(engine(&modules, cancel.clone())),
            declarations: Arc::new(declarations(&modules, cancel.clone())),
            modules: Arc::new(modules),
            registry: Arc::new(registry),
            cancel,
            loads: Arc::new(AtomicU64::new(1)),
        }
    }

    /// The same with an engine of its own, that understands something more.
    #[must_use]
    pub(crate) fn with(&self, more: impl FnOnce(&mut Engine)) -> Library {
        let mut engine = engine(&self.modules, self.cancel.clone());
        more(&mut engine);
        Library { engine: Arc::new(engine), ..self.clone() }
    }

    /// The modules, in the order of the book.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// All verbs by name.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
}

fn declarations(modules: &[Module], cancel: Cancel) -> Engine {
    let mut engine = engine(modules, cancel.clone());
    limits::limit_declarations(&mut engine, cancel);
    engine
}

fn engine(modules: &[Module], cancel: Cancel) -> Engine {
    let mut engine = Engine::new();
    limits::limit(&mut engine, cancel);
    narrow(&mut engine);
    lookup::register(&mut engine);
    params::register(&mut engine);
    unknown::register(&mut engine);
    functions(&mut engine);
    for module in modules {
        engine.register_static_module(module.name, bridge::rhai_module(module).into());
    }
    engine.set_module_resolver(import::SnapshotResolver);
    engine
}

/// What of Rhai recipes do without.
fn narrow(engine: &mut Engine) {
    engine.set_strict_variables(true);
    engine.set_fail_on_invalid_map_property(true);
    engine.set_fast_operators(false);
    // `check` must see a recipe as it is written, with the place of each word.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.on_print(|_| {});
    engine.disable_symbol("print");
    engine.disable_symbol("debug");
    // `eval` runs what no check has seen.
    engine.disable_symbol("eval");
}

fn functions(engine: &mut Engine) {
    engine.register_fn("step", step::step);
    engine.register_fn("step", step::step_with);
    engine.register_fn("verify", step::verify);
    preflight::register(engine);
    engine.register_type_with_name::<Part>("Part");
    engine.register_fn("each", fanout::each);
    engine.register_fn("rolling", fanout::rolling);
    engine.register_fn("rolling", |context: NativeCallContext, hosts: Dynamic, body: FnPtr| {
        fanout::rolling(context, hosts, Map::new(), body)
    });
    engine.register_fn("retry", waiting::retry);
    engine.register_fn("retry", |context: NativeCallContext, body: FnPtr| waiting::retry(context, Map::new(), body));
    engine.register_fn("wait_until", waiting::wait_until);
    engine.register_fn("wait_until", |context: NativeCallContext, what: &str, body: FnPtr| {
        waiting::wait_until(context, what, Map::new(), body)
    });
    engine.register_fn("sleep", waiting::sleep);
    engine.register_fn("log", talk::log);
    // Rhai has a `sleep` of its own, which no interrupt ends, and a `log` of numbers, both nearer to these types.
    engine.register_fn("sleep", |context: NativeCallContext, span: i64| waiting::sleep(context, span.into()));
    engine.register_fn("sleep", |context: NativeCallContext, span: f64| waiting::sleep(context, span.into()));
    engine.register_fn("log", |context: NativeCallContext, value: f64| talk::log(context, value.into()));
    engine.register_fn("warn", talk::warn);
    engine.register_fn("warn", talk::warn_with);
    // Rhai's own `exit` ends a recipe as if it had succeeded.
    engine.register_fn("exit", talk::exit);
    engine.register_fn("exit", |_: Dynamic| talk::exit());
    engine.register_fn("fail", talk::fail);
    engine.register_fn("fail", talk::fail_with);
    engine.register_fn("confirm", talk::confirm);
}
