//! Both sides of a copy as they are, and as planned changes leave them.

use futures::future::try_join;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;

use super::comparison::Comparison;
use super::digests;
use super::entry::Shape;
use super::glob::Globs;
use super::manifest::Manifest;
use super::planned::{lay_over, recognise};
use super::proofs::Proofs;
use super::show::origin;

/// What a copy finds.
pub struct State {
    /// The tree that is read; none when only the target matters, in an undo.
    pub source: Option<Manifest>,
    /// The tree that is written.
    pub target: Manifest,
    /// Both are on one host.
    pub same_host: bool,
    /// What is the copy's own; none where nobody asked, or before hosts held records.
    pub proofs: Option<Proofs>,
}

impl State {
    /// Whether what is at a path is the copy's own, where that is known.
    pub fn is_ours(&self, path: &str) -> Option<bool> {
        self.proofs.as_ref().map(|proofs| proofs.has(path))
    }

    /// The target alone. `all`: contents count even where size and time say nothing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn of_target(host: &Host, to: &str, left_out: &Globs, all: bool) -> Result<State> {
        let mut target = Manifest::read(host, to, left_out, true).await?;
        if all {
            let files: Vec<String> = Comparison::undecided(&target.entries, &target.entries, true);
            digests::hash(host, to, &mut target.entries, &files).await?;
        }
        Ok(State { source: None, target, same_host: false, proofs: None })
    }

    /// Both sides at once; a second look hashes where size and time leave it open.
    ///
    /// # Errors
    /// When one of them cannot be read, named with its host.
    pub async fn of_both(source: (&Host, &str), target: (&Host, &str), left_out: &Globs, all: bool) -> Result<State> {
        let ((from_host, from), (to_host, to)) = (source, target);
        let (mut theirs, mut ours) = try_join(
            async {
                Manifest::read(from_host, from, left_out, false).await.map_err(|error| error.on(from_host.name()))
            },
            Manifest::read(to_host, to, left_out, true),
        )
        .await?;
        tell_special(from_host, from, &theirs);
        // Planned changes of both sides come in here and not in `assume`, since what they place may have to be
        // compared by hash; outside of plans there are none.
        lay_over(&mut theirs, from, &from_host.overlay(), left_out);
        lay_over(&mut ours, to, &to_host.overlay(), left_out);
        recognise(&mut ours, &theirs, |path| {
            origin(from_host.name(), &format!("{}/{path}", from.trim_end_matches('/')))
        });
        let undecided = Comparison::undecided(&theirs.entries, &ours.entries, all);
        try_join(
            digests::hash(from_host, from, &mut theirs.entries, &undecided),
            digests::hash(to_host, to, &mut ours.entries, &undecided),
        )
        .await?;
        let same_host = from_host.name() == to_host.name();
        Ok(State { source: Some(theirs), target: ours, same_host, proofs: None })
    }
}

fn tell_special(host: &Host, from: &str, manifest: &Manifest) {
    let special = manifest.entries.iter().filter(|(_, entry)| entry.shape == Shape::Special);
    let paths: Vec<String> = special.map(|(path, _)| format!("`{from}/{path}`")).collect();
    if let Some(first) = paths.first() {
        let more = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
        host.warn(format!("not copied, since it is a device, a pipe or a socket: {first}{more}"));
    }
}
