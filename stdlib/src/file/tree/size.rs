//! Sizes for people.

/// A number of bytes in the largest unit that fits: `380.0 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut size = count as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn a_size_is_short() {
        assert_eq!([bytes(0), bytes(1023), bytes(1536), bytes(380 << 20)], ["0 B", "1023 B", "1.5 KiB", "380.0 MiB"]);
    }
}
