//! An object is made so that its run can prove it, and no other of its name is touched.
//!
//! The API lets nobody choose a uid. So the object is created under a manager whose name has the change's nonce in it, a
//! call that fails if something is there; its uid is written down on the host; and only then its fields get the manager
//! that they have after a server-side apply. Undo knows it by the one or the other.

use haengine_kernel::error::{Error, Kind as Family, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value as Json, json};

use super::cluster::Cluster;
use super::kept;
use super::object;

/// Who sets the fields, as the API notes it.
pub const MANAGER: &str = "haengine";
/// How often something is tried that fails because somebody else changed the object meanwhile.
pub const TRIES: usize = 5;

/// Who set the fields of an object when it was made.
fn maker(keep: &Keep) -> String {
    format!("{MANAGER}-{}", keep.nonce)
}

/// Makes an object.
///
/// # Errors
/// Of kind `Drift`, when one of its name is there by now.
pub async fn create(
    cluster: &Cluster,
    host: &Host,
    api: &Api<DynamicObject>,
    content: Json,
    title: &str,
    keep: &Keep,
) -> Result<()> {
    let object: DynamicObject = serde_json::from_value(content)
        .map_err(|_| Error::new(Family::Local, "k8s.object", "the object is not what it was written as"))?;
    let params = PostParams { dry_run: false, field_manager: Some(maker(keep)) };
    let made = match cluster.ask(host, api.create(&params, &object)).await {
        Err(error) if error.code() == "k8s.exists" => return Err(overtaken(title).because(error)),
        made => made?,
    };
    let (name, uid) = (made.metadata.name.clone().unwrap_or_default(), made.metadata.uid.clone().unwrap_or_default());
    // Where the host keeps nothing for us, the object itself goes on saying whose it is.
    match kept::record(host, keep, &uid).await {
        Err(error) if error.code() == "k8s.keep" => Ok(()),
        recorded => {
            recorded?;
            adopt(cluster, host, api, &name, made, &maker(keep)).await
        }
    }
}

/// Its fields are as after a server-side apply, which can take fields away again. One that controllers keep changing stays
/// as it is: a later apply knows its manager too.
async fn adopt(
    cluster: &Cluster,
    host: &Host,
    api: &Api<DynamicObject>,
    name: &str,
    mut object: DynamicObject,
    maker: &str,
) -> Result<()> {
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    for _ in 0..TRIES {
        let mut managers = object::json(&object)["metadata"]["managedFields"].take();
        let own = managers.as_array_mut().and_then(|all| all.iter_mut().find(|one| one["manager"] == maker));
        let Some(own) = own else { return Ok(()) };
        own["manager"] = json!(MANAGER);
        own["operation"] = json!("Apply");
        let version = object.metadata.resource_version.clone();
        let metadata = json!({ "uid": object.metadata.uid, "resourceVersion": version, "managedFields": managers });
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        match cluster.ask(host, api.patch(name, &params, &patch)).await {
            Err(error) if error.code() == "k8s.conflict" => {}
            patched => return patched.map(drop),
        }
        match cluster.ask(host, api.get_opt(name)).await? {
            Some(now) if now.metadata.uid == object.metadata.uid => object = now,
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// True when an object is the one that a change made.
pub fn is_made_by(object: &Json, records: &kept::Records, keep: &Keep) -> bool {
    let uid = object["metadata"]["uid"].as_str();
    let is_recorded = uid.is_some() && kept::recorded(records, keep) == uid;
    is_recorded || (keep.is_recorded() && is_managed_by(object, &maker(keep)))
}

/// True when `manager` set some of its fields.
pub fn is_managed_by(object: &Json, manager: &str) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    managers.is_some_and(|all| all.iter().any(|one| one["manager"] == manager))
}

/// True when all whom a refused apply names are ourselves: an undo, or a change that broke off.
pub fn is_with_ourselves(refusal: &Error) -> bool {
    let message = refusal.message();
    let others: Vec<&str> = ["conflict with \"", "conflicts with \""]
        .iter()
        .flat_map(|words| message.split(words).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let is_ours = |name: &str| name.strip_prefix(MANAGER).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    !others.is_empty() && others.into_iter().all(is_ours)
}

/// True when a write was refused because the object is not the version that it was meant for.
pub fn is_stale(error: &Error) -> bool {
    error.code() == "k8s.conflict" && !error.message().contains("Apply failed")
}

/// Somebody else was faster.
pub fn overtaken(title: &str) -> Error {
    Error::new(Family::Drift, "k8s.changed", format!("somebody else changed `{title}` since it was looked at"))
        .hint("look at who does, then run again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_others_or_ourselves() {
        let conflict = |said: &str| is_with_ourselves(&Error::new(Family::Failed, "k8s.conflict", said));
        assert!(conflict("Apply failed with 1 conflict: conflict with \"haengine-x1\" using v1: .data.a"));
        assert!(conflict("Apply failed with 2 conflicts: conflicts with \"haengine\" using v1:\n- .data.a\n- .data.b"));
        assert!(!conflict("2 conflicts: conflicts with \"haengine\" using v1: .a\nconflicts with \"kubectl\": .b"));
        assert!(
            !conflict("conflict with \"haenginex\" using v1: .data.a") && !conflict("the object has been modified")
        );
    }
}
