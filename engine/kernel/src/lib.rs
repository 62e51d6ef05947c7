//! What a change is: hosts, ops, the journal, runs and their undo.
//!
//! The kernel knows no script language, no SSH and no Kubernetes. A front end hands it an
//! [`inventory::Inventory`] and a way to [`transport::Connect`]; a script asks a [`run::Run`] to
//! ensure ops on hosts; everything that happens is an [`event::Event`].

pub mod error;
pub mod inventory;
pub mod secret;
pub mod transport;
pub mod value;
