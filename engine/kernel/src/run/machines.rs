//! The machines behind the names of a run: a host that has become another one is left alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::join_all;

use crate::error::{Error, Kind, Result};
use crate::event::Level;
use crate::host::Host;
use crate::identity::{Identity, Likeness};
use crate::journal::Entry;
use crate::lock::Holder;
use crate::run::Run;

/// Who the hosts of a run are.
#[derive(Default)]
pub(super) struct Machines {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// As they were when they were changed, or first asked.
    hosts: BTreeMap<String, Identity>,
    /// As the journal has them.
    journalled: BTreeMap<String, Identity>,
}

impl Machines {
    /// Those of the journal.
    pub(super) fn of(hosts: &BTreeMap<String, Identity>) -> Machines {
        Machines { known: Mutex::new(Known { hosts: hosts.clone(), journalled: hosts.clone() }) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes more of the journal into account.
    pub(super) fn learn(&self, hosts: &BTreeMap<String, Identity>) {
        let mut known = self.known();
        known.hosts.extend(hosts.clone());
        known.journalled.extend(hosts.clone());
    }

    /// What can be said of a host that says to be `now`. One that is not known yet is by now.
    fn recognise(&self, name: &str, now: &Identity) -> Likeness {
        let mut known = self.known();
        let Some(was) = known.hosts.get(name) else {
            known.hosts.insert(name.to_owned(), now.clone());
            return Likeness::Same;
        };
        // Also as they were: of two that shared something, one may have got its own meanwhile.
        let all = known.hosts.iter().chain(&known.journalled);
        let others = all.filter(|(other, _)| *other != name).map(|(_, identity)| identity);
        let likeness = was.compare(now, others);
        if !matches!(likeness, Likeness::Another(_)) {
            // What it does not say any more stays known.
            let was = was.clone();
            let now = Identity {
                machine_id: now.machine_id.clone().or(was.machine_id),
                host_key: now.host_key.clone().or(was.host_key),
                product_uuid: now.product_uuid.clone().or(was.product_uuid),
                boot_id: now.boot_id.clone().or(was.boot_id),
                births: now.births.or(was.births),
            };
            known.hosts.insert(name.to_owned(), now);
        }
        likeness
    }

    /// The line that says who the host is, where the journal does not know it so yet.
    pub(super) fn introduce(&self, name: &str) -> Option<Entry> {
        let mut known = self.known();
        let identity = known.hosts.get(name).filter(|identity| identity.is_known())?.clone();
        if known.journalled.get(name) == Some(&identity) {
            return None;
        }
        known.journalled.insert(name.to_owned(), identity.clone());
        Some(Entry::Host { host: name.to_owned(), identity })
    }
}

impl Run {
    /// Takes the host's lock, which says who it is.
    ///
    /// # Errors
    /// As [`Host::lock`], and `host.replaced`.
    pub(super) async fn enter(&self, host: &Host, holder: &Holder) -> Result<()> {
        host.lock(holder).await?;
        self.recognise(host).await
    }

    /// Refuses a host that has become another machine since it was changed.
    ///
    /// # Errors
    /// `host.replaced`, and when it cannot be asked.
    pub(super) async fn recognise(&self, host: &Host) -> Result<()> {
        match self.machines.recognise(host.name(), &host.identify().await?) {
            Likeness::Same => Ok(()),
            Likeness::NewKey(how) => {
                self.events.log(
                    Level::Warning,
                    Some(host.name()),
                    format!("the same machine shows another key: its {how}"),
                );
                Ok(())
            }
            Likeness::Another(how) => Err(self.replaced(host.name(), &how)),
        }
    }

    /// Looks at all these hosts before one of them is touched. What else is wrong with a host, by its name, is told by
    /// whoever needs it.
    ///
    /// # Errors
    /// `host.replaced` of the first that is another machine, and an interruption.
    pub(super) async fn look_at<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<HashMap<String, Error>> {
        let hosts = names.filter_map(|name| self.hosts.get(name).ok());
        let looked = join_all(hosts.map(async |host| {
            let _fork = self.hosts.fork().await;
            (host.name().to_owned(), self.recognise(&host).await)
        }));
        let mut wrong = HashMap::new();
        for (name, result) in looked.await {
            match result {
                Err(error) if error.kind() == Kind::Cancelled || error.code() == REPLACED => return Err(error),
                Err(error) => _ = wrong.insert(name, error),
                Ok(()) => {}
            }
        }
        Ok(wrong)
    }

    fn replaced(&self, host: &str, how: &str) -> Error {
        let message = format!("`{host}` is another machine than the one that run {} changed: its {how}", self.id);
        Error::new(Kind::Refused, REPLACED, message).on(host).hint(format!(
            "point `-i` to the right machine; if that is no more, give up what was on it: `haengine undo {} --replaced {host}`",
            self.id
        ))
    }
}

/// The code of a host that is another machine.
pub(super) const REPLACED: &str = "host.replaced";
