//! What a host keeps of a cluster until the run is undone: objects as they were, since the journal holds no content, and
//! which objects the run made.

use std::collections::BTreeMap;

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::secret::Secret;
use haengine_kernel::transport::Command;
use serde_json::Value as Json;

const KEEP: &str = include_str!("keep_object.sh");
const READ: &str = r#"if [ -f "$1/$2" ]; then cat -- "$1/$2"; fi"#;
/// The records of all runs: which change is asked for, only it knows.
const RECORDS: &str = r#"for record in /var/lib/haengine/*/*.uid; do
    if [ -f "$record" ] && ! [ -L "$record" ] && [ -O "$record" ]; then printf '%s\0%s\0' "$record" "$(cat -- "$record")"; fi
done"#;

/// The uids of objects that runs made, by the path of the record.
pub type Records = BTreeMap<String, String>;

/// Keeps an object, as JSON, where only the host's owner reads it.
///
/// # Errors
/// `k8s.keep`, when the host cannot keep it; then nothing was changed yet.
pub async fn keep(host: &Host, keep: &Keep, object: &Secret) -> Result<()> {
    place(host, keep, keep.name(), object.clone()).await
}

/// Writes down which object a change made.
///
/// # Errors
/// `k8s.keep`, when the host cannot keep it.
pub async fn record(host: &Host, keep: &Keep, uid: &str) -> Result<()> {
    place(host, keep, record_of(keep), Secret::new(uid.to_owned())).await
}

/// What runs wrote down on the host.
///
/// # Errors
/// When the host cannot be asked.
pub async fn records(host: &Host) -> Result<Records> {
    let said = host.ok(&Command::script(RECORDS)).await?.text();
    let tokens: Vec<&str> = said.split('\0').collect();
    Ok(tokens.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect())
}

/// The uid that a change wrote down.
pub fn recorded<'a>(records: &'a Records, keep: &Keep) -> Option<&'a str> {
    records.get(&format!("{}/{}", keep.folder(), record_of(keep))).map(String::as_str)
}

fn record_of(keep: &Keep) -> String {
    format!("{}.uid", keep.name())
}

async fn place(host: &Host, keep: &Keep, name: String, content: Secret) -> Result<()> {
    let command = Command::script(KEEP).arg(keep.folder()).arg(name).stdin(content);
    host.ok(&command).await.map(drop).map_err(|error| {
        if error.code() != "host.exit" {
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
