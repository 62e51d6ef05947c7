//! What becomes of an example when somebody who means no good, or a broken disk, has had it.

use rand::RngExt;
use rand::rngs::StdRng;

/// No mutation is larger: of a file on a host no more is read.
const LARGEST: usize = 1 << 20;

/// What the languages are made of: words, and what is none.
const WORDS: &str = "{ } [ ] ( \" ' \\ &a *a <<: !!str # $ ${ % = * ? ! |1| @ ; , : - --- | >- -1 99999999999999999999 \
                     -----BEGIN -----END é \u{feff} \u{2028} server stream";
const BYTES: [&[u8]; 11] =
    [b"\n", b"\r", b"\0", b"\t", b" ", b": ", b"- ", b"\xff", b"\x1enonce ", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff"];

/// The example, changed in one to four places; `others` are of its kind.
pub fn mutation(random: &mut StdRng, example: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = example.to_vec();
    for _ in 0..random.random_range(1..=4) {
        change(random, &mut bytes, others);
        bytes.truncate(LARGEST);
    }
    bytes
}

fn change(random: &mut StdRng, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    let (start, end) = range(random, bytes.len());
    let sign = sign(random);
    match random.random_range(0..9) {
        0 if start < bytes.len() => bytes[start] ^= 1 << random.random_range(0..8),
        1 => insert(bytes, start, sign),
        2 => drop(bytes.splice(start..end, sign.iter().copied())),
        3 => drop(bytes.drain(start..end)),
        4 => bytes.truncate(start),
        5 => {
            let piece = bytes[start..end].to_vec();
            let (place, _) = range(random, bytes.len());
            insert(bytes, place, &piece);
        }
        6 => {
            let piece = bytes[start..end].to_vec();
            repeat(random, bytes, start, &piece);
        }
        7 => repeat(random, bytes, start, sign),
        _ => {
            let other = &others[random.random_range(0..others.len())];
            let (from, to) = range(random, other.len());
            insert(bytes, start, &other[from..to]);
        }
    }
}

fn sign(random: &mut StdRng) -> &'static [u8] {
    let signs: Vec<&[u8]> = WORDS.split(' ').map(str::as_bytes).chain(BYTES).collect();
    signs[random.random_range(0..signs.len())]
}

fn insert(bytes: &mut Vec<u8>, place: usize, piece: &[u8]) {
    bytes.splice(place..place, piece.iter().copied());
}

/// So often that it is seldom much, and sometimes very much.
fn repeat(random: &mut StdRng, bytes: &mut Vec<u8>, place: usize, piece: &[u8]) {
    let length = 1 << random.random_range(1..=LARGEST.ilog2());
    insert(bytes, place, &piece.repeat(length / piece.len().max(1)));
}

/// A place, and one that is mostly near behind it.
fn range(random: &mut StdRng, length: usize) -> (usize, usize) {
    let start = random.random_range(0..=length);
    (start, length.min(start + (1 << random.random_range(0..=10))))
}
