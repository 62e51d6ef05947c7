//! Paths on a host, in the one form that the overlay, the journal and the scripts agree on.

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};

/// The path of an argument: without doubled or trailing slashes.
///
/// # Errors
/// When it has a `.` or `..` component: such a path may lead elsewhere than it reads.
pub fn of(arguments: &Arguments, name: &str) -> Result<String> {
    clean(&arguments.string(name)?)
}

/// One path or several.
///
/// # Errors
/// As [`of`]; and when the same path is given twice.
pub fn all_of(arguments: &Arguments, name: &str) -> Result<Vec<String>> {
    let mut paths: Vec<String> = Vec::new();
    for path in arguments.strings(name) {
        let path = clean(&path)?;
        if paths.contains(&path) {
            return Err(
                Error::new(Kind::Usage, "file.path", format!("`{path}` is given twice")).hint("name each path once")
            );
        }
        paths.push(path);
    }
    Ok(paths)
}

/// The same path without doubled or trailing slashes.
///
/// # Errors
/// When it has a `.` or `..` component.
pub fn clean(path: &str) -> Result<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| *part == "." || *part == "..") {
        return Err(Error::new(Kind::Usage, "file.path", format!("`{path}` has a `.` or `..` in it"))
            .hint("write the path without them"));
    }
    Ok(format!("/{}", parts.join("/")))
}

/// The folder of a clean path: `/etc` of `/etc/motd`, `/` of `/etc`.
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(end) => &path[..end],
    }
}

/// The folder `up` levels above a clean path.
pub fn ancestor(path: &str, up: usize) -> &str {
    (0..up).fold(path, |path, _| parent(path))
}

/// How the names of our temporary files beside `path` begin; a number follows. Whoever works on `path` next
/// finds them by it.
pub fn temporary(path: &str) -> String {
    let folder = parent(path).trim_end_matches('/');
    let name = path.rsplit('/').next().unwrap_or_default();
    // A file name may have 255 bytes, and the longest ones leave no room for ours.
    let kept = name.char_indices().map(|(at, _)| at).take_while(|at| *at <= 180).last().unwrap_or(0);
    let name = if name.len() <= 180 { name } else { &name[..kept] };
    format!("{folder}/.{name}.haengine-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_form() {
        assert_eq!(clean("//etc///motd/").unwrap(), "/etc/motd");
        assert_eq!(clean("/").unwrap(), "/");
        assert_eq!(clean("/etc/../root").unwrap_err().code(), "file.path");
        assert_eq!((parent("/etc/motd"), parent("/etc"), ancestor("/a/b/c", 2)), ("/etc", "/", "/a"));
    }

    #[test]
    fn a_temporary_name_fits_into_a_folder() {
        assert_eq!(temporary("/etc/motd"), "/etc/.motd.haengine-");
        assert_eq!(temporary("/motd"), "/.motd.haengine-");
        let long = temporary(&format!("/x/{}", "é".repeat(127)));
        assert!(long.len() < 3 + 220 && long.ends_with(".haengine-"), "{long}");
    }
}
