//! Where the output of one command ends and that of the next begins.

/// The name of the shell function that ends a frame.
pub(super) const END: &str = "haengine_end";

/// The part of one command on one of the two streams.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// What the command wrote, byte for byte.
    pub(super) text: Vec<u8>,
    /// Which command.
    pub(super) call: u64,
    /// Its exit status.
    pub(super) status: i32,
}

/// Cuts one stream of a persistent shell into the parts of its commands.
pub(crate) struct Frames {
    mark: Vec<u8>,
    buffer: Vec<u8>,
    /// What is before this place was given away.
    start: usize,
    /// No mark begins before this place.
    searched: usize,
}

/// The numbers behind a mark are no longer than this, with the end of their line.
const NUMBERS: usize = "18446744073709551615 -2147483648\n".len();

impl Frames {
    /// Frames that end with `nonce`.
    pub(crate) fn new(nonce: &str) -> Self {
        Frames { mark: format!("\x1e{nonce} ").into_bytes(), buffer: Vec::new(), start: 0, searched: 0 }
    }

    /// Adds what has arrived.
    pub(crate) fn push(&mut self, data: &[u8]) {
        // Here, and not for each part: a host may send any number of them at once.
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(data);
    }

    /// How much waits for its end.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next part that is complete.
    pub(crate) fn next(&mut self) -> Option<Part> {
        loop {
            let found = self.buffer[self.searched..].iter().position(|byte| *byte == self.mark[0]);
            self.searched = found.map_or(self.buffer.len(), |found| self.searched + found);
            match self.here() {
                Here::More => return None,
                Here::Text => self.searched += 1,
                Here::End { call, status, length } => {
                    let text = self.buffer[self.start..self.searched].to_vec();
                    self.searched += length;
                    self.start = self.searched;
                    return Some(Part { text, call, status });
                }
            }
        }
    }

    /// What is where the search has come to.
    fn here(&self) -> Here {
        let here = &self.buffer[self.searched..];
        let Some(numbers) = here.strip_prefix(self.mark.as_slice()) else {
            return if self.mark.starts_with(here) { Here::More } else { Here::Text };
        };
        let numbers = &numbers[..numbers.len().min(NUMBERS)];
        match numbers.iter().position(|byte| *byte == b'\n') {
            None if numbers.len() < NUMBERS => Here::More,
            None => Here::Text,
            Some(end) => match read(&numbers[..end]) {
                Some((call, status)) => Here::End { call, status, length: self.mark.len() + end + 1 },
                None => Here::Text,
            },
        }
    }
}

enum Here {
    /// The line that ends a frame.
    End { call: u64, status: i32, length: usize },
    /// Something else.
    Text,
    /// What more must come to tell.
    More,
}

fn read(numbers: &[u8]) -> Option<(u64, i32)> {
    let (call, status) = std::str::from_utf8(numbers).ok()?.split_once(' ')?;
    Some((call.parse().ok()?, status.parse().ok()?))
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

    #[test]
    fn an_end_that_is_none_is_text() {
        let mut frames = Frames::new("nonce");
        frames.push(b"a\x1enonce x\nb\x1enonce 1 2");
        assert!(frames.next().is_none());
        let long = "3".repeat(NUMBERS);
        frames.push(format!("{long}\n\x1enonce 4 5\n").as_bytes());
        let part = frames.next().unwrap();
        assert_eq!((part.call, part.status, frames.len()), (4, 5, 0));
        assert_eq!(part.text, format!("a\x1enonce x\nb\x1enonce 1 2{long}\n").into_bytes());
    }

    /// Each part had all that was behind it copied.
    #[test]
    fn many_parts_at_once_take_no_time() {
        let mut frames = Frames::new("nonce");
        let began = std::time::Instant::now();
        frames.push(&b"\x1enonce 1 0\n".repeat(200_000));
        assert_eq!(std::iter::from_fn(|| frames.next()).count(), 200_000);
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
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
