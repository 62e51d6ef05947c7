//! The kubeconfig that lies on a host, read in one round trip, and the files that it names, read in a second one.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::transport::Command;
use kube::config::{AuthInfo, Cluster, Config, KubeConfigOptions, Kubeconfig};
use zeroize::Zeroizing;

use crate::node::kubeconfig as node;

const READ: &str = include_str!("kubeconfig.sh");

/// Where it is looked for when the recipe does not say.
pub const PLACES: [&str; 3] = ["~/.kube/config", "/etc/kubernetes/admin.conf", "/root/.kube/config"];

/// What a host's kubeconfig says.
pub struct Found {
    /// Where it lies.
    pub path: String,
    /// What a client is made of.
    pub config: Config,
    /// The client certificate, PEM, if it has one.
    pub certificate: Option<Vec<u8>>,
}

/// Files by the name under which the kubeconfig knows them; its own is empty. None for one that cannot be read.
pub(crate) type Files = BTreeMap<String, Option<Zeroizing<Vec<u8>>>>;

/// Reads the kubeconfig of a host: at `path`, or the first of the usual places.
///
/// # Errors
/// `k8s.kubeconfig`, when there is none, or it is not one, or it needs what only a person's own machine has.
pub async fn read(host: &Host, path: Option<&str>) -> Result<Found> {
    let (path, mut files) = look(host, path.unwrap_or_default(), &[]).await?;
    let names = named(&path, &files).map_err(|error| error.on(host.name()))?;
    if !names.is_empty() {
        files.extend(look(host, &path, &names).await?.1);
    }
    let found = assemble(&path, &files).await;
    found.map_err(|error| error.on(host.name()))
}

/// The kubeconfig, or the files that it names.
async fn look(host: &Host, path: &str, names: &[String]) -> Result<(String, Files)> {
    let command = Command::script(READ).arg(path).args(names);
    let output = host.ok(&command).await?;
    let said = Zeroizing::new(output.stdout);
    parse(&said)
}

/// The files that a client needs beside the kubeconfig; often none.
fn named(path: &str, files: &Files) -> Result<Vec<String>> {
    let config = node::Kubeconfig::read(path, text(path, files)?).map_err(|error| broken(path).because(error))?;
    Ok(config.files().into_iter().map(str::to_owned).collect())
}

/// The kubeconfig's own text.
fn text<'a>(path: &str, files: &'a Files) -> Result<&'a str> {
    let Some(Some(content)) = files.get("") else {
        return Err(refused(format!("`{path}` cannot be read"))
            .hint("correct `kubeconfig`, or set `become: true` for the host in the inventory"));
    };
    std::str::from_utf8(content).map_err(|error| broken(path).because(error))
}

fn parse(said: &[u8]) -> Result<(String, Files)> {
    let text = std::str::from_utf8(said).map_err(|error| unclear().because(error))?;
    let (mut path, mut files) = (None, Files::new());
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("path", rest)) => path = Some(rest.to_owned()),
            Some(("none", name)) => drop(files.insert(name.to_owned(), None)),
            Some(("file", rest)) => {
                let (name, content) = rest.rsplit_once(' ').ok_or_else(unclear)?;
                let content = STANDARD.decode(content).map_err(|error| unclear().because(error))?;
                files.insert(name.to_owned(), Some(Zeroizing::new(content)));
            }
            _ => {}
        }
    }
    let Some(path) = path else {
        let message =
            format!("there is no kubeconfig: looked at {}", PLACES.map(|place| format!("`{place}`")).join(", "));
        return Err(refused(message).hint("name it with `kubeconfig`, or go through a host that has one"));
    };
    Ok((path, files))
}

/// A client from the kubeconfig and the files that it names.
pub(crate) async fn assemble(path: &str, files: &Files) -> Result<Found> {
    // The parser's own words are not shown: they may quote the line.
    let mut kubeconfig = Kubeconfig::from_yaml(text(path, files)?).map_err(|_| broken(path))?;
    let (cluster, user) = current(&kubeconfig);
    for named in &mut kubeconfig.clusters {
        let is_current = cluster.as_deref() == Some(&named.name);
        if let Some(inner) = named.cluster.as_mut().filter(|_| is_current) {
            fill_cluster(path, files, inner)?;
        }
    }
    let mut certificate = None;
    for named in &mut kubeconfig.auth_infos {
        let is_current = user.as_deref() == Some(&named.name);
        if let Some(inner) = named.auth_info.as_mut().filter(|_| is_current) {
            fill_user(path, files, inner)?;
            certificate = inner.client_certificate_data.as_ref().and_then(|data| STANDARD.decode(data).ok());
        }
    }
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| broken(path).because(error))?;
    // The way leads through the host: what a proxy is for.
    config.proxy_url = None;
    Ok(Found { path: path.to_owned(), config, certificate })
}

/// The names of the cluster and the user of the current context.
fn current(kubeconfig: &Kubeconfig) -> (Option<String>, Option<String>) {
    let name = kubeconfig.current_context.as_deref().unwrap_or_default();
    let named = kubeconfig.contexts.iter().find(|context| context.name == name);
    let context = named.and_then(|named| named.context.as_ref());
    (context.map(|context| context.cluster.clone()), context.and_then(|context| context.user.clone()))
}

/// The client reads files of the machine where it runs, so that none may be left to it.
fn fill_cluster(path: &str, files: &Files, cluster: &mut Cluster) -> Result<()> {
    if let Some(name) = cluster.certificate_authority.take()
        && cluster.certificate_authority_data.is_none()
    {
        cluster.certificate_authority_data = Some(STANDARD.encode(file(path, files, &name)?));
    }
    Ok(())
}

fn fill_user(path: &str, files: &Files, user: &mut AuthInfo) -> Result<()> {
    if user.exec.is_some() || user.auth_provider.is_some() {
        let message =
            format!("`{path}` names a program that makes its credentials, which would have to run on your machine");
        return Err(refused(message).hint("name a kubeconfig with a client certificate or a token with `kubeconfig`"));
    }
    if let Some(name) = user.client_certificate.take()
        && user.client_certificate_data.is_none()
    {
        user.client_certificate_data = Some(STANDARD.encode(file(path, files, &name)?));
    }
    if let Some(name) = user.client_key.take()
        && user.client_key_data.is_none()
    {
        user.client_key_data = Some(STANDARD.encode(file(path, files, &name)?).into());
    }
    if let Some(name) = user.token_file.take()
        && user.token.is_none()
    {
        let token = String::from_utf8_lossy(file(path, files, &name)?).trim().to_owned();
        user.token = Some(token.into());
    }
    Ok(())
}

fn file<'a>(path: &str, files: &'a Files, name: &str) -> Result<&'a [u8]> {
    match files.get(name) {
        Some(Some(content)) => Ok(content),
        _ => Err(refused(format!("`{path}` names `{name}`, which cannot be read"))
            .hint("put the file there, or name another kubeconfig with `kubeconfig`")),
    }
}

fn broken(path: &str) -> Error {
    refused(format!("`{path}` is not a kubeconfig that can be used"))
        .hint("look at it with `kubectl config view` on the host")
}

fn unclear() -> Error {
    refused("the host's answer cannot be understood".to_owned())
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, "k8s.kubeconfig", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMING_FILES: &str = "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster:\n    \
        server: https://192.168.2.11:6443\n    certificate-authority: ca.pem\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\n\
        users:\n- name: u\n  user:\n    client-certificate: /a/c.pem\n    client-key: /a/k.pem\n";

    fn said(files: &[(&str, &str)]) -> Vec<u8> {
        let lines = files.iter().map(|(name, text)| format!("file {name} {}\n", STANDARD.encode(text)));
        format!("path /root/.kube/config\n{}", lines.collect::<String>()).into_bytes()
    }

    async fn found(files: &[(&str, &str)]) -> Result<Found> {
        let (path, files) = parse(&said(files))?;
        assemble(&path, &files).await
    }

    #[tokio::test]
    async fn files_that_it_names_come_from_the_host() {
        let ca = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";
        let found =
            found(&[("", NAMING_FILES), ("ca.pem", ca), ("/a/c.pem", "cert"), ("/a/k.pem", "key")]).await.unwrap();
        assert_eq!(found.config.cluster_url.to_string(), "https://192.168.2.11:6443/");
        assert_eq!(found.config.root_cert, Some(vec![b"abc".to_vec()]));
        assert_eq!(found.certificate.as_deref(), Some(&b"cert"[..]));
        assert_eq!(found.config.auth_info.client_key, None);
    }

    #[test]
    fn only_what_is_in_force_is_fetched() {
        let names = |text: &str| {
            let (path, files) = parse(&said(&[("", text)])).unwrap();
            named(&path, &files).unwrap()
        };
        assert_eq!(names(NAMING_FILES), ["/a/c.pem", "/a/k.pem", "ca.pem"]);
        assert_eq!(names(&NAMING_FILES.replace("ca.pem", "'ca.pem'\t# ours\r")), ["/a/c.pem", "/a/k.pem", "ca.pem"]);
        assert!(names(&NAMING_FILES.replace("current-context: c", "current-context: d")).is_empty());
    }

    #[tokio::test]
    async fn a_file_that_is_missing_is_named() {
        let error = found(&[("", NAMING_FILES)]).await.err().unwrap();
        assert_eq!(error.code(), "k8s.kubeconfig");
        assert!(error.message().contains("`ca.pem`"), "{error}");
    }

    #[tokio::test]
    async fn no_program_runs_on_the_operators_machine() {
        let text = NAMING_FILES.replace(
            "    client-certificate: /a/c.pem\n    client-key: /a/k.pem\n",
            "    exec: {command: evil, apiVersion: v1}\n",
        );
        let error = found(&[("", &text), ("ca.pem", "")]).await.err().unwrap();
        assert!(error.message().contains("a program"), "{error}");
    }

    #[tokio::test]
    async fn a_broken_one_does_not_show_what_is_in_it() {
        let error = found(&[("", "users: [ token: very-secret")]).await.err().unwrap();
        assert!(!format!("{error} {:?}", error.causes()).contains("very-secret"));
    }
}
