//! `k8s::lock`: one run at a time on a cluster.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::guard::{Guard, Hold};
use haengine_kernel::host::Host;
use haengine_kernel::lock::Holder;
use haengine_kernel::op::Example;
use haengine_kernel::signature::Signature;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::cluster::{Access, KUBECONFIG, SERVER, THROUGH};
use super::lease::{Found, Leases};

/// How often the lease is renewed; it lasts three times as long.
const RENEWED: Duration = Duration::from_secs(10);

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

It takes the Lease `haengine` in `kube-system`, which lasts 30 seconds and is renewed every 10, until the run ends; then the \
Lease is deleted. A recipe takes it before its first change. Where another run has it, the recipe is refused with that \
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
                return Ok(Arc::new(Held::renewed(leases, host)));
            }
        }
        Err(somebody())
    }
}

fn somebody() -> Error {
    Error::new(Kind::Locked, "lock.held", "somebody else holds the cluster's lock, the Lease `haengine`")
        .hint("wait until they have ended; see `kubectl -n kube-system get lease haengine -o yaml`")
}

/// The lease, renewed in the background.
struct Held {
    leases: Leases,
    host: Weak<Host>,
    heart: Mutex<Option<JoinHandle<()>>>,
    /// Who has it by now, if it was lost.
    lost: Arc<OnceLock<String>>,
}

impl Held {
    fn renewed(leases: Leases, host: &Arc<Host>) -> Held {
        let (lost, weak, ours) = (Arc::new(OnceLock::new()), Arc::downgrade(host), leases.clone());
        let (seen, place) = (lost.clone(), weak.clone());
        let heart = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWED).await;
                let Some(host) = place.upgrade() else { break };
                // An API that is away for a while, such as one that this run restarts, costs no lock.
                if let Ok(Some(other)) = ours.renew(&host).await {
                    let _ = seen.set(other);
                    break;
                }
            }
        });
        Held { leases, host: weak, heart: Mutex::new(Some(heart)), lost }
    }
}

#[async_trait]
impl Hold for Held {
    fn check(&self) -> Result<()> {
        let Some(other) = self.lost.get() else { return Ok(()) };
        Err(Error::new(Kind::Locked, "lock.lost", format!("the cluster's lock was lost: {other} has it now"))
            .hint("see what the other run does, then `haengine resume` this one"))
    }

    async fn release(&self) {
        let heart = self.heart.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(heart) = heart {
            heart.abort();
            let _ = heart.await;
        }
        if let Some(host) = self.host.upgrade().filter(|_| self.lost.get().is_none())
            && let Err(error) = self.leases.delete(&host).await
        {
            tracing::warn!(host = host.name(), %error, "the cluster's lock stays until it ends by itself");
        }
    }
}
