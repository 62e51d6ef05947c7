//! A host during a run: its connection, made when first needed, and what a plan would have changed on it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::identity::Identity;
use crate::inventory::{HostSpec, Inventory};
use crate::lock::HostLock;
use crate::overlay::Overlay;
use crate::transport::{Command, Connect, Duplex, Output, Stream, Transport};
use crate::waits::Waits;

/// All hosts of a run. Each has at most one connection.
pub struct Hosts {
    inventory: Arc<Inventory>,
    connector: Arc<dyn Connect>,
    events: Events,
    cancel: Cancel,
    waits: Waits,
    /// How many hosts are worked on at once.
    forks: Semaphore,
    known: Mutex<HashMap<String, Arc<Host>>>,
}

/// How many hosts are worked on at once where nothing else is said.
pub const FORKS: usize = 50;

/// One host of a run.
pub struct Host {
    spec: HostSpec,
    hosts: Weak<Hosts>,
    events: Events,
    cancel: Cancel,
    waits: Waits,
    /// Empty until the first command, and after [`Host::disconnect`] until the next one.
    transport: Mutex<Arc<OnceCell<Arc<dyn Transport>>>>,
    /// Empty until the first change, and in plans. It ends with the connection.
    lock: Mutex<Arc<OnceCell<Option<HostLock>>>>,
    /// Who it has said to be; nothing until it was asked. It ends with the connection: the next may lead elsewhere.
    identity: Mutex<Arc<OnceCell<Identity>>>,
    overlay: Mutex<Overlay>,
    /// What modules keep as long as the connection stands; see [`Host::kept`].
    kept: Mutex<HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>>,
}

impl Hosts {
    /// The hosts of an inventory, none of them connected, [`FORKS`] of them worked on at once.
    pub fn new(
        inventory: Arc<Inventory>,
        connector: Arc<dyn Connect>,
        events: Events,
        cancel: impl Into<Cancel>,
    ) -> Arc<Hosts> {
        Hosts::with_forks(FORKS, inventory, connector, events, cancel)
    }

    /// The same, with `forks` of them worked on at once.
    pub fn with_forks(
        forks: usize,
        inventory: Arc<Inventory>,
        connector: Arc<dyn Connect>,
        events: Events,
        cancel: impl Into<Cancel>,
    ) -> Arc<Hosts> {
        let cancel = cancel.into();
        let (waits, known, forks) = (Waits::default(), Mutex::default(), Semaphore::new(forks.max(1)));
        Arc::new(Hosts { inventory, connector, events, cancel, waits, forks, known })
    }

    /// A place among the hosts that are worked on at once; given back when it is dropped.
    pub(crate) async fn fork(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.forks.acquire().await.ok()
    }

    /// The inventory behind them.
    pub fn inventory(&self) -> &Arc<Inventory> {
        &self.inventory
    }

    /// The clock of waiting times.
    pub fn waits(&self) -> &Waits {
        &self.waits
    }

    /// The host of this name.
    ///
    /// # Errors
    /// `inventory.unknown_host`, with the nearest name.
    pub fn get(self: &Arc<Self>, name: &str) -> Result<Arc<Host>> {
        let spec = self.inventory.host(name)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.entry(name.to_owned()).or_insert_with(|| Arc::new(self.host(spec))).clone())
    }

    /// What plans would have changed is no longer counted: the next plan begins with the hosts as they are.
    pub fn forget_plans(&self) {
        for host in self.known.lock().unwrap_or_else(PoisonError::into_inner).values() {
            *host.overlay() = Overlay::default();
        }
    }

    /// Ends what runs on the hosts and closes all connections.
    pub async fn close(&self) {
        let hosts: Vec<Arc<Host>> =
            self.known.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        futures::future::join_all(hosts.iter().map(|host| host.disconnect())).await;
    }

    fn host(self: &Arc<Self>, spec: &HostSpec) -> Host {
        Host {
            spec: spec.clone(),
            hosts: Arc::downgrade(self),
            events: self.events.clone(),
            cancel: self.cancel.clone(),
            waits: self.waits.clone(),
            transport: Mutex::default(),
            lock: Mutex::default(),
            identity: Mutex::default(),
            overlay: Mutex::default(),
            kept: Mutex::default(),
        }
    }
}

impl Host {
    /// Its name in recipes and output.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its entry in the inventory.
    pub fn spec(&self) -> &HostSpec {
        &self.spec
    }

    /// Runs a short command in one round trip; how it ended is in the output.
    ///
    /// # Errors
    /// When the host could not be asked, the deadline passed, or the run was interrupted.
    pub async fn exec(&self, command: &Command) -> Result<Output> {
        let transport = self.transport().await?;
        self.interruptible(transport.exec(command)).await
    }

    /// Runs a short command that must succeed.
    ///
    /// # Errors
    /// As [`exec`](Host::exec), and `host.exit` when it ended with another status than 0.
    pub async fn ok(&self, command: &Command) -> Result<Output> {
        self.exec(command).await?.ok(command).map_err(|error| error.on(self.name()))
    }

    /// Starts a command with its input and output as streams.
    ///
    /// # Errors
    /// When the host could not be asked, or the run was interrupted.
    pub async fn stream(&self, command: &Command) -> Result<Stream> {
        let transport = self.transport().await?;
        self.interruptible(transport.stream(command)).await
    }

    /// Opens a TCP connection that starts at the host.
    ///
    /// # Errors
    /// When the host refuses to forward or the far side refuses.
    pub async fn open_tcp(&self, address: &str, port: u16) -> Result<Box<dyn Duplex>> {
        let transport = self.transport().await?;
        self.interruptible(transport.open_tcp(address, port)).await
    }

    /// Another host of the same run.
    ///
    /// # Errors
    /// When the inventory has no such host.
    pub fn peer(&self, name: &str) -> Result<Arc<Host>> {
        let hosts = self.hosts.upgrade().ok_or_else(Error::cancelled)?;
        hosts.get(name)
    }

    /// Tells how far a copy is.
    pub fn progress(&self, target: &str, done: u64, total: Option<u64>) {
        let (host, target) = (self.name().to_owned(), target.to_owned());
        self.events.send(Event::Progress { host, target, done, total });
    }

    /// Tells a line that a command printed.
    pub fn output(&self, stream: &str, line: String) {
        self.events.send(Event::Output { host: self.name().to_owned(), stream: stream.to_owned(), line });
    }

    /// Tells something good to know.
    pub fn note(&self, message: impl Into<String>) {
        self.events.log(crate::event::Level::Info, Some(self.name()), message);
    }

    /// Tells that something on this host is waited for.
    pub fn awaits(&self, what: &str) {
        self.events.send(Event::Waiting { what: format!("{what} on {}", self.name()) });
    }

    /// Tells something worth a look.
    pub fn warn(&self, message: impl Into<String>) {
        self.events.log(crate::event::Level::Warning, Some(self.name()), message);
    }

    /// Waits for the host's own work: the time counts as waited. Ends early when the run is interrupted.
    ///
    /// # Errors
    /// Those of `work`, and an interruption.
    pub async fn waiting<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let _waiting = self.waits.begin();
        self.interruptible(work).await
    }

    /// Sleeps as part of waiting for the host's own work.
    ///
    /// # Errors
    /// When the run is interrupted.
    pub async fn pause(&self, time: std::time::Duration) -> Result<()> {
        let sleep = async {
            tokio::time::sleep(time).await;
            Ok(())
        };
        self.waiting(sleep).await
    }

    /// What a plan would have changed on this host so far.
    pub fn overlay(&self) -> MutexGuard<'_, Overlay> {
        self.overlay.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a module keeps for this host, by its type and a name; made empty when it is first asked for. It goes with
    /// the connection: a client that talks through the host must not outlive the way there. Whoever keeps something
    /// that needs the host itself holds it weakly.
    pub fn kept<T: Any + Send + Sync + Default>(&self, name: &str) -> Arc<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = kept.entry((TypeId::of::<T>(), name.to_owned())).or_insert_with(|| Arc::new(T::default()));
        // The type is part of the key, so that the slot always has it.
        slot.clone().downcast().unwrap_or_default()
    }

    /// Gives up what was [`kept`](Host::kept), so that it is made anew.
    pub fn forget<T: Any>(&self, name: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&(TypeId::of::<T>(), name.to_owned()));
    }

    /// Where its lock is held from the first change on.
    pub(crate) fn lock_cell(&self) -> Arc<OnceCell<Option<HostLock>>> {
        cell(&self.lock)
    }

    /// Where it is known who it has said to be.
    pub(crate) fn identity_cell(&self) -> Arc<OnceCell<Identity>> {
        cell(&self.identity)
    }

    /// Who the host says to be; it is asked once for each connection.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) async fn identify(&self) -> Result<Identity> {
        let known = cell(&self.identity);
        let ask = async || {
            let said = self.exec(&Identity::asked()).await?.text();
            Ok(Identity::parse(&said, self.transport().await?.host_key()))
        };
        known.get_or_try_init(ask).await.cloned()
    }

    /// True once the host's lock was taken, or the host has said that it cannot be.
    pub(crate) fn is_locked(&self) -> bool {
        cell(&self.lock).initialized()
    }

    pub(crate) async fn transport(&self) -> Result<Arc<dyn Transport>> {
        let transport = cell(&self.transport);
        transport.get_or_try_init(|| self.interruptible(self.connect())).await.cloned()
    }

    /// Connects, unless a connection stands.
    ///
    /// # Errors
    /// When the host cannot be reached.
    pub async fn reach(&self) -> Result<()> {
        self.transport().await.map(drop)
    }

    /// True once a connection stands.
    pub fn is_connected(&self) -> bool {
        cell(&self.transport).initialized()
    }

    /// Gives the connection up, and the host's lock with it. The next command connects anew, and the next change
    /// takes the lock again: for hosts that restart.
    pub async fn disconnect(&self) {
        let lock = std::mem::take(&mut *self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        let transport = std::mem::take(&mut *self.transport.lock().unwrap_or_else(PoisonError::into_inner));
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Some(Some(lock)) = lock.get() {
            lock.release().await;
        }
        if let Some(transport) = transport.get() {
            transport.close().await;
        }
    }

    async fn connect(&self) -> Result<Arc<dyn Transport>> {
        let hosts = self.hosts.upgrade().ok_or_else(Error::cancelled)?;
        let started = Instant::now();
        let transport = hosts.connector.connect(&self.spec).await?;
        let (host, seconds) = (self.name().to_owned(), started.elapsed().as_secs_f64());
        self.events.send(Event::Connected { host, seconds });
        Ok(transport)
    }

    /// Does work on the host, and gives it up when the run is interrupted.
    ///
    /// # Errors
    /// Those of `work`, and an interruption.
    pub async fn interruptible<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::cancelled()),
            result = work => result.map_err(|error| error.on(self.name())),
        }
    }
}

/// The cell that holds now; a disconnect puts a new one in its place.
fn cell<T>(place: &Mutex<Arc<OnceCell<T>>>) -> Arc<OnceCell<T>> {
    place.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
