//! The certificates inside a kubeconfig.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use haengine_kernel::error::{Error, Kind, Result};
use serde::Deserialize;

/// Which certificate of a kubeconfig is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The one to log in with.
    Client,
    /// The cluster's authority.
    Authority,
}

#[derive(Deserialize)]
struct Kubeconfig {
    #[serde(default)]
    clusters: Vec<Named>,
    #[serde(default)]
    users: Vec<Named>,
    #[serde(default)]
    contexts: Vec<Named>,
    #[serde(default, rename = "current-context")]
    current: String,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
    #[serde(default)]
    cluster: Cluster,
    #[serde(default)]
    user: User,
    #[serde(default)]
    context: Context,
}

#[derive(Default, Deserialize)]
struct Cluster {
    #[serde(default, rename = "certificate-authority-data")]
    data: Option<String>,
    #[serde(default, rename = "certificate-authority")]
    path: Option<String>,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default, rename = "client-certificate-data")]
    data: Option<String>,
    #[serde(default, rename = "client-certificate")]
    path: Option<String>,
}

#[derive(Default, Deserialize)]
struct Context {
    #[serde(default)]
    cluster: String,
    #[serde(default)]
    user: String,
}

/// True when a text is a kubeconfig and no certificate.
pub fn is_kubeconfig(text: &str) -> bool {
    !text.contains("-----BEGIN") && text.contains("clusters") && text.contains("users")
}

/// The certificate of the current context as a PEM text; of the first one where there is no such context.
///
/// # Errors
/// `cert.kubeconfig`, where it has none: then the hint says what it has instead.
pub fn certificate(path: &str, text: &str, part: Part) -> Result<String> {
    let refused = |message: String| Error::new(Kind::Refused, "cert.kubeconfig", message);
    let config: Kubeconfig = serde_saphyr::from_str(text).map_err(|_| {
        // Its words could quote a token.
        refused(format!("the kubeconfig `{path}` cannot be read")).hint("look at it on the host")
    })?;
    let context = config.named(&config.contexts, &config.current).map(|found| &found.context);
    let (what, data, file) = match part {
        Part::Client => {
            let name = context.map_or("", |context| &context.user);
            let user = config.named(&config.users, name).map(|found| &found.user);
            ("client certificate", user.and_then(|user| user.data.as_ref()), user.and_then(|user| user.path.as_ref()))
        }
        Part::Authority => {
            let name = context.map_or("", |context| &context.cluster);
            let of = config.named(&config.clusters, name).map(|found| &found.cluster);
            ("certificate authority", of.and_then(|of| of.data.as_ref()), of.and_then(|of| of.path.as_ref()))
        }
    };
    let Some(data) = data else {
        let error = refused(format!("the kubeconfig `{path}` has no {what} in it"));
        return Err(match file {
            Some(file) => error.hint(format!("inspect the file that it names, `{file}`")),
            None => error.hint("look at how it logs in: a token needs no certificate"),
        });
    };
    let joined: String = data.split_whitespace().collect();
    let pem = BASE64_STANDARD.decode(joined).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    pem.ok_or_else(|| refused(format!("the {what} in `{path}` is no base64 of a PEM text")).hint("write it anew"))
}

impl Kubeconfig {
    fn named<'a>(&self, list: &'a [Named], name: &str) -> Option<&'a Named> {
        list.iter().find(|found| found.name == name).or(list.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: b\nclusters:\n- name: k\n  cluster:\n    server: https://x\n    \
        certificate-authority-data: Y2E=\nusers:\n- name: first\n  user: {token: t}\n- name: second\n  user:\n    \
        client-certificate-data: Y2xpZW50\ncontexts:\n- name: b\n  context: {cluster: k, user: second}\n";

    #[test]
    fn the_current_context_decides() {
        assert!(is_kubeconfig(CONFIG) && !is_kubeconfig("-----BEGIN CERTIFICATE-----\n"));
        assert_eq!(certificate("/k", CONFIG, Part::Client).unwrap(), "client");
        assert_eq!(certificate("/k", CONFIG, Part::Authority).unwrap(), "ca");
        let other =
            CONFIG.replace("user: second}", "user: first}").replace("{token: t}", "{client-certificate: /c.pem}");
        let error = certificate("/k", &other, Part::Client).unwrap_err();
        assert_eq!(
            (error.code(), error.advice()),
            ("cert.kubeconfig", Some("inspect the file that it names, `/c.pem`"))
        );
    }
}
