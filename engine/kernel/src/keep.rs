//! Where a host keeps what a change replaced, so that undo can put it back.

/// The place of one change's kept files. An op keeps its files as `FOLDER/CHANGE`, or `FOLDER/CHANGE.N` if several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The run.
    pub run: String,
    /// The number of the change in its journal.
    pub change: u64,
}

impl Keep {
    /// The run's folder on the host's root file system. Mode 0700, owner root.
    pub fn folder(&self) -> String {
        format!("/var/lib/haengine/{}", self.run)
    }

    /// The run's folder on another file system, below its mount point: a kept file must be on the same one to
    /// be moved in one step.
    pub fn folder_on(&self, mount_point: &str) -> String {
        format!("{}/.haengine/{}", mount_point.trim_end_matches('/'), self.run)
    }

    /// The name of this change's kept file in its folder.
    pub fn name(&self) -> String {
        self.change.to_string()
    }
}
