//! One command that reaches hosts: its reporter, its questions, its secrets, and how it ends.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::{Error, Kind};
use haengine_kernel::event::{Event, Events, Totals};
use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::secret::Secret;
use haengine_runs::{Person, Refusal, person};
use haengine_script::{Fault, Finding};
use tokio::runtime::Runtime;

use crate::context::Context;
use crate::exit::Exit;
use crate::interrupt;
use crate::report::failure::{self, Drawings};
use crate::report::finding::draw;
use crate::report::human::Look;
use crate::report::{self, Human, Inbox, Json, Out, Paint, Reporter, Screen};
use crate::secrets::Secrets;
use crate::terminal::Terminal;

/// What a command that reaches hosts works with.
pub struct Session {
    /// Where it tells what happens.
    pub events: Events,
    /// Set when the operator interrupts.
    pub cancel: Cancel,
    /// Where it asks.
    pub terminal: Arc<Terminal>,
    /// Where it finds secrets.
    pub secrets: Arc<Secrets>,
    drawings: Drawings,
    paint: Paint,
    /// Events are written as JSON, and errors for a person beside them.
    json: bool,
    /// The run, once it has begun.
    run: OnceLock<String>,
    /// The end of a run is not the end of all.
    goes_on: Arc<AtomicBool>,
}

/// Conducts `work` with a runtime, a reporter and a watch for interrupts. Whatever happens, the reporter has the last word.
pub fn conduct(context: &Context, work: impl AsyncFnOnce(&Arc<Session>) -> Result<Exit, Refusal>) -> Exit {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return context.refuse(&error),
    };
    let (events, received) = Events::channel();
    let (desk, errands) = tokio::sync::mpsc::unbounded_channel();
    let (cancel, drawings, screen) = (Cancel::new(), Drawings::default(), screen(context));
    let goes_on = Arc::new(AtomicBool::new(false));
    let reporter = reporter(context, &screen, &drawings);
    let thread = match start(reporter, Inbox { events: received, errands, goes_on: goes_on.clone() }, &runtime) {
        Ok(thread) => thread,
        Err(error) => return context.refuse(&error),
    };
    let yes = context.global.yes;
    let terminal = Arc::new(Terminal::new(yes, context.error_paint, screen.clone(), cancel.clone(), desk));
    let secrets = Arc::new(Secrets::new(terminal.clone(), context.environment.age_identity.clone()));
    let (paint, json, run) = (context.error_paint, context.global.json, OnceLock::new());
    let session = Session { events, cancel: cancel.clone(), terminal, secrets, drawings, paint, json, run, goes_on };
    let session = Arc::new(session);
    let exit = runtime.block_on(async {
        let watched = interrupt::watch(cancel, screen).map_err(Refusal::from);
        let done = match watched {
            Ok(()) => work(&session).await,
            Err(refusal) => Err(refusal),
        };
        done.unwrap_or_else(|refusal| session.refuse(&refusal))
    });
    drop(session);
    // A reporter that panicked has said so; the exit code is what is left to tell.
    let _ = thread.join();
    runtime.shutdown_background();
    exit
}

impl Session {
    /// Several runs follow each other: what they tell is drawn until [`ends`](Session::ends).
    pub fn goes_on(&self) {
        self.goes_on.store(true, Ordering::Relaxed);
    }

    /// The next run that finishes is the last.
    pub fn ends(&self) {
        if self.goes_on.load(Ordering::Relaxed) {
            // The ends of those before it are drawn first: none of them shall be taken for the last.
            let _ = self.terminal.in_turn(|| ());
            self.goes_on.store(false, Ordering::Relaxed);
        }
    }

    /// Words for a person, once all that happened before is drawn.
    pub fn say(&self, text: String) {
        let mut out = if self.json { Out::stderr() } else { Out::stdout() };
        // Where nobody draws any more, nobody reads.
        let _ = self.terminal.at_screen(move || out.write(&text));
    }

    /// A line of JSON for a program, in its turn.
    pub fn record(&self, line: String) {
        let _ = self.terminal.in_turn(move || Out::stdout().write(&line));
    }

    /// Tells an error before anything else is said; the exit code that it has.
    pub fn told(&self, fault: &Fault, touched: bool) -> Exit {
        self.tell(fault);
        self.say(String::new());
        Exit::of(fault.error().kind(), touched)
    }

    /// Tells why something was not begun; the exit code that it has.
    pub fn refused(&self, refusal: &Refusal) -> Exit {
        match refusal {
            Refusal::Fault(fault) => {
                self.tell(fault);
                Exit::of(fault.error().kind(), false)
            }
            Refusal::Findings(findings) => {
                self.tell_findings(findings);
                Exit::Refused
            }
        }
    }

    /// Ends before anything was begun.
    fn refuse(&self, refusal: &Refusal) -> Exit {
        let exit = self.refused(refusal);
        self.ends();
        let run = self.run.get().cloned().unwrap_or_default();
        self.events.send(Event::RunFinished(Totals { run, outcome: exit.outcome().to_owned(), ..Totals::default() }));
        exit
    }

    fn draw(&self, mut drawing: String) {
        self.events.known().hide_in(&mut drawing);
        match self.json {
            true => Out::stderr().write(&drawing),
            false => self.drawings.push(drawing),
        }
    }
}

impl Person for Session {
    fn asks(&self) -> bool {
        self.terminal.asks()
    }

    fn confirm(&self, question: &str) -> Result<bool, Error> {
        self.terminal.confirm(question)
    }

    fn secret(&self, reference: &SecretRef) -> Result<Secret, Error> {
        self.secrets.resolve(reference)
    }

    fn events(&self) -> &Events {
        &self.events
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn begin(&self, run: &str, command: &str, recipe: &str) {
        // A session has one run.
        let _ = self.run.set(run.to_owned());
        let (run, command, recipe) = (run.to_owned(), command.to_owned(), recipe.to_owned());
        self.events.send(Event::RunStarted { run, command, recipe });
    }

    fn tell(&self, fault: &Fault) {
        if fault.error().kind() != Kind::Cancelled {
            self.draw(failure::draw_fault(fault, self.paint));
            self.events.send(person::failure(fault));
        }
    }

    fn tell_findings(&self, findings: &[Finding]) {
        for finding in findings {
            self.draw(draw(finding, self.paint));
            self.events.send(person::wrong(finding));
        }
    }
}

/// Two threads are enough: what a run does is wait. More would only cost its start.
fn runtime() -> Result<Runtime, Error> {
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 4));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Local, "session.runtime", "cannot start the threads of a run").because(error))
}

fn start(reporter: Box<dyn Reporter>, inbox: Inbox, runtime: &Runtime) -> Result<std::thread::JoinHandle<()>, Error> {
    report::start(reporter, inbox, runtime.handle())
        .map_err(|error| Error::new(Kind::Local, "session.thread", "cannot start the reporter's thread").because(error))
}

/// Progress is drawn where a person sees lines and progress on one terminal.
fn screen(context: &Context) -> Screen {
    let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    if terminal && !context.global.json && !context.environment.dumb { Screen::live() } else { Screen::still() }
}

fn reporter(context: &Context, screen: &Screen, drawings: &Drawings) -> Box<dyn Reporter> {
    if context.global.json {
        return Box::new(Json::new(Out::stdout()));
    }
    let look = Look { out: context.paint, errors: context.error_paint, verbose: context.global.verbose > 0 };
    Box::new(Human::new(Out::stdout(), Out::stderr(), look, screen.clone(), drawings.clone()))
}
