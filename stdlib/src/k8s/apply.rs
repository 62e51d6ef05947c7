//! `k8s::apply`: an object is as the recipe says.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::diff::Diff;
use haengine_kernel::error::{Error, Kind as Family, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay};
use haengine_kernel::remnant::Remains;
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::value::Value;
use kube::api::{Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::cluster::{Access, Cluster, KUBECONFIG, SERVER, THROUGH};
use super::document::{Document, Identity, documents};
use super::fields::{digest, mask, plain, restoring, shown};
use super::kind::{Kind, with_words};
use super::object::json;
use super::planned::OBJECT;
use super::{kept, leave};

/// Who sets the fields, as the API notes it.
const MANAGER: &str = "haengine";

/// See [`ABOUT`](Op::ABOUT).
#[derive(Clone, Serialize, Deserialize)]
pub struct Apply {
    #[serde(flatten)]
    access: Access,
    /// None when only a run can know.
    identity: Option<Identity>,
    object: Text,
    force: bool,
    /// True when an earlier object of the same call may be what this one needs.
    #[serde(skip)]
    follows: bool,
}

/// An object as it is, and as it would be.
pub struct State {
    /// False when the API, or what the object needs there, is only planned.
    known: bool,
    live: Option<Json>,
    would_be: Option<Json>,
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    /// The object that was there: its uid, and the hash of the fields that change.
    was: Option<Was>,
    /// The names of the fields that are set.
    mask: Json,
    /// The hash of what they become; none when that is not known before.
    after: Option<String>,
    /// The object that was there: for apply, which keeps it.
    #[serde(skip)]
    live: Option<Secret>,
}

#[derive(Serialize, Deserialize)]
struct Was {
    uid: String,
    fields: String,
}

#[async_trait]
impl Op for Apply {
    const NAME: &'static str = "k8s.apply";
    const ABOUT: &'static str = "An object is as you say.

The object is a map, or a text in YAML; a text with several documents, or an array, is one change for each. Only the \
fields that you name are set (server-side apply, as the manager `haengine`). The API itself says beforehand what would \
become of the object, so that a plan shows the real difference. A field that another manager set to something else is a \
conflict, and refused unless `force` is set. The contents of Secrets are never shown.

**Undo** deletes the object when it was not there before; otherwise it puts back the fields that were set, and no \
others. The object as it was is kept on the host until then, never in the journal.";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH, Param::new("object", ParamKind::Any, "A map, or a text in YAML, or an array of them.")],
        options: &[
            Param::option(
                "namespace",
                ParamKind::String,
                "the kubeconfig's, or `\"default\"`",
                "For objects that name none.",
            ),
            Param::option("force", ParamKind::Boolean, "false", "Take over fields that others have set."),
            KUBECONFIG,
            SERVER,
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Place an object.",
            given: "k8s_cluster",
            code: r#"k8s::apply(h, #{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "demo" }, data: #{ a: "1" } })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Change one field of it; the others stay.",
            given: "k8s_cluster; k8s_object '{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"demo\",\"namespace\":\"kube-system\"},\"data\":{\"a\":\"1\",\"b\":\"2\"}}'",
            code: r#"k8s::apply(h, "{ apiVersion: v1, kind: ConfigMap, metadata: { name: demo }, data: { a: '3' } }", #{ namespace: "kube-system", force: true })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let access = Access::parse(arguments)?;
        let namespace = arguments.opt_string("namespace");
        let object = arguments.get("object").cloned().unwrap_or(Value::Null);
        let force = arguments.boolean("force", false);
        let all = documents(&object, namespace.as_deref())?;
        let op = |(place, Document { identity, text }): (usize, Document)| Apply {
            access: access.clone(),
            identity,
            object: text,
            force,
            follows: place > 0,
        };
        Ok(all.into_iter().enumerate().map(op).collect())
    }

    fn target(&self) -> String {
        self.identity.as_ref().map_or_else(|| "objects".to_owned(), Identity::title)
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        let Some(identity) = &self.identity else { return Ok(State { known: false, live: None, would_be: None }) };
        match self.look(host, identity).await {
            // What it needs is planned, or placed by the object before it.
            Err(error) if self.may_come(host, &error) => Ok(State { known: false, live: None, would_be: None }),
            looked => looked,
        }
    }

    fn assume(&self, state: State, overlay: &Overlay) -> State {
        match overlay.fact(OBJECT, &self.target()) {
            Some(_) => State { known: false, ..state },
            None => state,
        }
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let (live, would_be) = (state.live.as_ref(), state.would_be.as_ref());
        if state.known && live.map(plain) == would_be.map(plain) && live.is_some() {
            return Ok(Plan::Unchanged);
        }
        let mask = match &self.object {
            Text::Plain(_) | Text::Secret(_) => mask(&self.content()?),
            _ => Json::Null,
        };
        let was = live.map(|live| Was { uid: uid(live), fields: digest(live, &mask) });
        let summary = match (state.known, live) {
            (false, _) => "apply, known only when run".to_owned(),
            (true, None) => "create".to_owned(),
            (true, Some(_)) => "change".to_owned(),
        };
        let diff = would_be.and_then(|after| {
            let kind = self.identity.as_ref().map_or("", |identity| identity.kind.as_str());
            let (before, after) = shown(kind, live.unwrap_or(&Json::Null), after);
            Diff::between(&before, &after)
        });
        let before = Before {
            was,
            after: would_be.map(|after| digest(after, &mask)),
            mask,
            live: live.map(|live| Secret::new(live.to_string())),
        };
        let effects = vec![Effect::Fact { kind: OBJECT, name: self.target(), value: "applied".to_owned() }];
        Ok(Plan::Change(Change { before, summary, diff, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let Some(identity) = &self.identity else { return self.object.content().map(drop) };
        let cluster = self.access.cluster(host).await?;
        let kind = Kind::exact(&cluster, host, &identity.api_version, &identity.kind).await?;
        if let Some(live) = &before.live {
            kept::keep(host, keep, live).await?;
        }
        self.send(&cluster, host, &kind, identity, false).await.map(drop)
    }

    fn standing(&self, state: &State, before: &Before, _keep: &Keep) -> Standing {
        let foreign = |text: &str| Standing::Foreign(text.to_owned());
        match (&before.was, &state.live) {
            (None, None) => Standing::AsBefore,
            (Some(_), None) => foreign("it is gone"),
            (None, Some(live)) if !is_managed(live) => foreign("somebody else placed it"),
            (None, Some(live)) if before.after.as_ref().is_none_or(|after| *after == digest(live, &before.mask)) => {
                Standing::Ours
            }
            (None, Some(_)) => foreign("its fields are not those that were applied"),
            (Some(was), Some(live)) if was.uid != uid(live) => foreign("it was deleted and placed anew"),
            (Some(was), Some(live)) => {
                let now = digest(live, &before.mask);
                match () {
                    () if now == was.fields => Standing::AsBefore,
                    () if before.after.as_ref().is_none_or(|after| *after == now) => Standing::Ours,
                    () => foreign("its fields are neither those that were applied nor those before"),
                }
            }
        }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let Some(identity) = &self.identity else { return Ok(Remains::new()) };
        let cluster = self.access.cluster(host).await?;
        let kind = match Kind::exact(&cluster, host, &identity.api_version, &identity.kind).await {
            Err(error) if error.code() == "k8s.kind" => return Ok(Remains::new()),
            kind => kind?,
        };
        let api = kind.api(&cluster, identity.namespace.as_deref());
        if before.was.is_none() {
            return leave::remove(&cluster, host, &api, &identity.name, None).await.map(|()| Remains::new());
        }
        let Some(old) = kept::kept(host, keep).await? else { return Ok(Remains::new()) };
        let patch = Patch::Merge(restoring(&old, &before.mask));
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        cluster
            .ask(host, api.patch(&identity.name, &params, &patch))
            .await
            .map_err(|error| self.hide(error))
            .map(|_| Remains::new())
    }
}

impl Apply {
    async fn look(&self, host: &Host, identity: &Identity) -> Result<State> {
        let cluster = self.access.cluster(host).await?;
        let is_recorded = matches!(self.object, Text::Digest(_));
        let kind = match Kind::exact(&cluster, host, &identity.api_version, &identity.kind).await {
            // The kind itself is gone, and all of its objects with it.
            Err(error) if is_recorded && error.code() == "k8s.kind" => {
                return Ok(State { known: true, live: None, would_be: None });
            }
            kind => kind?,
        };
        let api = kind.api(&cluster, identity.namespace.as_deref());
        let live = cluster.ask(host, api.get_opt(&identity.name)).await?;
        let live = live.map(|live| with_words(json(&live), &kind));
        if !matches!(self.object, Text::Plain(_) | Text::Secret(_)) {
            return Ok(State { known: is_recorded, live, would_be: None });
        }
        let would_be = self.send(&cluster, host, &kind, identity, true).await?;
        Ok(State { known: true, live, would_be: Some(would_be) })
    }

    /// Server-side apply, or the rehearsal of it.
    async fn send(
        &self,
        cluster: &Cluster,
        host: &Host,
        kind: &Kind,
        identity: &Identity,
        dry_run: bool,
    ) -> Result<Json> {
        let api = kind.api(cluster, identity.namespace.as_deref());
        let params = PatchParams {
            dry_run,
            force: self.force,
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Apply(self.content()?);
        let object = cluster.ask(host, api.patch(&identity.name, &params, &patch)).await;
        let object = object.map_err(|error| self.refusal(self.hide(error)))?;
        Ok(with_words(json(&object), kind))
    }

    fn content(&self) -> Result<Json> {
        let text = self.object.content()?;
        serde_json::from_str(text.expose())
            .map_err(|_| Error::new(Family::Local, "k8s.object", "the object is not what it was written as"))
    }

    /// The words of the API may quote what they refuse.
    fn hide(&self, error: Error) -> Error {
        let is_secret =
            matches!(self.object, Text::Secret(_)) || self.identity.as_ref().is_some_and(|one| one.kind == "Secret");
        if !is_secret || error.code() != "k8s.invalid" {
            return error;
        }
        let message = format!(
            "the API does not accept `{}`; its words are not shown, since they may quote a secret",
            self.target()
        );
        Error::new(error.kind(), "k8s.invalid", message).hint("try it with `kubectl apply --dry-run=server`")
    }

    fn refusal(&self, error: Error) -> Error {
        if error.code() != "k8s.conflict" {
            return error;
        }
        Error::new(
            Family::Refused,
            "k8s.conflict",
            format!("`{}` has fields that others set: {}", self.target(), error.message()),
        )
        .hint("leave these fields out, or take them over with `force: true`")
    }

    fn may_come(&self, host: &Host, error: &Error) -> bool {
        let overlay = host.overlay();
        let needs = matches!(error.code(), "k8s.missing" | "k8s.kind");
        (needs && (self.follows || overlay.any_fact(OBJECT))) || self.access.planned(&overlay).is_some()
    }
}

fn uid(object: &Json) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}

/// True when we set some of its fields.
fn is_managed(object: &Json) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    managers.is_some_and(|all| all.iter().any(|one| one["manager"] == MANAGER))
}
