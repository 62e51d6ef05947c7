//! `haengine completions`: what makes a shell complete haengine's commands.

use clap::{Args, ValueEnum};
use clap_complete::env::Shells;
use haengine_kernel::error::{Error, Kind};

use crate::complete::VARIABLE;
use crate::context::Context;
use crate::exit::Exit;
use crate::report::Out;

/// Print what makes a shell complete commands, recipes, parameters and hosts
///
/// The shell then asks haengine while you type: names of recipes, `key=` of the recipe's parameters, and hosts and groups
/// of the inventory that `-i` names before them.
#[derive(Args)]
#[command(after_help = "Examples:
  source <(haengine completions bash)                              in ~/.bashrc
  source <(haengine completions zsh)                               in ~/.zshrc
  haengine completions fish > ~/.config/fish/completions/haengine.fish")]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the shell's script.
pub fn completions(context: &Context, args: &CompletionsArgs) -> Exit {
    let name = match args.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    let mut script = Vec::new();
    let builtin = Shells::builtins();
    let written = builtin
        .completer(name)
        .map(|shell| shell.write_registration(VARIABLE, "haengine", "haengine", "haengine", &mut script));
    if !matches!(written, Some(Ok(()))) {
        let error = Error::new(Kind::Local, "completions.unknown", format!("there is no script for `{name}`"));
        return context.refuse(&error);
    }
    Out::stdout().write(&String::from_utf8_lossy(&script));
    Exit::Done
}
