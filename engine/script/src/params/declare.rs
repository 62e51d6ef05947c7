//! `param::host("…").or("master1")`: what a recipe's `params()` is made of.

use haengine_kernel::error::{Error, Kind};
use rhai::{AST, ASTNode, Array, Dynamic, Engine, EvalAltResult, Expr, Map};

use crate::body::body_of;
use crate::params::{Default, Parameter, ParameterKind};
use crate::raise::raise;
use crate::value::type_name;

/// A parameter that has no name yet: the map in which it stands gives it one.
#[derive(Clone)]
struct Declaration {
    kind: ParameterKind,
    about: String,
    default: Default,
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Declaration>("Param");
    let mut module = rhai::Module::new();
    module.set_id("param").set_doc("Types of parameters, for a recipe's `params()`.");
    for kind in simple_kinds() {
        let name = kind.name();
        module.set_native_fn(name, move |about: &str| Ok(declaration(kind.clone(), about)));
    }
    module.set_native_fn("choice", |words: Array, about: &str| {
        let words =
            words.into_iter().map(|word| word.into_string().map_err(|_| not_words())).collect::<Result<_, _>>()?;
        Ok(declaration(ParameterKind::Choice(words), about))
    });
    engine.register_static_module("param", module.into());
    engine.register_fn("or", |declaration: Declaration, value: Dynamic| Declaration {
        default: Default::Value(value),
        ..declaration
    });
    engine
        .register_fn("optional", |declaration: Declaration| Declaration { default: Default::Optional, ..declaration });
}

fn simple_kinds() -> [ParameterKind; 10] {
    use ParameterKind as Param;
    [
        Param::Host,
        Param::Hosts,
        Param::String,
        Param::Integer,
        Param::Boolean,
        Param::Address,
        Param::Path,
        Param::Duration,
        Param::Secret,
        Param::List,
    ]
}

fn declaration(kind: ParameterKind, about: &str) -> Declaration {
    Declaration { kind, about: about.to_owned(), default: Default::Required }
}

fn not_words() -> Box<EvalAltResult> {
    raise(Error::new(Kind::Usage, "param.choice", "`param::choice` takes an array of strings and a description"))
}

/// The parameters that `params()` returned, in the order in which the recipe writes them.
///
/// # Errors
/// `param.declaration` when the value is not a map of parameters.
pub(crate) fn declared(value: Dynamic, ast: &AST) -> Result<Vec<Parameter>, Error> {
    let wrong = |what: String| {
        Error::new(Kind::Usage, "param.declaration", what)
            .hint("write `fn params() { #{ name: param::string(\"What it is for.\") } }`")
    };
    let found = type_name(&value);
    let map = value.try_cast::<Map>().ok_or_else(|| wrong(format!("`params()` must give a map, not {found}")))?;
    let mut parameters = Vec::new();
    for (name, value) in map {
        let found = type_name(&value);
        let Declaration { kind, about, default } = value
            .try_cast::<Declaration>()
            .ok_or_else(|| wrong(format!("`{name}` in `params()` must be a `param::…`, not {found}")))?;
        parameters.push(Parameter { name: name.to_string(), kind, about, default });
    }
    let order = written_order(ast);
    parameters.sort_by_key(|parameter| order.iter().position(|name| *name == parameter.name));
    Ok(parameters)
}

/// Rhai's maps are sorted by name; the source tells in which order the author thinks.
fn written_order(ast: &AST) -> Vec<String> {
    let mut names = Vec::new();
    body_of(ast, "params").walk(&mut |nodes: &[ASTNode]| {
        if let (Some(ASTNode::Expr(Expr::Map(map, _))), true) = (nodes.last(), names.is_empty()) {
            // Rhai sorts the names of a literal, and keeps their places.
            let mut written: Vec<_> = map.0.iter().map(|(name, _)| (name.pos, name.name.to_string())).collect();
            written.sort();
            names = written.into_iter().map(|(_, name)| name).collect();
        }
        true
    });
    names
}
