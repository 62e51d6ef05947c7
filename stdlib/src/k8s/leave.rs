//! A node leaves a cluster: its Node, its Lease, its requests, its place among the endpoints.

use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Endpoints, Node};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Preconditions};
use serde::de::DeserializeOwned;

use super::cluster::Cluster;
use super::watch::{self, Objects};

/// How long an API server that has stopped may stay among the endpoints.
const PATIENCE: Duration = Duration::from_secs(60);

/// True when the node is in the cluster.
///
/// # Errors
/// When the API does not answer.
pub async fn node(cluster: &Cluster, host: &Host, name: &str) -> Result<bool> {
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    Ok(cluster.ask(host, nodes.get_metadata_opt(name)).await?.is_some())
}

/// Deletes a request; one that is gone, and another of its name, is as good.
///
/// # Errors
/// When the API does not do it.
pub async fn delete_csr(cluster: &Cluster, host: &Host, name: &str, uid: &str) -> Result<()> {
    let requests: Api<CertificateSigningRequest> = Api::all(cluster.client.clone());
    delete(cluster, host, &requests, name, uid).await
}

/// Deletes the Node that is there now, and its Lease; what is gone is as good. One that its kubelet places in between
/// is another.
///
/// # Errors
/// When the API does not do it.
pub async fn delete_node(cluster: &Cluster, host: &Host, name: &str) -> Result<()> {
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), "kube-node-lease");
    let node = cluster.ask(host, nodes.get_metadata_opt(name)).await?;
    let lease = cluster.ask(host, leases.get_metadata_opt(name)).await?;
    if let Some(uid) = node.and_then(|node| node.metadata.uid) {
        delete(cluster, host, &nodes, name, &uid).await?;
    }
    match lease.and_then(|lease| lease.metadata.uid) {
        Some(uid) => delete(cluster, host, &leases, name, &uid).await,
        None => Ok(()),
    }
}

/// What an object must still be to be deleted: this one, and unchanged where its version is given.
pub fn only(uid: &str, version: Option<&str>) -> Preconditions {
    Preconditions { uid: Some(uid.to_owned()), resource_version: version.map(str::to_owned) }
}

/// Deletes an object that is as `only` says, and waits until it is gone. Another that takes its name is as good.
///
/// # Errors
/// `k8s.conflict`, when it is not; `k8s.stays`, when it is still there after a minute.
pub async fn remove(
    cluster: &Cluster,
    host: &Host,
    api: &Api<DynamicObject>,
    name: &str,
    only: Preconditions,
) -> Result<()> {
    let uid = only.uid.clone();
    let params = DeleteParams { preconditions: Some(only), ..DeleteParams::default() };
    match cluster.ask(host, api.delete(name, &params)).await {
        Err(error) if error.code() == "k8s.missing" => return Ok(()),
        Ok(_) => host.awaits(&format!("`{name}` to be gone")),
        Err(error) => return Err(error),
    }
    let deadline = Instant::now() + PATIENCE;
    let gone = |all: &Objects<DynamicObject>| {
        let is_there = all.get(name).is_some_and(|one| one.metadata.uid == uid);
        Ok((!is_there).then_some(()))
    };
    let fields = format!("metadata.name={name}");
    let left = watch::until(cluster, api, Some(&fields), deadline, gone);
    host.waiting(left).await?.ok_or_else(|| {
        Error::new(Kind::Failed, "k8s.stays", format!("`{name}` is deleted, and still there after {PATIENCE:?}"))
            .hint("look at its finalizers: who sets them must do its work first")
    })
}

/// Waits until an address has left the endpoints of the API itself.
///
/// # Errors
/// `k8s.endpoints`, when it is still there after a minute.
pub async fn endpoints(cluster: &Cluster, host: &Host, address: &str) -> Result<()> {
    let endpoints: Api<Endpoints> = Api::namespaced(cluster.client.clone(), "default");
    host.awaits(&format!("`{address}` to leave the endpoints of `kubernetes`"));
    let gone = |all: &Objects<Endpoints>| Ok((!all.values().any(|one| has(one, address))).then_some(()));
    let deadline = Instant::now() + PATIENCE;
    let left = watch::until(cluster, &endpoints, Some("metadata.name=kubernetes"), deadline, gone);
    host.waiting(left).await?.ok_or_else(|| {
        let message = format!("`{address}` is still among the endpoints of `kubernetes` after {PATIENCE:?}");
        Error::new(Kind::Failed, "k8s.endpoints", message)
            .hint("check that the kube-apiserver there is stopped, then run undo again")
    })
}

fn has(endpoints: &Endpoints, address: &str) -> bool {
    let mut all = endpoints.subsets.iter().flatten().flat_map(|subset| subset.addresses.iter().flatten());
    all.any(|one| one.ip == address)
}

async fn delete<K>(cluster: &Cluster, host: &Host, api: &Api<K>, name: &str, uid: &str) -> Result<()>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let params = DeleteParams { preconditions: Some(only(uid, None)), ..DeleteParams::default() };
    match cluster.ask(host, api.delete(name, &params)).await {
        Err(error) if !matches!(error.code(), "k8s.missing" | "k8s.conflict") => Err(error),
        _ => Ok(()),
    }
}
