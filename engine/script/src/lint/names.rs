//! What the engine knows by name: functions, modules and their functions, properties.

use std::collections::{BTreeMap, BTreeSet};

use haengine_kernel::signature::nearest;
use rhai::Engine;

use crate::docs;

/// Numbers of arguments by name.
type Functions = BTreeMap<String, BTreeSet<usize>>;

/// The names that an engine knows, Rhai's own included.
pub(crate) struct Names {
    functions: Functions,
    modules: BTreeMap<String, Functions>,
    properties: BTreeSet<String>,
}

/// Functions that were called otherwise before, and what they are called now.
const RENAMED: [(&str, &str); 1] = [("checks", "check_group")];

/// What Rhai itself understands without knowing it as a function.
const KEYWORDS: [&str; 8] = ["Fn", "call", "curry", "eval", "is_def_fn", "is_def_var", "is_shared", "type_of"];

impl Names {
    /// The names that this engine knows.
    pub fn of(engine: &Engine) -> Names {
        let known = engine.collect_fn_metadata(
            None,
            |function| {
                let metadata = function.metadata;
                Some((function.namespace.to_string(), metadata.name.to_string(), metadata.num_params))
            },
            true,
        );
        let mut names = Names { functions: BTreeMap::new(), modules: BTreeMap::new(), properties: BTreeSet::new() };
        for (module, name, count) in known {
            names.add(&module, name, count);
        }
        names
    }

    fn add(&mut self, module: &str, name: String, count: usize) {
        if let Some(property) = name.strip_prefix("get$") {
            self.properties.insert(property.to_owned());
        } else if name.starts_with(|c: char| c.is_alphabetic() || c == '_') && !name.contains('$') {
            let functions = match module {
                "" => &mut self.functions,
                module => self.modules.entry(module.to_owned()).or_default(),
            };
            functions.entry(name).or_default().insert(count);
        }
    }

    /// How many arguments a function takes; none when there is no such function.
    pub fn function(&self, name: &str) -> Option<&BTreeSet<usize>> {
        self.functions.get(name)
    }

    /// The same for a function of a module.
    pub fn member(&self, module: &str, name: &str) -> Option<&BTreeSet<usize>> {
        self.modules.get(module)?.get(name)
    }

    /// Whether there is such a module.
    pub fn has_module(&self, name: &str) -> bool {
        self.modules.contains_key(name)
    }

    /// Whether Rhai understands this name without a function behind it.
    pub fn is_keyword(name: &str) -> bool {
        KEYWORDS.contains(&name)
    }

    /// What was probably meant by an unknown function: of the recipe's own, of the language, of a module, of Rhai.
    pub fn near_function<'a>(&'a self, name: &str, own: impl IntoIterator<Item = &'a str>) -> Option<String> {
        if let Some((_, now)) = RENAMED.iter().find(|(before, _)| *before == name) {
            return Some((*now).to_owned());
        }
        if let Some(member) = self.in_a_module(name) {
            return Some(member);
        }
        let language = docs::functions().filter(|core| !core.contains(['.', ':'])).map(|core| -> &'a str { core });
        let ours = nearest(name, own.into_iter().chain(language)).map(str::to_owned);
        // Rhai brings some 250 short names: only a slip of the finger may lead there.
        let rhai = || self.functions.keys().find(|known| strsim::damerau_levenshtein(known, name) == 1).cloned();
        ours.or_else(rhai)
    }

    /// What was probably meant by an unknown function of a known module, or the module that has it.
    pub fn near_member(&self, module: &str, name: &str) -> Option<String> {
        let functions = self.modules.get(module)?;
        let near = || nearest(name, functions.keys().map(String::as_str)).map(|near| format!("{module}::{near}"));
        self.in_a_module(name).or_else(near)
    }

    /// The function of this name in the first module that has it.
    pub fn in_a_module(&self, name: &str) -> Option<String> {
        let (module, _) = self.modules.iter().find(|(_, functions)| functions.contains_key(name))?;
        Some(format!("{module}::{name}"))
    }

    /// The functions of a module.
    pub fn members(&self, module: &str) -> Vec<String> {
        let functions = self.modules.get(module).into_iter().flatten();
        functions.map(|(name, _)| format!("{module}::{name}")).collect()
    }

    /// What was probably meant by an unknown module.
    pub fn near_module<'a>(&'a self, name: &str, own: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        nearest(name, own.into_iter().chain(self.modules.keys().map(String::as_str)))
    }

    /// The modules.
    pub fn modules(&self) -> Vec<&str> {
        self.modules.keys().map(String::as_str).collect()
    }

    /// What was probably meant by an unknown method.
    pub fn near_method(&self, name: &str) -> Option<&str> {
        nearest(name, self.functions.keys().map(String::as_str))
    }

    /// What was probably meant by an unknown property.
    pub fn near_property<'a>(&'a self, name: &str, own: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        nearest(name, own.into_iter().chain(self.properties.iter().map(String::as_str)))
    }
}
