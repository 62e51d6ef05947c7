//! An object of the API as a recipe sees it.

use haengine_kernel::secret::Secret;
use haengine_kernel::value::Value;
use kube::api::DynamicObject;
use serde_json::Value as Json;

use super::kind::{Kind, with_words};

/// Where tools keep a whole copy of an object, secrets included.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The object as a map, without the bookkeeping of who set which field. What a Secret holds stays a secret.
pub fn value(object: &DynamicObject, kind: &Kind) -> Value {
    let mut json = with_words(json(object), kind);
    if let Some(metadata) = json.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    let mut value = Value::from(json);
    if kind.resource.kind == "Secret" {
        hide(&mut value);
    }
    value
}

/// The object as the API has it.
pub fn json(object: &DynamicObject) -> Json {
    // A map of texts and values always has a form in JSON.
    serde_json::to_value(object).unwrap_or_default()
}

fn hide(secret: &mut Value) {
    let Value::Map(fields) = secret else { return };
    for name in ["data", "stringData"] {
        if let Some(Value::Map(data)) = fields.get_mut(name) {
            data.values_mut().for_each(hide_text);
        }
    }
    if let Some(Value::Map(metadata)) = fields.get_mut("metadata")
        && let Some(Value::Map(annotations)) = metadata.get_mut("annotations")
        && let Some(copy) = annotations.get_mut(LAST_APPLIED)
    {
        hide_text(copy);
    }
}

fn hide_text(value: &mut Value) {
    if let Value::String(text) = value {
        *value = Value::Secret(Secret::new(std::mem::take(text)));
    }
}
