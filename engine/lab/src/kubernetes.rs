//! Kubernetes for the lab: a folder with its programs.
//!
//! Whoever has a folder of official binaries names it. Without one they are built once, from Debian's source
//! package, under another name; so what has the folder's name is complete.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Error, Progress, Result,
    builder::{self, list},
    error::At,
    host::remove,
    lock::Lock,
    mounts, prepare,
    program::{command, run},
};

/// What is built where no folder is given. It is the newest that Debian 12 has the sources of.
pub const VERSION: &str = "1.20.2";

const SUITE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";
const BUILD: &str = include_str!("../kubernetes/build.sh");
const PROGRAMS: &str = include_str!("../kubernetes/programs");

/// The programs that a build runs, and the Debian package of each.
const TOOLS: [(&str, &str); 8] = [
    ("go", "golang-go"),
    ("make", "make"),
    ("rsync", "rsync"),
    ("dpkg-source", "dpkg-dev"),
    ("patch", "patch"),
    ("xz", "xz-utils"),
    ("unshare", "util-linux"),
    ("setpriv", "util-linux"),
];

/// Another process that builds is waited for. Two cores take five minutes.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// The folder with Kubernetes' programs: `given` if it has them all, else the one in `cache`, which is built if it
/// is not there. Waits for programs and disks.
///
/// # Errors
/// `lab.kubernetes` when `given` lacks programs, or with the last lines of the build when it fails; `lab.root`
/// and `lab.package` when this machine cannot build.
pub fn binaries(cache: &Path, given: Option<&Path>, progress: &Progress) -> Result<PathBuf> {
    if let Some(given) = given {
        return check_given(given);
    }
    let home = cache.join(format!("kubernetes-{VERSION}"));
    if !home.is_dir() {
        ensure(cache, &home, progress)?;
    }
    Ok(home.join("bin"))
}

/// Whether [`binaries`] has nothing to build.
pub fn is_built(cache: &Path) -> bool {
    cache.join(format!("kubernetes-{VERSION}")).is_dir()
}

fn check_given(given: &Path) -> Result<PathBuf> {
    let folder = fs::canonicalize(given).at("find", given)?;
    let missing: Vec<String> =
        programs().filter(|name| !is_program(&folder.join(name))).map(|name| format!("`{name}`")).collect();
    if missing.is_empty() {
        return Ok(folder);
    }
    Err(Error::new("lab.kubernetes", format!("`{}` lacks {}", given.display(), missing.join(", ")))
        .hint("put the programs there, executable, or unset `KUBE_BIN_DIR` to have Kubernetes built"))
}

fn programs() -> impl Iterator<Item = &'static str> {
    PROGRAMS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn ensure(cache: &Path, home: &Path, progress: &Progress) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::new(
            "lab.root",
            "building Kubernetes needs root: it installs a compiler and makes namespaces",
        )
        .hint("run it with sudo, or name a folder of its programs in `KUBE_BIN_DIR`"));
    }
    let _lock = Lock::take(&cache.join("kubernetes.lock"), PATIENCE, progress)?;
    if home.is_dir() {
        return Ok(());
    }
    prepare::require(&TOOLS, progress)?;
    progress(&format!(
        "building Kubernetes {VERSION} from Debian's source package; this is done once and takes about five minutes \
         on two cores"
    ));
    let draft = cache.join("kubernetes-building");
    clear(&draft)?;
    let built = build(&draft, home, &cache.join("kubernetes.log"), progress);
    // Sources and the compiler's cache are some gigabytes, which nobody needs, also after a failure.
    clear(&draft)?;
    built
}

fn build(draft: &Path, home: &Path, log: &Path, progress: &Progress) -> Result<()> {
    let work = draft.join("work");
    fs::create_dir_all(&work).at("create", &work)?;
    let script = draft.join("build.sh");
    fs::write(&script, BUILD).at("write", &script)?;
    let (mirror, programs) = (mirror(), list(PROGRAMS));
    let arguments = [work.as_os_str(), SUITE.as_ref(), mirror.as_ref(), VERSION.as_ref(), programs.as_ref()];
    if let Some(last) = builder::run(&script, &arguments, log, progress)? {
        return Err(Error::new("lab.kubernetes", format!("Kubernetes cannot be built: {last}")).hint(format!(
            "read `{}`; building needs a mirror of Debian with sources, or name a folder of its programs in \
             `KUBE_BIN_DIR`",
            log.display()
        )));
    }
    let result = draft.join("result");
    fs::create_dir(&result).at("create", &result)?;
    fs::rename(work.join("bin"), result.join("bin")).at("rename", &work)?;
    fs::rename(&result, home).at("rename", &result)
}

fn clear(draft: &Path) -> Result<()> {
    mounts::unmount_below(draft)?;
    remove(draft)
}

/// The mirror of Debian that this machine's packages come from, if they are Debian's.
fn mirror() -> String {
    let mut ask = command("apt-get");
    ask.args(["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"]);
    let said = run(&mut ask).unwrap_or_default();
    said.lines().find_map(debian).unwrap_or(MIRROR).to_owned()
}

/// The address in a line of `mirror`, without the archives of security updates and of third parties.
fn debian(line: &str) -> Option<&str> {
    let address = line.strip_prefix("Debian|Debian|")?.trim_end_matches('/');
    address.starts_with("http").then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quiet;

    fn folder(programs: impl Iterator<Item = &'static str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in programs {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn a_given_folder_is_taken_when_it_is_complete() {
        let given = folder(programs());
        let found = binaries(Path::new("/nowhere"), Some(given.path()), &quiet()).unwrap();
        assert_eq!(found, given.path().canonicalize().unwrap());
    }

    #[test]
    fn what_a_given_folder_lacks_is_named() {
        let given = folder(programs().filter(|name| *name != "kubelet"));
        let proxy = given.path().join("kube-proxy");
        fs::set_permissions(&proxy, fs::Permissions::from_mode(0o644)).unwrap();
        let error = binaries(Path::new("/nowhere"), Some(given.path()), &quiet()).unwrap_err();
        assert_eq!(error.code, "lab.kubernetes");
        assert!(error.message.ends_with("lacks `kubelet`, `kube-proxy`"), "{error}");
        assert_eq!(
            binaries(Path::new("/nowhere"), Some(Path::new("/no/such")), &quiet()).unwrap_err().code,
            "lab.file"
        );
    }

    #[test]
    fn what_is_cached_is_not_built_again() {
        let cache = tempfile::tempdir().unwrap();
        assert!(!is_built(cache.path()));
        let home = cache.path().join("kubernetes-1.20.2");
        fs::create_dir(&home).unwrap();
        assert!(is_built(cache.path()));
        assert_eq!(binaries(cache.path(), None, &quiet()).unwrap(), home.join("bin"));
    }

    #[test]
    fn the_mirror_is_debians_own() {
        assert_eq!(debian("Debian|Debian|http://mirror.example.org/debian/"), Some("http://mirror.example.org/debian"));
        assert_eq!(debian("Debian|Debian-Security|http://mirror.example.org/debian-security/"), None);
        assert_eq!(debian("Debian|Debian|cdrom://disc/"), None);
        assert_eq!(debian("Ubuntu|Ubuntu|http://mirror.example.org/ubuntu/"), None);
    }
}
