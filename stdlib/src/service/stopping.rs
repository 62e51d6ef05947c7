//! How long a unit takes to stop: as long as systemd gives it, and then it is killed.

use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::transport::Command;

use super::failure;

/// What systemd may need beyond the time that it gives: it kills what is left, and runs what the unit has for then.
const MARGIN: u64 = 30;

/// Seconds after which a stop of the unit is over, whether its processes end by themselves or are killed; at least `given`.
/// Who waits less leaves it half stopped: an API server from Kubernetes 1.31 on waits a minute for those who watch, and as long
/// as systemd lets it where its etcd is gone.
pub(super) async fn patience(host: &Host, unit: &str, given: u64) -> Result<u64> {
    let command = Command::new("systemctl").args(["show", "-p", "TimeoutStopUSec", "--", unit]);
    let said = host.ok(&command).await?.text();
    let own = failure::property(&said, "TimeoutStopUSec").and_then(seconds);
    Ok(own.map_or(given, |own| given.max(own + MARGIN)))
}

/// `1min 30s` as systemd writes it, rounded up; none where it never gives up, or writes something else.
fn seconds(text: &str) -> Option<u64> {
    text.split_whitespace().map(span).sum()
}

fn span(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().ok()?;
    let seconds = match unit {
        "us" | "ms" => return Some(1),
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    Some(whole * seconds + u64::from(!part.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_systemd_are_read() {
        assert_eq!(seconds("1min 30s"), Some(90));
        assert_eq!(seconds("2s"), Some(2));
        assert_eq!(seconds("1h 500ms"), Some(3601));
        assert_eq!(seconds("1.5s"), Some(2));
        assert_eq!(seconds("2w 1d"), Some(1_296_000));
        assert_eq!(seconds("infinity"), None);
        assert_eq!(seconds("90"), None);
        assert_eq!(seconds("1 month"), None);
    }
}
