//! Power and cables of single hosts.

use std::fs::{self, File};

use crate::{Lab, Result, boot, error::At, lab::networks, network, quiet};

impl Lab {
    /// Cuts the power of `host`: every process ends at once, the disk stays.
    ///
    /// # Errors
    /// `lab.absent`, `lab.host` when there is no such lab or host.
    pub async fn power_off(&self, host: &str) -> Result<()> {
        self.at(host, |lab, host| boot::cut_power(&lab.bridge, host)).await
    }

    /// Shuts `host` down in order; its power is cut if that takes more than 20 seconds.
    ///
    /// # Errors
    /// As [`Lab::power_off`].
    pub async fn shut_down(&self, host: &str) -> Result<()> {
        self.at(host, |lab, host| boot::shut_down(&lab.bridge, host)).await
    }

    /// Switches `host` on and waits until it is ready. One that is on stays as it is.
    ///
    /// # Errors
    /// As [`Lab::power_off`], and `lab.boot` when it does not get ready.
    pub async fn power_on(&self, host: &str) -> Result<()> {
        self.at(host, |lab, host| {
            boot::start(&lab.bridge, host, &networks(&lab.load()?))?;
            boot::wait_ready(&lab.bridge, host)
        })
        .await
    }

    /// Pulls the network cable of `host`, or plugs it in again. Nothing on the host is told, as with a switch
    /// that dies.
    ///
    /// # Errors
    /// As [`Lab::power_off`].
    pub async fn cut(&self, host: &str, cut: bool) -> Result<()> {
        self.at(host, move |lab, host| {
            let mark = host.cut_mark();
            match cut {
                true => File::create(&mark).map(drop).at("create", &mark)?,
                false if mark.exists() => fs::remove_file(&mark).at("remove", &mark)?,
                false => {}
            }
            // A host without power has no cable to pull; the mark waits for it.
            match crate::cgroup::leader(&host.machine)? {
                Some(_) => network::plug(&lab.bridge, host, cut),
                None => Ok(()),
            }
        })
        .await
    }

    async fn at(
        &self,
        host: &str,
        work: impl FnOnce(&crate::lab::Inner, &crate::host::Host) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let name = host.to_owned();
        self.blocking(move |lab| {
            let host = lab.find(&name)?;
            let _lock = lab.lock(&quiet())?;
            work(lab, &host)
        })
        .await
    }
}
