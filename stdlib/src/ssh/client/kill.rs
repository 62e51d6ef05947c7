//! Ending a process group on the host.

use std::sync::Arc;
use std::time::Duration;

use haengine_kernel::error::Error;
use russh::ChannelMsg;
use tokio::time::timeout;

use super::starter::Starter;

const LIMIT: Duration = Duration::from_secs(10);

/// Asks the group to end, waits two seconds, then makes it. It goes over a channel of its own, with the rights that
/// the group has: `channel.signal` does nothing for root, and never reaches what sudo has started.
pub(super) async fn kill(starter: Arc<Starter>, group: u32) {
    let link = &starter.link;
    let ending = async {
        let (mut line, _) = starter.for_us().await?.run(link, &script(group)).await?;
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
