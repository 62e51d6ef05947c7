//! `HAENGINE_CRASH`: a test has this process killed at an exact line of the journal.
//!
//! It is written `MOMENT:OP:NTH`, as in `applied:file.put:3`: at the third change of `file.put` that this process begins.

use std::collections::HashSet;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::journal::Entry;
use nix::sys::signal::{Signal, raise};

/// The witness of a journal who kills this process.
///
/// # Errors
/// `crash.point` when it is not written so.
pub fn at(text: &str) -> Result<impl FnMut(&Entry, bool) + Send + use<>> {
    let point = Point::parse(text).ok_or_else(|| {
        Error::new(Kind::Usage, "crash.point", format!("`{text}` is no point for a crash"))
            .hint("write `started:OP:NTH`, `applied:OP:NTH` or `succeeded:OP:NTH`, or unset HAENGINE_CRASH")
    })?;
    let mut seen = Seen::default();
    Ok(move |entry: &Entry, written: bool| {
        if point.is_at(&mut seen, entry, written) {
            // Nothing is told, ended or put away: that is the point.
            let _ = raise(Signal::SIGKILL);
        }
    })
}

struct Point {
    moment: Moment,
    op: String,
    nth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// It is written down, and the wire is not touched.
    Started,
    /// It is done, and that is not written down.
    Applied,
    /// That it is done is written down, and the run does not know.
    Succeeded,
}

/// The changes of the op so far, and the one at which to crash.
#[derive(Default)]
struct Seen {
    begun: HashSet<u64>,
    change: Option<u64>,
}

impl Point {
    fn parse(text: &str) -> Option<Point> {
        let mut words = text.split(':');
        let moment = match words.next()? {
            "started" => Moment::Started,
            "applied" => Moment::Applied,
            "succeeded" => Moment::Succeeded,
            _ => return None,
        };
        let (op, nth) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        words.next().is_none().then_some(Point { moment, op, nth })
    }

    fn is_at(&self, seen: &mut Seen, entry: &Entry, written: bool) -> bool {
        match entry {
            Entry::Started { change, key, .. } if key.op == self.op => {
                if seen.begun.insert(*change) && seen.begun.len() == self.nth {
                    seen.change = Some(*change);
                }
                self.moment == Moment::Started && written && seen.change == Some(*change)
            }
            Entry::Succeeded { change, .. } if seen.change == Some(*change) => {
                self.moment == if written { Moment::Succeeded } else { Moment::Applied }
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haengine_kernel::journal::Key;

    fn started(change: u64, op: &str) -> Entry {
        let key = Key {
            recipe: "a.rhai".into(),
            step: vec![],
            ordinal: 0,
            op: op.into(),
            host: "a".into(),
            target: "t".into(),
        };
        Entry::Started {
            change,
            call: change,
            key,
            arguments: serde_json::Value::Null,
            before: serde_json::Value::Null,
            reversible: true,
            together: Vec::new(),
            nonce: String::new(),
            summary: String::new(),
            diff: None,
        }
    }

    fn succeeded(change: u64) -> Entry {
        Entry::Succeeded { change, result: serde_json::Value::Null, seconds: 0.0 }
    }

    /// The entry at which it crashes, and whether that is written by then.
    fn crashes(text: &str) -> Option<(usize, bool)> {
        let entries =
            [started(1, "file.put"), succeeded(1), started(2, "cert.issue"), started(3, "file.put"), succeeded(3)];
        let (point, mut seen) = (Point::parse(text).unwrap(), Seen::default());
        let mut moments = (0..entries.len()).flat_map(|entry| [(entry, false), (entry, true)]);
        moments.find(|(entry, written)| point.is_at(&mut seen, &entries[*entry], *written))
    }

    #[test]
    fn it_crashes_at_the_entry_that_is_named_and_nowhere_else() {
        assert_eq!(crashes("started:file.put:1"), Some((0, true)));
        assert_eq!(crashes("applied:file.put:1"), Some((1, false)));
        assert_eq!(crashes("started:file.put:2"), Some((3, true)));
        assert_eq!(crashes("applied:file.put:2"), Some((4, false)));
        assert_eq!(crashes("succeeded:file.put:2"), Some((4, true)));
        assert_eq!(crashes("applied:cert.issue:1"), None, "it did not end");
        assert_eq!(crashes("started:file.put:3"), None);
    }

    #[test]
    fn another_point_is_refused() {
        for text in ["started", "started:file.put", "began:file.put:1", "started:file.put:x", "started:file.put:1:2"] {
            assert!(at(text).is_err(), "{text}");
        }
    }
}
