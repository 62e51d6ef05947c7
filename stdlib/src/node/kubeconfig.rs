//! Kubeconfigs: the only place where they are read.

use haengine_kernel::error::{Error, Kind, Result};
use zeroize::Zeroizing;

use super::change::Change;
use super::document::{Document, Node};
use super::edit::Edit;
use super::endpoint::Endpoint;
use super::in_documents::Changed;
use super::naming::Meaning;

/// A kubeconfig. It has no `Debug`: there are keys and tokens in it.
///
/// ```
/// use haengine_stdlib::node::{endpoint::Endpoint, kubeconfig::Kubeconfig};
/// let text = "clusters:\n- name: k\n  cluster: {server: 'https://10.0.0.1:6443'}\n";
/// let config = Kubeconfig::read("/root/.kube/config", text).unwrap();
/// let edited = config.with_servers(|server| {
///     server.endpoint().is_ok_and(|at| at.port() == Some(6443)).then(|| "https://[fd00::1]:6443".to_owned())
/// });
/// assert_eq!(edited.unwrap(), text.replace("10.0.0.1", "[fd00::1]"));
/// ```
pub struct Kubeconfig {
    document: Document,
    /// The name of the context in force.
    pub current: Option<String>,
    /// All clusters, in the file's order.
    pub clusters: Vec<Cluster>,
    /// All users.
    pub users: Vec<User>,
    /// All contexts.
    pub contexts: Vec<Context>,
}

/// A cluster: where it is, and how it is known.
pub struct Cluster {
    /// Its name within the file.
    pub name: String,
    /// Where its API is.
    pub server: Option<Server>,
    /// Who signed the server's certificate.
    pub authority: Option<Material>,
    /// The name that the server's certificate must have, instead of the one in `server`.
    pub tls_server_name: Option<String>,
    /// True when any certificate is believed.
    pub is_insecure: bool,
    /// The proxy on the way to it.
    pub proxy: Option<String>,
}

/// The address of an API, and where it stands.
#[derive(Clone)]
pub struct Server {
    /// The name of its cluster.
    pub cluster: String,
    /// As it is written, without quotes.
    pub text: String,
    /// From 1.
    pub line: usize,
    file: String,
}

/// Something that a kubeconfig has in it, or in a file that it names. The data win where both are given.
#[derive(Clone, PartialEq, Eq)]
pub enum Material {
    /// In it: in base64, but for a token.
    Data(Zeroizing<String>),
    /// In this file; a relative path begins at the kubeconfig's folder.
    File(String),
}

/// A user: how somebody logs in.
pub struct User {
    /// Its name within the file.
    pub name: String,
    /// The client certificate.
    pub certificate: Option<Material>,
    /// Its key.
    pub key: Option<Material>,
    /// A bearer token.
    pub token: Option<Material>,
    /// True where there is a user's name with a password.
    pub has_password: bool,
    /// The program or the provider that makes the credentials.
    pub made_by: Option<String>,
}

/// A context: a user at a cluster.
pub struct Context {
    /// Its name within the file.
    pub name: String,
    /// The cluster's name.
    pub cluster: String,
    /// The user's name.
    pub user: String,
}

/// True when a text is meant to be a kubeconfig: it has clusters and users, and is no certificate.
pub fn is_kubeconfig(text: &str) -> bool {
    !text.contains("-----BEGIN") && text.contains("clusters") && text.contains("users")
}

impl Kubeconfig {
    /// Reads one, in YAML or in JSON. An empty text is one without anything.
    ///
    /// # Errors
    /// `node.yaml` and `node.kubeconfig`, with file and line and no word of the text: what is not understood, names that
    /// stand twice, and anything that is no kubeconfig.
    pub fn read(file: &str, text: &str) -> Result<Kubeconfig> {
        let document = Document::parse(file, text)?;
        let Some(root) = document.only()? else {
            let (clusters, users, contexts) = Default::default();
            return Ok(Kubeconfig { document, current: None, clusters, users, contexts });
        };
        let is_other = root.get("kind").is_some_and(|kind| kind.text() != Some("Config"));
        if !root.is_map() || is_other {
            return Err(refused(file, root.line(), "this is no kubeconfig"));
        }
        let current = string(file, root.get("current-context"))?.filter(|name| !name.is_empty());
        let clusters = named(file, root, "clusters", "cluster", cluster)?;
        let users = named(file, root, "users", "user", user)?;
        let contexts = named(file, root, "contexts", "context", context)?;
        Ok(Kubeconfig { document, current, clusters, users, contexts })
    }

    /// The context in force; none where it has no name, or there is none of that name.
    pub fn context(&self) -> Option<&Context> {
        let current = self.current.as_deref()?;
        self.contexts.iter().find(|context| context.name == current)
    }

    /// The cluster in force.
    pub fn cluster(&self) -> Option<&Cluster> {
        let context = self.context()?;
        self.clusters.iter().find(|cluster| cluster.name == context.cluster)
    }

    /// The user in force.
    pub fn user(&self) -> Option<&User> {
        let context = self.context()?;
        self.users.iter().find(|user| user.name == context.user)
    }

    /// The servers of all clusters.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.clusters.iter().filter_map(|cluster| cluster.server.as_ref())
    }

    /// The files that the cluster and the user in force need, as they are written.
    pub fn files(&self) -> Vec<&str> {
        let authority = self.cluster().map(|cluster| &cluster.authority);
        let of_user = self.user().map(|user| [&user.certificate, &user.key, &user.token]);
        let all = authority.into_iter().chain(of_user.into_iter().flatten()).flatten();
        let mut files: Vec<&str> = all.filter_map(Material::file).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The text with other servers; `change` gives the new one, or nothing where one stays. All else stays as it is, byte
    /// for byte.
    ///
    /// # Errors
    /// `node.endpoint`, where the new one is none; `node.edit`, where it cannot be written.
    pub fn with_servers(&self, mut change: impl FnMut(&Server) -> Option<String>) -> Result<String> {
        let mut edit = Edit::of(&self.document);
        let root = self.document.only()?;
        let items = root.and_then(|root| root.get("clusters")).map(|list| list.items()).unwrap_or_default();
        for (item, cluster) in items.into_iter().zip(&self.clusters) {
            let Some(server) = &cluster.server else { continue };
            if let (Some(node), Some(new)) = (item.at(&["cluster", "server"]), change(server)) {
                Endpoint::parse(&new)?;
                edit.set(node, &new)?;
            }
        }
        edit.finish()
    }

    /// The file for another node: its servers that are API servers of this cluster become that node's own.
    ///
    /// # Errors
    /// `node.edit`, where a value cannot be written.
    pub fn changed(&self, change: &Change) -> Result<Changed> {
        // Whose credentials these are is for a person to look at, where a node becomes another one.
        let is_name = |node: Node<'_>| change.is_of_servers().then(|| name(node)).flatten();
        change.document(&self.document, |node| meaning(node).or_else(|| is_name(node)))
    }
}

pub(super) fn meaning(node: Node<'_>) -> Option<Meaning> {
    match node.path().as_slice() {
        ["clusters", "cluster", "server"] => Some(Meaning::Server),
        ["clusters", "cluster", "tls-server-name"] => Some(Meaning::Stays("a name in the API servers' certificates")),
        _ => None,
    }
}

/// Names are often made of addresses, and have to agree only with each other.
fn name(node: Node<'_>) -> Option<Meaning> {
    match node.path().as_slice() {
        ["current-context"] | ["clusters" | "users" | "contexts", "name"] | ["contexts", "context", _] => {
            Some(Meaning::Stays("a name within the file"))
        }
        _ => None,
    }
}

impl Server {
    /// Where that is.
    ///
    /// # Errors
    /// `node.kubeconfig` with file and line, where the text is no endpoint.
    pub fn endpoint(&self) -> Result<Endpoint> {
        Endpoint::parse(&self.text)
            .map_err(|error| refused(&self.file, self.line, "this server is no endpoint").because(error))
    }
}

impl Material {
    /// The file, where it is in one.
    pub fn file(&self) -> Option<&str> {
        match self {
            Material::File(path) => Some(path),
            Material::Data(_) => None,
        }
    }

    /// What is in the kubeconfig itself.
    pub fn data(&self) -> Option<&str> {
        match self {
            Material::Data(data) => Some(data),
            Material::File(_) => None,
        }
    }
}

fn cluster(file: &str, name: &str, node: Option<Node<'_>>) -> Result<Cluster> {
    let get = |key: &str| string(file, node.and_then(|node| node.get(key)));
    let place = node.and_then(|node| node.get("server"));
    let server = get("server")?.filter(|text| !text.is_empty()).zip(place).map(|(text, place)| {
        let (cluster, file) = (name.to_owned(), file.to_owned());
        Server { cluster, text, line: place.line(), file }
    });
    Ok(Cluster {
        name: name.to_owned(),
        server,
        authority: material(get("certificate-authority-data")?, get("certificate-authority")?),
        tls_server_name: get("tls-server-name")?.filter(|name| !name.is_empty()),
        is_insecure: get("insecure-skip-tls-verify")?.as_deref() == Some("true"),
        proxy: get("proxy-url")?.filter(|url| !url.is_empty()),
    })
}

fn user(file: &str, name: &str, node: Option<Node<'_>>) -> Result<User> {
    let get = |key: &str| string(file, node.and_then(|node| node.get(key)));
    let map = |key: &str| node.and_then(|node| node.get(key)).filter(|node| !node.is_null());
    let made_by = match (map("exec"), map("auth-provider")) {
        (Some(program), _) => Some(string(file, program.get("command"))?.unwrap_or_default()),
        (None, Some(provider)) => Some(string(file, provider.get("name"))?.unwrap_or_default()),
        (None, None) => None,
    };
    Ok(User {
        name: name.to_owned(),
        certificate: material(get("client-certificate-data")?, get("client-certificate")?),
        key: material(get("client-key-data")?, get("client-key")?),
        token: material(get("token")?, get("tokenFile")?),
        has_password: get("username")?.is_some_and(|name| !name.is_empty()),
        made_by,
    })
}

fn context(file: &str, name: &str, node: Option<Node<'_>>) -> Result<Context> {
    let get = |key: &str| string(file, node.and_then(|node| node.get(key)));
    let (cluster, user) = (get("cluster")?.unwrap_or_default(), get("user")?.unwrap_or_default());
    Ok(Context { name: name.to_owned(), cluster, user })
}

/// The things of a list, each a map with a `name` and what it names under `inner`.
fn named<T>(
    file: &str,
    root: Node<'_>,
    list: &str,
    inner: &str,
    read: impl Fn(&str, &str, Option<Node<'_>>) -> Result<T>,
) -> Result<Vec<T>> {
    let (mut found, mut names) = (Vec::new(), Vec::new());
    let Some(list) = root.get(list).filter(|list| !list.is_null()) else { return Ok(found) };
    if !list.is_list() {
        return Err(refused(file, list.line(), "a list should stand here"));
    }
    for item in list.items() {
        let node = item.get(inner).filter(|node| !node.is_null());
        if !item.is_map() || node.is_some_and(|node| !node.is_map()) {
            return Err(refused(file, item.line(), "a map should stand here"));
        }
        let name = string(file, item.get("name"))?.unwrap_or_default();
        if names.contains(&name) {
            return Err(refused(file, item.line(), "this name stands in the list already, which kubectl refuses"));
        }
        found.push(read(file, &name, node)?);
        names.push(name);
    }
    Ok(found)
}

/// The data win over the file, as in Kubernetes.
fn material(data: Option<String>, file: Option<String>) -> Option<Material> {
    let data = data.filter(|data| !data.is_empty()).map(|data| Material::Data(Zeroizing::new(data)));
    data.or_else(|| file.filter(|file| !file.is_empty()).map(Material::File))
}

fn string(file: &str, node: Option<Node<'_>>) -> Result<Option<String>> {
    match node {
        Some(node) if node.is_map() || node.is_list() => Err(refused(file, node.line(), "a text should stand here")),
        Some(node) => Ok(node.text().map(str::to_owned)),
        None => Ok(None),
    }
}

pub(super) fn refused(file: &str, line: usize, why: &str) -> Error {
    Error::new(Kind::Refused, "node.kubeconfig", format!("`{file}`, line {line}: {why}"))
        .hint("look at it with `kubectl config view`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "current-context: b\nclusters:\n- name: k\n  cluster: {server: 'https://10.0.0.1:6443'}\n- name: other\n  \
        cluster:\n    server: \"https://lb.example\"\t# ours\r\n    certificate-authority: pki/ca.pem\nusers:\n- name: u\n  user:\n    \
        client-certificate: a.pem\n    client-key: a.pem\n    token: hidden\n- name: e\n  user: {exec: {command: aws}}\ncontexts:\n- \
        name: b\n  context: {cluster: other, user: u}\n";

    fn why(text: &str) -> String {
        Kubeconfig::read("/k", text).err().unwrap().message().to_owned()
    }

    #[test]
    fn what_is_in_force_is_found() {
        let config = Kubeconfig::read("/k", TWO).unwrap();
        let cluster = config.cluster().unwrap();
        assert_eq!((cluster.name.as_str(), config.user().unwrap().name.as_str()), ("other", "u"));
        assert_eq!(config.files(), ["a.pem", "pki/ca.pem"]);
        let servers: Vec<_> = config.servers().map(|server| (server.text.as_str(), server.line)).collect();
        assert_eq!(servers, [("https://10.0.0.1:6443", 4), ("https://lb.example", 7)]);
        assert_eq!(config.users[1].made_by.as_deref(), Some("aws"));
        assert!(Kubeconfig::read("/k", "").unwrap().cluster().is_none());
    }

    #[test]
    fn servers_are_replaced_and_nothing_else() {
        let config = Kubeconfig::read("/k", TWO).unwrap();
        assert!(config.with_servers(|_| None).unwrap() == TWO);
        let edited = config.with_servers(|server| (server.cluster == "other").then(|| "https://new:1".to_owned()));
        assert!(edited.unwrap() == TWO.replace("https://lb.example", "https://new:1"));
        assert_eq!(config.with_servers(|_| Some("https://${X}:1".to_owned())).unwrap_err().code(), "node.endpoint");
    }

    #[test]
    fn what_is_none_is_refused_without_its_words() {
        assert!(why("kind: Pod\n").contains("no kubeconfig"));
        assert!(why("- a\n").contains("no kubeconfig"));
        assert!(why("clusters: {a: b}\n").contains("a list should"));
        assert!(why("clusters: [{name: a}, {name: a}]\n").contains("stands in the list already"));
        assert!(why("users: [{name: a, user: {token: {hidden: x}}}]\n").contains("line 1: a text should"));
        assert!(why("clusters: []\n---\nclusters: []\n").contains("line 3: a second document"));
        assert!(!why("users: [ token: hidden").contains("hidden"));
        let variable = Kubeconfig::read("/k", "clusters: [{name: a, cluster: {server: 'https://${A}'}}]").unwrap();
        assert!(variable.servers().next().unwrap().endpoint().unwrap_err().message().contains("`/k`, line 1"));
    }
}
