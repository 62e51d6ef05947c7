//! Histograms as members tell them at `/metrics`: how many measurements took at most so long.

use std::collections::BTreeMap;

/// One histogram: upper bounds in seconds, each with the number of measurements up to it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Histogram {
    buckets: Vec<(f64, f64)>,
}

/// The histograms of this name in a text of metrics, by the value of a label: one series for each peer, say. A series that
/// lacks the label is the one of `""`.
pub(super) fn histograms(text: &str, name: &str, label: &str) -> BTreeMap<String, Histogram> {
    let mut found: BTreeMap<String, Histogram> = BTreeMap::new();
    for (labels, count) in text.lines().filter_map(|line| bucket(line, name)) {
        let value = |wanted: &str| labels.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let bound: Option<f64> = value("le").and_then(|bound| bound.parse().ok());
        if let Some(bound) = bound.filter(|bound| *bound > f64::NEG_INFINITY) {
            let series = value(label).unwrap_or_default().to_owned();
            found.entry(series).or_default().buckets.push((bound, count));
        }
    }
    found.values_mut().for_each(Histogram::sort);
    found
}

/// The labels and the number of a line such as `name_bucket{To="a",le="0.5"} 12`.
fn bucket<'a>(line: &'a str, name: &str) -> Option<(Vec<(&'a str, &'a str)>, f64)> {
    let (labels, count) = line.strip_prefix(name)?.strip_prefix("_bucket{")?.rsplit_once("} ")?;
    let count: f64 = count.trim().parse().ok()?;
    let pairs = labels.trim_end_matches(',').split("\",").filter_map(|pair| pair.split_once("=\""));
    let pairs = pairs.map(|(name, value)| (name, value.trim_end_matches('"')));
    count.is_finite().then(|| (pairs.collect(), count))
}

impl Histogram {
    fn sort(&mut self) {
        self.buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    }

    /// What 99 of 100 measurements did not exceed, in seconds, as Prometheus' `histogram_quantile` reckons it: evenly within
    /// a bucket. None where nothing was measured. Beyond the last bound no more is known than that bound.
    pub(super) fn p99(&self) -> Option<f64> {
        let &(last, total) = self.buckets.last()?;
        if last.is_finite() || total <= 0.0 {
            return None;
        }
        let rank = 0.99 * total;
        let index = self.buckets.iter().position(|(_, count)| *count >= rank)?;
        let (upper, count) = self.buckets[index];
        let before = index.checked_sub(1).map(|before| self.buckets[before]);
        if upper.is_infinite() {
            return before.map(|(bound, _)| bound);
        }
        let (lower, below) = before.unwrap_or_default();
        Some(lower + (upper - lower) * (rank - below) / (count - below)).filter(|seconds| seconds.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "etcd_network_peer_round_trip_time_seconds";

    fn p99(text: &str) -> Option<f64> {
        histograms(text, "t", "")[""].p99()
    }

    fn about(found: Option<f64>, wanted: f64) -> bool {
        found.is_some_and(|found| (found - wanted).abs() < 1e-9)
    }

    #[test]
    fn what_a_member_of_etcd_3_4_tells_is_read() {
        let text = include_str!("histogram_3_4.txt");
        let fsync = histograms(text, "etcd_disk_wal_fsync_duration_seconds", "");
        assert!(about(fsync[""].p99(), 0.008), "{:?}", fsync[""].p99());
        let peers = histograms(text, NAME, "To");
        assert_eq!(peers.keys().collect::<Vec<_>>(), ["6e3bd23ae5f1eae0", "ba2f1a0e1c5b3d91"]);
        assert!(
            about(peers["6e3bd23ae5f1eae0"].p99(), 0.0002 + 0.0002 * 0.99),
            "{:?}",
            peers["6e3bd23ae5f1eae0"].p99()
        );
        assert_eq!(peers["ba2f1a0e1c5b3d91"].p99(), None, "nothing was measured yet");
        assert!(histograms(text, "etcd_disk", "").is_empty(), "the beginning of a name is no name");
    }

    #[test]
    fn measurements_are_taken_to_be_even_within_a_bucket() {
        let text = "t_bucket{le=\"1\"} 50\nt_bucket{le=\"2\"} 98\nt_bucket{le=\"4\"} 100\nt_bucket{le=\"+Inf\"} 100\n";
        assert!(about(p99(text), 3.0), "{:?}", p99(text));
        // Whatever order they come in.
        let turned: Vec<&str> = text.lines().rev().collect();
        assert!(about(p99(&turned.join("\n")), 3.0));
    }

    #[test]
    fn beyond_the_last_bound_no_more_is_known_than_that() {
        assert!(about(p99("t_bucket{le=\"8\"} 10\nt_bucket{le=\"+Inf\"} 100"), 8.0));
        assert_eq!(p99("t_bucket{le=\"+Inf\"} 100"), None);
    }

    #[test]
    fn what_is_torn_or_no_number_tells_nothing() {
        for torn in ["t_bucket{le=\"1\"} 5", "t_bucket{le=\"NaN\"} 5\nt_bucket{le=\"+Inf\"} 0", "t_bucket{le=\"1"] {
            let found = histograms(torn, "t", "");
            assert_eq!(found.get("").and_then(Histogram::p99), None, "{torn}");
        }
        assert!(histograms("t_bucket{le=\"1\"} many\nt_sum 4\nt_bucket{} 4", "t", "").is_empty());
    }

    proptest! {
        #[test]
        fn a_p99_lies_within_the_bounds(counts in prop::collection::vec(0_u32..1000, 1..12)) {
            let mut sum = 0;
            let lines = counts.iter().enumerate().map(|(bound, count)| {
                sum += count;
                format!("t_bucket{{le=\"{}\"}} {sum}\n", bound + 1)
            });
            let text = lines.collect::<String>();
            let text = format!("{text}t_bucket{{le=\"+Inf\"}} {}\n", counts.iter().sum::<u32>());
            match p99(&text) {
                Some(found) => prop_assert!(found > 0.0 && found <= f64::from(u32::try_from(counts.len()).unwrap())),
                None => prop_assert!(counts.iter().all(|count| *count == 0)),
            }
        }

        #[test]
        fn whatever_is_told_is_no_panic(text in "(t_bucket\\{(le|To)=\"[0-9.+a-zA-Z]{0,6}\",?(le=\"[0-9]{0,3}\")?\\} ?[0-9.eE+-]{0,5}\n){0,6}") {
            for histogram in histograms(&text, "t", "To").values() {
                prop_assert!(histogram.p99().is_none_or(f64::is_finite));
            }
        }
    }
}
