//! Texts without what must not be seen: private keys, and what looks like a token or a password.
//!
//! What the run knows to be secret is a [`Secret`](crate::secret::Secret) and hidden by its value. This hides by form what
//! nobody told us is one: in files of hosts, in what programs say. A line stays a line, and of lines that go, the number is
//! told: whoever reads a plan must know that there is something that it does not show.

mod block;
mod form;

use block::Block;

/// Replaces what must not be seen: private PEM blocks, tokens by their form, and values behind names such as `token`,
/// `password`, `key-data`.
///
/// ```
/// use haengine_kernel::redact::redact;
/// assert_eq!(redact("user: me\npassword: hunter2\n"), "user: me\npassword: ‹secret›\n");
/// assert_eq!(redact("kubeadm join --token abcdef.0123456789abcdef --v=5"), "kubeadm join --token ‹secret› --v=5");
/// ```
pub fn redact(text: &str) -> String {
    Redactor::default().whole(text)
}

/// The same for a command that is run again as it was written down. Without a flag's dashes a name before a blank is a word of
/// it: `kubectl delete secret demo` has no secret in it.
///
/// ```
/// use haengine_kernel::redact::redact_command;
/// assert_eq!(redact_command("kubectl delete secret demo"), "kubectl delete secret demo");
/// assert_eq!(redact_command("tool --password hunter2 x"), "tool --password ‹secret› x");
/// ```
pub fn redact_command(text: &str) -> String {
    Redactor { of_command: true, ..Redactor::default() }.whole(text)
}

/// Replaces what must not be seen in lines that come one by one.
#[derive(Debug, Default)]
pub struct Redactor {
    /// The private PEM block that we are in.
    block: Option<Block>,
    /// Whether the lines are a command's.
    of_command: bool,
}

impl Redactor {
    fn whole(mut self, text: &str) -> String {
        let mut shown: String = text.split_inclusive('\n').filter_map(|line| self.line(line)).collect();
        shown.extend(self.end());
        shown
    }

    /// The line as it may be seen. Nothing within a private PEM block: its end brings one line for all of it. A block that
    /// turns out to be none ends with the first line that no key has, and that line is shown.
    pub fn line(&mut self, line: &str) -> Option<String> {
        if let Some(block) = &mut self.block {
            if !block.takes(line) {
                let said = self.end().unwrap_or_default();
                let shown = self.line(line).unwrap_or_default();
                let between = if said.ends_with('\n') || said.is_empty() { "" } else { "\n" };
                return Some(format!("{said}{between}{shown}"));
            }
            return if block.is_whole() { self.end() } else { None };
        }
        self.block = Block::begin(line);
        if self.block.is_some() { None } else { Some(form::hide(line, self.of_command)) }
    }

    /// What is left to say when no more lines come: that a private key was cut off.
    pub fn end(&mut self) -> Option<String> {
        self.block.take().map(Block::said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with a line of a key in it.
    fn key(text: &str) -> String {
        text.replace("{LINE}", &"MIIabc+/".repeat(8))
    }

    #[test]
    fn a_private_key_is_one_line_that_says_how_many_it_stands_for() {
        let text = &key("a: 1\n-----BEGIN RSA PRIVATE KEY-----\n{LINE}\nMIIa==\n-----END RSA PRIVATE KEY-----\nb: 2\n");
        assert_eq!(redact(text), "a: 1\n‹private key, 4 lines›\nb: 2\n");
        let indented = &key("key: |\n  -----BEGIN PRIVATE KEY-----\n  {LINE}\n  -----END PRIVATE KEY-----\nb: 2");
        assert_eq!(redact(indented), "key: |\n  ‹private key, 3 lines›\nb: 2");
        assert_eq!(redact(&key("-----BEGIN PRIVATE KEY-----\n{LINE}\n")), "‹private key, 2 lines›\n");
        let sealed = &key(
            "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,ABCD\n\n{LINE}\n-----END EC PRIVATE KEY-----\n",
        );
        assert_eq!(redact(sealed), "‹private key, 6 lines›\n");
    }

    /// One line, as JSON and environment variables have them.
    #[test]
    fn a_private_key_within_a_line_is_hidden_there() {
        let json = r#"{"key": "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----\n", "b": 2}"#;
        assert_eq!(redact(json), r#"{"key": "‹private key›\n", "b": 2}"#);
    }

    #[test]
    fn what_only_mentions_a_key_hides_nothing() {
        for text in [
            "# put -----BEGIN PRIVATE KEY----- here\nrm -rf /\n",
            "# -----BEGIN PRIVATE KEY-----\nExecStartPre=/bin/evil\n",
            "-----BEGIN PRIVATE KEY-----\nrm -rf /\nreboot\n",
            "-----BEGIN PRIVATE KEY-----\n/usr/sbin/poweroff\n",
        ] {
            assert_eq!(redact(text), text);
        }
        let mixed = &key("-----BEGIN PRIVATE KEY-----\n{LINE}\nMII\nreboot\nshutdown\n");
        assert_eq!(redact(mixed), "‹private key, 3 lines›\nreboot\nshutdown\n");
    }

    #[test]
    fn lines_one_by_one_are_the_same() {
        let mut redactor = Redactor::default();
        let mut take = |line: &str| redactor.line(line);
        assert_eq!(take("-----BEGIN PRIVATE KEY-----"), None);
        assert_eq!(take(&key("{LINE}")), None);
        assert_eq!(take("odd one out").as_deref(), Some("‹private key, 2 lines›\nodd one out"));
        assert_eq!(
            (take("-----BEGIN PRIVATE KEY-----"), redactor.end().as_deref()),
            (None, Some("-----BEGIN PRIVATE KEY-----"))
        );
    }
}
