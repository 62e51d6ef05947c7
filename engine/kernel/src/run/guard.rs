//! Guards: taken once, held until the run ends.

use std::sync::Arc;

use crate::error::Result;
use crate::guard::Guard;
use crate::host::Host;
use crate::journal::Entry;
use crate::run::{Mode, Results, Run};
use crate::steady::steady;
use crate::value::Value;
use crate::verb::encode;

impl Run {
    /// Takes a guard through each host, one after the other: two hosts may lead to the same thing. A plan takes none.
    pub async fn guard<G: Guard>(&self, hosts: &[Arc<Host>], guard: &G) -> Results {
        let mut results = Vec::new();
        for host in hosts {
            let taken = self.take(host, guard).await.map_err(|error| error.on(host.name()));
            results.push((host.clone(), taken.map(|()| Value::Null)));
        }
        results
    }

    async fn take<G: Guard>(&self, host: &Arc<Host>, guard: &G) -> Result<()> {
        self.interrupted()?;
        let Mode::Apply { journal, holder } = &self.mode else { return Ok(()) };
        let arguments = encode(G::NAME, guard)?;
        let name = format!("{} {} {arguments}", G::NAME, host.name());
        if self.guards.has(&name) {
            return Ok(());
        }
        let hold = steady(G::NAME, guard.take(host, holder)).await?;
        self.guards.add(name, hold);
        // Undo takes it again.
        journal.append(vec![Entry::Guarded { op: G::NAME.to_owned(), host: host.name().to_owned(), arguments }]).await
    }
}
