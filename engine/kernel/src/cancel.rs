//! How the operator interrupts. What was interrupted ends; a session in which a person goes on is renewed.

use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

/// Set when the operator interrupts. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<RwLock<CancellationToken>>);

impl Cancel {
    /// One that is not set.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Ends what waits, and whatever asks from now on.
    pub fn cancel(&self) {
        self.token().cancel();
    }

    /// True once it is set.
    pub fn is_cancelled(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_cancelled()
    }

    /// Waits until it is set.
    pub async fn cancelled(&self) {
        self.token().cancelled().await;
    }

    /// What was interrupted has ended: what begins from now on is not. Whoever waits must have stopped before.
    pub fn renew(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = CancellationToken::new();
    }

    fn token(&self) -> CancellationToken {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl From<CancellationToken> for Cancel {
    fn from(token: CancellationToken) -> Cancel {
        Cancel(Arc::new(RwLock::new(token)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn clones_are_interrupted_together_and_renewed_together() {
        let (one, other) = (Cancel::new(), CancellationToken::new());
        let same = one.clone();
        one.cancel();
        same.cancelled().await;
        one.renew();
        assert!(!same.is_cancelled());
        let given = Cancel::from(other.clone());
        other.cancel();
        assert!(given.is_cancelled());
    }
}
