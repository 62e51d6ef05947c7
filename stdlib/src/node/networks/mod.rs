//! `node::networks`: the files of CNI that fix a node's part of the pods' network, around that part.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;

use super::file::File;
use super::linked::{ask, found};
use super::network::Network;
use super::subnet::Subnet;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Networks {
    part: Option<Subnet>,
}

/// What the runtimes read there.
const FILES: [&str; 3] = ["/etc/cni/net.d/*.conf", "/etc/cni/net.d/*.conflist", "/etc/cni/net.d/*.json"];

const FILE: Shape = Shape::Map(&[
    ("path", Shape::String),
    ("mode", Shape::Integer),
    ("parts", Shape::List(&Shape::String)),
    ("problem", Shape::Anything),
]);

#[async_trait]
impl Read for Networks {
    const NAME: &'static str = "node.networks";
    const ABOUT: &'static str = "The files of CNI that hand out addresses of the node itself, around its part of the pods' network.

These are the files in `/etc/cni/net.d` whose addresses come from `host-local`. The result is a list of maps:

| name | what |
|---|---|
| `path`, `mode` | of the file |
| `parts` | its text, cut where `part` stands as the network of `host-local`: with another node's part between them it is that node's file. One text where it follows the node by itself; empty where another part stands there |
| `problem` | why it cannot be cut: it is not understood, or has addresses within the part; else `()` |

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts()],
        options: &[Param::option(
            "part",
            ParamKind::String,
            Absent::Means("none"),
            "The part that the cluster gave to the node, like `10.244.1.0/24`.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "The same file for another node.",
        given: "mkdir -p /etc/cni/net.d && echo '{\"type\": \"bridge\", \"ipam\": {\"type\": \"host-local\", \"subnet\": \"10.244.1.0/24\"}}' >/etc/cni/net.d/10-pods.conf",
        code: r#"node::networks(h, #{ part: "10.244.1.0/24" })[0].parts[1]"#,
        gives: r#""\"}}\n""#,
    }];
    const GIVES: Shape = Shape::List(&FILE);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Networks { part: arguments.opt_string("part").map(|part| Subnet::parse(&part)).transpose()? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::networks", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let said = host.ok(&ask(&[], FILES.map(str::to_owned).into_iter())).await?.text();
        let files = found(&said)?.files;
        Ok(Value::List(files.iter().filter_map(|linked| self.value(&linked.file)).collect()))
    }
}

impl Networks {
    /// A file that hands out addresses of the node itself, or may.
    fn value(&self, file: &File) -> Option<Value> {
        let text = file.text.as_deref().filter(|text| text.contains("host-local"))?;
        let around = match Network::read(&file.path, text) {
            Ok(network) if !network.sources.iter().any(|source| source == "host-local") => return None,
            Ok(network) => self.around(&network),
            Err(error) => Err(error),
        };
        let (parts, problem) = match around {
            Ok(parts) => (parts.unwrap_or_default(), None),
            Err(error) => (Vec::new(), Some(error.message().to_owned())),
        };
        Some(Value::map([
            ("path", Value::from(file.path.as_str())),
            ("mode", Value::Integer(file.mode.into())),
            ("parts", Value::List(parts.into_iter().map(Value::from).collect())),
            ("problem", problem.map_or(Value::Null, Value::from)),
        ]))
    }

    fn around(&self, network: &Network) -> Result<Option<Vec<String>>> {
        match &self.part {
            Some(part) => network.around(part),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        let networks = Networks { part: Some(Subnet::parse("10.244.1.0/24").unwrap()) };
        let file = File { path: "/f".into(), mode: 0o600, text: Some(text.into()), bytes: Vec::new() };
        networks.value(&file).map(|value| format!("{} {}", value.redacted()["parts"], value.redacted()["problem"]))
    }

    #[test]
    fn only_files_of_the_node_itself_are_told() {
        assert_eq!(
            told("{\"type\": \"calico\", \"ipam\": {\"type\": \"calico-ipam\"}, \"note\": \"host-local\"}"),
            None
        );
        assert_eq!(told("{\"type\": \"bridge\"}"), None);
        let of = |subnet: &str| {
            format!("{{\"type\": \"b\", \"ipam\": {{\"type\": \"host-local\", \"subnet\": \"{subnet}\"}}}}")
        };
        assert!(told(&of("10.244.1.0/24")).unwrap().starts_with("[\"{"));
        assert_eq!(told(&of("10.244.2.0/24")).unwrap(), "[] null");
        assert!(told(&(of("10.244.1.0/24") + ",")).unwrap().starts_with("[] \"`/f`"));
    }
}
