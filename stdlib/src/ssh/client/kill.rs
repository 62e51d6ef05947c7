//! Ending a process group on the host.

use std::sync::Arc;
use std::time::Duration;

use haengine_kernel::error::Error;
use russh::ChannelMsg;
use tokio::time::timeout;

use super::launch::launch;
use super::link::Link;
use super::rights::{Escalation, Rights};

const LIMIT: Duration = Duration::from_secs(10);

/// Asks the group to end, waits two seconds, then makes it. It goes over a channel of its own, with the rights that
/// the group has: `channel.signal` does nothing for root, and never reaches what sudo has started.
pub(super) async fn kill(link: Arc<Link>, escalation: Arc<Escalation>, rights: Rights, group: u32) {
    let ending = async {
        let mut line = link.line(None).await?;
        launch(&link, &mut line, &escalation, rights, &script(group)).await?;
        while let Some(message) = line.read.wait().await {
            if matches!(message, ChannelMsg::Close) {
                break;
            }
        }
        Ok::<(), Error>(())
    };
    match timeout(LIMIT, ending).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(host = link.host, group, %error, "could not end a process group"),
        Err(_) => tracing::warn!(host = link.host, group, "ending a process group took too long"),
    }
}

fn script(group: u32) -> String {
    format!(
        "kill -s TERM -- -{group} 2>/dev/null; kill -s CONT -- -{group} 2>/dev/null; n=0\n\
         while [ $n -lt 40 ] && kill -s 0 -- -{group} 2>/dev/null; do sleep 0.05 || sleep 1; n=$((n+1)); done\n\
         kill -s KILL -- -{group} 2>/dev/null; exit 0"
    )
}
