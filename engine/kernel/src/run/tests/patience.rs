//! A host that hangs, and what a run does about it.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::arguments::Arguments;
use crate::error::Result;
use crate::fake::{Append, Stage};
use crate::host::Host;
use crate::op::Example;
use crate::run::Place;
use crate::signature::Signature;
use crate::value::Value;

/// Its host never answers one of its questions.
#[derive(Clone, Serialize, Deserialize)]
struct Hanging {
    before: bool,
}

#[async_trait]
impl Action for Hanging {
    const NAME: &'static str = "toy.hanging";
    const ABOUT: &'static str = "Asks, and does nothing.";
    const SIGNATURE: Signature = Append::SIGNATURE;
    const EXAMPLES: &'static [Example] = &[];

    fn parse(_arguments: &Arguments) -> Result<Hanging> {
        Ok(Hanging { before: false })
    }

    fn target(&self) -> String {
        "nothing".to_owned()
    }

    fn patience(&self) -> Option<Duration> {
        Some(Duration::from_millis(50))
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        host.reach().await?;
        if self.before { Ok(None) } else { std::future::pending().await }
    }

    async fn before(&self, _host: &Host) -> Result<serde_json::Value> {
        std::future::pending().await
    }

    async fn perform(&self, _host: &Host) -> Result<Value> {
        Ok(Value::Null)
    }
}

#[tokio::test]
async fn a_host_that_does_not_say_whether_an_action_is_done_is_given_up() {
    for (before, asked) in [(false, "whether it is done"), (true, "how it was before")] {
        let stage = Stage::new();
        for run in [stage.run(None), stage.plan()] {
            if before && run.is_plan() {
                continue;
            }
            let hosts = [run.hosts().get("m1").unwrap()];
            let (place, action) = (Place::default(), Hanging { before });
            let acting = run.act(&place, &hosts, &action);
            let told = tokio::time::timeout(Duration::from_secs(10), acting).await.expect("the run hangs");
            let error = told.into_iter().next().unwrap().1.err().unwrap();
            assert_eq!((error.code(), error.host()), ("host.timeout", Some("m1")));
            assert!(error.message().contains(asked), "{error}");
            assert!(!run.has_touched());
        }
    }
}
