//! A line, its answer, the next line.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use haengine_kernel::error::{Error, Kind};
use haengine_kernel::harmless::one_line;
use haengine_kernel::inventory::{Inventory, Named};
use haengine_runs::Person;
use haengine_script::session::{Answer, Reloaded};
use haengine_script::{Fault, Repl};

use crate::cmd::repl::command::{COMMANDS, Command, QUIT, REPAIRS, parse};
use crate::cmd::repl::input::{Read, Seat};
use crate::cmd::repl::{answer, save};
use crate::cmd::{doc, runs};
use crate::context::Context;
use crate::exit::Exit;
use crate::report::lines::seconds;
use crate::report::{json, table};
use crate::session::Session;

/// The conversation of a session.
pub struct Talk<'a> {
    context: &'a Context,
    session: &'a Session,
    repl: Arc<Mutex<Repl>>,
    /// A step has failed: there is more that can be done.
    repairs: bool,
    /// The hosts and groups on which `!` works; all hosts where none is named.
    chosen: Vec<String>,
}

/// Why the conversation stops, for a while or for good.
pub enum Left {
    /// Nothing more is to be said.
    Ended(Exit),
    /// Lines shall only show what they would change, or not any more.
    Plan(bool),
    /// What was changed shall be taken back.
    Undo,
    /// The step that failed shall be called again.
    Retry,
    /// The step that failed shall be passed over.
    Skip,
    /// An interrupt ended a line, or came between two.
    Interrupted,
}

impl<'a> Talk<'a> {
    /// A conversation about nothing but the hosts.
    pub fn new(context: &'a Context, session: &'a Session, repl: Arc<Mutex<Repl>>) -> Talk<'a> {
        Talk { context, session, repl, repairs: false, chosen: Vec::new() }
    }

    /// A conversation about a step that failed.
    pub fn repairing(context: &'a Context, session: &'a Session, repl: Arc<Mutex<Repl>>) -> Talk<'a> {
        Talk { repairs: true, ..Talk::new(context, session, repl) }
    }

    /// Reads and answers lines until something else is to be done.
    ///
    /// # Errors
    /// When lines cannot be read.
    pub fn until_left(&mut self, seat: &mut Seat) -> Result<Left, Error> {
        loop {
            let line = match seat.read(self.session, self.prompt())? {
                Read::Line(line) => line,
                Read::Nothing => continue,
                Read::Interrupted => return Ok(Left::Interrupted),
                Read::End => return Ok(Left::Ended(Exit::Done)),
            };
            match self.answer(line.trim()) {
                Ok(None) => {}
                Ok(Some(left)) => return Ok(left),
                Err(fault) if fault.error().kind() == Kind::Cancelled => return Ok(Left::Interrupted),
                Err(fault) => {
                    let exit = self.session.told(&fault, self.repl().run().has_touched());
                    if !seat.person {
                        return Ok(Left::Ended(exit));
                    }
                }
            }
        }
    }

    fn repl(&self) -> MutexGuard<'_, Repl> {
        self.repl.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prompt(&self) -> String {
        match (self.repairs, self.repl().run().is_plan()) {
            (true, _) => "repair".to_owned(),
            (false, true) => "plan".to_owned(),
            (false, false) => String::new(),
        }
    }

    fn answer(&mut self, line: &str) -> Result<Option<Left>, Fault> {
        match parse(line) {
            Some(command) => self.obey(command?),
            None => {
                self.reload();
                if !line.is_empty() {
                    let answer = self.repl().evaluate(line)?;
                    self.show(&answer);
                }
                Ok(None)
            }
        }
    }

    fn obey(&mut self, command: Command) -> Result<Option<Left>, Fault> {
        match command {
            Command::Plan(_) | Command::Undo | Command::Quit | Command::Retry | Command::Skip => {
                return self.leave(command).map(Some);
            }
            Command::Help => self.session.say(self.help()),
            Command::Doc(name) => self.session.say(doc::explain(self.repl().library(), &name, self.context.paint)?),
            Command::Hosts(names) => self.hosts(names)?,
            Command::Runs => self.session.say(runs::listing(self.context)?),
            Command::Time(line) => {
                let since = Instant::now();
                self.reload();
                let answer = self.repl().evaluate(&line)?;
                let took = seconds(since.elapsed().as_secs_f64());
                self.show(&answer);
                self.session.say(format!("{}\n", self.context.paint.dim(&format!("took {took}"))));
            }
            Command::Save(file) => {
                let saved = save::save(&self.repl(), &file)?;
                self.session.say(saved);
            }
            Command::Load(file) => self.load(&file)?,
            Command::Reload => {
                if !self.reload() {
                    self.session.say("nothing has changed\n".to_owned());
                }
            }
            Command::Everywhere(command) => {
                let line = answer::everywhere(&self.hosts_of_commands(), &command);
                let given = self.repl().aside(&line)?;
                self.session.say(answer::grouped(&given, self.context.paint));
            }
        }
        Ok(None)
    }

    /// What somebody else does.
    fn leave(&self, command: Command) -> Result<Left, Fault> {
        let only = |word: &str| {
            let error =
                Error::new(Kind::Usage, "repl.command", format!("no step has failed that `{word}` could take up"));
            Fault::from(error.hint("write `:help` for what can be done here"))
        };
        match command {
            Command::Retry if self.repairs => Ok(Left::Retry),
            Command::Retry => Err(only(":retry")),
            Command::Skip if self.repairs => Ok(Left::Skip),
            Command::Skip => Err(only(":skip")),
            Command::Undo => Ok(Left::Undo),
            Command::Plan(_) if self.repairs => {
                let error = Error::new(Kind::Usage, "repl.command", "a run that goes on is no plan");
                Err(error.hint("look with `haengine plan` what an edited recipe would change").into())
            }
            Command::Plan(plan) => Ok(Left::Plan(plan)),
            _ => Ok(Left::Ended(Exit::Done)),
        }
    }

    fn help(&self) -> String {
        let all = COMMANDS.iter().chain(if self.repairs { &REPAIRS[..] } else { &[] }).chain([&QUIT]);
        let paint = self.context.paint;
        all.map(|(shape, about)| format!("  {}  {about}\n", paint.cyan(&format!("{shape:14}")))).collect()
    }

    fn show(&self, answer: &Answer) {
        if self.context.global.json {
            if let Some(value) = answer::value(answer) {
                self.session.record(json::record("answer", &value));
            }
        } else {
            self.session.say(answer::draw(answer, self.context.paint));
        }
    }

    /// Says what was read again; true when anything was.
    fn reload(&self) -> bool {
        match self.repl().reload() {
            None => return false,
            Some(Reloaded::Files(files)) => {
                let names = if files.is_empty() { "imports".to_owned() } else { files.join(", ") };
                self.session.say(format!("{}\n", self.context.paint.yellow(&format!("reloaded {names}"))));
            }
            Some(Reloaded::Broken(fault)) => {
                self.session.tell(&fault);
                self.session.say("the last good version is still in use\n".to_owned());
            }
        }
        true
    }

    fn hosts(&mut self, names: Vec<String>) -> Result<(), Fault> {
        let inventory = self.repl().run().hosts().inventory().clone();
        for name in &names {
            inventory.resolve(name)?;
        }
        if names.is_empty() {
            self.session.say(hosts(&inventory, &self.chosen));
        } else {
            self.chosen = names;
            self.session.say(format!("`!` works on {}\n", self.chosen.join(", ")));
        }
        Ok(())
    }

    /// The names of the hosts on which `!` works.
    fn hosts_of_commands(&self) -> Vec<String> {
        let inventory = self.repl().run().hosts().inventory().clone();
        if self.chosen.is_empty() {
            return inventory.hosts.iter().map(|host| host.name.clone()).collect();
        }
        let mut names = Vec::new();
        for name in &self.chosen {
            let hosts = match inventory.resolve(name) {
                Ok(Named::Host(host)) => vec![host],
                Ok(Named::Group(hosts)) => hosts,
                // They were looked up when they were chosen.
                Err(_) => Vec::new(),
            };
            names.extend(hosts.into_iter().map(|host| host.name.clone()));
        }
        names.dedup();
        names
    }

    /// Imports a recipe under its own name.
    fn load(&self, file: &str) -> Result<(), Fault> {
        let stem = std::path::Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or(file);
        let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let path = file.strip_suffix(".rhai").unwrap_or(file);
        self.repl().evaluate(&format!("import {path:?} as {name}"))?;
        self.session.say(format!("loaded: its functions are `{name}::…`\n"));
        Ok(())
    }
}

fn hosts(inventory: &Inventory, chosen: &[String]) -> String {
    let variable = |name: &str| if rhai_name(name) { name.to_owned() } else { format!("host({name:?})") };
    let hosts = inventory.hosts.iter().map(|host| [variable(&host.name), host.address.clone(), "host".to_owned()]);
    let groups = inventory.groups.iter().map(|(name, hosts)| {
        let variable = if rhai_name(name) { name.clone() } else { format!("group({name:?})") };
        [variable, hosts.join(", "), "group".to_owned()]
    });
    let table = table::table(["NAME", "WHERE", "WHAT"], hosts.chain(groups));
    let chosen = if chosen.is_empty() { "all hosts".to_owned() } else { chosen.join(", ") };
    format!("{table}`!` works on {}\n", one_line(&chosen))
}

fn rhai_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit())
}
