//! Clusters of etcd: what they say of themselves, and what is done with them.
//!
//! | file | what |
//! |---|---|
//! | health, members, alarms, metrics | the verbs that ask |
//! | add_member, promote, remove_member | the verbs that change who belongs to it |
//! | snapshot, restore | the verbs for all that it holds |
//! | move_leader, disarm, defragment | the other verbs |
//! | quorum | the guard: which changes may be sent |
//! | cluster | a cluster as it is now |
//! | send | how a change is sent |
//! | ask | how members are asked and told: endpoints, certificates, and the program |
//! | flow | how a snapshot goes to its places |
//! | file | snapshots as files of a host |
//! | answer | what they answered, whichever program asked |
//! | histogram | what their measurements tell |

mod add_member;
mod alarms;
mod answer;
mod ask;
mod cluster;
mod defragment;
mod disarm;
mod file;
mod flow;
mod health;
mod histogram;
mod members;
mod metrics;
mod move_leader;
mod promote;
mod quorum;
mod remove_member;
mod restore;
mod send;
mod snapshot;

use haengine_kernel::module::Module;

pub use add_member::AddMember;
pub use alarms::Alarms;
pub use defragment::Defragment;
pub use disarm::Disarm;
pub use health::Health;
pub use members::Members;
pub use metrics::Metrics;
pub use move_leader::MoveLeader;
pub use promote::Promote;
pub use remove_member::RemoveMember;
pub use restore::Restore;
pub use snapshot::Snapshot;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("etcd", ABOUT)
        .read::<Health>()
        .read::<Members>()
        .read::<Metrics>()
        .action::<AddMember>()
        .action::<Promote>()
        .action::<RemoveMember>()
        .action::<MoveLeader>()
        .action::<Snapshot>()
        .action::<Restore>()
        .read::<Alarms>()
        .action::<Disarm>()
        .action::<Defragment>()
}

const ABOUT: &str = "Clusters of etcd, asked and changed from the hosts themselves.

A host asks with its own `etcdctl` (in its `PATH`, `/opt/etcd/bin`, `/usr/local/bin` or `/usr/bin`; version 3.4 or newer), or \
with `curl` where it has none. A host with neither is refused.

Certificates are paths on that host. Without them the first complete set is taken of: `ca.pem`, `server.pem` and \
`server-key.pem` in `/opt/etcd/ssl`; the same, or `ca.pem`, `etcd.pem` and `etcd-key.pem`, in `/etc/etcd/ssl`; `ca.crt` with \
`healthcheck-client.crt` or `server.crt` and its key in `/etc/kubernetes/pki/etcd`. None is needed for `http://`.

**No change of the members is sent unless the voters that answer afterwards are at least the new quorum.** Whoever is to \
answer is asked at once before, at the client URLs that the members name: a member counts when it answers, is of the same \
cluster, and knows the leader that the others know. While a voter does not answer, only that voter or a learner may be \
removed. New members join as learners, and count once they have their vote. What is refused is refused with the numbers.";
