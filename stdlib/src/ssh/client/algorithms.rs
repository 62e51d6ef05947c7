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

/// The settings of a connection to a host whose keys of these algorithms are known already.
pub(super) fn config(known: &[Algorithm]) -> client::Config {
    client::Config {
        window_size: WINDOW,
        maximum_packet_size: 65_535,
        channel_buffer_size: 256,
        preferred: Preferred {
            key: Cow::Owned(host_keys(known)),
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
    let (first, then): (Vec<_>, Vec<_>) = Preferred::DEFAULT.key.iter().cloned().partition(is_known);
    first.into_iter().chain(then).collect()
}

/// True when both name the same kind of key; the hash of an RSA signature is no property of the key.
pub(super) fn same_key(one: &Algorithm, other: &Algorithm) -> bool {
    one == other || matches!((one, other), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

/// The hashes to try for a signature with an RSA key, given what the server said it verifies.
pub(super) fn rsa_hashes(announced: Option<Option<HashAlg>>) -> Vec<Option<HashAlg>> {
    match announced {
        Some(best) => vec![best],
        // A server that says nothing is old: SHA-2 by hope, then the one that it certainly knows.
        None => vec![Some(HashAlg::Sha512), None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_rsa_key_comes_first() {
        let order = host_keys(&[Algorithm::Rsa { hash: None }]);
        assert!(matches!(order[0], Algorithm::Rsa { hash: Some(HashAlg::Sha512) }));
        assert!(matches!(order[3], Algorithm::Ed25519));
        assert_eq!(order.len(), Preferred::DEFAULT.key.len());
    }
}
