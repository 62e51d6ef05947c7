//! `k8s::lock`: one run at a time on a cluster.

use std::sync::Arc;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::guard::{Guard, Hold};
use haengine_kernel::host::Host;
use haengine_kernel::lock::Holder;
use haengine_kernel::op::Example;
use haengine_kernel::signature::Signature;
use serde::{Deserialize, Serialize};

use super::cluster::{Access, KUBECONFIG, SERVER, THROUGH};
use super::heart::Heart;
use super::lease::{Found, Leases};

/// How often a lease may be snatched away by somebody who then lets it go at once.
const TRIES: usize = 5;

/// See [`Guard::ABOUT`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    #[serde(flatten)]
    access: Access,
}

#[async_trait]
impl Guard for Lock {
    const NAME: &'static str = "k8s.lock";
    const ABOUT: &'static str = "No other run changes the cluster meanwhile.

It takes the Lease `haengine` in `kube-system`, which lasts 30 seconds and is renewed every 5, until the run ends; then the \
Lease is deleted. Where one API server does not answer within 3 seconds, the others that the cluster lists are asked. A \
change waits while the last renewal is older than 10 seconds, and fails after a minute of that: then nobody knows any more \
whether the cluster is this run's. A recipe takes it before its first change. Where another run has it, the recipe is refused with that \
run's id, its operator, and since when; the Lease of a run that died is taken over, at the latest when it has not been \
renewed for 30 seconds. Hosts have locks of their own; this one is for runs on different hosts of one cluster. An undo \
takes it again. A plan takes none.";
    const SIGNATURE: Signature = Signature { positional: &[THROUGH], options: &[KUBECONFIG, SERVER] };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "Before the first change.",
        given: "k8s_cluster",
        code: r#"k8s::lock(h, #{ kubeconfig: "/root/.kube/config" })"#,
        gives: "null",
    }];

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Lock { access: Access::parse(arguments)? })
    }

    async fn take(&self, host: &Arc<Host>, holder: &Holder) -> Result<Arc<dyn Hold>> {
        let leases = Leases { access: self.access.clone(), holder: holder.clone() };
        for _ in 0..TRIES {
            let place = match leases.find(host).await? {
                Found::Free(place) => place,
                Found::Held(Some(other)) => return Err(other.refusal()),
                Found::Held(None) => return Err(somebody()),
            };
            if leases.take(host, place).await? {
                let ways = leases.ways(host).await;
                return Ok(Arc::new(Heart::of(ways, host)));
            }
        }
        Err(somebody())
    }
}

fn somebody() -> Error {
    Error::new(Kind::Locked, "lock.held", "somebody else holds the cluster's lock, the Lease `haengine`")
        .hint("wait until they have ended; see `kubectl -n kube-system get lease haengine -o yaml`")
}
