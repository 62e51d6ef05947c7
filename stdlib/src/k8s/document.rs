//! The objects that a recipe hands over: maps, or documents in YAML.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::secret::Secret;
use haengine_kernel::text::Text;
use haengine_kernel::value::{Unknown, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::kind::{is_cluster_wide, title};

/// What names an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `v1`, or `GROUP/VERSION`.
    pub api_version: String,
    /// `ConfigMap`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Where it lies, if the object or the recipe says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Identity {
    /// As the journal names it.
    pub fn title(&self) -> String {
        title(&self.kind, &self.name, self.namespace.as_deref())
    }
}

/// One object to apply.
pub struct Document {
    /// None when only a run can know.
    pub identity: Option<Identity>,
    /// The object as JSON.
    pub text: Text,
}

/// The objects in an argument.
///
/// # Errors
/// When it is no object, or lacks what names one.
pub fn documents(value: &Value, namespace: Option<&str>) -> Result<Vec<Document>> {
    match value {
        Value::Unknown(unknown) => Ok(vec![Document { identity: None, text: Text::Unknown(unknown.clone()) }]),
        Value::String(text) => of_yaml(text, namespace, false),
        Value::Secret(secret) => of_yaml(secret.expose(), namespace, true),
        Value::Map(_) => of_map(value, namespace),
        Value::List(items) => {
            let all: Vec<Vec<Document>> = items.iter().map(|item| documents(item, namespace)).collect::<Result<_>>()?;
            Ok(all.into_iter().flatten().collect())
        }
        other => Err(wrong(format!("an object is a map or a text in YAML, not {}", other.kind()))),
    }
}

fn of_yaml(text: &str, namespace: Option<&str>, is_secret: bool) -> Result<Vec<Document>> {
    // The parser's words may quote the text.
    let parsed = serde_saphyr::from_multiple::<Json>(text);
    let parsed = parsed.map_err(|error| {
        let wrong = wrong("the text is not YAML".to_owned());
        if is_secret { wrong } else { wrong.because(haengine_kernel::redact::redact(&error.to_string())) }
    })?;
    let mut found = Vec::new();
    for json in parsed.into_iter().filter(|json| !json.is_null()) {
        of_json(json, namespace, is_secret, &mut found)?;
    }
    if found.is_empty() { Err(wrong("the text has no object in it".to_owned())) } else { Ok(found) }
}

fn of_map(value: &Value, namespace: Option<&str>) -> Result<Vec<Document>> {
    let mut seen = Seen::default();
    let json = exposed(value, &mut seen);
    let mut found = Vec::new();
    of_json(json, namespace, seen.secret, &mut found)?;
    if let Some(unknown) = seen.unknown {
        found.iter_mut().for_each(|document| document.text = Text::Unknown(unknown.clone()));
    }
    Ok(found)
}

/// A `List` is taken apart.
fn of_json(mut json: Json, namespace: Option<&str>, is_secret: bool, found: &mut Vec<Document>) -> Result<()> {
    if json["kind"].as_str() == Some("List") && json["items"].is_array() {
        let items = json["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        return items.into_iter().try_for_each(|item| of_json(item, namespace, is_secret, found));
    }
    let word = |pointer: &str| json.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
    let needed = |pointer: &str| {
        let missing = || wrong(format!("the object has no `{}`", pointer.trim_start_matches('/').replace('/', ".")));
        word(pointer).filter(|text| !text.is_empty()).ok_or_else(missing)
    };
    let (api_version, kind, name) = (needed("/apiVersion")?, needed("/kind")?, needed("/metadata/name")?);
    let namespace = word("/metadata/namespace").or_else(|| namespace.map(str::to_owned));
    let namespace = namespace.filter(|_| !is_cluster_wide(&kind, &api_version));
    let identity = Identity { api_version, kind, name, namespace };
    let is_secret = is_secret || identity.kind == "Secret";
    if identity.kind == "Secret" {
        encode(&mut json);
    }
    let text = json.to_string();
    let text = if is_secret { Text::Secret(Secret::new(text)) } else { Text::Plain(text) };
    found.push(Document { identity: Some(identity), text });
    Ok(())
}

/// `stringData` can be written and not read; as `data` it can be compared.
fn encode(secret: &mut Json) {
    let Some(Json::Object(plain)) = secret.as_object_mut().and_then(|map| map.shift_remove("stringData")) else {
        return;
    };
    for (name, value) in plain {
        if let Some(text) = value.as_str() {
            secret["data"][name] = Json::from(STANDARD.encode(text));
        }
    }
}

#[derive(Default)]
struct Seen {
    secret: bool,
    unknown: Option<Unknown>,
}

fn exposed(value: &Value, seen: &mut Seen) -> Json {
    match value {
        Value::Secret(secret) => {
            seen.secret = true;
            Json::from(secret.expose())
        }
        Value::Unknown(unknown) => {
            seen.unknown = Some(unknown.clone());
            Json::Null
        }
        Value::List(items) => Json::Array(items.iter().map(|item| exposed(item, seen)).collect()),
        Value::Map(map) => of_fields(map, seen),
        other => other.redacted(),
    }
}

fn of_fields(map: &BTreeMap<String, Value>, seen: &mut Seen) -> Json {
    Json::Object(map.iter().map(|(name, value)| (name.clone(), exposed(value, seen))).collect())
}

fn wrong(message: String) -> Error {
    Error::new(Kind::Usage, "k8s.object", message).hint("write it as `kubectl apply` takes it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_from_yaml_lists_and_maps() {
        let yaml = "apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n---\n---\napiVersion: v1\nkind: List\nitems:\n\
            - { apiVersion: v1, kind: ConfigMap, metadata: { name: b } }\n";
        let found = documents(&Value::from(yaml), Some("a")).unwrap();
        let titles: Vec<String> = found.iter().map(|one| one.identity.as_ref().unwrap().title()).collect();
        assert_eq!(titles, ["namespace/a", "configmap/b in a"]);
        assert_eq!(
            documents(&Value::from("kind: ConfigMap"), None).err().unwrap().message(),
            "the object has no `apiVersion`"
        );
    }

    #[test]
    fn what_is_secret_stays_secret() {
        let secret = Value::Secret(Secret::new("canary".to_owned()));
        let metadata = Value::map([("name", Value::from("s"))]);
        let map = Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", Value::from("Secret")),
            ("metadata", metadata),
            ("stringData", Value::map([("k", secret)])),
        ]);
        let found = documents(&map, None).unwrap();
        let Text::Secret(text) = &found[0].text else { panic!("not secret") };
        assert!(
            text.expose().contains(&format!("\"data\":{{\"k\":\"{}\"}}", STANDARD.encode("canary"))),
            "{}",
            text.expose()
        );
        let error = documents(&Value::Secret(Secret::new("a: [ canary".to_owned())), None).err().unwrap();
        assert!(!format!("{error} {:?}", error.causes()).contains("canary"));
    }
}
