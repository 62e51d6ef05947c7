//! A real sshd in a folder of its own, and an inventory with it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Local, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::{Become, HostKeyPolicy, HostSpec, Inventory, SecretRef, SecretSource};
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::{Command, Connect, Output, Transport};
use haengine_stdlib::ssh::client::{Notice, Options, SshConnector};

const SSHD: &str = "/usr/sbin/sshd";

pub struct Sshd {
    folder: tempfile::TempDir,
    child: Child,
    pub port: u16,
}

impl Sshd {
    /// A server with an Ed25519 and an RSA key that lets root in with `id`. None, said loudly, where that cannot be.
    pub fn start() -> Option<Self> {
        Sshd::with("")
    }

    /// The same with more lines in its configuration.
    pub fn with(configuration: &str) -> Option<Self> {
        let is_root = run("id", &["-u"]).trim() == "0";
        if !is_root || !Path::new(SSHD).exists() {
            eprintln!("SKIPPED: this test needs root and {SSHD}");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("haengine-sshd").tempdir().unwrap();
        std::fs::create_dir_all("/run/sshd").unwrap();
        for kind in ["ed25519", "rsa"] {
            keygen(&folder.path().join(format!("host_{kind}")), kind, "");
        }
        keygen(&folder.path().join("id"), "ed25519", "");
        std::fs::copy(folder.path().join("id.pub"), folder.path().join("authorized_keys")).unwrap();
        let port = free_port();
        let child = launch(folder.path(), port, configuration);
        let sshd = Sshd { folder, child, port };
        sshd.wait_until_it_listens();
        sshd.know(&["ed25519"]);
        Some(sshd)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn wait_until_it_listens(&self) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "sshd: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Has it read its configuration again.
    pub fn reload(&self) {
        run("kill", &["-HUP", &self.child.id().to_string()]);
        std::thread::sleep(Duration::from_millis(300));
        self.wait_until_it_listens();
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Writes known_hosts with these keys of the server.
    pub fn know(&self, kinds: &[&str]) {
        let line = |kind: &&str| format!("[127.0.0.1]:{} {}\n", self.port, self.public_key(kind));
        std::fs::write(self.path("known_hosts"), kinds.iter().map(line).collect::<String>()).unwrap();
    }

    pub fn public_key(&self, kind: &str) -> String {
        let text = std::fs::read_to_string(self.path(&format!("host_{kind}.pub"))).unwrap();
        text.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// Lets the owner of one more key in.
    pub fn authorize(&self, key: &Path) {
        let mut text = std::fs::read_to_string(self.path("authorized_keys")).unwrap();
        text += &std::fs::read_to_string(key.with_extension("pub")).unwrap();
        std::fs::write(self.path("authorized_keys"), text).unwrap();
    }

    /// The server as the inventory knows it.
    pub fn host(&self, name: &str) -> HostSpec {
        HostSpec {
            name: name.to_owned(),
            address: "127.0.0.1".to_owned(),
            port: self.port,
            user: "root".to_owned(),
            identity_files: vec![self.path("id")],
            passphrase: None,
            agent: false,
            known_hosts: self.path("known_hosts"),
            host_key: HostKeyPolicy::Strict,
            escalation: Become::No,
            jump: None,
            node_name: None,
            connect_timeout: Duration::from_secs(5),
            vars: Default::default(),
        }
    }

    /// Connected with the settings that let everything pass.
    pub async fn connect(&self) -> Arc<dyn Transport> {
        let host = self.host("node");
        Operator::default().connector(std::slice::from_ref(&host)).connect(&host).await.unwrap()
    }

    /// The server's processes for its connections.
    fn sessions(&self) -> Vec<String> {
        let children = |pid: &str| run("pgrep", &["-P", pid]).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        children(&self.child.id().to_string())
            .into_iter()
            .flat_map(|child| [children(&child), vec![child]].concat())
            .collect()
    }

    /// Stops the server in the middle of everything, as a host does that has lost its power: the connections stay.
    pub fn freeze(&self) {
        for session in self.sessions() {
            run("kill", &["-STOP", &session]);
        }
    }

    /// Ends the server and every connection, as a crash of the host would.
    pub fn kill_all(&mut self) {
        // All stand still first: one that dies alone is reported by the others.
        self.freeze();
        for session in self.sessions() {
            run("kill", &["-KILL", &session]);
        }
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        self.kill_all();
    }
}

fn launch(folder: &Path, port: u16, more: &str) -> Child {
    let file = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "{more}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {}\nHostKey {}\nAuthorizedKeysFile {}\n\
         PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PermitRootLogin yes\nMaxStartups 100\nPrintMotd no\nLogLevel VERBOSE\nSetEnv HOME={}\n",
        file("host_ed25519"),
        file("host_rsa"),
        file("authorized_keys"),
        // What root's own login scripts do on this machine is no matter of these tests.
        folder.display(),
    );
    std::fs::write(folder.join("sshd_config"), text).unwrap();
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut command = Local::new(SSHD);
    command.args(["-D", "-e", "-f", &file("sshd_config")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().unwrap()
}

/// The operator's side: secrets, agent, and what was said.
#[derive(Default)]
pub struct Operator {
    pub secrets: Vec<(&'static str, &'static str)>,
    pub agent: Option<PathBuf>,
    pub notices: Arc<Mutex<Vec<Notice>>>,
    /// In the place of the system's files of known hosts.
    pub system: Vec<PathBuf>,
}

impl Operator {
    pub fn connector(&self, hosts: &[HostSpec]) -> SshConnector {
        let notices = self.notices.clone();
        let options = Options {
            agent_socket: self.agent.clone(),
            spool: std::env::temp_dir(),
            notices: Arc::new(move |notice| notices.lock().unwrap().push(notice)),
        };
        let inventory = Inventory { hosts: hosts.to_vec(), ..Inventory::default() };
        SshConnector::new(Arc::new(inventory), Arc::new(Secrets(self.secrets.clone())), options)
            .with_system_known_hosts(self.system.clone())
    }

    pub async fn connect(&self, host: &HostSpec) -> Result<Arc<dyn Transport>> {
        self.connector(std::slice::from_ref(host)).connect(host).await
    }
}

struct Secrets(Vec<(&'static str, &'static str)>);

impl SecretSource for Secrets {
    fn resolve(&self, reference: &SecretRef) -> Result<Secret> {
        let SecretRef::Environment(wanted) = reference else { panic!("the tests name secrets `env:…`") };
        let found = self.0.iter().find(|(name, _)| name == wanted);
        let missing = || Error::new(Kind::Usage, "secret.missing", format!("`{wanted}` is not set"));
        found.map(|(_, value)| Secret::new((*value).to_owned())).ok_or_else(missing)
    }
}

pub fn keygen(file: &Path, kind: &str, passphrase: &str) {
    let file = file.display().to_string();
    let bits: &[&str] = if kind == "rsa" { &["-b", "2048"] } else { &[] };
    run("ssh-keygen", &[&["-q", "-t", kind][..], bits, &["-N", passphrase, "-C", "test", "-f", &file]].concat());
}

/// Runs a program here and returns what it printed.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Local::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub async fn sh(host: &dyn Transport, script: &str) -> Output {
    host.exec(&Command::script(script)).await.unwrap()
}

/// The failure of a connection that must not succeed.
pub async fn refused(operator: &Operator, host: &HostSpec) -> Error {
    match operator.connect(host).await {
        Ok(_) => panic!("connected, where it had to be refused"),
        Err(error) => error,
    }
}
