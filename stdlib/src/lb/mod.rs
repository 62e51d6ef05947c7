//! Balancers before a cluster's API, and the address that moves between their hosts.
//!
//! | file | what |
//! |---|---|
//! | nginx, haproxy, keepalived, backends | the verbs |
//! | listener | a port, and what is behind it |
//! | program | a configuration and the unit that runs with it: one change, of which the verbs are sorts |
//! | configured | what a configuration has as listeners and backends |

mod backends;
pub(crate) mod configured;
mod haproxy;
mod keepalived;
mod listener;
mod nginx;
mod program;

use haengine_kernel::module::Module;

pub use backends::Backends;

/// `lb::nginx`.
pub type Nginx = program::Program<nginx::Nginx>;
/// `lb::haproxy`.
pub type Haproxy = program::Program<haproxy::Haproxy>;
/// `lb::keepalived`.
pub type Keepalived = program::Program<keepalived::Keepalived>;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("lb", ABOUT).op::<Nginx>().op::<Haproxy>().op::<Keepalived>().read::<Backends>()
}

const ABOUT: &str = "Balancers before a cluster's API, and the address that moves between their hosts.

A configuration is made from a template; a file of that name beside the recipe wins over haengine's own. The program's own \
test must accept it before it takes its place. Then the unit is reloaded, which keeps its connections; it is never \
restarted. Whether it was reloaded with the file that is there is remembered as `service::running` does, so that a run \
that breaks off in between loses nothing.

Ask `k8s::ready` before you add a backend: a balancer sends clients to it at once.";
