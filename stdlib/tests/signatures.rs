//! What the verbs say of their own calls.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::event::Events;
use haengine_kernel::host::Hosts;
use haengine_kernel::inventory::{HostSpec, Inventory};
use haengine_kernel::run::{Mode, Place, Run};
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::transport::{Connect, Transport};
use haengine_kernel::value::Value;
use haengine_kernel::verb::Verb;

fn verbs() -> Vec<Arc<dyn Verb>> {
    haengine_stdlib::modules().into_iter().flat_map(|module| module.verbs).collect()
}

/// An option alone, as a call that names nothing.
fn alone(function: &str, option: &'static Param) -> Result<Arguments> {
    let signature = Signature { positional: &[], options: std::slice::from_ref(option) };
    Arguments::check(function, &signature, Vec::new(), None)
}

#[test]
fn a_default_is_of_the_kind_that_its_option_takes() {
    for verb in verbs() {
        for option in verb.signature().options {
            let Some(value) = option.absent.value() else { continue };
            let signature = Signature { positional: &[], options: std::slice::from_ref(option) };
            let given = BTreeMap::from([(option.name.to_owned(), value.clone())]);
            let checked = Arguments::check(verb.name(), &signature, Vec::new(), Some(given));
            assert!(checked.is_ok(), "{}: {}", option.name, checked.err().unwrap());
            assert!(alone(verb.name(), option).unwrap().get(option.name) == Some(&value), "{}", option.name);
        }
    }
}

#[test]
fn what_must_be_given_is_asked_for_by_name() {
    let mut seen = 0;
    for verb in verbs() {
        for option in verb.signature().options.iter().filter(|option| option.is_required()) {
            let error = alone(verb.name(), option).err().unwrap();
            assert_eq!(error.code(), "call.missing");
            assert!(error.message().contains(&format!("`{}`", option.name)), "{error}");
            seen += 1;
        }
    }
    assert!(seen > 5, "only {seen} options must be given");
}

/// Nobody is there.
struct Nobody;

#[async_trait]
impl Connect for Nobody {
    async fn connect(&self, _host: &HostSpec) -> Result<Arc<dyn Transport>> {
        Err(Error::new(Kind::Unreachable, "test.nobody", "nobody is there"))
    }
}

/// Something that an argument of this kind may be.
fn sample(kind: ParamKind) -> Value {
    match kind {
        ParamKind::Integer | ParamKind::Integers | ParamKind::Mode | ParamKind::Duration => Value::Integer(1),
        ParamKind::Boolean => Value::Boolean(true),
        ParamKind::Choice(words) => Value::from(words[0]),
        ParamKind::Map => Value::Map(BTreeMap::new()),
        _ => Value::from("/opt/demo/a"),
    }
}

/// A verb is asked for its call on no host: it takes its arguments apart, and nothing else. What it looks up and does not have
/// in its signature ends the test.
#[tokio::test]
async fn a_verb_looks_up_what_its_signature_has() {
    let (events, _told) = Events::channel();
    let cancel = tokio_util::sync::CancellationToken::new();
    let inventory =
        Inventory::parse("hosts: { m1: { address: 192.0.2.1 } }", std::path::Path::new("site.yaml"), None).unwrap();
    let hosts = Hosts::new(Arc::new(inventory), Arc::new(Nobody), events.clone(), cancel.clone());
    let run = Run::new("plan".to_owned(), Mode::Plan, hosts, events, cancel);
    for verb in verbs() {
        let signature = verb.signature();
        let given = |all: bool| {
            let options = signature.options.iter().filter(|option| all || option.is_required());
            options.map(|option| (option.name.to_owned(), sample(option.kind))).collect()
        };
        for options in [given(false), given(true)] {
            let positional = signature.positional.iter().map(|param| sample(param.kind)).collect();
            let arguments = Arguments::check(verb.name(), &signature, positional, Some(options)).unwrap();
            // Samples that do not go together are refused, which is as good here.
            drop(verb.call(&run, &Place::default(), &[], &arguments).await);
        }
    }
}

#[test]
#[should_panic(expected = "which its signature does not have")]
fn a_name_that_is_not_in_the_signature_is_a_defect() {
    let signature = Signature { positional: &[], options: &[] };
    let arguments = Arguments::check("file::put", &signature, Vec::new(), None).unwrap();
    arguments.opt_string("mod");
}
