//! Where a secret is found; the inventory never holds one.

use std::path::PathBuf;

use crate::error::Result;
use crate::secret::Secret;

/// The place of a secret, as the inventory and the command line write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// `env:NAME`: a variable of the operator's environment.
    Environment(String),
    /// `file:PATH`: a file, without its last newline.
    File(PathBuf),
    /// `age:PATH`: a file encrypted with age.
    Age(PathBuf),
    /// `prompt`: asked on the terminal, once a run; the text says for what.
    Prompt(String),
}

/// Finds secrets. The command line owns the real one, since only it may read the environment and ask.
pub trait SecretSource: Send + Sync {
    /// The secret behind `reference`.
    ///
    /// # Errors
    /// When it cannot be had; the message names the place, never a value.
    fn resolve(&self, reference: &SecretRef) -> Result<Secret>;
}
