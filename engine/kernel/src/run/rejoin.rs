//! A further attempt comes back to where the one before it broke off.

use futures::future::join_all;

use crate::error::{Error, Kind, Result};
use crate::run::{Mode, Run};

impl Run {
    /// Looks whether the hosts that were changed are still the same machines, then takes the locks of those on which a change was begun and has no end: with that, it waits until nothing of the
    /// earlier attempt is at work there any more. Else the recipe's first reads would see what is half done. A host
    /// that cannot be locked for another reason is left to the recipe, which may do without it.
    ///
    /// # Errors
    /// When a host is another machine by now, when somebody else holds a lock, and when the run is interrupted.
    pub async fn rejoin(&self) -> Result<()> {
        let Mode::Apply { holder, .. } = &self.mode else { return Ok(()) };
        self.look_at(self.past.hosts.keys().map(String::as_str)).await?;
        let locked = self.past.at_work().into_iter().filter_map(|name| self.hosts.get(name).ok());
        let locked = join_all(locked.map(async |host| self.enter(&host, holder).await));
        let refused = |error: &Error| matches!(error.kind(), Kind::Locked | Kind::Cancelled);
        locked.await.into_iter().filter_map(Result::err).find(refused).map_or(Ok(()), Err)
    }
}
