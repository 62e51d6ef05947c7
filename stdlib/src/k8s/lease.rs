//! The Lease behind [`lock`](super::lock): who holds a cluster, and until when.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::lock::Holder;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Endpoints;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, PostParams, Preconditions};
use serde::{Deserialize, Serialize};

use super::cluster::{Access, Cluster};

const NAMESPACE: &str = "kube-system";
const NAME: &str = "haengine";
/// Where the lease says who holds it, as a host's lock does.
const HOLDER: &str = "haengine/holder";
/// How long it lasts without a renewal, seconds.
pub const LASTS: i32 = 30;

/// Which run has a cluster to itself, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locked {
    /// The run's id.
    pub run: String,
    /// RFC 3339, by the server's clock.
    pub since: String,
}

impl Locked {
    /// Who has it just now; of a program that is not haengine nobody knows. Who may not look has not locked it.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn of(cluster: &Arc<Cluster>, host: &Host) -> Result<Option<Locked>> {
        let lease = match cluster.ask(host, api(cluster).get_opt(NAME)).await {
            Err(error) if error.code() == "k8s.forbidden" => None,
            lease => lease?,
        };
        let locked = |lease: Lease| {
            let since = format!("{:.0}", lease.spec.as_ref()?.acquire_time.as_ref()?.0);
            Some(Locked { run: holder_of(&lease)?.run, since })
        };
        Ok(lease.and_then(locked))
    }
}

/// The lease of one run.
#[derive(Clone)]
pub struct Leases {
    pub access: Access,
    pub holder: Holder,
}

/// What is there.
pub enum Found {
    /// Nobody who is alive has it.
    Free(Place),
    /// Another run has it; of a program that is not haengine it is not known which.
    Held(Option<Box<Holder>>),
}

/// The lease as it was seen.
pub struct Place {
    lease: Option<Box<Lease>>,
    /// By the server's clock: nobody else's counts.
    now: Timestamp,
}

impl Leases {
    /// Looks.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn find(&self, host: &Host) -> Result<Found> {
        let place = self.look(host).await?;
        let Some(lease) = &place.lease else { return Ok(Found::Free(place)) };
        let other = holder_of(lease);
        let is_free = match &other {
            Some(other) => self.is_ours(other) || self.holder.outlives(other),
            None => lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default().is_empty(),
        };
        if is_free || is_over(lease, place.now) { Ok(Found::Free(place)) } else { Ok(Found::Held(other.map(Box::new))) }
    }

    async fn look(&self, host: &Host) -> Result<Place> {
        let cluster = self.access.cluster(host).await?;
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}");
        let answer = cluster.fetch(host, &path).await?;
        let date = answer.date.as_deref().and_then(|date| rfc2822::parse(date).ok());
        let now = date.map_or_else(Timestamp::now, |date| date.timestamp());
        match answer.status {
            200 => {
                let lease = serde_json::from_str(&answer.body).map_err(|error| unreadable(&error))?;
                Ok(Place { lease: Some(Box::new(lease)), now })
            }
            404 => Ok(Place { lease: None, now }),
            _ => Err(cluster.refusal(&answer)),
        }
    }

    fn is_ours(&self, other: &Holder) -> bool {
        other.run == self.holder.run && other.state == self.holder.state && other.since == self.holder.since
    }

    /// Takes it, or renews it; false when somebody was faster.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn take(&self, host: &Host, place: Place) -> Result<bool> {
        let cluster = self.access.cluster(host).await?;
        let (api, parameters) = (api(&cluster), PostParams::default());
        match place.lease {
            None => {
                let new = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
                won(cluster.ask(host, api.create(&parameters, &self.ours(new, place.now, place.now)?)).await)
            }
            Some(lease) => {
                // An attempt of the same run goes on with it.
                let same = holder_of(&lease).is_some_and(|other| other.run == self.holder.run);
                let since =
                    lease.spec.and_then(|spec| spec.acquire_time).filter(|_| same).map_or(place.now, |time| time.0);
                let ours = self.ours(lease.metadata, since, place.now)?;
                won(cluster.ask(host, api.replace(NAME, &parameters, &ours)).await)
            }
        }
    }

    /// Says that the run is alive. Gives who has it by now, if that is somebody else.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn renew(&self, host: &Host) -> Result<Option<String>> {
        let place = self.look(host).await?;
        match place.lease.as_deref().map(holder_of) {
            Some(None) => Ok(Some("somebody".to_owned())),
            Some(Some(other)) if !self.is_ours(&other) => Ok(Some(format!("run {} of {}", other.run, other.operator))),
            _ if self.take(host, place).await? => Ok(None),
            // Whoever was faster is seen by the next look.
            _ => Err(Error::new(Kind::Failed, "k8s.conflict", "the cluster's lock changed as it was renewed")),
        }
    }

    /// The same lease through each API server that the cluster lists; first as it was taken.
    pub async fn ways(&self, host: &Host) -> Vec<Leases> {
        // Who may not list them renews through the one alone.
        let servers = self.servers(host).await.unwrap_or_default();
        let others = servers.iter().map(|server| Leases { access: self.access.at(server), ..self.clone() });
        [self.clone()].into_iter().chain(others).collect()
    }

    async fn servers(&self, host: &Host) -> Result<Vec<String>> {
        let cluster = self.access.cluster(host).await?;
        let endpoints: Api<Endpoints> = Api::namespaced(cluster.client.clone(), "default");
        let listed = cluster.ask(host, endpoints.get("kubernetes")).await?;
        let subsets = listed.subsets.iter().flatten();
        let servers = subsets.flat_map(|subset| {
            let port = subset.ports.iter().flatten().find_map(|port| u16::try_from(port.port).ok()).unwrap_or(6443);
            let addresses = subset.addresses.iter().flatten().filter_map(|address| address.ip.parse().ok());
            addresses.map(move |address| format!("https://{}", SocketAddr::new(address, port)))
        });
        Ok(servers.filter(|server| *server != cluster.server).collect())
    }

    /// Removes it, if it is still ours.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn delete(&self, host: &Host) -> Result<()> {
        let cluster = self.access.cluster(host).await?;
        // Also when the run was interrupted.
        let Some(lease) = cluster.answer(api(&cluster).get_opt(NAME)).await? else { return Ok(()) };
        if !holder_of(&lease).is_some_and(|other| self.is_ours(&other)) {
            return Ok(());
        }
        let preconditions =
            Preconditions { uid: lease.metadata.uid, resource_version: lease.metadata.resource_version };
        let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        won(cluster.answer(api(&cluster).delete(NAME, &parameters)).await).map(drop)
    }

    fn ours(&self, mut metadata: ObjectMeta, since: Timestamp, now: Timestamp) -> Result<Lease> {
        let record = serde_json::to_string(&self.holder)
            .map_err(|error| Error::new(Kind::Local, "lock.record", "cannot write the lock's record").because(error))?;
        metadata.annotations.get_or_insert_with(BTreeMap::new).insert(HOLDER.to_owned(), record);
        metadata.managed_fields = None;
        let spec = LeaseSpec {
            holder_identity: Some(format!("haengine-{}", self.holder.run)),
            lease_duration_seconds: Some(LASTS),
            acquire_time: Some(MicroTime(since)),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        };
        Ok(Lease { metadata, spec: Some(spec) })
    }
}

fn api(cluster: &Arc<Cluster>) -> Api<Lease> {
    Api::namespaced(cluster.client.clone(), NAMESPACE)
}

fn holder_of(lease: &Lease) -> Option<Holder> {
    serde_json::from_str(lease.metadata.annotations.as_ref()?.get(HOLDER)?).ok()
}

/// Whether nobody renewed it for as long as it lasts.
fn is_over(lease: &Lease, now: Timestamp) -> bool {
    let spec = lease.spec.clone().unwrap_or_default();
    let lasts = f64::from(spec.lease_duration_seconds.unwrap_or(LASTS));
    spec.renew_time.is_some_and(|renewed| now.duration_since(renewed.0).as_secs_f64() > lasts)
}

/// Whether a write was the first one.
fn won<T>(written: Result<T>) -> Result<bool> {
    match written {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code(), "k8s.conflict" | "k8s.exists" | "k8s.missing") => Ok(false),
        Err(error) => Err(error),
    }
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(Kind::Failed, "k8s.lease", format!("the Lease `{NAME}` in `{NAMESPACE}` cannot be read"))
        .because(error.to_string())
}
