//! `k8s::apply`: an object is as the recipe says.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::diff::Diff;
use haengine_kernel::error::{Error, Kind as Family, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay};
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::value::Value;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::cluster::{Access, Cluster, KUBECONFIG, SERVER, THROUGH};
use super::document::{Document, Identity, documents};
use super::fields::{digest, mask, plain, restoring, shown};
use super::kind::{Kind, with_words};
use super::making::{self, MANAGER, TRIES};
use super::object::json;
use super::planned::PlannedObject;
use super::{kept, leave};

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
    /// Which objects runs made; read for an undo alone.
    records: kept::Records,
}

impl State {
    /// What only a run can know.
    fn unknown() -> State {
        State { known: false, live: None, would_be: None, records: kept::Records::new() }
    }
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

An object that was not there is created, which fails if somebody else places one of its name at that moment; a change is \
made only of what was looked at.

**Undo** deletes the object that the run made, and no other: its uid is kept on the host. One that somebody placed anew \
since, or while the run was about to, stays and is named. Of an object that was there before it puts back the fields that \
were set, and no others. The object as it was is kept on the host until then, never in the journal.";
    const SIGNATURE: Signature = Signature {
        positional: &[THROUGH, Param::new("object", ParamKind::Any, "A map, or a text in YAML, or an array of them.")],
        options: &[
            Param::option(
                "namespace",
                ParamKind::String,
                Absent::Means("the kubeconfig's, or `\"default\"`"),
                "For objects that name none.",
            ),
            Param::option(
                "force",
                ParamKind::Boolean,
                Absent::Boolean(false),
                "Take over fields that others have set.",
            ),
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
        let force = arguments.boolean("force")?;
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
        let Some(identity) = &self.identity else { return Ok(State::unknown()) };
        match self.look(host, identity).await {
            // What it needs is planned, or placed by the object before it.
            Err(error) if self.may_come(host, &error) => Ok(State::unknown()),
            looked => looked,
        }
    }

    fn assume(&self, state: State, overlay: &Overlay) -> State {
        match overlay.fact::<PlannedObject>(&self.target()) {
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
        let effects = vec![Effect::fact(self.target(), PlannedObject::Applied)];
        Ok(Plan::Change(Change { before, summary, diff, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let Some(identity) = &self.identity else { return self.object.content().map(drop) };
        let cluster = self.access.cluster(host).await?;
        let kind = Kind::exact(&cluster, host, &identity.api_version, &identity.kind).await?;
        let api = kind.api(&cluster, identity.namespace.as_deref());
        let (Some(was), Some(live)) = (&before.was, &before.live) else {
            let made = making::create(&cluster, host, &api, self.content()?, &self.target(), keep).await;
            return made.map_err(|error| self.hide(error));
        };
        kept::keep(host, keep, live).await?;
        let mut live: Json = serde_json::from_str(live.expose()).unwrap_or_default();
        for _ in 0..TRIES {
            match self.send(&cluster, host, &kind, identity, version(&live)).await {
                Err(error) if making::is_stale(&error) => {}
                sent => return sent.map(drop),
            }
            // What others write elsewhere in it, a controller its status, is no matter of ours.
            let now = cluster.ask(host, api.get_opt(&identity.name)).await?;
            match now.map(|now| with_words(json(&now), &kind)) {
                Some(now) if uid(&now) == was.uid && digest(&now, &before.mask) == was.fields => live = now,
                _ => break,
            }
        }
        Err(making::overtaken(&self.target()))
    }

    /// What is there and was not made or changed by the run is nothing to put back: undo leaves it, and names it.
    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        let foreign = |text: &str| Standing::Foreign(text.to_owned());
        match (&before.was, &state.live) {
            (None, None) => Standing::AsBefore,
            (Some(_), None) => Standing::Ours,
            (None, Some(live)) if !is_made(live, state, keep) => Standing::Ours,
            (None, Some(live)) if before.after.as_ref().is_none_or(|after| *after == digest(live, &before.mask)) => {
                Standing::Ours
            }
            (None, Some(_)) => foreign("its fields are not those that were applied"),
            (Some(was), Some(live)) if was.uid != uid(live) => Standing::Ours,
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
        for _ in 0..TRIES {
            let state = self.look(host, identity).await?;
            let standing = self.standing(&state, before, keep);
            let Some(live) = state.live.as_ref().filter(|_| standing == Standing::Ours) else {
                return self.nothing_there(standing, before);
            };
            let back = match &before.was {
                None if is_made(live, &state, keep) => {
                    let only = leave::only(&uid(live), version(live));
                    leave::remove(&cluster, host, &api, &identity.name, only).await
                }
                Some(was) if was.uid == uid(live) => self.put_back(host, &api, live, before, keep).await,
                _ => return Ok(vec![Remnant::left(self.target(), "somebody else placed it")]),
            };
            match back {
                Err(error) if making::is_stale(&error) => {}
                back => return back.map(|()| Remains::new()).map_err(|error| self.hide(error)),
            }
        }
        Err(making::overtaken(&self.target()))
    }
}

/// True when the run made an object, as far as that can be proven. Runs before there were records knew it by who set fields.
fn is_made(live: &Json, state: &State, keep: &Keep) -> bool {
    if keep.is_recorded() {
        making::is_made_by(live, &state.records, keep)
    } else {
        making::is_managed_by(live, MANAGER)
    }
}

impl Apply {
    /// There is no object, or none that the run changed.
    fn nothing_there(&self, standing: Standing, before: &Before) -> Result<Remains> {
        match standing {
            Standing::Foreign(_) => Err(making::overtaken(&self.target())),
            Standing::Ours if before.was.is_some() => {
                Ok(vec![Remnant::left(self.target(), "somebody deleted it, and its fields with it")])
            }
            _ => Ok(Remains::new()),
        }
    }

    /// Puts back the fields of `live`, of that version alone.
    async fn put_back(
        &self,
        host: &Host,
        api: &kube::Api<DynamicObject>,
        live: &Json,
        before: &Before,
        keep: &Keep,
    ) -> Result<()> {
        let Some(old) = kept::kept(host, keep).await? else { return Ok(()) };
        let mut fields = restoring(&old, &before.mask);
        fields["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let cluster = self.access.cluster(host).await?;
        let name = live["metadata"]["name"].as_str().unwrap_or_default();
        cluster.ask(host, api.patch(name, &params, &Patch::Merge(fields))).await.map(drop)
    }
}

impl Apply {
    async fn look(&self, host: &Host, identity: &Identity) -> Result<State> {
        let cluster = self.access.cluster(host).await?;
        let is_recorded = matches!(self.object, Text::Digest(_));
        let kind = match Kind::exact(&cluster, host, &identity.api_version, &identity.kind).await {
            // The kind itself is gone, and all of its objects with it.
            Err(error) if is_recorded && error.code() == "k8s.kind" => {
                return Ok(State { known: true, ..State::unknown() });
            }
            kind => kind?,
        };
        let api = kind.api(&cluster, identity.namespace.as_deref());
        let live = cluster.ask(host, api.get_opt(&identity.name)).await?;
        let live = live.map(|live| with_words(json(&live), &kind));
        if !matches!(self.object, Text::Plain(_) | Text::Secret(_)) {
            let records = if is_recorded { kept::records(host).await? } else { kept::Records::new() };
            return Ok(State { known: is_recorded, live, would_be: None, records });
        }
        let would_be = self.rehearse(&cluster, host, &kind, identity).await?;
        Ok(State { known: true, live, would_be: Some(would_be), records: kept::Records::new() })
    }

    /// What would become of the object.
    async fn rehearse(&self, cluster: &Cluster, host: &Host, kind: &Kind, identity: &Identity) -> Result<Json> {
        self.patch(cluster, host, kind, identity, self.content()?, true).await
    }

    /// Server-side apply, to one version of the object.
    async fn send(
        &self,
        cluster: &Cluster,
        host: &Host,
        kind: &Kind,
        identity: &Identity,
        version: Option<&str>,
    ) -> Result<Json> {
        let mut content = self.content()?;
        content["metadata"]["resourceVersion"] = Json::from(version);
        self.patch(cluster, host, kind, identity, content, false).await
    }

    async fn patch(
        &self,
        cluster: &Cluster,
        host: &Host,
        kind: &Kind,
        identity: &Identity,
        content: Json,
        dry_run: bool,
    ) -> Result<Json> {
        let api = kind.api(cluster, identity.namespace.as_deref());
        let (patch, manager) = (Patch::Apply(content), Some(MANAGER.to_owned()));
        let mut params = PatchParams { dry_run, force: self.force, field_manager: manager, ..PatchParams::default() };
        let mut object = cluster.ask(host, api.patch(&identity.name, &params, &patch)).await;
        if object.as_ref().is_err_and(making::is_with_ourselves) {
            params.force = true;
            object = cluster.ask(host, api.patch(&identity.name, &params, &patch)).await;
        }
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
        if error.code() != "k8s.conflict" || making::is_stale(&error) {
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
        (needs && (self.follows || overlay.any_fact::<PlannedObject>())) || self.access.planned(&overlay).is_some()
    }
}

fn uid(object: &Json) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}

fn version(object: &Json) -> Option<&str> {
    object["metadata"]["resourceVersion"].as_str()
}
