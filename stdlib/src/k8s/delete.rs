//! `k8s::delete`: an object is not there.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay};
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use kube::api::PostParams;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::cluster::{Access, Cluster, KUBECONFIG, SERVER, THROUGH};
use super::fields::{digest, plain};
use super::get::{API_VERSION, NAMESPACE};
use super::kind::{Kind, kind_and_name, title, with_words};
use super::object::json;
use super::planned::PlannedObject;
use super::{kept, leave, making};

/// Kinds whose objects are more than their text: what belongs to them goes too, or the cluster gives them their life.
const LOST: [&str; 9] = [
    "pod",
    "node",
    "certificatesigningrequest",
    "event",
    "job",
    "namespace",
    "persistentvolume",
    "persistentvolumeclaim",
    "customresourcedefinition",
];

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Serialize, Deserialize)]
pub struct Delete {
    #[serde(flatten)]
    access: Access,
    kind: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
}

/// The object, if it is there.
pub struct State {
    known: bool,
    live: Option<Json>,
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    uid: String,
    /// The hash of all that is not the API's own.
    content: String,
    /// The object: for apply, which keeps it.
    #[serde(skip)]
    live: Option<Secret>,
}

#[async_trait]
impl Op for Delete {
    const NAME: &'static str = "k8s.delete";
    const ABOUT: &'static str = "An object is not there.

It waits until the object is gone, finalizers included.

**Undo** places the object again as it was, but with a new uid; it is kept on the host until then. Another of its name \
that somebody has placed by then stays, and is named. What is more than its \
text cannot come back, and no undo is promised for it: Pods, Nodes, Jobs, Events, requests for certificates, and what \
takes others along: Namespaces, volumes and their claims, CustomResourceDefinitions.";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH, Param::new("object", ParamKind::String, "`KIND/NAME`.")],
        options: &[NAMESPACE, API_VERSION, KUBECONFIG, SERVER],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Remove an object.",
            given: "k8s_cluster; k8s_object '{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"demo\",\"namespace\":\"kube-system\"},\"data\":{\"a\":\"1\"}}'",
            code: r#"k8s::delete(h, "configmap/demo", #{ namespace: "kube-system" })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "One that is not there is nothing to do.",
            given: "k8s_cluster",
            code: r#"k8s::delete(h, "secret/demo")"#,
            gives: r#"{"changed":false}"#,
        },
    ];
    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let (kind, name) = kind_and_name(&arguments.string("object")?)?;
        let (namespace, api_version) = (arguments.opt_string("namespace"), arguments.opt_string("api_version"));
        Ok(vec![Delete { access: Access::parse(arguments)?, kind, name, namespace, api_version }])
    }

    fn target(&self) -> String {
        title(&self.kind, &self.name, self.namespace.as_deref())
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        match self.look(host).await {
            Err(_) if self.access.planned(&host.overlay()).is_some() => Ok(State { known: false, live: None }),
            looked => looked,
        }
    }

    fn assume(&self, state: State, overlay: &Overlay) -> State {
        match overlay.fact::<PlannedObject>(&self.target()) {
            Some(PlannedObject::Absent) => State { known: true, live: None },
            Some(PlannedObject::Applied) => State { known: false, ..state },
            None => state,
        }
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        if state.known && state.live.is_none() {
            return Ok(Plan::Unchanged);
        }
        let live = state.live.clone().unwrap_or_default();
        let summary = match (state.known, self.is_reversible()) {
            (false, _) => "delete, if it is there when run",
            (true, true) => "delete",
            (true, false) => "delete; undo cannot bring it back",
        };
        let before = Before {
            uid: live["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
            content: digest(&plain(&live), &Json::Null),
            live: Some(Secret::new(live.to_string())),
        };
        let effects = vec![Effect::fact(self.target(), PlannedObject::Absent)];
        Ok(Plan::Change(Change { before, summary: summary.to_owned(), diff: None, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let (cluster, kind) = self.kind(host).await?;
        if let Some(live) = before.live.as_ref().filter(|_| self.is_reversible()) {
            kept::keep(host, keep, live).await?;
        }
        let api = kind.api(&cluster, self.namespace.as_deref());
        let gone = leave::remove(&cluster, host, &api, &self.name, leave::only(&before.uid, None)).await;
        gone.map_err(|error| match error.code() {
            "k8s.conflict" => making::overtaken(&self.target()).because(error),
            _ => error,
        })
    }

    fn is_reversible(&self) -> bool {
        let title = title(&self.kind, "", None);
        !LOST.contains(&title.trim_end_matches('/'))
    }

    fn standing(&self, state: &State, before: &Before, _keep: &Keep) -> Standing {
        let Some(live) = &state.live else { return Standing::Ours };
        if !live["metadata"]["deletionTimestamp"].is_null() {
            return Standing::Ours;
        }
        let is_same =
            live["metadata"]["uid"] == before.uid.as_str() || digest(&plain(live), &Json::Null) == before.content;
        // Another's of that name stays, and undo names it.
        if is_same { Standing::AsBefore } else { Standing::Ours }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let state = self.look(host).await?;
        let others = || vec![Remnant::left(self.target(), "somebody else placed it again")];
        if state.live.as_ref().is_some_and(|live| live["metadata"]["deletionTimestamp"].is_null()) {
            let is_back = self.standing(&state, before, keep) == Standing::AsBefore;
            return Ok(if is_back { Remains::new() } else { others() });
        }
        let Some(old) = kept::kept(host, keep).await? else { return Ok(Remains::new()) };
        let (cluster, kind) = self.kind(host).await?;
        let api = kind.api(&cluster, self.namespace.as_deref());
        if state.live.is_some() {
            match leave::remove(&cluster, host, &api, &self.name, leave::only(&before.uid, None)).await {
                Err(error) if error.code() == "k8s.conflict" => return Ok(others()),
                gone => gone?,
            }
        }
        let object = serde_json::from_value(plain(&old)).map_err(|_| kept::unreadable(host, keep))?;
        match cluster.ask(host, api.create(&PostParams::default(), &object)).await {
            Err(error) if error.code() == "k8s.exists" => Ok(others()),
            made => made.map(|_| Remains::new()),
        }
    }
}

impl Delete {
    async fn kind(&self, host: &Host) -> Result<(std::sync::Arc<Cluster>, Kind)> {
        let cluster = self.access.cluster(host).await?;
        let kind = Kind::named(&cluster, host, &self.kind, self.api_version.as_deref()).await?;
        Ok((cluster, kind))
    }

    async fn look(&self, host: &Host) -> Result<State> {
        let (cluster, kind) = self.kind(host).await?;
        let api = kind.api(&cluster, self.namespace.as_deref());
        let live = cluster.ask(host, api.get_opt(&self.name)).await?;
        Ok(State { known: true, live: live.map(|live| with_words(json(&live), &kind)) })
    }
}
