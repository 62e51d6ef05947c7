//! Where secrets come from: the environment, files, age, and the person at the terminal.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{Decryptor, IdentityFile};
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::inventory::{SecretRef, SecretSource};
use haengine_kernel::secret::Secret;
use zeroize::Zeroizing;

use crate::terminal::{Terminal, waiting};

/// The secrets of one run. Each is looked up, and asked for, once.
pub struct Secrets {
    terminal: Arc<Terminal>,
    /// The file with the keys of `age:` secrets.
    identity: Option<PathBuf>,
    found: Mutex<HashMap<SecretRef, Secret>>,
}

impl Secrets {
    /// Secrets that are asked for at `terminal`; `identity` opens those that age has encrypted to a key.
    pub fn new(terminal: Arc<Terminal>, identity: Option<PathBuf>) -> Secrets {
        Secrets { terminal, identity, found: Mutex::default() }
    }

    fn look_up(&self, reference: &SecretRef) -> Result<Secret> {
        match reference {
            SecretRef::Environment(name) => variable(name),
            SecretRef::File(path) => file(path),
            SecretRef::Age(path) => self.decrypt(path),
            SecretRef::Prompt(what) => self.terminal.secret(what),
        }
    }

    fn decrypt(&self, path: &Path) -> Result<Secret> {
        let file = std::fs::File::open(path).map_err(|error| unreadable(path, error))?;
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(BufReader::new(file)))
            .map_err(|error| undecrypted(path, error))?;
        let identities = if decryptor.is_scrypt() { self.passphrase(path)? } else { self.keys(path)? };
        let mut text = Zeroizing::new(String::new());
        let plain = decryptor.decrypt(identities.iter().map(|identity| identity.as_ref()));
        let mut plain = plain.map_err(|error| undecrypted(path, error))?;
        plain.read_to_string(&mut text).map_err(|error| undecrypted(path, error))?;
        Ok(Secret::new(without_newline(&text).to_owned()))
    }

    fn passphrase(&self, path: &Path) -> Result<Vec<Box<dyn age::Identity>>> {
        let typed = self.terminal.secret(&format!("passphrase of `{}`", path.display()))?;
        Ok(vec![Box::new(age::scrypt::Identity::new(SecretString::from(typed.expose().to_owned())))])
    }

    fn keys(&self, path: &Path) -> Result<Vec<Box<dyn age::Identity>>> {
        let identity = self.identity.as_ref().ok_or_else(|| {
            Error::new(Kind::Usage, "secret.no_identity", format!("no key is known that opens `{}`", path.display()))
                .hint("set HAENGINE_AGE_IDENTITY to the file with your age key")
        })?;
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(Kind::Usage, "secret.identity", format!("cannot use the age key `{}`", identity.display()))
                .hint("set HAENGINE_AGE_IDENTITY to a file that `age-keygen` made")
                .because(error)
        };
        let file = IdentityFile::from_file(identity.display().to_string()).map_err(|error| unusable(error.into()))?;
        file.into_identities().map_err(|error| unusable(error.into()))
    }
}

impl SecretSource for Secrets {
    fn resolve(&self, reference: &SecretRef) -> Result<Secret> {
        // The lock is held while a person types: whoever else wants the same secret shall not ask again.
        waiting(|| {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(secret) = found.get(reference) {
                return Ok(secret.clone());
            }
            let secret = self.look_up(reference)?;
            found.insert(reference.clone(), secret.clone());
            Ok(secret)
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a secret may be in a variable, and only its user knows which")]
fn variable(name: &str) -> Result<Secret> {
    let error = |reason: &str| {
        Error::new(Kind::Usage, "secret.variable", format!("the secret's variable `{name}` {reason}"))
            .hint(format!("set it before you start haengine: `export {name}=…`"))
    };
    match std::env::var(name) {
        Ok(text) if text.is_empty() => Err(error("is empty")),
        Ok(text) => Ok(Secret::new(text)),
        Err(std::env::VarError::NotPresent) => Err(error("is not set")),
        Err(std::env::VarError::NotUnicode(_)) => Err(error("is not UTF-8 text")),
    }
}

fn file(path: &Path) -> Result<Secret> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| unreadable(path, error))?;
    Ok(Secret::new(without_newline(&text).to_owned()))
}

/// Editors end a file with a newline that is not part of the secret.
fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Usage, "secret.file", format!("cannot read the secret's file `{}`", path.display()))
        .hint("check the path and who may read it")
        .because(error)
}

fn undecrypted(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::Usage, "secret.age", format!("cannot decrypt `{}`", path.display()))
        .hint("check that it was encrypted with age, and to the key in HAENGINE_AGE_IDENTITY")
        .because(error)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use age::armor::{ArmoredWriter, Format};
    use age::secrecy::ExposeSecret;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::report::{Paint, Screen};

    fn secrets(identity: Option<PathBuf>) -> Secrets {
        let (desk, _) = tokio::sync::mpsc::unbounded_channel();
        let terminal = Terminal::new(false, Paint::plain(), Screen::still(), CancellationToken::new(), desk);
        Secrets::new(Arc::new(terminal), identity)
    }

    fn code(result: Result<Secret>) -> Option<&'static str> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn a_file_loses_its_last_newline_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "a\nb\n\n").unwrap();
        let found = secrets(None).resolve(&SecretRef::File(path.clone())).unwrap();
        assert_eq!(found.expose(), "a\nb\n");
        assert_eq!(code(secrets(None).resolve(&SecretRef::File(folder.path().join("absent")))), Some("secret.file"));
    }

    #[test]
    fn a_variable_must_be_set() {
        let reference = SecretRef::Environment("HAENGINE_TEST_THAT_NOBODY_SETS".to_owned());
        assert_eq!(code(secrets(None).resolve(&reference)), Some("secret.variable"));
    }

    #[test]
    fn a_secret_is_looked_up_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first").unwrap();
        let secrets = secrets(None);
        secrets.resolve(&SecretRef::File(path.clone())).unwrap();
        std::fs::write(&path, "second").unwrap();
        assert_eq!(secrets.resolve(&SecretRef::File(path)).unwrap().expose(), "first");
    }

    #[test]
    fn age_opens_with_the_key_and_with_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (path, right, wrong) = ("token.age", "right", "wrong");
        let [path, right, wrong] = [path, right, wrong].map(|name| folder.path().join(name));
        let key = age::x25519::Identity::generate();
        std::fs::write(&right, key.to_string().expose_secret()).unwrap();
        std::fs::write(&wrong, age::x25519::Identity::generate().to_string().expose_secret()).unwrap();
        let recipients = [key.to_public()];
        let encryptor =
            age::Encryptor::with_recipients(recipients.iter().map(|key| key as &dyn age::Recipient)).unwrap();
        let file = std::fs::File::create(&path).unwrap();
        let armored = ArmoredWriter::wrap_output(file, Format::AsciiArmor).unwrap();
        let mut writer = encryptor.wrap_output(armored).unwrap();
        writer.write_all(b"hunter2\n").unwrap();
        writer.finish().and_then(ArmoredWriter::finish).unwrap();

        let reference = SecretRef::Age(path);
        assert_eq!(secrets(Some(right)).resolve(&reference).unwrap().expose(), "hunter2");
        assert_eq!(code(secrets(Some(wrong)).resolve(&reference)), Some("secret.age"));
        assert_eq!(code(secrets(None).resolve(&reference)), Some("secret.no_identity"));
    }
}
