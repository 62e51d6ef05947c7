//! `lb::backends`: what a balancer has as backends.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;

use super::configured::{self, Listener};
use super::nginx::RUNNING;
use crate::file::path;
use crate::file::read::Read as ReadFile;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Backends {
    kind: Kind,
    file: ReadFile,
}

#[derive(Clone, Copy)]
enum Kind {
    Nginx,
    Haproxy,
}

#[async_trait]
impl Read for Backends {
    const NAME: &'static str = "lb.backends";
    const ABOUT: &'static str = "What a balancer's configuration has as ports and backends, whoever wrote it.

The result is an array of maps, one for each port: `name`, `port`, and `backends`, an array of `ADDRESS:PORT`, sorted; empty for \
a port of haproxy that leads to no server that is named. The result is empty where there is no such file. Files that the configuration includes are not followed. Compare it with the API servers that \
the cluster lists, which `k8s::get(h, \"endpoints/kubernetes\")` tells.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("balancer", ParamKind::Choice(&["nginx", "haproxy"]), "Whose configuration."),
        ],
        options: &[Param::option(
            "path",
            ParamKind::Path,
            Absent::Means("where its package has it"),
            "The configuration's file.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "What nginx has before the API servers.",
            given: RUNNING,
            code: r#"lb::backends(h, "nginx")"#,
            gives: r#"[{"backends":["192.0.2.1:6443"],"name":"apiserver","port":16443}]"#,
        },
        Example {
            about: "A host without haproxy has none.",
            given: "rm -rf /srv/demo",
            code: r#"lb::backends(h, "haproxy", #{ path: "/srv/demo/haproxy.cfg" })"#,
            gives: "[]",
        },
    ];

    fn parse(arguments: &Arguments) -> Result<Self> {
        let (kind, usual) = match arguments.string("balancer")?.as_str() {
            "nginx" => (Kind::Nginx, "/etc/nginx/nginx.conf"),
            _ => (Kind::Haproxy, "/etc/haproxy/haproxy.cfg"),
        };
        let path = path::clean(&arguments.opt_string("path").unwrap_or_else(|| usual.to_owned()))?;
        Ok(Backends { kind, file: ReadFile::of(path, true) })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        match self.file.foresee(host, overlay) {
            Foreseen::Known(text) => Foreseen::Known(self.value(&text)),
            other => other,
        }
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        Ok(self.value(&self.file.read(host).await?))
    }
}

impl Backends {
    fn value(&self, text: &Value) -> Value {
        let text = match text {
            Value::Secret(text) => text.expose(),
            Value::String(text) => text,
            _ => "",
        };
        let listeners = match self.kind {
            Kind::Nginx => configured::nginx(text),
            Kind::Haproxy => configured::haproxy(text),
        };
        Value::List(listeners.into_iter().map(told).collect())
    }
}

fn told(listener: Listener) -> Value {
    let mut backends = listener.backends;
    backends.sort();
    Value::map([
        ("name", listener.name.into()),
        ("port", i64::from(listener.port).into()),
        ("backends", Value::List(backends.into_iter().map(Value::from).collect())),
    ])
}
