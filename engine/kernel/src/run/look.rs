//! Reads.

use std::sync::Arc;

use futures::future::join_all;

use crate::error::{Kind, Result};
use crate::event::Status;
use crate::host::Host;
use crate::patience::answered;
use crate::read::{Foreseen, Read};
use crate::run::{Results, Run};
use crate::steady::{steadily, steady};
use crate::value::Value;

impl Run {
    /// Asks all hosts at once. In a plan, what is planned on a host answers first.
    pub async fn read<R: Read>(&self, hosts: &[Arc<Host>], read: &R) -> Results {
        join_all(hosts.iter().map(async |host| {
            let _fork = self.hosts.fork().await;
            (host.clone(), self.read_one(host, read).await)
        }))
        .await
    }

    async fn read_one<R: Read>(&self, host: &Arc<Host>, read: &R) -> Result<Value> {
        self.interrupted()?;
        let foresee = || Ok(read.foresee(host, &host.overlay()));
        let foreseen = if self.is_plan() { steadily(R::NAME, foresee) } else { Ok(Foreseen::Real) };
        let foreseen = foreseen.map_err(|error| error.on(host.name()))?;
        match foreseen {
            Foreseen::Known(value) => return Ok(value),
            Foreseen::Unknown(unknown) => return Ok(Value::Unknown(unknown)),
            Foreseen::Real => {}
        }
        let asked = answered(host, R::NAME, read.patience(), steady(R::NAME, read.read(host))).await;
        asked.map_err(|error| error.on(host.name())).inspect_err(|error| {
            if error.kind() == Kind::Unreachable {
                self.tally.count(Status::Unreachable, host.name());
            }
        })
    }
}
