//! Copying the disks of a lab, for later labs whose hosts begin where its hosts are now.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Error, Lab, Progress, Result, boot, cgroup,
    error::At,
    host::{Host, remove},
    lab::{Inner, each},
    program::{command, run},
};

impl Lab {
    /// Shuts all hosts down in order, copies what they wrote to `folder/HOST`, and switches on again those that were on.
    /// A host whose [`HostSpec::stands_on`](crate::HostSpec::stands_on) names such a folder begins there, with an identity
    /// of its own. `folder` is there with all hosts, or not at all.
    ///
    /// # Errors
    /// `lab.absent` when there is no lab, `lab.export` when `folder` is there already, `lab.boot` when a host does not come
    /// back.
    pub async fn export(&self, folder: &Path, progress: Progress) -> Result<()> {
        let folder = folder.to_owned();
        self.blocking(move |lab| lab.export(&folder, &progress)).await
    }
}

impl Inner {
    fn export(&self, folder: &Path, progress: &Progress) -> Result<()> {
        if folder.exists() {
            return Err(Error::new("lab.export", format!("`{}` is there already", folder.display()))
                .hint("choose another folder"));
        }
        let _lock = self.lock(progress)?;
        let record = self.load()?;
        let hosts = self.hosts(&record);
        let mut running = Vec::new();
        for host in &hosts {
            if cgroup::leader(&host.machine)?.is_some() {
                running.push(host.spec.name.clone());
            }
        }
        progress("shutting the hosts down");
        each(&hosts, |host| boot::shut_down(&self.bridge, host))?;
        progress("copying their disks");
        let draft = folder.with_extension("draft");
        remove(&draft)?;
        hosts.iter().try_for_each(|host| copy(&host.lower_folders()?, &draft.join(&host.spec.name)))?;
        fs::rename(&draft, folder).at("rename", &draft)?;
        self.boot(&record, progress, |host| running.contains(&host.spec.name))
    }
}

/// Copies layers under numbers, the lowest first.
fn copy(layers: &[PathBuf], to: &Path) -> Result<()> {
    fs::create_dir_all(to).at("create", to)?;
    layers.iter().enumerate().try_for_each(|(number, layer)| {
        // With what an overlay writes down of removed files: devices, and attributes of folders.
        let mut copy = command("cp");
        run(copy.args(["-a", "--reflink=auto", "-T"]).arg(layer).arg(to.join(number.to_string()))).map(drop)
    })
}

impl Host {
    /// What its disk is stacked from but for the base image, the lowest first.
    fn lower_folders(&self) -> Result<Vec<PathBuf>> {
        let mut folders = self.stands_on()?;
        folders.extend(self.own_layers());
        Ok(folders)
    }
}
