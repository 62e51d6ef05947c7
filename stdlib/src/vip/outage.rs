//! What a series of requests says of the time without service.

use std::time::Duration;

use super::request::Failure;

/// A request: when it began, counted from the first, and how it ended.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub at: Duration,
    pub took: Duration,
    pub failure: Option<Failure>,
}

/// The longest time from the start of a failed request to the start of the next one that succeeded, of those that
/// `counts` counts; to `end` where none succeeded any more. The requests are in the order of their starts.
pub(super) fn longest(asked: &[Asked], end: Duration, counts: impl Fn(&Failure) -> bool) -> Duration {
    let (mut since, mut longest) = (None, Duration::ZERO);
    for one in asked {
        match &one.failure {
            Some(failure) if counts(failure) => {
                since.get_or_insert(one.at);
            }
            Some(_) => {}
            None => longest = longest.max(since.take().map_or(Duration::ZERO, |since| one.at.saturating_sub(since))),
        }
    }
    longest.max(since.map_or(Duration::ZERO, |since| end.saturating_sub(since)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request every 20 ms: `.` succeeded, `x` was refused, `o` was open and cut.
    fn asked(picture: &str) -> Vec<Asked> {
        let ended = |c: char| match c {
            '.' => None,
            c => Some(Failure { what: "refused".to_owned(), open: c == 'o' }),
        };
        let one = |(number, c)| Asked {
            at: Duration::from_millis(20) * number as u32,
            took: Duration::from_millis(1),
            failure: ended(c),
        };
        picture.chars().enumerate().map(one).collect()
    }

    fn milliseconds(picture: &str, with_open: bool) -> u128 {
        longest(&asked(picture), Duration::from_secs(1), |failure| with_open || !failure.open).as_millis()
    }

    #[test]
    fn an_outage_ends_with_the_next_success() {
        assert_eq!(milliseconds("......", false), 0);
        assert_eq!(milliseconds("..x...", false), 20);
        assert_eq!(milliseconds("..xxx..x.", false), 60);
    }

    #[test]
    fn requests_that_were_open_are_counted_apart() {
        assert_eq!(milliseconds("..oxx..", false), 40);
        assert_eq!(milliseconds("..oxx..", true), 60);
        assert_eq!(milliseconds("..o....", false), 0);
    }

    #[test]
    fn one_without_end_lasts_as_long_as_anybody_looked() {
        assert_eq!(milliseconds(".....xxx", false), 900);
    }
}
