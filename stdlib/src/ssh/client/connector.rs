//! Connections: made when they are first needed, one for each host of a run.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::{HostSpec, Inventory, SecretSource};
use haengine_kernel::transport::{Connect, Transport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::dial::{behind, dial};
use super::handshake::handshake;
use super::identity::Identities;
use super::link::Link;
use super::login::login;
use super::notice::Notice;
use super::rights::Escalation;
use super::transport::SshTransport;
use super::tunnel::tunnel;

/// What the operator's machine offers; only the command line may look at its environment.
#[derive(Clone)]
pub struct Options {
    /// The socket of a running agent, as `SSH_AUTH_SOCK` names it.
    pub agent_socket: Option<PathBuf>,
    /// The folder for output that arrives faster than it is read. Files there have no name and vanish with us.
    pub spool: PathBuf,
    /// Gets what the operator must see and what is no error.
    pub notices: Arc<dyn Fn(Notice) + Send + Sync>,
}

/// Where OpenSSH looks for what holds for all users of a machine.
const SYSTEM: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

/// Connects to hosts over SSH.
///
/// All who ask for the same host share its connection, and so do all hosts behind the same bastion.
pub struct SshConnector {
    inventory: Arc<Inventory>,
    secrets: Arc<dyn SecretSource>,
    identities: Identities,
    options: Options,
    system_known_hosts: Vec<PathBuf>,
    links: Mutex<HashMap<String, Place>>,
}

/// One connection at most; whoever comes while it is made waits here for it.
type Place = Arc<tokio::sync::Mutex<Weak<Link>>>;

impl SshConnector {
    /// A connector for the hosts of `inventory`, where jump hosts are found; `secrets` opens keys and answers sudo.
    pub fn new(inventory: Arc<Inventory>, secrets: Arc<dyn SecretSource>, options: Options) -> Self {
        let identities = Identities::new(secrets.clone());
        let system_known_hosts = SYSTEM.map(PathBuf::from).to_vec();
        SshConnector { inventory, secrets, identities, options, system_known_hosts, links: Mutex::default() }
    }

    /// The same, with other files of known hosts in the place of the system's: they are read besides each host's own.
    #[must_use]
    pub fn with_system_known_hosts(self, files: Vec<PathBuf>) -> Self {
        SshConnector { system_known_hosts: files, ..self }
    }

    /// The connection to `host`; `behind_it` are the hosts that are reached through it.
    fn link<'a>(&'a self, host: &'a HostSpec, behind_it: Vec<&'a str>) -> BoxFuture<'a, Result<Arc<Link>>> {
        async move {
            if behind_it.contains(&host.name.as_str()) {
                return Err(Error::new(Kind::Usage, "inventory.jump", "the jump hosts form a circle").on(&host.name));
            }
            let place = self.place(&host.name);
            let mut place = place.lock().await;
            if let Some(link) = place.upgrade().filter(|link| link.is_up() && !link.ending.is_cancelled()) {
                return Ok(link);
            }
            let link = self.establish(host, behind_it).await.map_err(|error| error.on(&host.name))?;
            *place = Arc::downgrade(&link);
            Ok(link)
        }
        .boxed()
    }

    fn place(&self, name: &str) -> Place {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.entry(name.to_owned()).or_default().clone()
    }

    async fn establish<'a>(&'a self, host: &'a HostSpec, mut behind_it: Vec<&'a str>) -> Result<Arc<Link>> {
        let Some(jump) = &host.jump else {
            return self.introduce(host, dial(host).await?, None).await;
        };
        let Some(bastion) = self.inventory.hosts.iter().find(|candidate| candidate.name == *jump) else {
            return Err(Error::new(Kind::Usage, "inventory.jump", format!("the jump host `{jump}` is not a host"))
                .hint("name a host of the inventory in `jump`"));
        };
        behind_it.push(&host.name);
        let bastion = self.link(bastion, behind_it).await?;
        let _turn = bastion.handshakes.acquire().await.map_err(|_| bastion.lost())?;
        let opening = bastion.forward(&host.address, host.port);
        let line = match timeout(host.connect_timeout, opening).await {
            Ok(Ok(line)) => line,
            Ok(Err(Some(said))) => return Err(behind(jump, host, &said)),
            Ok(Err(None)) => return Err(bastion.lost()),
            Err(_) => return Err(behind(jump, host, "timed out")),
        };
        let socket = tunnel(&bastion, line, &self.options.spool);
        self.introduce(host, socket, Some(bastion.clone())).await
    }

    async fn introduce<S>(&self, host: &HostSpec, socket: S, via: Option<Arc<Link>>) -> Result<Arc<Link>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let notices = self.options.notices.clone();
        let (mut handle, fate) = handshake(host, socket, notices, &self.system_known_hosts).await?;
        login(&mut handle, host, &self.identities, self.options.agent_socket.as_deref()).await?;
        Ok(Link::new(&host.name, handle, fate, via))
    }
}

#[async_trait]
impl Connect for SshConnector {
    async fn connect(&self, host: &HostSpec) -> Result<Arc<dyn Transport>> {
        let link = self.link(host, Vec::new()).await?;
        let escalation = Escalation::of(host, self.secrets.clone());
        let transport = SshTransport::open(link, escalation, self.options.spool.clone()).await;
        Ok(Arc::new(transport.map_err(|error| error.on(&host.name))?))
    }
}
