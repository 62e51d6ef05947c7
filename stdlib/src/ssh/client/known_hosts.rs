//! The files of known host keys, as OpenSSH writes and reads them.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haengine_kernel::error::{Error, Kind, Result};
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, PublicKey, parse_public_key_base64};

use super::algorithms::same_key;

/// What the file says about a key that a host has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This very key is there.
    Known,
    /// The file knows no key of the host.
    Unknown,
    /// Another key of the host is known, at this place.
    Changed { place: Place, algorithm: String },
    /// This very key is marked as revoked, at this place.
    Revoked { place: Place },
}

/// What is wrong with a certificate that a known authority has signed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It, or its authority, is marked as revoked.
    Revoked { place: Place },
    /// Anything else, in words.
    Invalid(String),
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    /// From 1.
    pub(super) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// The keys in files of known hosts that are about one host.
#[derive(Debug, Default)]
pub(crate) struct KnownHosts {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    place: Place,
    mark: Mark,
    key: PublicKey,
}

/// What a line makes of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// The host's own.
    Own,
    /// `@revoked`: nobody's any more.
    Revoked,
    /// `@cert-authority`: who vouches for hosts of the name.
    Authority,
}

/// How a host is written in the file: its address, with the port where it is not 22.
pub(super) fn name_in_file(address: &str, port: u16) -> String {
    let address = address.to_lowercase();
    if port == 22 { address } else { format!("[{address}]:{port}") }
}

impl KnownHosts {
    /// Reads what the files say about the host that is written as `name` there. No file is an empty file.
    pub(super) fn about<'a>(name: &str, files: impl IntoIterator<Item = &'a Path>) -> Result<Self> {
        let mut known = KnownHosts::default();
        for file in files {
            match std::fs::read(file) {
                Ok(bytes) => known.add(name, file, &String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(file, error)),
            }
        }
        Ok(known)
    }

    /// Adds what a text of `file` says.
    pub(crate) fn add(&mut self, name: &str, file: &Path, text: &str) {
        let place = |index: usize| Place { file: file.to_owned(), line: index + 1 };
        let lines = text.lines().enumerate();
        self.entries.extend(lines.filter_map(|(index, line)| entry(name, line, place(index))));
    }

    fn marked(&self, mark: Mark) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.mark == mark)
    }

    /// The kinds of key by which the host is known.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        self.marked(Mark::Own).map(|entry| entry.key.algorithm()).collect()
    }

    /// True when somebody vouches for hosts of the name.
    pub(super) fn has_authorities(&self) -> bool {
        self.marked(Mark::Authority).next().is_some()
    }

    fn revoked(&self, key: &KeyData) -> Option<Place> {
        self.marked(Mark::Revoked).find(|entry| entry.key.key_data() == key).map(|entry| entry.place.clone())
    }

    /// Judges a certificate for the host at `address`; none where no known authority has signed it: its key alone counts then.
    pub(super) fn vouch(&self, shown: &Certificate, address: &str) -> Option<Result<(), Flaw>> {
        let signer = shown.signature_key();
        self.marked(Mark::Authority).find(|entry| entry.key.key_data() == signer)?;
        Some(match self.revoked(shown.public_key()).or_else(|| self.revoked(signer)) {
            Some(place) => Err(Flaw::Revoked { place }),
            None => flawless(shown, &address.to_lowercase()).map_err(Flaw::Invalid),
        })
    }

    /// Judges a key. A host that is known by a key of another kind counts as changed: the kinds that are known are
    /// offered first, so a host that still had its key would have shown it.
    pub(super) fn check(&self, key: &PublicKey) -> Verdict {
        if let Some(place) = self.revoked(key.key_data()) {
            return Verdict::Revoked { place };
        }
        let known: Vec<&Entry> = self.marked(Mark::Own).collect();
        if known.iter().any(|entry| entry.key.key_data() == key.key_data()) {
            return Verdict::Known;
        }
        let of_its_kind = known.iter().find(|entry| same_key(&entry.key.algorithm(), &key.algorithm()));
        match of_its_kind.or(known.first()) {
            Some(entry) => {
                Verdict::Changed { place: entry.place.clone(), algorithm: entry.key.algorithm().as_str().to_owned() }
            }
            None => Verdict::Unknown,
        }
    }
}

/// What is wrong with a certificate that a known authority has signed, for this address.
fn flawless(shown: &Certificate, address: &str) -> Result<(), String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let is_named = shown.valid_principals().iter().any(|name| glob(&name.to_lowercase(), address));
    if shown.verify_signature().is_err() {
        return Err("its signature is not right".to_owned());
    }
    if shown.signature().algorithm() == (Algorithm::Rsa { hash: None }) {
        return Err("it is signed with SHA-1, which can be forged".to_owned());
    }
    if shown.cert_type() != CertType::Host {
        return Err("it is not a host's".to_owned());
    }
    if now < shown.valid_after() || now >= shown.valid_before() {
        return Err("it is not valid at this time".to_owned());
    }
    if !shown.critical_options().is_empty() {
        return Err("it has conditions that we do not know".to_owned());
    }
    if !is_named {
        let names = shown.valid_principals().join(", ");
        return Err(format!("it is for {}", if names.is_empty() { "nobody in particular" } else { &names }));
    }
    Ok(())
}

fn unreadable(file: &Path, error: std::io::Error) -> Error {
    let message = format!("cannot read the file of known hosts `{}`", file.display());
    Error::new(Kind::Local, "ssh.known_hosts", message)
        .hint("make it readable for you, or correct `known_hosts` in the inventory")
        .because(error)
}

/// The line by which a key is known.
pub(super) fn line(name: &str, key: &PublicKey) -> std::io::Result<String> {
    let mut bare = key.clone();
    bare.set_comment("");
    Ok(format!("{name} {}", bare.to_openssh().map_err(std::io::Error::other)?))
}

/// Adds a key. One write to a file opened for appending, so that two runs cannot mix their lines.
pub(super) fn append(file: &Path, name: &str, key: &PublicKey) -> Result<()> {
    write_line(file, name, key).map_err(|error| {
        Error::new(Kind::Local, "ssh.known_hosts", format!("cannot add a host key to `{}`", file.display()))
            .hint("make the file writable for you, or correct `known_hosts` in the inventory")
            .because(error)
    })
}

fn write_line(file: &Path, name: &str, key: &PublicKey) -> std::io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| *folder != PathBuf::new()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let line = line(name, key)?;
    let mut handle = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    let start = if ends_in_mid_line(&mut handle)? { "\n" } else { "" };
    handle.write_all(format!("{start}{line}\n").as_bytes())?;
    handle.sync_all()
}

fn ends_in_mid_line(file: &mut std::fs::File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The key of one line, if the line is about `name`. Lines that cannot be read are passed over, as OpenSSH does.
fn entry(name: &str, line: &str, place: Place) -> Option<Entry> {
    let mut words = line.split_whitespace().peekable();
    let mark = match words.next_if(|word| word.starts_with('@')) {
        None => Mark::Own,
        Some("@revoked") => Mark::Revoked,
        Some("@cert-authority") => Mark::Authority,
        Some(_) => return None,
    };
    words.next().filter(|hosts| !hosts.starts_with('#') && names(hosts, name))?;
    let _kind = words.next()?;
    let key = words.next()?;
    Some(Entry { place, mark, key: parse_public_key_base64(key).ok()? })
}

/// True when one of the patterns names the host and none that begins with `!` does.
fn names(patterns: &str, name: &str) -> bool {
    if patterns.starts_with("|1|") {
        return hashed_name(patterns, name).unwrap_or(false);
    }
    let mut named = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(refused) if glob(&refused.to_lowercase(), name) => return false,
            Some(_) => {}
            None => named |= glob(&pattern.to_lowercase(), name),
        }
    }
    named
}

/// `|1|SALT|HMAC-SHA1`, both in base64.
fn hashed_name(pattern: &str, name: &str) -> Option<bool> {
    let (salt, hash) = pattern.strip_prefix("|1|")?.split_once('|')?;
    let mac = Hmac::<sha1::Sha1>::new_from_slice(&STANDARD.decode(salt).ok()?).ok()?;
    Some(mac.chain_update(name).verify_slice(&STANDARD.decode(hash).ok()?).is_ok())
}

/// `*` and `?`, as OpenSSH reads them. What the last `*` stands for grows until the rest fits: an earlier one need not be
/// tried again, so that no pattern takes for ever.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Behind the last `*`, and where what it stands for ends.
    let mut star = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                star = Some((at, read));
            }
            Some(wanted) if *wanted == '?' || *wanted == name[read] => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((behind, end)) = star else { return false };
                star = Some((behind, end + 1));
                (at, read) = (behind, end + 1);
            }
        }
    }
    pattern[at..].iter().all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIG2T/B0l0gaqj3puu510tu9N1OkQ4znY3LYuEm5zCF";

    fn key(line: &str) -> PublicKey {
        parse_public_key_base64(line.split(' ').nth(1).unwrap()).unwrap()
    }

    fn judge(text: &str, address: &str, port: u16, shown: &str) -> Verdict {
        let mut known = KnownHosts::default();
        known.add(&name_in_file(address, port), Path::new("known"), text);
        known.check(&key(shown))
    }

    fn place(line: usize) -> Place {
        Place { file: "known".into(), line }
    }

    #[test]
    fn names_ports_lists_and_comments() {
        let text = format!("# {A}\n\n[node]:2222 {A}\nnode,10.0.0.1 {B} root@node\n");
        assert_eq!(judge(&text, "node", 2222, A), Verdict::Known);
        assert_eq!(judge(&text, "10.0.0.1", 22, B), Verdict::Known);
        assert_eq!(judge(&text, "10.0.0.2", 22, B), Verdict::Unknown);
        let changed = Verdict::Changed { place: place(4), algorithm: "ssh-ed25519".into() };
        assert_eq!(judge(&text, "NODE", 22, A), changed);
    }

    #[test]
    fn hashed_names() {
        let text = format!("|1|O33ESRMWPVkMYIwJ1Uw+n877jTo=|nuuC5vEqXlEZ/8BXQR7m619W6Ak= {B}\n");
        assert_eq!(judge(&text, "example.com", 22, B), Verdict::Known);
        assert_eq!(judge(&text, "example.org", 22, B), Verdict::Unknown);
    }

    #[test]
    fn a_revoked_key_is_refused_even_if_it_is_also_known() {
        let text = format!("node {A}\n@revoked * {A}\n@cert-authority * {B}\n");
        assert_eq!(judge(&text, "node", 22, A), Verdict::Revoked { place: place(2) });
        assert_eq!(judge(&text, "other", 22, B), Verdict::Unknown);
    }

    #[test]
    fn stars() {
        for (pattern, name, is_so) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*a*b", "xaxbxab", true),
            ("a*b?", "abbc", true),
            ("a*b", "ba", false),
            ("?*", "", false),
            ("**é?", "aéb", true),
        ] {
            assert_eq!(glob(pattern, name), is_so, "{pattern} {name}");
        }
        // These took longer than anybody waits, and more stack than there is.
        assert!(!glob(&format!("{}b", "*a".repeat(40)), &"a".repeat(250)));
        assert!(glob(&"*".repeat(300_000), "a"));
    }

    #[test]
    fn patterns() {
        let text = format!("*.lan,!bad.lan,10.0.0.? {A}\n");
        assert_eq!(judge(&text, "good.lan", 22, A), Verdict::Known);
        assert_eq!(judge(&text, "bad.lan", 22, A), Verdict::Unknown);
        assert_eq!(judge(&text, "10.0.0.7", 22, A), Verdict::Known);
        assert_eq!(judge(&text, "10.0.0.17", 22, A), Verdict::Unknown);
    }

    #[test]
    fn a_new_key_starts_a_line_of_its_own() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/known_hosts");
        append(&file, "one", &key(A)).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, format!("one {A}")).unwrap();
        append(&file, "[two]:2222", &key(B)).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("one {A}\n[two]:2222 {B}\n"));
    }
}
