//! What a plan will have made of a unit.

/// Whether it runs.
pub enum Activity {
    /// It does.
    Active,
    /// It does not.
    Inactive,
}

/// Whether it starts with its host, in systemd's word.
pub struct PlannedEnablement(pub &'static str);
