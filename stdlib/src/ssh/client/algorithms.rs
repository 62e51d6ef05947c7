//! What we offer in the key exchange, and how the connection is tuned.

use std::borrow::Cow;
use std::time::Duration;

use russh::keys::{Algorithm, HashAlg};
use russh::{Preferred, cipher, client, compression};

/// A silent host is given up on after the third of these: two unanswered questions, then the end. A cut of ten seconds
/// is survived, and of a longer one its operator hears within half a minute.
const KEEPALIVE: Duration = Duration::from_secs(8);
const UNANSWERED: usize = 2;

/// After so long a silent host is given up on.
pub(super) const SILENCE: Duration = Duration::from_secs(8 * 3);

/// 32 MiB keep a line of 1 Gbit/s full at a round trip of 250 ms.
const WINDOW: u32 = 32 * 1024 * 1024;

/// AES-GCM is done by the processor; chacha20, russh's first choice, costs nearly twice as much.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

/// The settings of a connection to a host whose keys of these algorithms are known already. `vouched`: an authority is known
/// that vouches for hosts of its name, so that it is asked for a certificate.
pub(super) fn config(known: &[Algorithm], vouched: bool) -> client::Config {
    client::Config {
        window_size: WINDOW,
        maximum_packet_size: 65_535,
        channel_buffer_size: 256,
        preferred: Preferred {
            key: Cow::Owned(host_keys(known)),
            host_key_certificates: Cow::Owned(if vouched { host_keys(&[]) } else { Vec::new() }),
            cipher: Cow::Borrowed(CIPHERS),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        },
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: UNANSWERED,
        nodelay: true,
        ..client::Config::default()
    }
}

/// Algorithms of known keys first, as OpenSSH does: a host that is known by its RSA key alone must not look
/// unknown because it also has an Ed25519 key.
fn host_keys(known: &[Algorithm]) -> Vec<Algorithm> {
    let is_known = |algorithm: &Algorithm| known.iter().any(|one| same_key(one, algorithm));
    let (first, then): (Vec<_>, Vec<_>) = offered().partition(is_known);
    first.into_iter().chain(then).collect()
}

/// What we take for proof of a host's key: no signature by SHA-1, which can be forged.
fn offered() -> impl Iterator<Item = Algorithm> {
    Preferred::DEFAULT.key.iter().filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None }).cloned()
}

/// True when both name the same kind of key; the hash of an RSA signature is no property of the key.
pub(super) fn same_key(one: &Algorithm, other: &Algorithm) -> bool {
    one == other || matches!((one, other), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

/// The hashes to try for a signature with an RSA key, given what the server said it verifies. SHA-1 is not among them.
pub(super) fn rsa_hashes(announced: Option<Option<HashAlg>>) -> Vec<Option<HashAlg>> {
    match announced {
        Some(Some(best)) => vec![Some(best)],
        // One that says nothing, or speaks of SHA-1 alone, may know them all the same.
        Some(None) | None => vec![Some(HashAlg::Sha512), Some(HashAlg::Sha256)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_rsa_key_comes_first() {
        let order = host_keys(&[Algorithm::Rsa { hash: None }]);
        assert!(matches!(order[0], Algorithm::Rsa { hash: Some(HashAlg::Sha512) }));
        assert!(matches!(order[2], Algorithm::Ed25519));
        assert_eq!(order.len(), Preferred::DEFAULT.key.len() - 1);
    }

    #[test]
    fn nothing_is_proven_by_sha_1() {
        let config = config(&[Algorithm::Rsa { hash: None }], true);
        let lists = [&config.preferred.key, &config.preferred.host_key_certificates];
        assert!(lists.iter().all(|list| !list.is_empty() && !list.contains(&Algorithm::Rsa { hash: None })));
        for announced in [None, Some(None), Some(Some(HashAlg::Sha256))] {
            assert!(rsa_hashes(announced).iter().all(Option::is_some), "{announced:?}");
        }
    }
}
