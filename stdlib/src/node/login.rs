//! A kubeconfig whose user logs in with one file, as a kubelet's does.

use haengine_kernel::error::Result;

use super::kubeconfig::{Cluster, Kubeconfig, Material, refused};

impl Kubeconfig {
    /// The text with its cluster in force, and a user who logs in with the certificate and the key in `file` and with nothing
    /// else. Where the user in force is such a one, it stays as it is, byte for byte.
    ///
    /// # Errors
    /// `node.kubeconfig`, where no cluster is in force, or it has no server.
    pub fn logging_in_with(&self, path: &str, text: &str, file: &str) -> Result<String> {
        let is_so = |material: &Option<Material>| material.as_ref().and_then(Material::file) == Some(file);
        let user = self.user().filter(|user| is_so(&user.certificate) && is_so(&user.key));
        if user.is_some_and(|user| user.token.is_none() && !user.has_password && user.made_by.is_none()) {
            return Ok(text.to_owned());
        }
        let cluster = self.cluster().and_then(|cluster| Some(fields(cluster, &cluster.server.as_ref()?.text)));
        let cluster = cluster.ok_or_else(|| refused(path, 1, "no cluster with a server is in force here"))?;
        let login = quoted(file);
        Ok(format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: default\nclusters:\n- name: kubernetes\n  cluster:\n{cluster}\
             contexts:\n- name: default\n  context:\n    cluster: kubernetes\n    user: kubelet\nusers:\n- name: kubelet\n  user:\n    \
             client-certificate: {login}\n    client-key: {login}\n"
        ))
    }
}

fn fields(cluster: &Cluster, server: &str) -> String {
    let authority = match &cluster.authority {
        Some(Material::Data(data)) => Some(("certificate-authority-data", quoted(data))),
        Some(Material::File(file)) => Some(("certificate-authority", quoted(file))),
        None => None,
    };
    let all = [
        Some(("server", quoted(server))),
        authority,
        cluster.tls_server_name.as_ref().map(|name| ("tls-server-name", quoted(name))),
        cluster.is_insecure.then(|| ("insecure-skip-tls-verify", "true".to_owned())),
        cluster.proxy.as_ref().map(|url| ("proxy-url", quoted(url))),
    ];
    all.into_iter().flatten().map(|(name, value)| format!("    {name}: {value}\n")).collect()
}

/// A string of JSON is one of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(user: &str) -> (String, String) {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: b\nclusters:\n- name: k\n  cluster:\n    server: https://[fd00::1]:6443\n    \
             certificate-authority-data: Y2E=\n    tls-server-name: api\nusers:\n- name: u\n  user: {user}\n\
             contexts:\n- name: b\n  context: {{cluster: k, user: u}}\n"
        );
        let other = Kubeconfig::read("/k", &text).unwrap().logging_in_with("/k", &text, "/pki/current.pem").unwrap();
        (text, other)
    }

    #[test]
    fn one_that_does_so_stays_as_it_is() {
        let (text, other) = written("{client-certificate: /pki/current.pem, client-key: /pki/current.pem}");
        assert_eq!(other, text);
    }

    #[test]
    fn no_key_of_another_goes_along() {
        for user in [
            "{client-certificate-data: eA==, client-key-data: c2VjcmV0}",
            "{client-certificate: /pki/current.pem, client-key: /pki/other-key.pem}",
            "{client-certificate: /pki/current.pem, client-key: /pki/current.pem, token: secret}",
        ] {
            let (_, other) = written(user);
            let config = Kubeconfig::read("/k", &other).unwrap();
            let (cluster, user) = (config.cluster().unwrap(), config.user().unwrap());
            assert_eq!(cluster.server.as_ref().unwrap().text, "https://[fd00::1]:6443");
            assert_eq!(cluster.authority.as_ref().unwrap().data(), Some("Y2E="));
            assert_eq!(cluster.tls_server_name.as_deref(), Some("api"));
            assert_eq!(user.certificate.as_ref().unwrap().file(), Some("/pki/current.pem"));
            assert!(user.token.is_none() && !other.contains("c2VjcmV0") && !other.contains("other-key"), "{other}");
        }
        let text = "clusters: []\nusers: []\n";
        let error = Kubeconfig::read("/k", text).unwrap().logging_in_with("/k", text, "/p").unwrap_err();
        assert_eq!(error.code(), "node.kubeconfig");
    }
}
