//! The fields of an object: which of them a change sets, what they are, and how they are put back.

use haengine_kernel::text::TextDigest;
use serde_json::{Map, Value as Json};

/// What the API sets by itself, in `metadata`.
const OWN: [&str; 8] = [
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// The object without what the API sets by itself.
pub fn plain(object: &Json) -> Json {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Json::as_object_mut) {
        OWN.iter().for_each(|name| drop(metadata.shift_remove(*name)));
    }
    object
}

/// The names of the fields that `object` sets, without their values. A list is one field. What names the object is
/// left out.
pub fn mask(object: &Json) -> Json {
    let mut mask = names(object);
    if let Some(map) = mask.as_object_mut() {
        map.shift_remove("apiVersion");
        map.shift_remove("kind");
    }
    if let Some(metadata) = mask.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.shift_remove("name");
        metadata.shift_remove("namespace");
    }
    mask
}

fn names(value: &Json) -> Json {
    match value {
        Json::Object(map) if !map.is_empty() => {
            Json::Object(map.iter().map(|(name, value)| (name.clone(), names(value))).collect())
        }
        _ => Json::Null,
    }
}

/// What the fields of `mask` are in `object`; what is missing is left out.
fn within(object: &Json, mask: &Json) -> Json {
    let Json::Object(mask) = mask else { return object.clone() };
    let fields = mask.iter().filter_map(|(name, mask)| {
        let value = within(object.get(name)?, mask);
        let is_empty = value.as_object().is_some_and(Map::is_empty);
        (!is_empty).then(|| (name.clone(), value))
    });
    Json::Object(fields.collect())
}

/// The hash of what the fields of `mask` are.
pub fn digest(object: &Json, mask: &Json) -> String {
    let mut fields = within(object, mask);
    fields.sort_all_objects();
    TextDigest::of(fields.to_string().as_bytes()).sha256
}

/// The merge patch that makes the fields of `mask` what they were in `old`; those that were not there go.
pub fn restoring(old: &Json, mask: &Json) -> Json {
    match mask {
        Json::Object(mask) if old.is_null() || old.is_object() => {
            let fields = mask.iter().map(|(name, mask)| (name.clone(), restoring(&old[name], mask)));
            Json::Object(fields.collect())
        }
        _ => old.clone(),
    }
}

/// Two versions of an object as a diff shows them. What a Secret holds is not shown, but that it differs is.
pub fn shown(kind: &str, before: &Json, after: &Json) -> (String, String) {
    let (mut before, mut after) = (without_copy(before), without_copy(after));
    if kind == "Secret" {
        hide(&mut before, &mut after);
    }
    (pretty(&before), pretty(&after))
}

fn hide(before: &mut Json, after: &mut Json) {
    for field in ["data", "stringData"] {
        let old = before.get(field).cloned().unwrap_or_default();
        if let Some(Json::Object(values)) = after.get_mut(field) {
            for (name, value) in values {
                let word = if old.get(name) == Some(&*value) { "‹secret›" } else { "‹secret, new›" };
                *value = Json::from(word);
            }
        }
        if let Some(Json::Object(values)) = before.get_mut(field) {
            values.values_mut().for_each(|value| *value = Json::from("‹secret›"));
        }
    }
}

/// Tools keep a whole copy of an object in an annotation: it would be shown twice, secrets included.
fn without_copy(object: &Json) -> Json {
    let mut object = plain(object);
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Json::as_object_mut) {
        annotations.shift_remove(super::object::LAST_APPLIED);
    }
    object
}

fn pretty(object: &Json) -> String {
    if object.is_null() {
        return String::new();
    }
    serde_json::to_string_pretty(object).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_fields_that_were_set_are_put_back() {
        let applied = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "labels": { "x": "1" } },
            "data": { "a": "new", "b": "2" }, "list": [1, 2],
        });
        let mask = mask(&applied);
        assert_eq!(
            mask,
            json!({ "metadata": { "labels": { "x": null } }, "data": { "a": null, "b": null }, "list": null })
        );
        let old = json!({ "metadata": { "uid": "u" }, "data": { "a": "old", "c": "3" }, "list": [1] });
        let patch = restoring(&old, &mask);
        assert_eq!(
            patch,
            json!({ "metadata": { "labels": { "x": null } }, "data": { "a": "old", "b": null }, "list": [1] })
        );
        let mut later = old.clone();
        later["data"]["c"] = json!("somebody else's");
        assert_eq!(digest(&old, &mask), digest(&later, &mask));
        later["data"]["a"] = json!("other");
        assert_ne!(digest(&old, &mask), digest(&later, &mask));
    }

    #[test]
    fn a_digest_does_not_depend_on_the_order_of_fields() {
        let (a, b) = (json!({ "x": { "a": 1, "b": 2 } }), json!({ "x": { "b": 2, "a": 1 } }));
        assert_eq!(digest(&a, &Json::Null), digest(&b, &Json::Null));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let of = |value: &str| {
            let copy = format!("{{\"data\":\"{value}\"}}");
            json!({ "kind": "Secret", "metadata": { "annotations": { (super::super::object::LAST_APPLIED): copy } }, "data": { "k": value, "same": "s" } })
        };
        let (before, after) = shown("Secret", &of("old-one"), &of("new-one"));
        assert!(!before.contains("old-one") && !after.contains("new-one"), "{before}{after}");
        assert!(after.contains("\"k\": \"‹secret, new›\"") && after.contains("\"same\": \"‹secret›\""), "{after}");
    }
}
