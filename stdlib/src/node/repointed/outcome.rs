//! What becomes of each file.

use std::collections::BTreeMap;

use haengine_kernel::error::Error;
use haengine_kernel::value::Value;

use super::found::{Found, Linked};
use crate::node::change::Change;
use crate::node::mention::Mention;
use crate::node::program::Program;
use crate::node::service::Service;
use crate::node::text::changed;
use crate::node::traced::Files;
use crate::node::unit_files::UnitFiles;

/// What comes of a file, or why it is not understood; the text is none for what is no text.
type Outcome = Result<(Option<String>, Vec<Mention>), String>;

/// The files that name one of the servers, or the new one.
pub(super) fn outcomes(found: &Found, units: &UnitFiles, change: &Change) -> Vec<Value> {
    let mut of_units = of_units(found, units, change);
    let all = found.files.iter().filter_map(|linked| {
        let own = linked.names().find_map(|name| of_units.remove(name));
        let outcome = own.unwrap_or_else(|| changed(&linked.file, change).map_err(why));
        value(linked, outcome, change)
    });
    all.collect()
}

fn why(error: Error) -> String {
    error.message().to_owned()
}

/// The files of units by the names that these have for them. Those that are understood are taken together: one variable may be of
/// several.
fn of_units(found: &Found, units: &UnitFiles, change: &Change) -> BTreeMap<String, Outcome> {
    let mut files = Files::default();
    for linked in &found.files {
        let Some(text) = &linked.file.text else { continue };
        for name in linked.names().filter(|name| units.has(name)) {
            files.add(name, text);
        }
    }
    let (mut services, mut paths, mut outcomes) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (own, service) in units.services(&files, Some(&found.hostname)) {
        match service.and_then(|service| Program::of(&files, &service).map(|_| service)) {
            Ok(service) => {
                services.push(service);
                paths.extend(own);
            }
            Err(error) => outcomes.extend(own.iter().map(|path| (path.clone(), Err(error.message().to_owned())))),
        }
    }
    outcomes.extend(understood(&files, &services, &paths, change));
    outcomes
}

fn understood(files: &Files, services: &[Service], paths: &[&String], change: &Change) -> Vec<(String, Outcome)> {
    let changed = change.units(files, services).map_err(why);
    let of_file = |path: &str, text: &str| {
        let changed = changed.as_ref().map_err(String::clone)?;
        let new = changed.texts.iter().find(|(own, _)| own == path).map_or(text, |(_, new)| new);
        let kept = changed.kept.iter().filter(|kept| kept.path == path).cloned().collect();
        Ok((Some(new.to_owned()), kept))
    };
    let there = paths.iter().filter_map(|path| Some((path.as_str(), files.text(files.number(path)?))));
    there.map(|(path, text)| (path.to_owned(), of_file(path, text))).collect()
}

/// A file as recipes see it; none where it names neither an old server nor the new one.
fn value(linked: &Linked, outcome: Outcome, change: &Change) -> Option<Value> {
    let (file, text) = (&linked.file, linked.file.text.as_deref().unwrap_or_default());
    let is_large = file.text.is_none() && file.bytes.is_empty();
    let outcome = if is_large { Err(format!("`{}` has more than 1 MiB", file.path)) } else { outcome };
    let (becomes, kept, problem) = match outcome {
        Ok((becomes, kept)) => (becomes.filter(|becomes| becomes != text), kept, None),
        Err(problem) => (None, Vec::new(), Some(problem).filter(|_| is_large || change.mention(None, text).is_some())),
    };
    let new = Change { servers: change.server.iter().cloned().collect(), ..Change::default() };
    let is_named = becomes.is_some() || !kept.is_empty() || problem.is_some() || new.mention(None, text).is_some();
    let before = becomes.is_some().then_some(text);
    is_named.then(|| {
        Value::map([
            ("path", Value::from(file.path.as_str())),
            ("links", Value::List(linked.links.iter().map(|link| Value::from(link.as_str())).collect())),
            ("changed", Value::Boolean(becomes.is_some())),
            ("text", before.map_or(Value::Null, Value::from)),
            ("becomes", becomes.map_or(Value::Null, Value::from)),
            ("kept", Mention::values(&kept)),
            ("problem", problem.map_or(Value::Null, Value::from)),
        ])
    })
}

#[cfg(test)]
mod tests {
    use haengine_kernel::value::Value;

    use super::super::found::found;
    use super::*;
    use crate::node::endpoint::Endpoint;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    const UNIT: &str = "[Service]\nEnvironmentFile=/o\nExecStart=/usr/bin/kube-proxy $OPTS\n";

    fn told(files: &[(&str, &str, &[&str])], units: &[(&str, &[&str])]) -> Vec<String> {
        let mut said = "host node1\n".to_owned();
        for (path, text, links) in files {
            said += &format!("file 644 {} {path}\n", BASE64_STANDARD.encode(text));
            said.extend(links.iter().map(|link| format!("link {link}\n")));
        }
        let list = |paths: &[&str]| Value::List(paths.iter().map(|path| Value::from(*path)).collect());
        let units = UnitFiles::new(units.iter().map(|(name, paths)| ((*name).to_owned(), list(paths))).collect());
        let at = |text: &str| Endpoint::parse(text).unwrap();
        let change =
            Change { servers: vec![at("10.0.0.1:6443")], server: Some(at("10.0.0.88:16443")), ..Change::default() };
        let all = outcomes(&found(&said).unwrap(), &units, &change);
        all.iter()
            .map(|value| value.redacted())
            .map(|one| format!("{} {} {} {}", one["path"], one["links"], one["becomes"], one["problem"]))
            .collect()
    }

    #[test]
    fn a_link_is_changed_where_it_leads() {
        let text = "OPTS=--master=https://10.0.0.1:6443\n";
        let found =
            told(&[("/real", text, &["/o"]), ("/u.service", UNIT, &[])], &[("kube-proxy", &["/u.service", "/o"])]);
        assert_eq!(found, [r#""/real" ["/o"] "OPTS=--master=https://10.0.0.88:16443\n" null"#]);
    }

    #[test]
    fn what_is_not_understood_is_said_only_where_it_matters() {
        let shell = "[Service]\nExecStart=/bin/sh -c 'kube-proxy --master=https://10.0.0.1:6443'\n";
        let found = told(
            &[
                ("/s.service", shell, &[]),
                ("/x.service", &shell.replace("10.0.0.1", "10.0.0.2"), &[]),
                ("/y", "clusters: [\nusers: 10.0.0.1\n", &[]),
            ],
            &[("s", &["/s.service"]), ("x", &["/x.service"])],
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("starts the program") && found[1].contains("cannot be read as YAML"), "{found:?}");
    }
}
