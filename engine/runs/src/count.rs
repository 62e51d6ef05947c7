//! So many changes, in words.

/// So many changes, in words.
///
/// ```
/// assert_eq!(haengine_runs::count::changes(1), "1 change");
/// assert_eq!(haengine_runs::count::changes(3), "3 changes");
/// ```
pub fn changes(count: usize) -> String {
    if count == 1 { "1 change".to_owned() } else { format!("{count} changes") }
}
