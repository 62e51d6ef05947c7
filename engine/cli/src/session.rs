//! One command that reaches hosts: its reporter, its questions, its secrets, and how it ends.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::{Error, ErrorRecord, Kind};
use haengine_kernel::event::{Event, Events, Totals};
use haengine_kernel::run::Run;
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
pub fn conduct(context: &Context, work: impl AsyncFnOnce(&Session) -> Result<Exit, Fault>) -> Exit {
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
    let exit = runtime.block_on(async {
        let watched = interrupt::watch(cancel, screen).map_err(Fault::from);
        let done = match watched {
            Ok(()) => work(&session).await,
            Err(fault) => Err(fault),
        };
        done.unwrap_or_else(|fault| session.refuse(&fault))
    });
    drop(session);
    // A reporter that panicked has said so; the exit code is what is left to tell.
    let _ = thread.join();
    runtime.shutdown_background();
    exit
}

impl Session {
    /// A run, a plan or an undo begins.
    pub fn begin(&self, run: &str, command: &str, recipe: &str) {
        // A session has one run.
        let _ = self.run.set(run.to_owned());
        let (run, command, recipe) = (run.to_owned(), command.to_owned(), recipe.to_owned());
        self.events.send(Event::RunStarted { run, command, recipe });
    }

    /// Several runs follow each other: what they tell is drawn until [`ends`](Session::ends).
    pub fn goes_on(&self) {
        self.goes_on.store(true, Ordering::Relaxed);
    }

    /// The next run that finishes is the last.
    pub fn ends(&self) {
        self.goes_on.store(false, Ordering::Relaxed);
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

    /// Ends a run as its result says.
    pub async fn finish(&self, run: &Run, result: Result<(), Fault>) -> (Exit, Totals) {
        let exit = match &result {
            Ok(()) if run.leaves() => Exit::Remains,
            Ok(()) => Exit::Done,
            Err(fault) => {
                self.tell(fault);
                Exit::of(fault.error().kind(), run.has_touched())
            }
        };
        (exit, run.finish(exit.outcome()).await)
    }

    /// Ends before anything was begun.
    fn refuse(&self, fault: &Fault) -> Exit {
        self.tell(fault);
        self.end(Exit::of(fault.error().kind(), false))
    }

    fn end(&self, exit: Exit) -> Exit {
        self.ends();
        let run = self.run.get().cloned().unwrap_or_default();
        self.events.send(Event::RunFinished(Totals { run, outcome: exit.outcome().to_owned(), ..Totals::default() }));
        exit
    }

    /// Ends because of what is wrong with the recipe, before anything was begun.
    pub fn refuse_findings(&self, findings: &[Finding]) -> Exit {
        self.tell_findings(findings);
        self.end(Exit::Refused)
    }

    /// Tells what is wrong with the recipe.
    pub fn tell_findings(&self, findings: &[Finding]) {
        for finding in findings {
            self.draw(draw(finding, self.paint));
            let place = finding.spot.iter().map(|spot| format!("at {spot}"));
            let (code, hint) = (finding.code.to_owned(), finding.hint.clone());
            let causes = finding.notes.iter().cloned().chain(place).collect();
            let error = ErrorRecord { kind: Kind::Usage, code, message: finding.message.clone(), hint, causes };
            self.events.send(Event::Error { host: None, error });
        }
    }

    fn draw(&self, drawing: String) {
        match self.json {
            true => Out::stderr().write(&drawing),
            false => self.drawings.push(drawing),
        }
    }

    /// Tells an error; an interrupt is none.
    pub fn tell(&self, fault: &Fault) {
        let error = fault.error();
        if error.kind() == Kind::Cancelled {
            return;
        }
        self.draw(failure::draw_fault(fault, self.paint));
        let mut record = ErrorRecord::from(error);
        // A program reads no drawing; the places stand among the causes.
        record.causes.extend(fault.stack().iter().map(|spot| format!("at {spot}")));
        self.events.send(Event::Error { host: error.host().map(str::to_owned), error: record });
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
