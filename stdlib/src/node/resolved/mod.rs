//! `node::resolved`: what endpoints stand for on a host.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

use super::endpoint::{self, Endpoint};
use super::repointed::endpoint;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Resolved {
    endpoints: Vec<(String, Endpoint)>,
}

const ENDPOINT: Shape =
    Shape::Map(&[("address", Shape::String), ("port", Shape::Integer), ("addresses", Shape::List(&Shape::String))]);

#[async_trait]
impl Read for Resolved {
    const NAME: &'static str = "node.resolved";
    const ABOUT: &'static str = "What endpoints stand for on a host.

The result is a map by the endpoints: `address` (the address or the name, without brackets), `port`, and `addresses`, which the name
stands for there; none where the host does not know it. An address stands for itself, and nobody is asked for it.

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("endpoints", ParamKind::Strings, "Each of them as `ADDRESS:PORT`.")],
        options: &[],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "A name, and an address of IPv6.",
        given: "",
        code: r#"node::resolved(h, ["localhost:80", "[2001:db8::1]:6443"]).values().map(|one| [one.address, one.addresses.is_empty()])"#,
        gives: r#"[["2001:db8::1", false], ["localhost", false]]"#,
    }];
    const GIVES: Shape = Shape::Named(&ENDPOINT);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let given = arguments.strings("endpoints");
        let endpoints = given.into_iter().map(|text| endpoint(&text).map(|endpoint| (text, endpoint)));
        Ok(Resolved { endpoints: endpoints.collect::<Result<_>>()? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::resolved", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let named = self.endpoints.iter().filter_map(|(_, endpoint)| match &endpoint.host {
            Some(endpoint::Host::Name(name)) => Some(name.as_str()),
            _ => None,
        });
        let names: Vec<&str> = named.collect();
        let said = match names.is_empty() {
            true => String::new(),
            false => host.ok(&Command::script(include_str!("look.sh")).args(names)).await?.text(),
        };
        let all = self.endpoints.iter().map(|(text, endpoint)| (text.clone(), value(endpoint, &said)));
        Ok(Value::Map(all.collect()))
    }
}

fn value(endpoint: &Endpoint, said: &str) -> Value {
    let address = endpoint.host.as_ref().map(ToString::to_string).unwrap_or_default();
    let addresses = match &endpoint.host {
        Some(endpoint::Host::Name(name)) => known(said, name),
        _ => vec![Value::from(address.as_str())],
    };
    Value::map([
        ("address", Value::from(address)),
        ("port", Value::Integer(endpoint.port().unwrap_or_default().into())),
        ("addresses", Value::List(addresses)),
    ])
}

fn known(said: &str, name: &str) -> Vec<Value> {
    let pairs = said.lines().filter_map(|line| line.split_once(' '));
    pairs.filter(|(known, _)| *known == name).map(|(_, address)| Value::from(address)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_all_its_addresses() {
        let said = "api.example 192.0.2.1\napi.example 2001:db8::1\nother 192.0.2.9\n";
        let told = |text: &str| value(&endpoint(text).unwrap(), said).redacted().to_string();
        assert_eq!(
            told("API.example:6443"),
            r#"{"address":"api.example","addresses":["192.0.2.1","2001:db8::1"],"port":6443}"#
        );
        assert_eq!(told("[::1]:1"), r#"{"address":"::1","addresses":["::1"],"port":1}"#);
        assert!(endpoint("192.0.2.1").is_err() && endpoint("https://a:1").is_err() && endpoint("a:1/x").is_err());
    }
}
