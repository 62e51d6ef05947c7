//! Private keys: files with or without a passphrase, each read once a run.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::secret::Secret;
use russh::keys::{PrivateKey, decode_secret_key};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::short_scalar;

/// A key, or why its file gives none.
pub(super) type Loaded = Result<Arc<PrivateKey>, String>;

/// The keys of a run. Many hosts share one file, and a passphrase takes a tenth of a second to check.
pub(super) struct Identities {
    secrets: Arc<dyn SecretSource>,
    loaded: Mutex<HashMap<(PathBuf, Option<SecretRef>), Loaded>>,
}

impl Identities {
    pub(super) fn new(secrets: Arc<dyn SecretSource>) -> Self {
        Identities { secrets, loaded: Mutex::default() }
    }

    /// The key in `file`; the passphrase is asked for only if the key is encrypted.
    pub(super) async fn load(&self, file: &Path, passphrase: Option<&SecretRef>) -> Loaded {
        let key = (file.to_owned(), passphrase.cloned());
        let mut loaded = self.loaded.lock().await;
        if let Some(known) = loaded.get(&key) {
            return known.clone();
        }
        let (file, reference) = key.clone();
        let secrets = self.secrets.clone();
        // Reading may ask on the terminal, and checking a passphrase is slow on purpose.
        let reading = tokio::task::spawn_blocking(move || {
            read(&file, || {
                reference.map(|reference| secrets.resolve(&reference)).transpose().map_err(|e| e.to_string())
            })
        });
        let key_or_reason = reading.await.unwrap_or_else(|error| Err(error.to_string()));
        loaded.insert(key, key_or_reason.clone());
        key_or_reason
    }
}

fn read(file: &Path, passphrase: impl FnOnce() -> Result<Option<Secret>, String>) -> Loaded {
    let text = Zeroizing::new(text(file)?);
    if !is_encrypted(&text) {
        return decode(&text, None).map_err(|error| format!("not a private key: {error}"));
    }
    let Some(passphrase) = passphrase()? else {
        return Err("encrypted, and the inventory names no `passphrase`".to_owned());
    };
    decode(&text, Some(passphrase.expose())).map_err(|error| format!("the passphrase does not open it: {error}"))
}

fn decode(text: &str, passphrase: Option<&str>) -> Result<Arc<PrivateKey>, russh::keys::Error> {
    decode_secret_key(text, passphrase)
        .or_else(|error| short_scalar::decode(text, passphrase.unwrap_or_default()).ok_or(error))
        .map(Arc::new)
}

fn text(file: &Path) -> Result<String, String> {
    let about = std::fs::metadata(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    })?;
    // As OpenSSH does: what everybody can read is no secret, and whoever made it so should know.
    let is_mine = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == about.uid());
    if is_mine && about.mode() & 0o077 != 0 {
        return Err(format!("mode {:04o} lets others read it; run `chmod 600` on it", about.mode() & 0o7777));
    }
    std::fs::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => "not a private key".to_owned(),
        _ => error.to_string(),
    })
}

/// OpenSSH's own format says it inside, the PEM formats in their headers.
fn is_encrypted(text: &str) -> bool {
    text.contains("ENCRYPTED") || matches!(decode_secret_key(text, None), Err(russh::keys::Error::KeyIsEncrypted))
}
