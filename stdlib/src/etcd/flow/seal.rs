//! Encrypting a snapshot with age while it flows.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use age::stream::StreamWriter;
use age::x25519::Recipient;
use haengine_kernel::error::{Error, Kind, Result};

/// What comes in goes out as it is, or encrypted.
pub(super) enum Seal {
    Plain,
    Age { writer: StreamWriter<Sealed>, sealed: Sealed },
}

/// What was encrypted and not yet taken.
#[derive(Clone, Default)]
pub(super) struct Sealed(Arc<Mutex<Vec<u8>>>);

impl Seal {
    /// For these recipients; for none of them as it is.
    pub(super) fn new(recipients: &[String]) -> Result<Seal> {
        if recipients.is_empty() {
            return Ok(Seal::Plain);
        }
        let recipients = self::recipients(recipients)?;
        let each = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(each).map_err(|error| broken().because(error))?;
        let sealed = Sealed::default();
        let writer = encryptor.wrap_output(sealed.clone()).map_err(|error| broken().because(error))?;
        Ok(Seal::Age { writer, sealed })
    }

    /// What goes out for what came in.
    pub(super) fn seal(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        match self {
            Seal::Plain => Ok(bytes),
            Seal::Age { writer, sealed } => {
                writer.write_all(&bytes).map_err(|error| broken().because(error))?;
                Ok(sealed.take())
            }
        }
    }

    /// What goes out at the end.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        match self {
            Seal::Plain => Ok(Vec::new()),
            Seal::Age { writer, sealed } => {
                writer.finish().map_err(|error| broken().because(error))?;
                Ok(sealed.take())
            }
        }
    }
}

impl Sealed {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Public keys of age.
pub(in super::super) fn recipients(words: &[String]) -> Result<Vec<Recipient>> {
    let recipient = |word: &String| {
        word.parse().map_err(|why: &'static str| {
            Error::new(Kind::Usage, "etcd.recipient", format!("`{word}` is no public key of age"))
                .because(why)
                .hint("write a key that begins with `age1`, as `age-keygen` prints it")
        })
    };
    words.iter().map(recipient).collect()
}

fn broken() -> Error {
    Error::new(Kind::Local, "etcd.seal", "the snapshot cannot be encrypted")
        .hint("check the public keys in `recipients`")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use age::x25519::Identity;

    use super::*;

    #[test]
    fn only_a_recipient_reads_what_is_sealed() {
        let (identity, stranger) = (Identity::generate(), Identity::generate());
        let plain: Vec<u8> = (0..200_000_u32).map(|number| number as u8).collect();
        let mut seal = Seal::new(&[identity.to_public().to_string()]).unwrap();
        let mut sealed = Vec::new();
        for chunk in plain.chunks(30_000) {
            sealed.extend(seal.seal(chunk.to_vec()).unwrap());
        }
        sealed.extend(seal.finish().unwrap());
        assert!(sealed.len() > plain.len() && sealed.starts_with(b"age-encryption.org/"));
        let open = |identity: &Identity| {
            let decryptor = age::Decryptor::new(&sealed[..]).unwrap();
            let mut opened = Vec::new();
            decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)).ok()?.read_to_end(&mut opened).ok()?;
            Some(opened)
        };
        assert!(open(&identity).unwrap() == plain);
        assert!(open(&stranger).is_none());
    }

    #[test]
    fn a_secret_key_is_no_recipient() {
        assert_eq!(recipients(&["age1nonsense".to_owned()]).unwrap_err().code(), "etcd.recipient");
        assert!(matches!(Seal::new(&[]), Ok(Seal::Plain)));
    }
}
