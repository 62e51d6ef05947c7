//! Where a host keeps what a change replaced, so that undo can put it back.

use rand::RngExt;

/// The folder of what was moved aside, in that of its run.
pub(crate) const ASIDE: &str = "aside";

/// The place of one change's kept files. An op keeps its files as `FOLDER/CHANGE`, or `FOLDER/CHANGE.N` if several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The run.
    pub run: String,
    /// The number of the change in its journal.
    pub change: u64,
    /// A word that nobody could guess before the change was made: what it makes has it in its name until it has its
    /// own. Empty for changes of journals before version 2, whose hosts hold no records of what was made.
    pub nonce: String,
    /// It was made to its end, whatever came later. False while it is being made.
    pub made: bool,
}

impl Keep {
    /// The place of a new change.
    pub fn new(run: impl Into<String>, change: u64) -> Keep {
        const LETTERS: &[u8] = b"abcdefghjkmnpqrstvwxyz0123456789";
        let mut random = rand::rng();
        let letters = (0..16).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]));
        Keep { run: run.into(), change, nonce: letters.collect(), made: false }
    }

    /// True when the host holds records of what the change made.
    pub fn is_recorded(&self) -> bool {
        !self.nonce.is_empty()
    }

    /// The run's folder on the host's root file system. Mode 0700, owner root.
    pub fn folder(&self) -> String {
        format!("/var/lib/haengine/{}", self.run)
    }

    /// The run's folder on another file system, below its mount point: a kept file must be on the same one to
    /// be moved in one step.
    pub fn folder_on(&self, mount_point: &str) -> String {
        format!("{}/.haengine/{}", mount_point.trim_end_matches('/'), self.run)
    }

    /// Where undo moves what it cannot prove to be the run's own, below the run's folder on either mount. It stays until
    /// the run is forgotten.
    pub fn aside(&self) -> String {
        format!("{ASIDE}/{}", self.change)
    }

    /// The name of this change's kept file in its folder.
    pub fn name(&self) -> String {
        self.change.to_string()
    }
}
