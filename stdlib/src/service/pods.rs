//! The pods that a kubelet runs: they go on without it.

use std::time::Duration;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::transport::Command;

const PODS: &str = include_str!("pods.sh");

/// The sandboxes and containers that are there.
pub(super) async fn list(host: &Host) -> Result<Vec<String>> {
    let said = host.ok(&Command::script(PODS).arg("list")).await?.text();
    Ok(said.lines().map(str::to_owned).collect())
}

/// Ends those that were not there before.
///
/// # Errors
/// When one does not end.
pub(super) async fn end(host: &Host, before: &[String]) -> Result<()> {
    let command = Command::script(PODS).arg("end").args(before.iter().map(String::as_str));
    let output = host.waiting(host.exec(&command.deadline(Duration::from_secs(300)))).await?;
    if output.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::new(Kind::Failed, "service.pods", "the pods of the kubelet did not all end")
        .hint("look at `ctr -n k8s.io tasks ls` on the host, then run undo again")
        .because(said)
        .on(host.name()))
}
