//! Filling in a template on the operator's machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haengine_kernel::arguments::{Arguments, LocalTexts};
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::reach::Reach;
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::nearest;
use haengine_kernel::text::Text;
use haengine_kernel::value::{Unknown, Value};
use include_dir::{Dir, include_dir};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

/// The library's own templates. A file of the same name beside the recipe wins.
static OWN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Where texts of templates are looked for.
#[derive(Clone, Default)]
pub(super) struct Shelf {
    /// What files held when the recipe was loaded.
    pub(super) texts: LocalTexts,
    /// What may be read besides.
    pub(super) reach: Option<Arc<Reach>>,
}

/// The text of the template called `name` in a call, with `variables` in it. `path` is where a file of that name would be.
///
/// # Errors
/// When there is no such template, or it cannot be filled in: the message names template, line and variable.
pub fn render(name: &str, path: &Path, call: &Arguments, variables: &BTreeMap<String, Value>) -> Result<Text> {
    fill_in(name, path, Shelf { texts: call.texts().clone(), reach: call.reach().cloned() }, variables)
}

fn fill_in(name: &str, path: &Path, shelf: Shelf, variables: &BTreeMap<String, Value>) -> Result<Text> {
    let mut nature = Nature::default();
    let context = nature.convert(&Value::Map(variables.clone()));
    let source = shelf.source_of(name, path)?;
    let environment = environment(path, shelf)?;
    let template =
        environment.template_from_named_str(name, &source).map_err(|error| explain(name, &source, &error, &nature))?;
    if let Some(unknown) = nature.unknown {
        return Ok(Text::Unknown(unknown));
    }
    let text = template.render(context).map_err(|error| explain(name, &source, &error, &nature))?;
    Ok(if nature.secret { Text::Secret(Secret::new(text)) } else { Text::Plain(text) })
}

/// What the variables make of the whole text.
#[derive(Default)]
struct Nature {
    secret: bool,
    unknown: Option<Unknown>,
}

impl Nature {
    fn convert(&mut self, value: &Value) -> minijinja::Value {
        match value {
            Value::Null => minijinja::Value::from(()),
            Value::Boolean(value) => minijinja::Value::from(*value),
            Value::Integer(value) => minijinja::Value::from(*value),
            Value::Float(value) => minijinja::Value::from(*value),
            Value::String(value) => minijinja::Value::from(value.as_str()),
            Value::Secret(secret) => {
                self.secret = true;
                minijinja::Value::from(secret.expose())
            }
            Value::Unknown(unknown) => {
                self.unknown.get_or_insert_with(|| unknown.clone());
                minijinja::Value::from(())
            }
            Value::List(values) => values.iter().map(|value| self.convert(value)).collect::<Vec<_>>().into(),
            Value::Map(values) => {
                let values = values.iter().map(|(name, value)| (name.clone(), self.convert(value)));
                minijinja::Value::from(values.collect::<BTreeMap<_, _>>())
            }
        }
    }
}

fn environment(path: &Path, shelf: Shelf) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A file name such as `x.json.j2` must not decide how values are written.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_debug(true);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment
        .set_syntax(syntax.map_err(|error| Error::new(Kind::Local, "file.template", "no syntax").because(error))?);
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    environment.set_loader(move |name| {
        let included = shelf.source_of(name, &folder.join(name));
        included.map(Some).map_err(|error| {
            let missing = error.code() == "file.no_template";
            let kind = if missing { ErrorKind::TemplateNotFound } else { ErrorKind::InvalidOperation };
            minijinja::Error::new(kind, error.to_string())
        })
    });
    Ok(environment)
}

/// The names that the template uses and does not make itself.
///
/// # Errors
/// When it is no template.
pub(super) fn compile(name: &str, path: &Path, source: &str) -> Result<BTreeSet<String>> {
    let environment = environment(path, Shelf::default())?;
    let template = environment.template_from_named_str(name, source);
    let template = template.map_err(|error| explain(name, source, &error, &Nature::default()))?;
    let mut used: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
    // `range` and its like are nobody's to give.
    environment.globals().for_each(|(name, _)| _ = used.remove(name));
    Ok(used)
}

/// The names of haengine's own templates.
#[cfg(test)]
pub(super) fn own_names() -> impl Iterator<Item = &'static str> {
    OWN.files().filter_map(|file| file.path().to_str())
}

impl Shelf {
    /// The text of the template: of the file at `path`, else one of haengine's own.
    ///
    /// # Errors
    /// When there is none, or it cannot or must not be read.
    pub(super) fn source_of(&self, name: &str, path: &Path) -> Result<String> {
        if let Some(text) = self.texts.get(path) {
            return Ok(text.to_string());
        }
        self.reach.as_ref().map_or(Ok(()), |reach| reach.check(path, name))?;
        match std::fs::read_to_string(path) {
            Ok(source) => Ok(source),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => own(name).ok_or_else(|| missing(name, path)),
            Err(error) => {
                Err(Error::new(Kind::Usage, "file.template", format!("cannot read the template {}", path.display()))
                    .because(error)
                    .hint("look at the file on your machine"))
            }
        }
    }
}

fn own(name: &str) -> Option<String> {
    OWN.get_file(name)?.contents_utf8().map(str::to_owned)
}

fn missing(name: &str, path: &Path) -> Error {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let own = OWN.files().filter_map(|file| file.path().to_str());
    let message = format!("there is no template `{name}`");
    let error = Error::new(Kind::Usage, "file.no_template", message);
    let folder = folder.display();
    match nearest(name, own) {
        Some(near) => {
            error.hint(format!("write `{near}`, which is one of haengine's own, or create yours in {folder}"))
        }
        None => error.hint(format!("create it in {folder}")),
    }
}

fn explain(name: &str, source: &str, error: &minijinja::Error, nature: &Nature) -> Error {
    let template = error.name().unwrap_or(name);
    let line = error.line().map(|line| format!(", line {line}")).unwrap_or_default();
    let source = error.template_source().unwrap_or(source);
    let place = error.range().and_then(|range| source.get(range)).map(|text| format!("`{}`", text.trim()));
    let (message, hint) = match (error.kind(), place) {
        (ErrorKind::UndefinedError, Some(place)) => (
            format!("template `{template}`{line}: {place} is not among the variables"),
            "pass it in the map, or write `{% if NAME is defined %}` around it",
        ),
        (kind, place) => {
            // A detail may quote a value.
            let detail = error.detail().filter(|_| !nature.secret).map(|detail| format!(" ({detail})"));
            let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
            (
                format!("template `{template}`{line}: {kind}{place}{}", detail.unwrap_or_default()),
                "correct the template",
            )
        }
    };
    Error::new(Kind::Usage, "file.template", message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars<const N: usize>(pairs: [(&str, Value); N]) -> BTreeMap<String, Value> {
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn rendered(source: &str, variables: &BTreeMap<String, Value>) -> Result<Text> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.conf.j2");
        std::fs::write(&path, source).unwrap();
        std::fs::write(folder.path().join("part.j2"), "part {{ a }}\n").unwrap();
        fill_in("x.conf.j2", &path, Shelf::default(), variables)
    }

    #[test]
    fn lines_of_the_language_leave_no_trace() {
        let source = "a\n{% for x in list %}\n  {% if x %}\n- {{ x }}\n  {% endif %}\n{% endfor %}\nb <&>\n";
        let list = Value::List(vec!["1".into(), "".into(), "<2>".into()]);
        assert_eq!(rendered(source, &vars([("list", list)])).unwrap().shown(), Some("a\n- 1\n- <2>\nb <&>\n"));
    }

    #[test]
    fn an_error_names_template_line_and_variable() {
        let error =
            rendered("a\n{{ here }}\n{{ cfg.nowhere }}\n", &vars([("here", 1_i64.into()), ("cfg", Value::map([]))]))
                .err()
                .unwrap();
        assert_eq!(error.message(), "template `x.conf.j2`, line 3: `cfg.nowhere` is not among the variables");
        let error = rendered("{% if %}", &BTreeMap::new()).err().unwrap();
        assert!(error.message().starts_with("template `x.conf.j2`, line 1: syntax error"), "{}", error.message());
    }

    #[test]
    fn a_template_includes_its_neighbour() {
        let text = rendered("{% include 'part.j2' %}end\n", &vars([("a", "b".into())])).unwrap();
        assert_eq!(text.shown(), Some("part b\nend\n"));
    }

    #[test]
    fn what_a_template_held_when_the_recipe_was_loaded_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.conf.j2");
        std::fs::write(&path, "now\n").unwrap();
        let held = [(path.clone(), "then {% include 'part.j2' %}"), (folder.path().join("part.j2"), "and there\n")];
        let texts = LocalTexts::new(held.into_iter().map(|(path, text)| (path, text.into())).collect());
        let text = fill_in("x.conf.j2", &path, Shelf { texts, reach: None }, &BTreeMap::new()).unwrap();
        assert_eq!(text.shown(), Some("then and there\n"));
    }

    #[test]
    fn a_secret_or_unknown_variable_makes_the_whole_text_so() {
        let secret = Value::Secret(Secret::new("hush".into()));
        assert!(
            matches!(rendered("k={{ k }}", &vars([("k", secret.clone())])), Ok(Text::Secret(text)) if text.expose() == "k=hush")
        );
        let error = rendered("{{ k + 1 }}", &vars([("k", secret)])).err().unwrap();
        assert!(!error.message().contains("hush"), "{}", error.message());
        let unknown = Value::List(vec![Value::Unknown(Unknown { origin: "x".into() })]);
        assert!(matches!(rendered("{{ k }}", &vars([("k", unknown)])), Ok(Text::Unknown(_))));
    }

    #[test]
    fn the_librarys_own_chrony_configuration() {
        let nowhere = Path::new("/nonexistent/chrony.conf.j2");
        let servers = vars([("servers", Value::List(vec!["192.0.2.1".into(), "ntp.example".into()]))]);
        let text = fill_in("chrony.conf.j2", nowhere, Shelf::default(), &servers).unwrap();
        let text = text.shown().unwrap();
        assert!(text.contains("server 192.0.2.1 iburst\nserver ntp.example iburst\n"), "{text}");
        assert!(
            text.contains("\nmakestep 1.0 3\n") && !text.contains("local stratum") && !text.contains("allow"),
            "{text}"
        );
        let local = vars([("servers", Value::List(vec![])), ("local_stratum", 10_i64.into()), ("allow", "0/0".into())]);
        let text = fill_in("chrony.conf.j2", nowhere, Shelf::default(), &local).unwrap();
        assert!(text.shown().unwrap().contains("\nlocal stratum 10\n"));
        assert!(text.shown().unwrap().contains("\nallow 0/0\n"));
        let nowhere = Path::new("/nonexistent/crony.conf.j2");
        let error = fill_in("crony.conf.j2", nowhere, Shelf::default(), &BTreeMap::new()).err().unwrap();
        assert_eq!(error.code(), "file.no_template");
    }
}
