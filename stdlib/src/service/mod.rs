//! Units of systemd: services, and sockets, timers, mounts and paths just as well.
//!
//! | file | what |
//! |---|---|
//! | running, stopped, enabled | the verbs |
//! | unit | what a host says of a unit, in one round trip |
//! | name | how units are called |
//! | planned | what later calls of a plan see of it |
//! | owned | what a unit wrote, and how that is moved aside |
//! | pods | what a kubelet started and does not end itself |
//! | stamp | which files a unit was last started with |
//! | enablement | whether a unit starts at boot, and how that is put back |
//! | stopping | how long a unit takes to stop |
//! | failure | why a unit did not do as it was told |
//! | vigil | whether a node's units stay up while something is waited for |

mod enabled;
mod enablement;
mod failure;
mod name;
mod owned;
mod planned;
mod pods;
mod running;
mod stamp;
mod stopped;
mod stopping;
mod unit;
mod vigil;

use haengine_kernel::module::Module;

pub use enabled::Enabled;
pub use planned::{Activity, PlannedEnablement};
pub use running::Running;
pub use stopped::Stopped;
pub use unit::Unit;
pub use vigil::vigil;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("service", ABOUT).op::<Running>().op::<Stopped>().op::<Enabled>()
}

const ABOUT: &str = "Units of systemd: what runs, what is stopped, what starts at boot.

A unit without a suffix is a service: `\"nginx\"` is `nginx.service`. Sockets, timers and instances of templates \
(`\"etcd@blue\"`) are named in full where they are no services. A list of units is one change for each.";
