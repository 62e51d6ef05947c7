//! Where two values of a recipe differ first.

use rhai::{Array, Dynamic, Map};

use crate::value::{to_kernel, type_name};

/// The first place in which two values differ.
pub(crate) struct Difference {
    /// `network.backends[1]`; empty for the values as a whole.
    pub path: String,
    pub expected: String,
    pub found: String,
}

impl Difference {
    /// None where they are alike. Closures are, whatever they do.
    pub fn between(expected: &Dynamic, found: &Dynamic) -> Option<Difference> {
        between("", expected, found)
    }
}

fn between(path: &str, expected: &Dynamic, found: &Dynamic) -> Option<Difference> {
    let (expected, found) = (expected.flatten_clone(), found.flatten_clone());
    if let (Some(one), Some(other)) = (expected.read_lock::<Map>(), found.read_lock::<Map>()) {
        return maps(path, &one, &other);
    }
    if let (Some(one), Some(other)) = (expected.read_lock::<Array>(), found.read_lock::<Array>()) {
        let longer = one.len().max(other.len());
        return (0..longer).find_map(|index| keyed(format!("{path}[{index}]"), one.get(index), other.get(index)));
    }
    match (to_kernel(&expected), to_kernel(&found)) {
        (Ok(one), Ok(other)) if one == other => None,
        (Err(_), Err(_)) if expected.type_name() == found.type_name() => None,
        _ => Some(Difference { path: path.to_owned(), expected: shown(&expected), found: shown(&found) }),
    }
}

fn maps(path: &str, expected: &Map, found: &Map) -> Option<Difference> {
    let extra = found.keys().filter(|key| !expected.contains_key(*key));
    expected.keys().chain(extra).find_map(|key| {
        let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        keyed(path, expected.get(key), found.get(key))
    })
}

fn keyed(path: String, expected: Option<&Dynamic>, found: Option<&Dynamic>) -> Option<Difference> {
    match (expected, found) {
        (Some(one), Some(other)) => between(&path, one, other),
        (one, other) => {
            let shown = |value: Option<&Dynamic>| value.map_or_else(|| "missing".to_owned(), shown);
            Some(Difference { path, expected: shown(one), found: shown(other) })
        }
    }
}

/// As the journal would keep it: without secrets, and of long texts the beginning.
fn shown(value: &Dynamic) -> String {
    to_kernel(value).map_or_else(|_| type_name(value).to_owned(), |value| value.journalled().to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn differ(expected: &str, found: &str) -> Option<(String, String, String)> {
        let engine = rhai::Engine::new();
        let value = |text: &str| engine.eval_expression::<Dynamic>(text).unwrap();
        let found = Difference::between(&value(expected), &value(found))?;
        Some((found.path, found.expected, found.found))
    }

    #[test]
    fn the_first_place_is_named() {
        let told = |path: &str, expected: &str, found: &str| Some((path.into(), expected.into(), found.into()));
        assert_eq!(differ("#{ a: [1, #{ b: () }] }", "#{ a: [1, #{ b: () }] }"), None);
        assert_eq!(differ("#{ a: [1, #{ b: 2 }] }", "#{ a: [1, #{ b: 3 }] }"), told("a[1].b", "2", "3"));
        assert_eq!(differ("#{ a: [1] }", "#{ a: [1, 2] }"), told("a[1]", "missing", "2"));
        assert_eq!(differ("#{ a: 1 }", "#{}"), told("a", "1", "missing"));
        assert_eq!(differ("#{}", "#{ a: \"x\" }"), told("a", "missing", "\"x\""));
        assert_eq!(differ("1", "true"), told("", "1", "true"));
    }
}
