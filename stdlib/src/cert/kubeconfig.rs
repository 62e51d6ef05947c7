//! The certificates inside a kubeconfig.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use haengine_kernel::error::{Error, Kind, Result};

use crate::node::kubeconfig::{Kubeconfig, Material};

pub use crate::node::kubeconfig::is_kubeconfig;

/// Which certificate of a kubeconfig is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The one to log in with.
    Client,
    /// The cluster's authority.
    Authority,
}

/// The certificate of the current context as a PEM text; of the first one where there is no such context.
///
/// # Errors
/// `cert.kubeconfig`, where it has none: then the hint says what it has instead.
pub fn certificate(path: &str, text: &str, part: Part) -> Result<String> {
    let config = Kubeconfig::read(path, text).map_err(|error| {
        refused(format!("the kubeconfig `{path}` cannot be read")).hint("look at it on the host").because(error)
    })?;
    let (what, found) = match part {
        Part::Client => {
            let user = config.user().or(config.users.first());
            ("client certificate", user.and_then(|user| user.certificate.as_ref()))
        }
        Part::Authority => {
            let cluster = config.cluster().or(config.clusters.first());
            ("certificate authority", cluster.and_then(|cluster| cluster.authority.as_ref()))
        }
    };
    let Some(data) = found.and_then(Material::data) else {
        let error = refused(format!("the kubeconfig `{path}` has no {what} in it"));
        return Err(match found.and_then(Material::file) {
            Some(file) => error.hint(format!("inspect the file that it names, `{file}`")),
            None => error.hint("look at how it logs in: a token needs no certificate"),
        });
    };
    let joined: String = data.split_whitespace().collect();
    let pem = BASE64_STANDARD.decode(joined).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    pem.ok_or_else(|| refused(format!("the {what} in `{path}` is no base64 of a PEM text")).hint("write it anew"))
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, "cert.kubeconfig", message)
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

    #[test]
    fn one_that_cannot_be_read_says_in_which_line_and_no_word_of_it() {
        let error = certificate("/k", "clusters: []\nusers: [ token: very-secret", Part::Client).unwrap_err();
        assert_eq!((error.code(), error.advice()), ("cert.kubeconfig", Some("look at it on the host")));
        let causes = format!("{:?}", error.causes());
        assert!(causes.contains("line 2") && !causes.contains("secret"), "{causes}");
    }
}
