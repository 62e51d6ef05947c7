//! `toy::lock`.

use std::sync::Arc;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::guard::{Guard, Hold};
use haengine_kernel::host::Host;
use haengine_kernel::lock::Holder;
use haengine_kernel::op::Example;
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::{Param, Signature};
use serde::{Deserialize, Serialize};

/// An entry that says who has it. Nobody is kept away; what a recipe saw before differs from what it sees then.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock;

#[async_trait]
impl Guard for Lock {
    const NAME: &'static str = "toy.lock";
    const ABOUT: &'static str = "No other run works on the host meanwhile.\n\nThe entry `/lock` says who does.";
    const SIGNATURE: Signature = Signature { positional: &[Param::hosts()], options: &[] };
    const EXAMPLES: &'static [Example] =
        &[Example { about: "Before the first change.", given: "", code: "toy::lock(h)", gives: "" }];

    fn parse(_: &Arguments) -> Result<Self> {
        Ok(Lock)
    }

    async fn take(&self, host: &Arc<Host>, holder: &Holder) -> Result<Arc<dyn Hold>> {
        super::set::put(host, "/lock", Secret::new(holder.operator.clone()), 0o644, false).await?;
        Ok(Arc::new(Held(host.clone())))
    }
}

struct Held(Arc<Host>);

#[async_trait]
impl Hold for Held {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn release(&self) {
        let _ = self.0.ok(&haengine_kernel::transport::Command::new("del").arg("/lock")).await;
    }
}
