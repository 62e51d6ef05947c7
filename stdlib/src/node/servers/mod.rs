//! `node::servers`: which API servers the kubeconfigs of a host name.

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

use super::file::{File, files};
use super::kubeconfig::{Kubeconfig, Server, is_kubeconfig};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Servers {
    paths: Vec<String>,
}

const SERVER: Shape = Shape::Map(&[
    ("path", Shape::String),
    ("line", Shape::Integer),
    ("cluster", Shape::String),
    ("endpoint", Shape::String),
    ("address", Shape::String),
    ("port", Shape::Anything),
]);

#[async_trait]
impl Read for Servers {
    const NAME: &'static str = "node.servers";
    const ABOUT: &'static str = "Which API servers the kubeconfigs of a host name.

Looked at are files of less than 1 MiB, folders with all below them, and where links lead. The result is a list of maps, in the
order of the paths: `path`, `line`, `cluster` (its name there), and `endpoint`, as `ADDRESS:PORT`, the address of IPv6 in brackets;
`address` (without brackets) and `port` are its parts.
A kubeconfig that is not understood is refused with file and line.

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("paths", ParamKind::Strings, "Files, and folders with all below them."),
        ],
        options: &[],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "Quotes and remarks are none of it.",
        given: "mkdir -p /opt/demo && printf \"clusters:\\n- name: k\\n  cluster:\\n    server: 'https://192.0.2.1:6443' # ours\\nusers: []\\n\" >/opt/demo/a.kubeconfig",
        code: r#"node::servers(h, "/opt/demo")[0].endpoint"#,
        gives: r#""192.0.2.1:6443""#,
    }];
    const GIVES: Shape = Shape::List(&SERVER);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Servers { paths: arguments.strings("paths") })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::servers", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        if self.paths.is_empty() {
            return Ok(Value::List(Vec::new()));
        }
        let command = Command::script(include_str!("read.sh")).args(self.paths.clone());
        let files = files(&host.ok(&command).await?.text())?;
        servers(&files).map(Value::List).map_err(|error| error.on(host.name()))
    }
}

fn servers(files: &[File]) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for file in files {
        let Some(text) = file.text.as_deref().filter(|text| is_kubeconfig(text)) else { continue };
        for server in Kubeconfig::read(&file.path, text)?.servers() {
            found.push(value(&file.path, server)?);
        }
    }
    Ok(found)
}

fn value(path: &str, server: &Server) -> Result<Value> {
    let endpoint = server.endpoint()?;
    let host = endpoint.host.as_ref().map(|host| host.bracketed()).unwrap_or_default();
    let address = endpoint.host.as_ref().map(ToString::to_string).unwrap_or_default();
    let port = endpoint.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(Value::map([
        ("path", Value::from(path)),
        ("line", Value::Integer(i64::try_from(server.line).unwrap_or(i64::MAX))),
        ("cluster", Value::from(server.cluster.as_str())),
        ("endpoint", Value::from(format!("{host}{port}"))),
        ("address", Value::from(address)),
        ("port", endpoint.port().map_or(Value::Null, |port| Value::Integer(port.into()))),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), mode: 0o600, text: Some(text.into()), bytes: Vec::new() }
    }

    #[test]
    fn every_server_of_every_kubeconfig_is_told() {
        let config = "users: []\nclusters:\n- {name: a, cluster: {server: \"https://[2001:db8::1]\"}}\n- name: b\n  cluster:\n    server: https://API.example:8443/x\n";
        let found = servers(&[file("/a", config), file("/b", "clusters and users\n-----BEGIN\n")]).unwrap();
        let told: Vec<String> = found.iter().map(|one| one.redacted()["endpoint"].to_string()).collect();
        assert_eq!(told, [r#""[2001:db8::1]:443""#, r#""api.example:8443""#]);
        let error = servers(&[file("/k", "clusters: [\nusers: []\n")]).err().unwrap();
        assert!(error.message().contains("`/k`"), "{error}");
    }
}
