//! The life of a run: prepared, attempted, gone on with, repaired, taken back, forgotten.
//!
//! It prints nothing, reads no environment and knows no module by name. A program hands in what runs are made with, a
//! [`Workshop`], and speaks for the [`Person`] who is asked and told.
//!
//! | file | what |
//! |---|---|
//! | [`person`] | who is asked, told, and may interrupt |
//! | [`workshop`], [`runs`] | what runs are made with, and where they are kept |
//! | [`prepare`] | everything that can be known before any host is touched |
//! | [`plan`] | the same recipe without writes |
//! | `begin`, [`end`] | how every run begins, and how it ends |
//! | `attempt`, `run` | one execution of a recipe; a new run |
//! | [`unfinished`], `refuse`, `resume` | a run that has not come to its end, and whether and how it goes on |
//! | [`repairer`], `repair`, `decide` | a step that fails, who looks at it, and the run that goes on where it stands |
//! | [`undo`], `forget` | every host as it was; what is kept for that, given up |
//! | [`room`] | the runs that the lines of a session are part of |
//! | [`keep`] | what a run keeps in its folder beside the journal |
//! | [`count`] | so many changes, in words |
//!
//! A program of one's own that runs a recipe:
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use haengine_kernel::cancel::Cancel;
//! use haengine_kernel::error::{Error, Kind, Result};
//! use haengine_kernel::event::Events;
//! use haengine_kernel::inventory::SecretRef;
//! use haengine_kernel::journal::Store;
//! use haengine_kernel::secret::Secret;
//! use haengine_runs::{End, Person, Refusal, Runs, Workshop};
//! use haengine_script::Sources;
//! use haengine_stdlib::ssh::client::{Options, SshConnector};
//!
//! /// Nobody is asked, and nobody has to agree.
//! struct Nobody {
//!     events: Events,
//!     cancel: Cancel,
//! }
//!
//! impl Person for Nobody {
//!     fn confirm(&self, _question: &str) -> Result<bool> {
//!         Ok(true)
//!     }
//!
//!     fn secret(&self, _reference: &SecretRef) -> Result<Secret> {
//!         Err(Error::new(Kind::Usage, "secret.none", "this program has no secrets"))
//!     }
//!
//!     fn events(&self) -> &Events {
//!         &self.events
//!     }
//!
//!     fn cancel(&self) -> &Cancel {
//!         &self.cancel
//!     }
//! }
//!
//! # async fn program() -> std::result::Result<(), Refusal> {
//! let (events, mut told) = Events::channel();
//! let person = Arc::new(Nobody { events, cancel: Cancel::new() });
//! let sources = Sources { folders: vec!["scripts".into()], ..Sources::default() };
//! let workshop = Workshop {
//!     inventory: vec!["site.yaml".into()],
//!     ..Workshop::new(person, haengine_stdlib::modules, sources, |inventory, secrets| {
//!         let options = Options { agent_socket: None, spool: "/var/tmp".into(), notices: Arc::new(|_| {}) };
//!         Arc::new(SshConnector::new(inventory, secrets, options))
//!     })
//! };
//! let hosts = ("hosts".to_owned(), "masters".to_owned());
//! let prepared = workshop.prepare("time_sync", &[hosts])?;
//! let runs = Runs::new(&workshop, Store::open(Path::new("state"))?);
//! let end = runs.run(prepared, None).await?;
//! assert_eq!(end, End::Done);
//! while let Ok(happened) = told.try_recv() {
//!     println!("{:?}", happened.event);
//! }
//! # Ok(())
//! # }
//! ```

mod attempt;
mod begin;
mod decide;
mod forget;
mod refuse;
mod repair;
mod resume;
mod run;

pub mod count;
pub mod end;
pub mod keep;
pub mod person;
pub mod plan;
pub mod prepare;
pub mod repairer;
pub mod room;
pub mod runs;
pub mod undo;
pub mod unfinished;
pub mod workshop;

pub use end::End;
pub use person::Person;
pub use prepare::{Prepared, Refusal};
pub use repairer::{Repairer, Wish};
pub use room::Room;
pub use runs::Runs;
pub use workshop::Workshop;
