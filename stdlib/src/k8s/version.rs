//! `k8s::version`: of an API server.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::Signature;
use haengine_kernel::value::Value;

use super::cluster::{Access, KUBECONFIG, SERVER, THROUGH};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Version {
    access: Access,
}

#[async_trait]
impl Read for Version {
    const NAME: &'static str = "k8s.version";
    const ABOUT: &'static str = "The version of an API server.

The result is a map: `version` (`v1.20.2`), `major` and `minor` (numbers), `platform` (`linux/amd64`).";
    const SIGNATURE: Signature = Signature { positional: &[THROUGH], options: &[SERVER, KUBECONFIG] };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Whether it is recent enough.",
            given: "k8s_cluster",
            code: "k8s::version(h).minor >= 20",
            gives: "true",
        },
        Example { about: "Its first number.", given: "k8s_cluster", code: "k8s::version(h).major", gives: "1" },
    ];
    const GIVES: Shape = Shape::Map(&[
        ("version", Shape::String),
        ("major", Shape::Anything),
        ("minor", Shape::Anything),
        ("platform", Shape::String),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Version { access: Access::parse(arguments)? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        self.access.foresee("k8s::version", host, overlay, &[])
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let cluster = self.access.cluster(host).await?;
        let said = cluster.ask(host, cluster.client.apiserver_version()).await?;
        Ok(Value::map([
            ("version", said.git_version.into()),
            ("major", number(&said.major)),
            ("minor", number(&said.minor)),
            ("platform", said.platform.into()),
        ]))
    }
}

/// Some builds write `20+`.
fn number(text: &str) -> Value {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_or(Value::Null, Value::Integer)
}
