//! Values that must not be seen.

use zeroize::Zeroizing;

/// A secret value. It has no `Debug`, no `Display` and no `Serialize`, so that it cannot reach a
/// log, an error or the journal by accident; whoever needs the text says [`expose`](Secret::expose).
#[derive(Clone)]
pub struct Secret(std::sync::Arc<Zeroizing<String>>);

impl Secret {
    /// Wraps a secret text; its memory is wiped when the last copy goes.
    pub fn new(text: String) -> Self {
        Secret(std::sync::Arc::new(Zeroizing::new(text)))
    }

    /// The text itself. Each call is a place to look at when secrets are reviewed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What stands in the place of a secret wherever text is shown.
pub const REDACTED: &str = "‹secret›";
