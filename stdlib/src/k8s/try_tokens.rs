//! `k8s::try_tokens`: whether API servers believe each other's tokens.

use std::sync::Arc;

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
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;

use super::cluster::{Access, Cluster, KUBECONFIG, THROUGH, address};

/// The shortest that the API gives.
const SECONDS: i64 = 600;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct TryTokens {
    access: Access,
    servers: Vec<String>,
    namespace: String,
    account: String,
}

const TRIAL: Shape = Shape::Map(&[
    ("from", Shape::String),
    ("at", Shape::String),
    ("accepted", Shape::Boolean),
    ("problem", Shape::Anything),
]);

#[async_trait]
impl Read for TryTokens {
    const NAME: &'static str = "k8s.try_tokens";
    const ABOUT: &'static str = "Whether API servers believe each other's tokens.

Each server gives a token for a service account, and each is asked with each. API servers with other keys or another issuer \
(`--service-account-issuer`) refuse those of the others: pods then work or fail, whichever server a balancer leads them to. \
The tokens end after ten minutes, and nothing else is made.

The result is an array of maps: `from`, the server that gave the token; `at`, the one that was asked with it; `accepted`; and \
`problem`, why not, or `()`.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            THROUGH,
            Param::new(
                "servers",
                ParamKind::Strings,
                "The API servers, each as `https://ADDRESS:6443`, seen from the host.",
            ),
        ],
        options: &[
            Param::option("namespace", ParamKind::String, Absent::String("default"), "Where the service account is."),
            Param::option("account", ParamKind::String, Absent::String("default"), "The service account."),
            KUBECONFIG,
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "A server believes its own.",
        given: "k8s_cluster; k8s_kubectl create serviceaccount demo >/dev/null 2>&1 || true",
        code: r#"k8s::try_tokens(h, "https://127.0.0.1:6443", #{ account: "demo" }).map(|trial| trial.accepted)"#,
        gives: "[true]",
    }];
    const GIVES: Shape = Shape::List(&TRIAL);

    fn parse(arguments: &Arguments) -> Result<Self> {
        let servers = arguments.strings("servers");
        for server in &servers {
            address(server)?;
        }
        Ok(TryTokens {
            access: Access::of_kubeconfig(arguments),
            servers,
            namespace: arguments.string("namespace")?,
            account: arguments.string("account")?,
        })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        self.access.foresee("k8s::try_tokens", host, overlay, &[])
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let mut trials = Vec::new();
        for from in &self.servers {
            let giving = self.access.at(from).cluster(host).await?;
            let token = self.token(host, &giving).await?;
            for at in &self.servers {
                let asked = self.access.at(at).cluster_with_token(host, &token).await?;
                trials.push(trial(host, from, at, &asked).await?);
            }
        }
        Ok(Value::List(trials))
    }
}

impl TryTokens {
    async fn token(&self, host: &Host, cluster: &Arc<Cluster>) -> Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), &self.namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec { expiration_seconds: Some(SECONDS), ..TokenRequestSpec::default() }),
            ..TokenRequest::default()
        };
        let params = PostParams::default();
        let given = cluster.ask(host, accounts.create_token_request(&self.account, &params, &request)).await?;
        Ok(given.status.and_then(|status| status.token).unwrap_or_default())
    }
}

/// Whom a server knows may see which APIs it has, whatever else he may do.
async fn trial(host: &Host, from: &str, at: &str, asked: &Cluster) -> Result<Value> {
    let answer = asked.fetch(host, "/api").await?;
    let accepted = answer.status != 401;
    let problem = if accepted { Value::Null } else { Value::from(asked.refusal(&answer).message().to_owned()) };
    Ok(Value::map([
        ("from", Value::from(from)),
        ("at", Value::from(at)),
        ("accepted", Value::Boolean(accepted)),
        ("problem", problem),
    ]))
}
