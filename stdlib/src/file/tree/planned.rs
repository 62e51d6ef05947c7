//! A tree as planned changes leave it.

use haengine_kernel::overlay::{Overlay, PlannedFile};

use super::entry::{Entry, Shape};
use super::glob::Globs;
use super::manifest::{Manifest, Root};

/// Lays what a plan would have changed below `path` over the tree.
pub fn lay_over(manifest: &mut Manifest, path: &str, overlay: &Overlay, left_out: &Globs) {
    lay_over_root(manifest, path, overlay);
    let prefix = format!("{}/", path.trim_end_matches('/'));
    for (below, file) in overlay.below(path) {
        let name = below.strip_prefix(&prefix).unwrap_or(below);
        if !left_out.leave_out(name) {
            lay_over_entry(manifest, name, file);
        }
    }
}

/// An earlier change of the plan already copies some of these files: the target will have what the source has.
pub fn recognise(target: &mut Manifest, source: &Manifest, origin: impl Fn(&str) -> String) {
    for (path, ours) in target.entries.iter_mut().filter(|(_, ours)| ours.origin.is_some()) {
        if let Some(theirs) = source.entries.get(path).filter(|_| ours.origin.as_deref() == Some(&origin(path))) {
            *ours = theirs.clone();
        }
    }
}

fn lay_over_root(manifest: &mut Manifest, path: &str, overlay: &Overlay) {
    let parent = match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    };
    match overlay.file(path) {
        Some(PlannedFile::Directory) if manifest.root != Root::Directory => {
            manifest.root = Root::Directory;
            manifest.entries.insert(String::new(), planned(Shape::Directory, "a planned change"));
        }
        Some(PlannedFile::Absent) => {
            manifest.root = Root::Absent;
            manifest.entries.clear();
        }
        Some(PlannedFile::File(_) | PlannedFile::Link(_) | PlannedFile::Placed(_)) => manifest.root = Root::Other,
        Some(PlannedFile::Directory) => {}
        None if manifest.root == Root::Orphan && overlay.file(parent) == Some(&PlannedFile::Directory) => {
            manifest.root = Root::Absent;
        }
        None => {}
    }
}

fn lay_over_entry(manifest: &mut Manifest, name: &str, file: &PlannedFile) {
    if *file != PlannedFile::Directory {
        let was = manifest.entries.remove(name);
        if was.is_some_and(|was| was.shape == Shape::Directory) {
            let below = format!("{name}/");
            manifest.entries.retain(|known, _| !known.starts_with(&below));
        }
    }
    let entry = match file {
        PlannedFile::Absent => return,
        PlannedFile::Directory if manifest.entries.get(name).is_some_and(|e| e.shape == Shape::Directory) => return,
        PlannedFile::Directory => planned(Shape::Directory, "a planned change"),
        PlannedFile::Link(to) => Entry { link: Some(to.clone()), ..planned(Shape::Link, "a planned change") },
        PlannedFile::Placed(origin) => planned(Shape::File, origin),
        PlannedFile::File(text) => match text.digest() {
            Some(digest) => {
                let entry = planned(Shape::File, "a planned change");
                Entry { size: digest.bytes, sha256: Some(digest.sha256), ..entry }
            }
            None => planned(Shape::File, "a planned change"),
        },
    };
    manifest.entries.insert(name.to_owned(), entry);
}

fn planned(shape: Shape, origin: &str) -> Entry {
    let mode = if shape == Shape::Directory { 0o755 } else { 0o644 };
    let (link, sha256, origin) = (None, None, Some(origin.to_owned()));
    Entry { shape, mode, uid: 0, gid: 0, size: 0, mtime: i64::MIN, link, sha256, inode: (0, 0), origin }
}
