//! Kinds of objects by the words that people use for them.

use haengine_kernel::error::{Error, Kind as Family, Result};
use haengine_kernel::host::Host;
use kube::api::DynamicObject;
use kube::core::{ApiResource, GroupVersion, GroupVersionKind};
use kube::discovery::{ApiCapabilities, Discovery, Scope};
use kube::{Api, discovery};
use serde_json::Value as Json;

use super::cluster::Cluster;

/// A kind of objects, and where the API has them.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Group, version and name.
    pub resource: ApiResource,
    /// True when its objects lie in namespaces.
    pub namespaced: bool,
}

/// Kind, plural, short name, API version, namespaced: what need not be asked.
const KNOWN: [(&str, &str, &str, &str, bool); 30] = [
    ("Node", "nodes", "no", "v1", false),
    ("Namespace", "namespaces", "ns", "v1", false),
    ("Pod", "pods", "po", "v1", true),
    ("Service", "services", "svc", "v1", true),
    ("Endpoints", "endpoints", "ep", "v1", true),
    ("ConfigMap", "configmaps", "cm", "v1", true),
    ("Secret", "secrets", "", "v1", true),
    ("ServiceAccount", "serviceaccounts", "sa", "v1", true),
    ("Event", "events", "ev", "v1", true),
    ("PersistentVolume", "persistentvolumes", "pv", "v1", false),
    ("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "v1", true),
    ("LimitRange", "limitranges", "limits", "v1", true),
    ("ResourceQuota", "resourcequotas", "quota", "v1", true),
    ("Deployment", "deployments", "deploy", "apps/v1", true),
    ("DaemonSet", "daemonsets", "ds", "apps/v1", true),
    ("StatefulSet", "statefulsets", "sts", "apps/v1", true),
    ("ReplicaSet", "replicasets", "rs", "apps/v1", true),
    ("Job", "jobs", "", "batch/v1", true),
    ("Ingress", "ingresses", "ing", "networking.k8s.io/v1", true),
    ("NetworkPolicy", "networkpolicies", "netpol", "networking.k8s.io/v1", true),
    ("Lease", "leases", "", "coordination.k8s.io/v1", true),
    ("CertificateSigningRequest", "certificatesigningrequests", "csr", "certificates.k8s.io/v1", false),
    ("Role", "roles", "", "rbac.authorization.k8s.io/v1", true),
    ("RoleBinding", "rolebindings", "", "rbac.authorization.k8s.io/v1", true),
    ("ClusterRole", "clusterroles", "", "rbac.authorization.k8s.io/v1", false),
    ("ClusterRoleBinding", "clusterrolebindings", "", "rbac.authorization.k8s.io/v1", false),
    ("StorageClass", "storageclasses", "sc", "storage.k8s.io/v1", false),
    ("PriorityClass", "priorityclasses", "pc", "scheduling.k8s.io/v1", false),
    ("CustomResourceDefinition", "customresourcedefinitions", "crd", "apiextensions.k8s.io/v1", false),
    ("APIService", "apiservices", "", "apiregistration.k8s.io/v1", false),
];

impl Kind {
    /// The kind that `word` means: its name, plural or short name, in any case. Beyond the usual ones the API is asked.
    ///
    /// # Errors
    /// `k8s.kind`, when the API has none of that name.
    pub async fn named(cluster: &Cluster, host: &Host, word: &str, api_version: Option<&str>) -> Result<Kind> {
        if let Some(known) = known(word, api_version) {
            return Ok(known);
        }
        let found = match api_version {
            Some(version) => {
                let version = parse_version(version)?;
                let group = cluster.ask(host, discovery::pinned_group(&cluster.client, &version)).await?;
                group.versioned_resources(&version.version).into_iter().find(|(resource, _)| is_called(resource, word))
            }
            None => {
                let all = cluster.ask(host, Discovery::new(cluster.client.clone()).run()).await?;
                let mut all = all.groups().flat_map(|group| group.recommended_resources());
                all.find(|(resource, _)| is_called(resource, word))
            }
        };
        found.map(Kind::from).ok_or_else(|| {
            Error::new(Family::Refused, "k8s.kind", format!("{} has no kind `{word}`", cluster.server)).hint(
                "write its name or plural as `kubectl api-resources` does; name `api_version` where it has several",
            )
        })
    }

    /// The kind of an object that names it exactly.
    ///
    /// # Errors
    /// `k8s.kind`, when the API does not have it.
    pub async fn exact(cluster: &Cluster, host: &Host, api_version: &str, kind: &str) -> Result<Kind> {
        if let Some(known) = known(kind, Some(api_version)).filter(|known| known.resource.kind == kind) {
            return Ok(known);
        }
        let version = parse_version(api_version)?;
        let gvk = GroupVersionKind::gvk(&version.group, &version.version, kind);
        let found = cluster.ask(host, discovery::pinned_kind(&cluster.client, &gvk)).await;
        found.map(Kind::from).map_err(|error| match error.code() {
            "k8s.missing" | "k8s.unreachable" if !error.message().contains("within") => {
                let message = format!("{} has no kind `{kind}` of `{api_version}`", cluster.server);
                Error::new(Family::Refused, "k8s.kind", message).hint("correct `apiVersion` and `kind`").because(error)
            }
            _ => error,
        })
    }

    /// Its objects, in a namespace where they have one.
    pub fn api(&self, cluster: &Cluster, namespace: Option<&str>) -> Api<DynamicObject> {
        let client = cluster.client.clone();
        match namespace {
            Some(namespace) if self.namespaced => Api::namespaced_with(client, namespace, &self.resource),
            None if self.namespaced => Api::default_namespaced_with(client, &self.resource),
            _ => Api::all_with(client, &self.resource),
        }
    }

    /// Its objects in all namespaces.
    pub fn everywhere(&self, cluster: &Cluster) -> Api<DynamicObject> {
        Api::all_with(cluster.client.clone(), &self.resource)
    }
}

impl From<(ApiResource, ApiCapabilities)> for Kind {
    fn from((resource, capabilities): (ApiResource, ApiCapabilities)) -> Kind {
        Kind { resource, namespaced: capabilities.scope == Scope::Namespaced }
    }
}

/// The one way to write an object's name in a journal, whatever word the recipe has for its kind.
pub fn title(kind: &str, name: &str, namespace: Option<&str>) -> String {
    let kind = known(kind, None).map_or_else(|| kind.to_owned(), |known| known.resource.kind).to_lowercase();
    let place = namespace.map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    format!("{kind}/{name}{place}")
}

/// True for a kind whose objects lie in no namespace, as far as that is known without asking.
pub fn is_cluster_wide(kind: &str, api_version: &str) -> bool {
    known(kind, Some(api_version)).is_some_and(|known| !known.namespaced)
}

/// Splits `kind/name`.
///
/// # Errors
/// When it is not of that form.
pub fn kind_and_name(text: &str) -> Result<(String, String)> {
    match text.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok((kind.to_owned(), name.to_owned()))
        }
        _ => Err(Error::new(Family::Usage, "k8s.object", format!("`{text}` names no object"))
            .hint("write `KIND/NAME`, as `\"node/master2\"`; the namespace is an option")),
    }
}

/// An object with its kind's words, which lists leave out.
pub fn with_words(mut object: Json, kind: &Kind) -> Json {
    if let Some(map) = object.as_object_mut() {
        map.entry("apiVersion").or_insert_with(|| Json::from(kind.resource.api_version.clone()));
        map.entry("kind").or_insert_with(|| Json::from(kind.resource.kind.clone()));
    }
    object
}

fn known(word: &str, api_version: Option<&str>) -> Option<Kind> {
    let is = |name: &str| !name.is_empty() && name.eq_ignore_ascii_case(word);
    let found = KNOWN.iter().find(|(kind, plural, short, version, _)| {
        (is(kind) || is(plural) || is(short)) && api_version.is_none_or(|wanted| wanted == *version)
    });
    let (kind, plural, _, version, namespaced) = found?;
    let version = version.parse::<GroupVersion>().ok()?;
    let gvk = GroupVersionKind::gvk(&version.group, &version.version, kind);
    Some(Kind { resource: ApiResource::from_gvk_with_plural(&gvk, plural), namespaced: *namespaced })
}

fn is_called(resource: &ApiResource, word: &str) -> bool {
    resource.kind.eq_ignore_ascii_case(word) || resource.plural.eq_ignore_ascii_case(word)
}

fn parse_version(text: &str) -> Result<GroupVersion> {
    text.parse().map_err(|_| {
        Error::new(Family::Usage, "k8s.kind", format!("`{text}` is no API version")).hint("write `v1` or `GROUP/v1`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_kinds_are_known_by_all_their_names() {
        for word in ["node", "Nodes", "no", "NODE"] {
            assert_eq!(known(word, None).unwrap().resource.plural, "nodes", "{word}");
        }
        let csr = known("csr", None).unwrap();
        assert_eq!(csr.resource.api_version, "certificates.k8s.io/v1");
        assert!(!csr.namespaced);
        assert!(known("node", Some("v2")).is_none());
        assert!(known("", None).is_none());
    }

    #[test]
    fn an_object_is_named_by_kind_and_name() {
        assert_eq!(kind_and_name("node/m1").unwrap(), ("node".to_owned(), "m1".to_owned()));
        for wrong in ["m1", "node/", "/m1", "a/b/c"] {
            assert_eq!(kind_and_name(wrong).unwrap_err().code(), "k8s.object");
        }
    }
}
