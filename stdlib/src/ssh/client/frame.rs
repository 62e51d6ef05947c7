//! Where the output of one command ends and that of the next begins.

/// The name of the shell function that ends a frame.
pub(super) const END: &str = "haengine_end";

/// The part of one command on one of the two streams.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What the command wrote, byte for byte.
    pub(super) text: Vec<u8>,
    /// Which command.
    pub(super) call: u64,
    /// Its exit status.
    pub(super) status: i32,
}

/// Cuts one stream of a persistent shell into the parts of its commands.
pub(super) struct Frames {
    mark: Vec<u8>,
    buffer: Vec<u8>,
    /// No mark begins before this place.
    searched: usize,
}

impl Frames {
    /// Frames that end with `nonce`.
    pub(super) fn new(nonce: &str) -> Self {
        Frames { mark: format!("\x1e{nonce} ").into_bytes(), buffer: Vec::new(), searched: 0 }
    }

    /// Adds what has arrived.
    pub(super) fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// How much waits for its end.
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// The next part that is complete.
    pub(super) fn next(&mut self) -> Option<Part> {
        let start = self.find()?;
        let line = start + self.mark.len();
        let end = line + self.buffer[line..].iter().position(|byte| *byte == b'\n')?;
        let numbers = String::from_utf8_lossy(&self.buffer[line..end]).into_owned();
        let rest = self.buffer.split_off(end + 1);
        let mut text = std::mem::replace(&mut self.buffer, rest);
        text.truncate(start);
        self.searched = 0;
        let (call, status) = numbers.split_once(' ')?;
        Some(Part { text, call: call.parse().ok()?, status: status.parse().ok()? })
    }

    fn find(&mut self) -> Option<usize> {
        loop {
            let Some(found) = self.buffer[self.searched..].iter().position(|byte| *byte == self.mark[0]) else {
                self.searched = self.buffer.len();
                return None;
            };
            self.searched += found;
            let here = &self.buffer[self.searched..];
            if here.len() < self.mark.len() {
                return None;
            }
            if here.starts_with(&self.mark) {
                return Some(self.searched);
            }
            self.searched += 1;
        }
    }
}

/// What a shell reads first: the function that ends a frame on both streams, and an environment that is the same
/// everywhere.
pub(super) fn prologue(nonce: &str) -> String {
    format!(
        "LC_ALL=C; export LC_ALL; unset LANG LANGUAGE CDPATH ENV\n\
         {END}() {{ printf '\\036{nonce} %s %s\\n' \"$1\" \"$2\"; printf '\\036{nonce} %s %s\\n' \"$1\" \"$2\" >&2; }}\n"
    )
}

/// The text that runs `script` as command number `call`. It runs in a subshell, as a quoted text: whatever it does
/// to its shell and however broken its syntax is, the persistent shell goes on.
pub(super) fn framed(call: u64, script: &str, stdin: Option<&str>) -> String {
    use base64::Engine;
    let script = haengine_kernel::transport::quote(script);
    match stdin {
        None => format!("( eval {script} ) </dev/null\n{END} {call} $?\n"),
        Some(text) => {
            // `printf` is a builtin: the text is in no process's arguments and in no file.
            let text = base64::engine::general_purpose::STANDARD.encode(text);
            format!("printf %s '{text}' | base64 -d | ( eval {script} )\n{END} {call} $?\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_wherever_the_stream_is_cut() {
        let stream = b"one\x1e\x1enonce 1 0\n\x1enon\x1enonce 2 127\n\x1enonce 3 1\ntail";
        let expected = vec![
            Part { text: b"one\x1e".to_vec(), call: 1, status: 0 },
            Part { text: b"\x1enon".to_vec(), call: 2, status: 127 },
            Part { text: b"".to_vec(), call: 3, status: 1 },
        ];
        for size in 1..stream.len() {
            let mut frames = Frames::new("nonce");
            let mut parts = Vec::new();
            for chunk in stream.chunks(size) {
                frames.push(chunk);
                parts.extend(std::iter::from_fn(|| frames.next()));
            }
            assert_eq!(parts, expected);
            assert_eq!(frames.len(), 4);
        }
    }

    /// The text survives every shell that is `sh` somewhere.
    #[test]
    fn a_shell_answers_each_call_whatever_the_calls_do() {
        let mut text = prologue("nonce");
        text += &framed(1, "set -- 'a b'\nprintf '%s\\0' \"$1\"; exit 7", None);
        text += &framed(2, "if then fi (", None);
        text += &framed(3, "wc -c", Some("a\0b"));
        text += &framed(4, "cat; echo err >&2; exec true", None);
        let mut shell = std::process::Command::new("sh")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut shell.stdin.take().unwrap(), text.as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap();
        let (mut out, mut err) = (Frames::new("nonce"), Frames::new("nonce"));
        out.push(&output.stdout);
        err.push(&output.stderr);
        let first = out.next().unwrap();
        assert_eq!((first.text.as_slice(), first.status), (&b"a b\0"[..], 7));
        assert_ne!(out.next().unwrap().status, 0);
        assert_eq!(out.next().unwrap().text.trim_ascii(), b"3");
        assert_eq!(out.next().unwrap().status, 0);
        assert_eq!(err.next().unwrap().text, b"");
        assert!(!err.next().unwrap().text.is_empty());
        assert_eq!(err.next().unwrap().text, b"");
        assert_eq!(err.next().unwrap().text, b"err\n");
    }
}
