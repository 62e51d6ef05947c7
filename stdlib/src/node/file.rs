//! A file of a node, as it was read.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use haengine_kernel::error::{Error, Kind, Result};

/// A file. It has no `Debug`: there may be secrets in it.
pub struct File {
    /// Where it lies.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// What is in it; none where that is no text, or more than 1 MiB.
    pub text: Option<String>,
    /// Its bytes, where they are no text.
    pub bytes: Vec<u8>,
}

/// Lines `file MODE CONTENT PATH`, the content in base64, `-` for one that is too large; what is not there is left out.
pub(super) fn files(said: &str) -> Result<Vec<File>> {
    said.lines().filter(|line| !line.starts_with("none ")).map(|line| file(line).ok_or_else(unclear)).collect()
}

fn file(line: &str) -> Option<File> {
    let mut words = line.strip_prefix("file ")?.splitn(3, ' ');
    let (mode, content, path) = (words.next()?, words.next()?, words.next()?);
    let mode = u32::from_str_radix(mode, 8).ok()?;
    let bytes = if content == "-" { None } else { Some(BASE64_STANDARD.decode(content).ok()?) };
    let (text, bytes) = match bytes.map(String::from_utf8) {
        Some(Ok(text)) => (Some(text), Vec::new()),
        Some(Err(error)) => (None, error.into_bytes()),
        None => (None, Vec::new()),
    };
    Some(File { path: path.to_owned(), mode, text, bytes })
}

fn unclear() -> Error {
    Error::new(Kind::Failed, "node.answer", "the host's answer cannot be understood")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_known_as_that() {
        let said = format!(
            "none /gone\nfile 600 {} /a b\nfile 644 /w== /gbk\nfile 644 - /large\nfile 644  /empty\n",
            BASE64_STANDARD.encode("x\n")
        );
        let files = files(&said).unwrap();
        let told: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.mode, file.text.as_deref())).collect();
        assert_eq!(
            told,
            [("/a b", 0o600, Some("x\n")), ("/gbk", 0o644, None), ("/large", 0o644, None), ("/empty", 0o644, Some(""))]
        );
        assert_eq!(files[1].bytes, [0xff]);
        assert!(super::files("file x").is_err());
    }
}
