//! Clusters, through the API that a host reaches.
//!
//! | file | what |
//! |---|---|
//! | nodes, csrs, get, list, ready, try_tokens, version, leaders, wait | the reads |
//! | enroll, approve, approve_serving, apply, delete | the state ops |
//! | lock, lease | one run at a time on a cluster |
//! | cluster | the client, kept for the run, and how a call reaches its cluster |
//! | kubeconfig, way, failure | how the client knows the cluster, gets there, and what goes wrong on the way |
//! | kind, object | kinds by the words that people use, and objects as recipes see them |
//! | document, fields, kept | the objects of a call, the fields that it sets, the objects that were there |
//! | making | an object is made so that its run can prove it |
//! | watch, outlook | waiting for what the API tells; what keeps an object, and whether waiting helps |
//! | csr, admission, signing, credential, leave | requests for certificates; how a node comes into a cluster and how it goes |
//! | planned | what a plan remembers of a cluster |

mod admission;
mod apply;
mod approve;
mod approve_serving;
mod cluster;
mod credential;
mod csr;
mod csrs;
mod delete;
mod document;
mod enroll;
mod failure;
mod fields;
mod get;
mod heart;
mod kept;
mod kind;
pub(crate) mod kubeconfig;
mod leaders;
mod lease;
mod leave;
mod list;
mod lock;
mod making;
mod nodes;
mod object;
mod outlook;
mod planned;
mod ready;
mod signing;
mod try_tokens;
mod version;
mod wait;
mod watch;
mod way;

use haengine_kernel::module::Module;

pub use apply::Apply;
pub use approve::Approve;
pub use approve_serving::ApproveServing;
pub use csrs::Csrs;
pub use delete::Delete;
pub use enroll::Enroll;
pub use get::Get;
pub use leaders::Leaders;
pub use list::List;
pub use lock::Lock;
pub use nodes::Nodes;
pub use ready::Ready;
pub use try_tokens::TryTokens;
pub use version::Version;
pub use wait::Wait;

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("k8s", ABOUT)
        .guard::<Lock>()
        .read::<Nodes>()
        .read::<Csrs>()
        .op::<Enroll>()
        .op::<Approve>()
        .op::<ApproveServing>()
        .op::<Apply>()
        .op::<Delete>()
        .read::<Get>()
        .read::<List>()
        .read::<Ready>()
        .read::<TryTokens>()
        .read::<Version>()
        .read::<Leaders>()
        .read::<Wait>()
}

const ABOUT: &str = "Kubernetes clusters, from 1.20 on.

The host that a verb names first is the one **through which** the API is reached: your machine needs no route to it. The \
kubeconfig lies on that host, with the files that it names; the server in it is seen from there, so that `127.0.0.1` is \
the host's own. Nothing has to be installed there. The connection is kept for the run.";
