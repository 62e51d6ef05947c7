//! A unit with its environment and its command lines, as systemd would run them.

use haengine_kernel::error::Result;

use super::environment::Environment;
use super::expansion::expanded;
use super::specifier::{Named, resolved};
use super::traced::Files;
use super::unit::Unit;
use super::words::{Command, Word, commands};

/// The settings that hold command lines.
const COMMANDS: [&str; 7] =
    ["ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"];

/// A command line of a service.
#[derive(Clone, Debug)]
pub struct Line {
    /// The setting that holds it, like `ExecStart`.
    pub setting: &'static str,
    /// What stands before the path: any of `-@:+!`.
    pub prefix: String,
    /// The path and the arguments, with variables put in.
    pub words: Vec<Word>,
}

/// A unit as systemd would run it.
#[derive(Clone, Debug)]
pub struct Service {
    /// The unit's name, with `.service`.
    pub name: String,
    /// The files that it is read from: its own and its drop-ins.
    pub paths: Vec<String>,
    /// Its variables.
    pub environment: Environment,
    /// Its command lines.
    pub commands: Vec<Line>,
}

impl Service {
    /// Reads a service from its unit's file and its drop-ins, which are named in systemd's order; the files of
    /// variables must be among `files`, too. `hostname` is what `%H` stands for.
    ///
    /// ```
    /// use haengine_stdlib::node::{service::Service, traced::Files};
    /// let mut files = Files::default();
    /// let unit = "[Service]\nEnvironmentFile=-/etc/default/kubelet\nExecStart=/usr/bin/kubelet $OPTIONS\n";
    /// files.add("/etc/systemd/system/kubelet.service", unit);
    /// files.add("/etc/default/kubelet", "OPTIONS=\"--node-ip=192.0.2.1 --v=2\"\n");
    /// let service = Service::read(&files, "kubelet.service", &["/etc/systemd/system/kubelet.service"], None).unwrap();
    /// assert_eq!(service.commands[0].words[1].text(), "--node-ip=192.0.2.1");
    /// ```
    ///
    /// # Errors
    /// A refusal that names file and line where systemd would not start the service, or what it does cannot be told.
    pub fn read(files: &Files, name: &str, paths: &[&str], hostname: Option<&str>) -> Result<Service> {
        let unit = Unit::read(files, name, paths)?;
        let named = Named { unit: name, hostname };
        let environment = Environment::read(files, &unit, named)?;
        let mut lines = Vec::new();
        for setting in COMMANDS {
            for directive in unit.list(setting) {
                for command in commands(files, &directive.value)? {
                    lines.push(line(files, setting, command, &environment, named)?);
                }
            }
        }
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        Ok(Service { name: name.to_owned(), paths, environment, commands: lines })
    }
}

fn line(
    files: &Files,
    setting: &'static str,
    command: Command,
    environment: &Environment,
    named: Named<'_>,
) -> Result<Line> {
    let mut words = Vec::new();
    for word in command.words {
        words.push(Word { letters: resolved(files, &word.letters, named)?, place: word.place });
    }
    if !is_path(&words[0].text()) {
        let message = format!("`{}` is no path of a program", words[0].text());
        return Err(files.refused("node.command", words[0].place, &message));
    }
    // `:` before the path keeps variables as they are written.
    let words = if command.prefix.contains(':') { words } else { expanded(files, &words, environment)? };
    Ok(Line { setting, prefix: command.prefix, words })
}

/// Whether systemd takes this for a program: an absolute path, or a name that it looks for.
fn is_path(path: &str) -> bool {
    let is_name = !path.contains('/') || path.starts_with('/') && !path.ends_with('/');
    is_name && !path.is_empty() && !path.contains(|char: char| char.is_control() || "\"'\\".contains(char))
}
