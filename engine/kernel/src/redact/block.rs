//! A private key in several lines.

/// A PEM block from the line that begins it on.
#[derive(Debug)]
pub(super) struct Block {
    /// The line that begins it, for the case that nothing follows.
    first: String,
    /// What stands before the key in its first line; where it is no word, in the others too.
    lead: String,
    /// How many lines it has so far.
    lines: usize,
    /// How long its lines are, once one was seen. Only the last is shorter.
    width: Option<usize>,
    last: bool,
    whole: bool,
}

impl Block {
    /// The block that begins with this line: its marker ends the line.
    pub(super) fn begin(line: &str) -> Option<Block> {
        let start = line.find("-----BEGIN ")?;
        let (lead, marker) = line.split_at(start);
        let name = marker.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
        let is_key = name.contains("PRIVATE KEY") && !name.contains("-----");
        is_key.then(|| Block {
            first: line.to_owned(),
            lead: lead.to_owned(),
            lines: 1,
            width: None,
            last: false,
            whole: false,
        })
    }

    /// Takes the line, if it can be the block's next.
    pub(super) fn takes(&mut self, line: &str) -> bool {
        let text = line.strip_prefix(self.lead.trim_end()).unwrap_or(line).trim();
        if text.starts_with("-----END ") && text.contains("PRIVATE KEY") {
            self.whole = true;
        } else if !self.is_head(text) && !self.is_body(text) {
            return false;
        }
        self.lines += 1;
        true
    }

    /// Headers come before the first line of content, and an empty line after them.
    fn is_head(&self, text: &str) -> bool {
        const HEADERS: [&str; 5] = ["Proc-Type: ", "DEK-Info: ", "Version: ", "Comment: ", "Hash: "];
        self.width.is_none() && (text.is_empty() || HEADERS.iter().any(|header| text.starts_with(header)))
    }

    fn is_body(&mut self, text: &str) -> bool {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
        // A checksum follows the last line of a key of PGP.
        let content = text.strip_prefix('=').filter(|_| self.width.is_some()).unwrap_or(text).trim_end_matches('=');
        if content.is_empty() || !content.chars().all(is_letter) || (self.last && !text.starts_with('=')) {
            return false;
        }
        let width = *self.width.get_or_insert(text.len());
        self.last = text.len() < width;
        (SHORTEST..=LONGEST).contains(&width) && text.len() <= width
    }

    /// Whether its end has come.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The line that stands for it; its first one where nothing followed.
    pub(super) fn said(self) -> String {
        if self.lines == 1 {
            return self.first;
        }
        let end = if self.first.ends_with('\n') { "\n" } else { "" };
        format!("{}‹private key, {} lines›{end}", self.lead, self.lines)
    }
}

/// No program writes keys in shorter lines.
const SHORTEST: usize = 40;
/// Nor in longer ones, unless all is one.
const LONGEST: usize = 16 * 1024;
