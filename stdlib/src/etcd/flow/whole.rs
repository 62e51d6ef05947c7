//! Whether all of a snapshot came: etcd ends it with the SHA-256 of all before it.

use sha2::{Digest, Sha256};

/// How long the hash at the end is.
const HASH: usize = 32;
/// A database is made of pages, which are multiples of this.
const SECTOR: u64 = 512;

/// A snapshot that is coming in.
#[derive(Default)]
pub(super) struct Whole {
    body: Sha256,
    /// What may be the hash at the end.
    tail: Vec<u8>,
    bytes: u64,
}

impl Whole {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.tail.extend_from_slice(bytes);
        let body = self.tail.len().saturating_sub(HASH);
        self.body.update(&self.tail[..body]);
        self.tail.drain(..body);
    }

    /// True when what came is all of it.
    pub(super) fn is_whole(&self) -> bool {
        self.bytes % SECTOR == HASH as u64 && self.body.clone().finalize()[..] == self.tail[..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(bytes: &[u8], step: usize) -> bool {
        let mut whole = Whole::default();
        bytes.chunks(step).for_each(|chunk| whole.feed(chunk));
        whole.is_whole()
    }

    #[test]
    fn one_that_broke_off_or_was_changed_is_not_whole() {
        let body: Vec<u8> = (0..4096_u32).map(|number| number as u8).collect();
        let snapshot = [&body[..], &Sha256::digest(&body)[..]].concat();
        for step in [1, 7, 32, 33, 5000] {
            assert!(is_whole(&snapshot, step), "{step}");
        }
        assert!(!is_whole(&snapshot[..snapshot.len() - 512], 100));
        assert!(!is_whole(&body, 100));
        assert!(!is_whole(&[], 1));
        let mut changed = snapshot.clone();
        changed[17] ^= 1;
        assert!(!is_whole(&changed, 100));
    }
}
