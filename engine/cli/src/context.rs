//! What every command works with: the words of the command line, the environment, and where output goes.

use std::io::IsTerminal;

use haengine_kernel::error::{Error, ErrorRecord, Result};
use haengine_kernel::event::{Event, Stamped};
use haengine_kernel::harmless::harmless;
use haengine_kernel::inventory::Inventory;
use haengine_kernel::journal::Store;
use haengine_script::Fault;

use crate::environment::Environment;
use crate::exit::Exit;
use crate::options::Global;
use crate::report::{Out, Paint, failure, json};
use crate::state;

/// One invocation.
pub struct Context {
    /// The options that every command takes.
    pub global: Global,
    /// The operator's environment.
    pub environment: Environment,
    /// Colours of standard output.
    pub paint: Paint,
    /// Colours of standard error.
    pub error_paint: Paint,
}

impl Context {
    /// The context of this process.
    pub fn new(global: Global) -> Context {
        let environment = Environment::read();
        let paint = Paint::new(std::io::stdout().is_terminal(), &environment);
        let error_paint = Paint::new(std::io::stderr().is_terminal(), &environment);
        Context { global, environment, paint, error_paint }
    }

    /// The operator's runs.
    ///
    /// # Errors
    /// When the state folder is not known or cannot be made.
    pub fn store(&self) -> Result<Store> {
        state::store(self.global.state_dir.as_deref(), &self.environment)
    }

    /// The inventory that `-i` names; an empty one where it names none.
    ///
    /// # Errors
    /// When a file cannot be read or is wrong.
    pub fn inventory(&self) -> Result<Inventory> {
        match self.global.inventory.as_slice() {
            [] => Ok(Inventory::default()),
            files => Inventory::load(files, self.environment.home.as_deref()),
        }
    }

    /// Writes what a command has to say: `text` for a person, one object a line for a program.
    pub fn tell<T: serde::Serialize>(&self, name: &str, records: &[T], text: impl FnOnce() -> String) {
        if self.global.json {
            let lines: String = records.iter().map(|record| json::record(name, record)).collect();
            Out::stdout().write(&lines);
        } else {
            Out::stdout().write(&text());
        }
    }

    /// Tells what the operator should know, beside the output.
    pub fn warn(&self, text: &str) {
        Out::stderr().write(&format!("{} {}\n", self.error_paint.yellow("warning:"), harmless(text)));
    }

    /// Tells why nothing is done: to a person, and with `--json` to a program too.
    pub fn refuse(&self, error: &Error) -> Exit {
        self.refuse_as(error, Vec::new(), &failure::draw(error, self.error_paint))
    }

    /// The same for an error of a recipe, which is drawn with its place.
    pub fn refuse_fault(&self, fault: &Fault) -> Exit {
        let places = fault.stack().iter().map(|spot| format!("at {spot}")).collect();
        self.refuse_as(fault.error(), places, &failure::draw_fault(fault, self.error_paint))
    }

    fn refuse_as(&self, error: &Error, places: Vec<String>, drawing: &str) -> Exit {
        if self.global.json {
            Out::stdout().write(&error_line(error, places));
        }
        Out::stderr().write(drawing);
        Exit::of(error.kind(), false)
    }
}

/// An error as a line of JSON; its places in a recipe stand among the causes.
pub fn error_line(error: &Error, places: Vec<String>) -> String {
    let mut record = ErrorRecord::from(error);
    record.causes.extend(places);
    let event = Event::Error { host: error.host().map(str::to_owned), error: record };
    json::line(&Stamped { event, time: jiff::Timestamp::now() })
}
