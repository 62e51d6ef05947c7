//! Waiting for objects: the API tells what changes, nobody asks again and again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::{StreamExt, pin_mut};
use haengine_kernel::error::{Error, Result};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use super::cluster::Cluster;
use super::failure;

/// Before another attempt while the API is away.
const PAUSE: Duration = Duration::from_millis(300);
/// A watch that says nothing for so long is begun anew: a server that lost its power does not say so.
const SILENCE: Duration = Duration::from_secs(15);

/// Objects by name.
pub type Objects<K> = BTreeMap<String, K>;

/// Follows the objects of `api` that `fields` selects, until `look` finds in them what is waited for. None when that
/// did not come before `deadline`. An API that is away for a while is waited for too.
///
/// # Errors
/// Those of `look`, and those of the API that no waiting mends; at the deadline also that it is away.
pub async fn until<K, T>(
    cluster: &Cluster,
    api: &Api<K>,
    fields: Option<&str>,
    deadline: Instant,
    mut look: impl FnMut(&Objects<K>) -> Result<Option<T>>,
) -> Result<Option<T>>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    let mut trouble = None;
    let follow = async {
        loop {
            match round(cluster, api, fields, &mut trouble, &mut look).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(error) if failure::may_pass(&error) => {
                    trouble = Some(error);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    };
    match tokio::time::timeout_at(deadline.into(), follow).await {
        Ok(done) => done.map(Some),
        Err(_) => trouble.map_or(Ok(None), Err),
    }
}

/// One list and the watch that follows from it; none when the watch ended.
async fn round<K, T>(
    cluster: &Cluster,
    api: &Api<K>,
    fields: Option<&str>,
    trouble: &mut Option<Error>,
    look: &mut impl FnMut(&Objects<K>) -> Result<Option<T>>,
) -> Result<Option<T>>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    let selected = |params: ListParams| fields.map_or(params.clone(), |fields| params.fields(fields));
    let list = cluster.answer(api.list(&selected(ListParams::default()))).await?;
    *trouble = None;
    let version = list.metadata.resource_version.unwrap_or_default();
    let mut objects: Objects<K> = list.items.into_iter().map(|object| (name(&object), object)).collect();
    if let Some(found) = look(&objects)? {
        return Ok(Some(found));
    }
    let params = WatchParams::default();
    let params = fields.map_or(params.clone(), |fields| params.fields(fields));
    let events = cluster.answer(api.watch(&params, &version)).await?;
    pin_mut!(events);
    while let Ok(Some(event)) = tokio::time::timeout(SILENCE, events.next()).await {
        let event = match event.map_err(|error| cluster.explain(error)) {
            // A watch may say much in its time; what it said before is kept in no list.
            Err(error) if error.code() == "host.too_much" => return Ok(None),
            event => event?,
        };
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => drop(objects.insert(name(&object), object)),
            WatchEvent::Deleted(object) => drop(objects.remove(&name(&object))),
            WatchEvent::Bookmark(_) => continue,
            // What it was to follow from is too old: list again.
            WatchEvent::Error(status) if status.code == 410 => return Ok(None),
            WatchEvent::Error(status) => return Err(cluster.explain(kube::Error::Api(status))),
        }
        if let Some(found) = look(&objects)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn name<K: Resource>(object: &K) -> String {
    object.meta().name.clone().unwrap_or_default()
}
