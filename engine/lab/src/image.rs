//! The base image: one root folder that every host stands on.
//!
//! Its name holds a hash of all that it is made from, so another recipe makes another image. It is built
//! under another name, so what has its name is complete.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};

use crate::{
    Error, Progress, Result,
    builder::{self, list},
    error::At,
    host::remove,
    lock::Lock,
    mounts,
};

const SUITE: &str = "bookworm";
const BUILD: &str = include_str!("../image/build.sh");
const PACKAGES: &str = include_str!("../image/packages");
const REPOSITORY: &str = include_str!("../image/repository");

/// What lies in the image before its packages are set up: path, mode, text.
const FILES: [(&str, u32, &str); 7] = [
    ("var/lib/haengine-lab/setup.sh", 0o644, include_str!("../image/setup.sh")),
    ("var/lib/haengine-lab/images.sh", 0o644, include_str!("../image/images.sh")),
    ("etc/ssh/sshd_config.d/lab.conf", 0o644, include_str!("../image/sshd.conf")),
    ("etc/sudoers.d/lab", 0o440, include_str!("../image/sudoers")),
    ("etc/apt/apt.conf.d/90lab", 0o644, include_str!("../image/apt.conf")),
    ("usr/lib/systemd/system/chrony.service.d/lab.conf", 0o644, include_str!("../image/chrony.conf")),
    ("usr/lib/systemd/system/lab-control-groups.service", 0o644, include_str!("../image/lab-control-groups.service")),
];

/// An image of an older recipe is kept for this long after its last use.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// The base image in `cache`; it is built if it is not there.
///
/// # Errors
/// `lab.image` with the last lines of the build when it fails.
pub(crate) fn ensure(cache: &Path, mirror: &str, progress: &Progress) -> Result<PathBuf> {
    let image = cache.join(name());
    if image.is_dir() {
        return Ok(image);
    }
    let _lock = Lock::take(&cache.join("image.lock"), Duration::from_secs(1200), progress)?;
    if !image.is_dir() {
        build(cache, &image, mirror, progress)?;
        forget_old(cache, &image);
    }
    Ok(image)
}

/// Notes that an image is in use, which keeps it when its recipe grows old.
pub(crate) fn mark_used(image: &Path) {
    // Only a hint for tidying up.
    let _ = File::create(image.with_extension("used"));
}

fn build(cache: &Path, image: &Path, mirror: &str, progress: &Progress) -> Result<()> {
    progress("building the base image of the lab's hosts; this is done once and takes about a minute");
    let (draft, debs) = (cache.join("building"), cache.join("packages"));
    mounts::unmount_below(&draft)?;
    remove(&draft)?;
    fs::create_dir_all(&debs).at("create", &debs)?;
    for (path, mode, text) in FILES {
        let path = draft.join("files").join(path);
        let folder = path.parent().unwrap_or(&draft);
        fs::create_dir_all(folder).at("create", folder)?;
        fs::write(&path, text).at("write", &path)?;
        fs::set_permissions(&path, Permissions::from_mode(mode)).at("protect", &path)?;
    }
    let script = draft.join("build.sh");
    fs::write(&script, BUILD).at("write", &script)?;
    let root = draft.join("root");
    run_build(&script, [&root, &draft.join("files"), &debs], mirror, &cache.join("build.log"), progress)?;
    fs::rename(&root, image).at("rename", &root)?;
    remove(&draft)
}

fn run_build(script: &Path, folders: [&Path; 3], mirror: &str, log: &Path, progress: &Progress) -> Result<()> {
    let (packages, repository) = (list(PACKAGES), list(REPOSITORY));
    let words = [SUITE, mirror, &packages, &repository].map(OsStr::new);
    let arguments: Vec<&OsStr> = folders.map(Path::as_os_str).into_iter().chain(words).collect();
    let Some(last) = builder::run(script, &arguments, log, progress)? else { return Ok(()) };
    Err(Error::new("lab.image", format!("the base image cannot be built: {last}"))
        .hint(format!("read `{}`; building needs a mirror of Debian", log.display())))
}

/// Removes images of other recipes that no overlay stands on and nobody used lately.
fn forget_old(cache: &Path, image: &Path) {
    let mounted: String = mounts::table().unwrap_or_default().into_iter().map(|mount| mount.options).collect();
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let path = entry.path();
        let other = path.is_dir() && path != image && entry.file_name().to_string_lossy().starts_with("base-");
        let used = path.with_extension("used");
        let used = [&used, &path].into_iter().find_map(|path| fs::metadata(path).ok()?.modified().ok());
        let old = used.and_then(|used| SystemTime::now().duration_since(used).ok()).is_some_and(|age| age > KEEP);
        if other && old && !mounted.contains(&*path.to_string_lossy()) && remove(&path).is_ok() {
            let _ = fs::remove_file(path.with_extension("used"));
        }
    }
}

fn name() -> String {
    let mut recipe = Sha256::new();
    let texts = [SUITE, std::env::consts::ARCH, BUILD, PACKAGES, REPOSITORY];
    let files = FILES.iter().flat_map(|(path, _, text)| [*path, *text]);
    texts.into_iter().chain(files).for_each(|text| {
        recipe.update(text.len().to_le_bytes());
        recipe.update(text);
    });
    let digest: String = recipe.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("base-{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chrony_is_left_to_the_recipes() {
        assert!(!list(PACKAGES).contains("chrony"));
        assert!(list(REPOSITORY).contains("chrony"));
    }

    #[test]
    fn the_name_is_the_recipe() {
        assert_eq!(name(), name());
        assert_eq!(name().len(), "base-".len() + 12);
    }
}
