//! How long a host may take over a question.

use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::host::Host;

/// Where a verb does not say more.
pub const ANSWER: Duration = Duration::from_secs(60);

/// After so long the screen names the host that is waited for.
const NAMED: Duration = Duration::from_secs(10);
/// So often it is looked whether a connection stands.
const LOOK: Duration = Duration::from_millis(100);

/// Asks a host, and gives it up after `limit`; what was asked is ended there. Connecting has limits of its own, and a person who
/// types a password is not hurried: the time counts from when the connection stands.
///
/// # Errors
/// `host.timeout`, and those of `work`.
pub(crate) async fn answered<T>(
    host: &Host,
    question: &str,
    limit: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(limit) = limit else { return work.await };
    let late = async {
        while !host.is_connected() {
            tokio::time::sleep(LOOK).await;
        }
        tokio::time::sleep(limit.min(NAMED)).await;
        if limit > NAMED {
            host.awaits(&format!("the answer to `{question}`"));
            tokio::time::sleep(limit - NAMED).await;
        }
    };
    tokio::select! {
        biased;
        result = work => result,
        () = late => Err(silent(question, limit).on(host.name())),
    }
}

fn silent(question: &str, limit: Duration) -> Error {
    let message = format!("`{question}` got no answer within {} s and was given up", limit.as_secs());
    Error::new(Kind::Failed, "host.timeout", message)
        .hint("look at the host: a file system that does not answer holds whoever looks at it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::fake::Stage;

    /// A file system that hangs on one host does not hold the call of all.
    #[tokio::test]
    async fn a_host_that_never_answers_is_named_and_given_up() {
        let mut stage = Stage::new();
        let hosts = stage.hosts();
        let host = hosts.get("m1").unwrap();
        let limit = Duration::from_millis(50);
        let never = std::future::pending::<Result<()>>;
        let unconnected = tokio::time::timeout(4 * LOOK, answered(&host, "file.stat", Some(limit), never())).await;
        assert!(unconnected.is_err(), "the time counts from when the connection stands");
        host.reach().await.unwrap();
        let error = answered(&host, "file.stat", Some(limit), never()).await.unwrap_err();
        assert_eq!((error.code(), error.host()), ("host.timeout", Some("m1")));
        let soon = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(1)
        };
        let patient = Some(Duration::from_secs(5));
        assert_eq!(answered(&host, "file.stat", patient, soon).await.unwrap(), 1, "a short limit is one");
        assert_eq!(answered(&host, "file.stat", None, async { Ok(1) }).await.unwrap(), 1);
        assert!(stage.told.try_recv().is_ok_and(|stamped| matches!(stamped.event, Event::Connected { .. })));
    }
}
