//! What a change is: hosts, ops, the journal, runs and their undo.
//!
//! The kernel knows no script language, no SSH and no Kubernetes. A front end hands it an
//! [`inventory::Inventory`] and a way to [`transport::Connect`]; a script asks a [`run::Run`] to
//! ensure ops on hosts; everything that happens is an [`event::Event`].
//!
//! | file | what |
//! |---|---|
//! | [`op`], [`action`], [`read`] | what a verb promises, by sort |
//! | [`verb`], [`module`], [`registry`] | verbs of all sorts behind one interface, and their names |
//! | [`signature`], [`arguments`], [`reach`], [`value`], [`text`], [`shape`], [`review`] | a call and what passes through it |
//! | [`run`], [`uses`] | observe, plan, journal, apply; undo |
//! | [`journal`], [`durable`] | what a run did, on disk before the wire is touched |
//! | [`overlay`] | what a plan would have changed so far |
//! | [`host`], [`transport`], [`patience`], [`inventory`], [`lock`], [`identity`], [`keep`], [`remnant`] | the other end |
//! | [`event`], [`error`], [`diff`], [`harmless`], [`secret`], [`redact`], [`quote`], [`waits`] | what is told, and what is not |
//! | [`cancel`], [`steady`] | how it is interrupted, and what breaks off in a verb |

pub mod action;
pub mod arguments;
pub mod cancel;
pub mod diff;
pub mod durable;
pub mod error;
pub mod event;
#[cfg(test)]
mod fake;
pub mod guard;
pub mod harmless;
pub mod host;
pub mod identity;
pub mod inventory;
pub mod journal;
pub mod keep;
pub mod lock;
pub mod module;
pub mod op;
pub mod overlay;
pub mod patience;
pub mod quote;
pub mod reach;
pub mod read;
pub mod redact;
pub mod registry;
pub mod remnant;
pub mod review;
pub mod run;
pub mod secret;
pub mod shape;
pub mod signature;
pub mod steady;
pub mod text;
pub mod transport;
pub mod uses;
pub mod value;
pub mod verb;
pub mod waits;
