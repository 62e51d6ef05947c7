//! The file of known host keys, as OpenSSH writes and reads it.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haengine_kernel::error::{Error, Kind, Result};
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::{Algorithm, PublicKey, parse_public_key_base64};

use super::algorithms::same_key;

/// What the file says about a key that a host has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This very key is there.
    Known,
    /// The file knows no key of the host.
    Unknown,
    /// The file knows another key of the host, at this line.
    Changed { line: usize, algorithm: String },
    /// This very key is marked as revoked, at this line.
    Revoked { line: usize },
}

/// The keys of a file of known hosts that are about one host.
#[derive(Debug)]
pub(super) struct KnownHosts {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: usize,
    revoked: bool,
    key: PublicKey,
}

/// How a host is written in the file: its address, with the port where it is not 22.
pub(super) fn name_in_file(address: &str, port: u16) -> String {
    let address = address.to_lowercase();
    if port == 22 { address } else { format!("[{address}]:{port}") }
}

impl KnownHosts {
    /// Reads what `file` says about the host that is written as `name` there. No file is an empty file.
    pub(super) fn about(name: &str, file: &Path) -> Result<Self> {
        match std::fs::read(file) {
            Ok(bytes) => Ok(KnownHosts::parse(name, &String::from_utf8_lossy(&bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(KnownHosts { entries: Vec::new() }),
            Err(error) => Err(Error::new(
                Kind::Local,
                "ssh.known_hosts",
                format!("cannot read the file of known hosts `{}`", file.display()),
            )
            .hint("make it readable for you, or correct `known_hosts` in the inventory")
            .because(error)),
        }
    }

    fn parse(name: &str, text: &str) -> Self {
        let entries = text.lines().enumerate().filter_map(|(index, line)| entry(name, line, index + 1)).collect();
        KnownHosts { entries }
    }

    /// The kinds of key by which the host is known.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        self.entries.iter().filter(|entry| !entry.revoked).map(|entry| entry.key.algorithm()).collect()
    }

    /// Judges a key. A host that is known by a key of another kind counts as changed: the kinds that are known are
    /// offered first, so a host that still had its key would have shown it.
    pub(super) fn check(&self, key: &PublicKey) -> Verdict {
        let same = |entry: &&Entry| entry.key.key_data() == key.key_data();
        if let Some(entry) = self.entries.iter().filter(|entry| entry.revoked).find(same) {
            return Verdict::Revoked { line: entry.line };
        }
        let known: Vec<&Entry> = self.entries.iter().filter(|entry| !entry.revoked).collect();
        if known.iter().copied().any(|entry| same(&entry)) {
            return Verdict::Known;
        }
        let of_its_kind = known.iter().find(|entry| same_key(&entry.key.algorithm(), &key.algorithm()));
        match of_its_kind.or(known.first()) {
            Some(entry) => Verdict::Changed { line: entry.line, algorithm: entry.key.algorithm().as_str().to_owned() },
            None => Verdict::Unknown,
        }
    }
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
    let mut bare = key.clone();
    bare.set_comment("");
    let key = bare.to_openssh().map_err(std::io::Error::other)?;
    let mut handle = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    let start = if ends_in_mid_line(&mut handle)? { "\n" } else { "" };
    handle.write_all(format!("{start}{name} {key}\n").as_bytes())?;
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
fn entry(name: &str, line: &str, number: usize) -> Option<Entry> {
    let mut words = line.split_whitespace().peekable();
    let marker = words.next_if(|word| word.starts_with('@'));
    let revoked = match marker {
        None => false,
        Some("@revoked") => true,
        // Authorities sign certificates, and we do not ask hosts for certificates.
        Some(_) => return None,
    };
    words.next().filter(|hosts| !hosts.starts_with('#') && names(hosts, name))?;
    let _kind = words.next()?;
    let key = words.next()?;
    Some(Entry { line: number, revoked, key: parse_public_key_base64(key).ok()? })
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

/// `*` and `?`, as OpenSSH reads them.
fn glob(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = &pattern[1..];
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| glob(rest, &name[at..]))
        }
        (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
            glob(&pattern[wanted.len_utf8()..], &name[found.len_utf8()..])
        }
        _ => false,
    }
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
        KnownHosts::parse(&name_in_file(address, port), text).check(&key(shown))
    }

    #[test]
    fn names_ports_lists_and_comments() {
        let text = format!("# {A}\n\n[node]:2222 {A}\nnode,10.0.0.1 {B} root@node\n");
        assert_eq!(judge(&text, "node", 2222, A), Verdict::Known);
        assert_eq!(judge(&text, "10.0.0.1", 22, B), Verdict::Known);
        assert_eq!(judge(&text, "10.0.0.2", 22, B), Verdict::Unknown);
        let changed = Verdict::Changed { line: 4, algorithm: "ssh-ed25519".into() };
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
        assert_eq!(judge(&text, "node", 22, A), Verdict::Revoked { line: 2 });
        assert_eq!(judge(&text, "other", 22, B), Verdict::Unknown);
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
