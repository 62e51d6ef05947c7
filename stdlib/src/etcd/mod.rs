//! What a cluster of etcd says of itself.
//!
//! | file | what |
//! |---|---|
//! | health, members, metrics | the verbs |
//! | ask | how members are asked: endpoints, certificates, and the program that asks |
//! | answer | what they answered, whichever program asked |
//! | histogram | what their measurements tell |

mod answer;
mod ask;
mod health;
mod histogram;
mod members;
mod metrics;

use haengine_kernel::module::Module;

pub use health::Health;
pub use members::Members;
pub use metrics::Metrics;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("etcd", ABOUT).read::<Health>().read::<Members>().read::<Metrics>()
}

const ABOUT: &str = "Clusters of etcd, asked from the hosts themselves.

A host asks with its own `etcdctl` (in its `PATH`, `/opt/etcd/bin`, `/usr/local/bin` or `/usr/bin`; version 3.4 or newer), or \
with `curl` where it has none. A host with neither is refused.

Certificates are paths on that host. Without them the first complete set is taken of: `ca.pem`, `server.pem` and \
`server-key.pem` in `/opt/etcd/ssl`; the same, or `ca.pem`, `etcd.pem` and `etcd-key.pem`, in `/etc/etcd/ssl`; `ca.crt` with \
`healthcheck-client.crt` or `server.crt` and its key in `/etc/kubernetes/pki/etcd`. None is needed for `http://`.";
