//! Runs the scripts that build what labs are made from.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use crate::{Progress, Result, error::At, program};

/// Runs `script` in namespaces of its own that end with this process. Lines that begin with `I: ` tell how far
/// it is; all that it says is in `log` afterwards.
///
/// Returns none, or the last words of a script that failed.
pub(crate) fn run<A: AsRef<OsStr>>(
    script: &Path,
    arguments: &[A],
    log: &Path,
    progress: &Progress,
) -> Result<Option<String>> {
    let words = "--pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child --mount-proc sh";
    let errors = File::create(log).at("create", log)?;
    let mut child = program::command("setpriv")
        .args(words.split(' '))
        .arg(script)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .at("run", Path::new("setpriv"))?;
    let mut said = String::new();
    for line in
        child.stdout.take().into_iter().flat_map(|pipe| BufReader::new(pipe).lines().map_while(std::io::Result::ok))
    {
        if let Some(step) = line.strip_prefix("I: ") {
            progress(step);
        }
        said += &line;
        said.push('\n');
    }
    let status = child.wait().at("run", Path::new("setpriv"))?;
    let complaint = fs::read_to_string(log).unwrap_or_default();
    let last = program::last_lines(&format!("{said}{complaint}"), 4);
    fs::write(log, said + &complaint).at("write", log)?;
    Ok((!status.success()).then_some(last))
}

/// The entries of a list with one of them a line, with commas between them.
pub(crate) fn list(text: &str) -> String {
    let entries = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    entries.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_no_comments() {
        assert_eq!(list("# why\nsudo\n\n curl \n"), "sudo,curl");
    }
}
