//! Objects as they were, kept on the host until the run is undone: the journal holds no content.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::Command;
use serde_json::Value as Json;

const KEEP: &str = include_str!("keep_object.sh");
const READ: &str = r#"if [ -f "$1/$2" ]; then cat -- "$1/$2"; fi"#;

/// Keeps an object, as JSON, where only the host's owner reads it.
///
/// # Errors
/// `k8s.keep`, when the host cannot keep it; then nothing was changed yet.
pub async fn keep(host: &Host, keep: &Keep, object: &Secret) -> Result<()> {
    let command = Command::script(KEEP).arg(keep.folder()).arg(keep.name()).stdin(object.clone());
    host.ok(&command).await.map(drop).map_err(|error| {
        if error.code() != "ssh.exit" {
            return error;
        }
        Error::new(Kind::Failed, "k8s.keep", "the object as it was cannot be kept for undo")
            .hint("set `become: true` for the host, or make room below `/var/lib/haengine`")
            .because(error)
            .on(host.name())
    })
}

/// The object that was kept; none when the change broke off before.
///
/// # Errors
/// When it cannot be read.
pub async fn kept(host: &Host, keep: &Keep) -> Result<Option<Json>> {
    let output = host.ok(&Command::script(READ).arg(keep.folder()).arg(keep.name())).await?;
    if output.stdout.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&output.stdout).map(Some).map_err(|_| unreadable(host, keep))
}

/// What was kept is no object.
pub fn unreadable(host: &Host, keep: &Keep) -> Error {
    Error::new(Kind::Failed, "k8s.keep", "the object that was kept for undo cannot be read")
        .hint(format!("look at `{}/{}` on the host", keep.folder(), keep.name()))
        .on(host.name())
}
