//! P-256 keys in OpenSSH's own format whose secret number begins with zeros, which is one in 256.
//!
//! OpenSSH leaves leading zeros out, and russh's decoder takes only numbers of the full length.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::encoding::{Decode, Reader};
use russh::keys::ssh_key::private::{EcdsaKeypair, EcdsaPrivateKey, KeypairData};
use russh::keys::ssh_key::{Cipher, Kdf, sec1};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The key in this text, if it is one of these and the passphrase opens it.
pub(super) fn decode(text: &str, passphrase: &str) -> Option<PrivateKey> {
    let (_, behind) = text.split_once(BEGIN)?;
    // Of full length from the start: one that grows leaves parts of the secret where it was.
    let mut armoured = Zeroizing::new(String::with_capacity(behind.len()));
    armoured.extend(behind.split_once(END)?.0.split_ascii_whitespace());
    let blob = Zeroizing::new(STANDARD.decode(armoured.as_bytes()).ok()?);
    let secret = opened(blob.strip_prefix(MAGIC)?, passphrase)?;
    let (point, scalar) = pair(&mut secret.as_slice())?;
    let mut padded = Zeroizing::new([0; 32]);
    padded.get_mut(32_usize.checked_sub(scalar.len())?..)?.copy_from_slice(&scalar);
    let public = sec1::EncodedPoint::from_bytes(&point).ok()?;
    let pair = EcdsaKeypair::NistP256 { public, private: EcdsaPrivateKey::from(*padded) };
    PrivateKey::new(KeypairData::Ecdsa(pair), "").ok()
}

/// The part of the file that a passphrase may lock.
fn opened(mut file: &[u8], passphrase: &str) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = Cipher::decode(&mut file).ok()?;
    let kdf = Kdf::decode(&mut file).ok()?;
    let (_count, _public) = (u32::decode(&mut file).ok()?, Vec::<u8>::decode(&mut file).ok()?);
    let mut secret = Zeroizing::new(Vec::<u8>::decode(&mut file).ok()?);
    if cipher.is_some() {
        let (key, iv) = kdf.derive_key_and_iv(cipher, passphrase).ok()?;
        let tag = if cipher.has_tag() { Some(file.try_into().ok()?) } else { None };
        cipher.decrypt(&key, &iv, &mut secret, tag).ok()?;
    }
    Some(secret)
}

/// The point and the number of the one key.
fn pair(secret: &mut impl Reader) -> Option<(Vec<u8>, Zeroizing<Vec<u8>>)> {
    // Two equal numbers tell that the passphrase was the right one.
    if u32::decode(secret).ok()? != u32::decode(secret).ok()? {
        return None;
    }
    if String::decode(secret).ok()? != "ecdsa-sha2-nistp256" || String::decode(secret).ok()? != "nistp256" {
        return None;
    }
    Some((Vec::decode(secret).ok()?, Zeroizing::new(Vec::decode(secret).ok()?)))
}
