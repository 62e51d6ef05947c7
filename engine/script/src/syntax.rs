//! What Rhai's parser says, in our words and with the next step.

use std::collections::BTreeSet;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::signature::{nearest, quoted};
use rhai::{Engine, LexError, ParseErrorType, Position};

use crate::lint::Names;

/// Why a text is no recipe.
pub(crate) fn told(error: &ParseErrorType, text: &str, position: Position, engine: &Engine) -> Error {
    use ParseErrorType as Parse;
    match error {
        Parse::VariableUndefined(name) => unknown_variable(name, text),
        Parse::ModuleUndefined(name) => unknown_module(name, text, engine),
        Parse::BadInput(input) => bad_input(input),
        Parse::Reserved(word) => reserved(word, text, position, engine),
        Parse::MissingToken(token, purpose) => missing(token, purpose),
        Parse::UnexpectedEOF => syntax("the file ends in the middle").hint("close the last `{`, `(` or `[`"),
        Parse::UnknownOperator(operator) => {
            syntax(format!("there is no operator `{operator}`")).hint(match operator.as_str() {
                "++" => "write `+= 1`",
                "--" => "write `-= 1`",
                _ => "write it with the operators of Rhai",
            })
        }
        Parse::DuplicatedProperty(key) => syntax(format!("the map has two values for `{key}`")).hint("leave one out"),
        Parse::WrongFnDefinition => syntax("a function is defined inside of another")
            .hint("move it out, or make it a closure: `let name = |argument| …`"),
        Parse::FnDuplicatedDefinition(name, count) => {
            syntax(format!("there are two functions `{name}` with {count} arguments")).hint("rename one of them")
        }
        Parse::AssignmentToConstant(name) if name.is_empty() => {
            syntax("a constant value cannot be assigned to").hint("compare with `==`")
        }
        Parse::AssignmentToConstant(name) => {
            syntax(format!("`{name}` is constant")).hint(format!("write `let {name}` where it is made"))
        }
        Parse::PropertyExpected => syntax("a name is missing after the point").hint("write the name of a property"),
        Parse::VariableExpected => {
            syntax("a variable's name is missing").hint("write a name that is no word of the language")
        }
        Parse::LoopBreak => {
            syntax("`break` and `continue` stand in loops only").hint("leave a function or a closure with `return`")
        }
        Parse::WrongDocComment => syntax("a comment that begins with `///` describes nothing")
            .hint("put it right before a function, or begin it with `//`"),
        other => syntax(in_backticks(&other.to_string())),
    }
}

fn syntax(message: impl Into<String>) -> Error {
    Error::new(Kind::Usage, "recipe.syntax", message)
}

fn bad_input(error: &LexError) -> Error {
    match error {
        LexError::UnterminatedString => syntax("this string has no end")
            .hint("close it with the quote that opens it; a text of several lines stands in backticks"),
        LexError::MalformedChar(text) if text.chars().count() > 1 => {
            syntax(format!("`'{text}'` is more than one character")).hint(format!("write `\"{text}\"`"))
        }
        LexError::MalformedEscapeSequence(sequence) => {
            syntax(format!("`{sequence}` stands for nothing in a string")).hint(r"write `\\` for a backslash")
        }
        LexError::UnexpectedInput(text) if ["}", ")", "]"].contains(&text.as_str()) => {
            syntax(format!("this `{text}` closes nothing")).hint("remove it, or look above for one too many")
        }
        LexError::ImproperSymbol(word, _) if ["print", "debug"].contains(&word.as_str()) => {
            syntax(format!("recipes do not `{word}`")).hint("write `log(…)`")
        }
        LexError::ImproperSymbol(symbol, _) if ["===", "!=="].contains(&symbol.as_str()) => {
            syntax(format!("there is no operator `{symbol}`")).hint(format!("write `{}`", &symbol[..2]))
        }
        other => syntax(in_backticks(&other.to_string())),
    }
}

fn missing(token: &str, purpose: &str) -> Error {
    let error = syntax(format!("`{token}` is missing {}", in_backticks(purpose)));
    match token {
        ";" => error.hint("end the statement before this place with `;`"),
        "}" | ")" | "]" => error.hint(format!("close with `{token}` what was opened before this place")),
        "," => error.hint("put a comma between, or close the bracket"),
        _ => error,
    }
}

/// Words that Rhai keeps for itself stand in for something else in three places.
fn reserved(word: &str, text: &str, position: Position, engine: &Engine) -> Error {
    let (before, after) = around(text, position);
    let after = after.strip_prefix(word).unwrap_or_default();
    let error = syntax(format!("`{word}` is a word of the language"));
    if after.starts_with("::") {
        let names = Names::of(engine);
        let shorter = names.modules().into_iter().find(|module| module.chars().all(|c| word.contains(c)));
        return error.hint(match shorter {
            Some(module) => format!("write `{module}`; the modules are {}", quoted(&names.modules())),
            None => format!("use one of the modules {}", quoted(&names.modules())),
        });
    }
    if before.ends_with('.') {
        return error.hint(format!("write `[\"{word}\"]` in the place of `.{word}`"));
    }
    if after.trim_start().starts_with(':') {
        return error.hint(format!("write the key in quotes: `\"{word}\": …`"));
    }
    match word {
        "null" | "nil" | "void" => error.hint("write `()` for no value"),
        "var" | "static" => error.hint("write `let`"),
        "match" | "case" => error.hint("write `switch value { 1 => …, _ => … }`"),
        _ => error.hint("choose another name"),
    }
}

fn unknown_variable(name: &str, text: &str) -> Error {
    let error = Error::new(Kind::Usage, "recipe.unknown_variable", format!("there is no variable `{name}`"));
    if let Some(near) = match name {
        "True" | "TRUE" => Some("true"),
        "False" | "FALSE" => Some("false"),
        "None" => Some("()"),
        _ => None,
    } {
        return error.hint(format!("write `{near}`"));
    }
    if text.contains(&format!("{name}: param::")) {
        let parameter = argument_of_main(text).unwrap_or("p");
        return error.hint(format!("write `{parameter}.{name}`"));
    }
    match nearest(name, defined(text)) {
        Some(near) if near == name => {
            error.hint(format!("pass `{name}` as an argument: a function does not see the variables around it"))
        }
        Some(near) => error.hint(format!("write `{near}`")),
        None => error.hint(format!("define it before with `let {name} = …`")),
    }
}

fn unknown_module(name: &str, text: &str, engine: &Engine) -> Error {
    let error = Error::new(Kind::Usage, "recipe.unknown_module", format!("there is no module `{name}`"));
    let names = Names::of(engine);
    let imported = after_words(text, &["as"]);
    match names.near_module(name, imported.iter().copied()) {
        Some(near) => error.hint(format!("write `{near}`")),
        None => error.hint(format!("use one of {}, or import a recipe", quoted(&names.modules()))),
    }
}

/// The text before and after a place, in its line.
fn around(text: &str, position: Position) -> (&str, &str) {
    let (line, column) = (position.line().unwrap_or(1), position.position().unwrap_or(1));
    let line = text.lines().nth(line - 1).unwrap_or_default();
    let middle = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(index, _)| index);
    line.split_at(middle)
}

/// `p` of `fn main(p)`, or of a phase.
fn argument_of_main(text: &str) -> Option<&str> {
    let rest = ["fn main(", "fn act(", "fn parts("].iter().find_map(|begin| text.split(begin).nth(1))?;
    let name = rest.split([')', ',']).next()?.trim();
    rhai::is_valid_identifier(name).then_some(name)
}

/// Names that the text gives to values. Read from the text, since a file with an error has nothing better.
fn defined(text: &str) -> BTreeSet<&str> {
    let mut names = after_words(text, &["let", "const", "for"]);
    let lists = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('(')?.1.split(')').next());
    let closures = text.split('|').skip(1).step_by(2);
    names.extend(lists.chain(closures).flat_map(|list| list.split(',')).map(str::trim));
    names.retain(|name| rhai::is_valid_identifier(name));
    names
}

/// The words that follow one of these.
fn after_words<'a>(text: &'a str, words: &[&str]) -> BTreeSet<&'a str> {
    let all: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    all.windows(2).filter(|pair| words.contains(&pair[0])).map(|pair| pair[1]).collect()
}

/// Rhai quotes with `'`, and begins with a capital.
fn in_backticks(text: &str) -> String {
    let mut quoted = text.replace('\'', "`");
    if let Some(first) = quoted.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    quoted
}
