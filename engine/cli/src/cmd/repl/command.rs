//! The words that begin with `:` or `!`.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::signature::nearest;

/// What a person asks of the session itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// `:help`.
    Help,
    /// `:doc NAME`.
    Doc(String),
    /// `:hosts`, or `:hosts NAME…`: which hosts there are, or on which `!` works.
    Hosts(Vec<String>),
    /// `:plan on|off`.
    Plan(bool),
    /// `:runs`.
    Runs,
    /// `:undo`.
    Undo,
    /// `:time EXPR`.
    Time(String),
    /// `:save FILE`.
    Save(String),
    /// `:load FILE`.
    Load(String),
    /// `:reload`.
    Reload,
    /// `:retry`, of a step that failed.
    Retry,
    /// `:skip`, a step that failed.
    Skip,
    /// `:quit`.
    Quit,
    /// `!command`.
    Everywhere(String),
}

/// The commands that every session has, with what they do. Those of a repair follow.
pub const COMMANDS: [(&str, &str); 12] = [
    (":help", "this list"),
    (":doc NAME", "what a verb, a function or a module does"),
    (":hosts", "the hosts and groups, and their variables"),
    (":hosts NAME …", "on which of them `!` works"),
    ("!COMMAND", "a command on these hosts, equal outputs once; it is not journalled, so let it only look"),
    (":plan on|off", "only show what lines would change"),
    (":runs", "what was run, this session included"),
    (":undo", "take back what this session has changed"),
    (":time EXPR", "the same, and how long it took"),
    (":load FILE", "import a recipe; its functions are `NAME::…`"),
    (":reload", "read imported files again now; each line does if they have changed"),
    (":save FILE", "the lines that succeeded, as a recipe"),
];

/// What can be done about a step that failed.
pub const REPAIRS: [(&str, &str); 2] = [
    (":retry", "call the step again; after an edit of the recipe: begin at the top, what is done is left alone"),
    (":skip", "take the step as done, and go on"),
];

/// The last of them.
pub const QUIT: (&str, &str) = (":quit", "leave; Ctrl-D does the same");

/// The command that a line is; none for a line of the language.
pub fn parse(line: &str) -> Option<Result<Command>> {
    let line = line.trim();
    if let Some(command) = line.strip_prefix('!') {
        return Some(named("!COMMAND", command).map(Command::Everywhere));
    }
    let words = line.strip_prefix(':')?;
    let (word, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let rest = rest.trim();
    Some(match word {
        "help" | "h" | "?" => Ok(Command::Help),
        "doc" => Ok(Command::Doc(rest.to_owned())),
        "hosts" => {
            Ok(Command::Hosts(rest.split([' ', ',']).filter(|name| !name.is_empty()).map(str::to_owned).collect()))
        }
        "plan" => plan(rest),
        "runs" => Ok(Command::Runs),
        "undo" => Ok(Command::Undo),
        "time" => named(":time EXPR", rest).map(Command::Time),
        "save" => named(":save FILE", rest).map(Command::Save),
        "load" => named(":load FILE", rest).map(Command::Load),
        "reload" => Ok(Command::Reload),
        "retry" => Ok(Command::Retry),
        "skip" => Ok(Command::Skip),
        "quit" | "q" | "exit" => Ok(Command::Quit),
        other => Err(unknown(other)),
    })
}

fn plan(word: &str) -> Result<Command> {
    match word {
        "on" | "" => Ok(Command::Plan(true)),
        "off" => Ok(Command::Plan(false)),
        other => Err(usage(format!("`:plan` takes `on` or `off`, not `{other}`")).hint("write `:plan on`")),
    }
}

fn named(shape: &str, rest: &str) -> Result<String> {
    if rest.trim().is_empty() {
        return Err(usage(format!("`{shape}` lacks its last word")).hint("write `:help` for all commands"));
    }
    Ok(rest.trim().to_owned())
}

fn unknown(word: &str) -> Error {
    let all = COMMANDS.iter().chain(&REPAIRS).chain([&QUIT]);
    let known = all.filter_map(|(shape, _)| shape.strip_prefix(':')?.split_whitespace().next());
    let error = usage(format!("there is no command `:{word}`"));
    match nearest(word, known) {
        Some(near) => error.hint(format!("write `:{near}`")),
        None => error.hint("write `:help` for all commands"),
    }
}

fn usage(message: String) -> Error {
    Error::new(Kind::Usage, "repl.command", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_lines() {
        assert!(parse("1 + 1").is_none());
        assert_eq!(parse(":plan off").unwrap().unwrap(), Command::Plan(false));
        assert_eq!(parse(":hosts m1, m2").unwrap().unwrap(), Command::Hosts(vec!["m1".into(), "m2".into()]));
        assert_eq!(parse("!uptime -p").unwrap().unwrap(), Command::Everywhere("uptime -p".into()));
        assert_eq!(parse(":sav x").unwrap().unwrap_err().advice(), Some("write `:save`"));
        assert_eq!(parse(":save").unwrap().unwrap_err().code(), "repl.command");
        assert_eq!(parse("!").unwrap().unwrap_err().code(), "repl.command");
    }
}
