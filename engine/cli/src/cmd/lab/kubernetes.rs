//! Kubernetes' programs for the lab's hosts.

use std::path::PathBuf;

use haengine_kernel::error::Result;
use haengine_lab::kubernetes;
use serde::Serialize;

use crate::cmd::lab::{cache, progress, refused};
use crate::context::Context;

/// The folder for a program.
#[derive(Serialize)]
struct Shown {
    folder: PathBuf,
}

/// Finds or builds them, and says where they are.
pub fn kubernetes(context: &Context) -> Result<()> {
    let folder = binaries(context)?;
    let text = format!("{}\n", folder.display());
    context.tell("lab_kubernetes", &[Shown { folder }], || text);
    Ok(())
}

/// The folder with them: `KUBE_BIN_DIR`, else the one that is built once.
pub fn binaries(context: &Context) -> Result<PathBuf> {
    let given = context.environment.kubernetes.as_deref();
    kubernetes::binaries(&cache(context)?, given, &progress(context)).map_err(refused)
}
