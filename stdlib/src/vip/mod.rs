//! An address that moves between hosts.
//!
//! | file | what |
//! |---|---|
//! | holder, free, vrrp_listen, probe, watch, handover | the verbs |
//! | reach | how an attempt to connect ended |
//! | request | one request of a client that checks the certificate |
//! | outage | what a series of requests says of the time without service |

mod free;
mod handover;
mod holder;
mod outage;
mod probe;
mod reach;
mod request;
mod vrrp_listen;
mod watch;

use haengine_kernel::module::Module;

pub use free::Free;
pub use handover::Handover;
pub use holder::Holder;
pub use probe::Probe;
pub use vrrp_listen::VrrpListen;
pub use watch::Watch;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("vip", ABOUT)
        .read::<Holder>()
        .read::<Free>()
        .read::<VrrpListen>()
        .read::<Probe>()
        .read::<Watch>()
        .action::<Handover>()
}

const ABOUT: &str = "An address that moves between hosts: who has it, whether it is free, and how clients fare.

Addresses are of IPv4. Connections start at the hosts themselves, through sshd, so no host needs a program for them.";
