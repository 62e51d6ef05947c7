//! Durations as an inventory writes them.

use std::time::Duration;

/// Reads `10s`, `500ms`, `1m30s` and the like.
///
/// The error is what is wrong with it, to follow the quoted text.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    let signed: jiff::SignedDuration = text.trim().parse().map_err(|_| "is not a duration")?;
    match Duration::try_from(signed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("is not longer than nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("10"), Err("is not a duration"));
        assert_eq!(parse("soon"), Err("is not a duration"));
        assert_eq!(parse("-1s"), Err("is not longer than nothing"));
        assert_eq!(parse("0s"), Err("is not longer than nothing"));
    }
}
