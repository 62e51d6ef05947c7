//! What is done about a step that has failed.

/// What is done about a step that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It is called again.
    Retry,
    /// It is taken as done; it gives nothing.
    Skip,
    /// The recipe ends here, whatever it would catch.
    Leave,
}
