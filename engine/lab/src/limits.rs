//! Limits of the machine that hosts share, because all of them run as its root.

use std::{fs, path::Path};

use crate::{Result, error::At};

/// How many inotify instances root may have. Debian allows 128; a host with Kubernetes takes about 25, and where none is
/// left, kube-proxy and kubelet end with "too many open files".
const INSTANCES: u64 = 4096;

/// Raises them where they are lower. They stay raised until the machine reboots: another lab may rely on them.
pub(crate) fn raise() -> Result<()> {
    let path = Path::new("/proc/sys/fs/inotify/max_user_instances");
    let now = fs::read_to_string(path).at("read", path)?;
    if now.trim().parse().is_ok_and(|now: u64| now >= INSTANCES) {
        return Ok(());
    }
    fs::write(path, INSTANCES.to_string()).at("write", path)
}
