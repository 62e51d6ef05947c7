//! The options that every command takes, and how a parameter of a recipe is written.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// What every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// File with hosts and groups (can be repeated)
    ///
    /// Later files win for defaults and variables, and add to groups.
    #[arg(short, long = "inventory", value_name = "FILE", global = true)]
    pub inventory: Vec<PathBuf>,

    /// Write one JSON object a line to standard output, and nothing else
    #[arg(long, global = true)]
    pub json: bool,

    /// Answer every question with yes
    #[arg(short, long, global = true)]
    pub yes: bool,

    /// Folder in which runs are kept
    ///
    /// The default is $HAENGINE_STATE_DIR, else $XDG_STATE_HOME/haengine.
    #[arg(long, value_name = "DIR", global = true)]
    pub state_dir: Option<PathBuf>,

    /// How many hosts are worked on at once
    #[arg(long, value_name = "N", global = true, default_value_t = haengine_kernel::host::FORKS, value_parser = forks)]
    pub forks: usize,

    /// Tell also what did not change and what commands print; -vv logs internals
    ///
    /// HAENGINE_LOG chooses which internals, as in HAENGINE_LOG=haengine_stdlib=trace.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

fn forks(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("write a number above 0".to_owned()),
        Ok(number) => Ok(number),
    }
}

/// A parameter of a recipe, as it is written: `key=value`.
pub fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write parameters as key=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(parameter("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(parameter("a="), Ok(("a".to_owned(), String::new())));
        assert!(parameter("a").is_err() && parameter("=a").is_err());
    }
}
