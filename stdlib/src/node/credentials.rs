//! `node::credentials`: with which files a kubeconfig logs in.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::value::Value;

use super::file::{File, files};
use super::kubeconfig::{Kubeconfig, Material, User};
use crate::file::path::parent;

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Credentials {
    path: String,
}

#[async_trait]
impl Read for Credentials {
    const NAME: &'static str = "node.credentials";
    const ABOUT: &'static str = "With which files a kubeconfig logs in.

The result is a map: `authority`, `certificate`, `key` and `token` are the files of the cluster and the user in force, a relative
path counted from the kubeconfig's folder; `()` where there is none, or where it is in the kubeconfig itself. A kubeconfig that is not there or not understood is
refused.

In a plan it is known only when run once a change is planned on the host: take it before.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("path", ParamKind::Path, "The kubeconfig.")],
        options: &[],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "Where the key of a kubelet is.",
        given: "mkdir -p /opt/demo && printf 'current-context: c\\nclusters: [{name: k, cluster: {server: \"https://192.0.2.1:6443\"}}]\\ncontexts: [{name: c, context: {cluster: k, user: u}}]\\nusers: [{name: u, user: {client-key: /opt/demo/key.pem}}]\\n' >/opt/demo/a.kubeconfig",
        code: r#"node::credentials(h, "/opt/demo/a.kubeconfig").key"#,
        gives: r#""/opt/demo/key.pem""#,
    }];
    const GIVES: Shape = Shape::Map(&[
        ("authority", Shape::Anything),
        ("certificate", Shape::Anything),
        ("key", Shape::Anything),
        ("token", Shape::Anything),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Credentials { path: arguments.string("path")? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        Foreseen::unless_touched("node::credentials", host, overlay)
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        let command = Command::script(include_str!("renamed/read.sh")).arg(&self.path);
        let files = files(&host.ok(&command).await?.text())?;
        credentials(&self.path, &files).map_err(|error| error.on(host.name()))
    }
}

fn credentials(path: &str, files: &[File]) -> Result<Value> {
    let text = files.first().and_then(|file| file.text.as_deref()).ok_or_else(|| {
        Error::new(Kind::Refused, "node.kubeconfig", format!("`{path}` is no kubeconfig that can be read"))
            .hint("look whether it is there")
    })?;
    let config = Kubeconfig::read(path, text)?;
    let of_user = |material: fn(&User) -> &Option<Material>| config.user().map(material);
    let all = [
        ("authority", config.cluster().map(|cluster| &cluster.authority)),
        ("certificate", of_user(|user| &user.certificate)),
        ("key", of_user(|user| &user.key)),
        ("token", of_user(|user| &user.token)),
    ];
    let folder = parent(path);
    let absolute = |file: &str| if file.starts_with('/') { file.to_owned() } else { format!("{folder}/{file}") };
    let file = |material: &Option<Material>| material.as_ref().and_then(Material::file).map(absolute);
    Ok(Value::map(all.map(|(name, material)| (name, material.and_then(file).map_or(Value::Null, Value::from)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_and_nothing_that_is_in_it() {
        let text = "current-context: c\nclusters: [{name: k, cluster: {certificate-authority: ca.pem}}]\n\
            contexts: [{name: c, context: {cluster: k, user: u}}]\nusers: [{name: u, user: {client-certificate: /a/c.pem, \
            client-key-data: c2VjcmV0}}]\n";
        let file = |text: &str| File { path: "/k/x".into(), mode: 0o600, text: Some(text.into()), bytes: Vec::new() };
        let told = credentials("/k/x", &[file(text)]).unwrap().redacted();
        assert_eq!(told["authority"], "/k/ca.pem");
        assert_eq!(told["certificate"], "/a/c.pem");
        assert!(told["key"].is_null() && told["token"].is_null());
        assert_eq!(credentials("/k/x", &[]).err().unwrap().code(), "node.kubeconfig");
        assert_eq!(credentials("/k/x", &[file("users: 1\n")]).err().unwrap().code(), "node.kubeconfig");
    }
}
