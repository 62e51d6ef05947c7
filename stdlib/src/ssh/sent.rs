//! One file of an upload: compared by its hash, streamed, and placed as `file::put` places a text.

use std::path::PathBuf;
use std::sync::Arc;

use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay, PlannedFile};
use haengine_kernel::remnant::Remains;
use haengine_kernel::text::{Text, TextDigest};
use haengine_kernel::transport::{Command, Output, Stream, read_all};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::OnceCell;

use super::local_file::{Print, cannot, print_of};
use super::sources::Source;
use crate::file::look::{Above, Seen, assume, look};
use crate::file::place::{self, Placement, Placing};

/// What undo needs to know.
pub(super) type Before = place::Before;

/// A file that is sent.
#[derive(Clone, Serialize, Deserialize)]
pub struct Sent {
    #[serde(flatten)]
    placement: Placement,
    /// As the recipe names it.
    local: String,
    /// Its directory is made by the same call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    within: bool,
    /// Undo has none.
    #[serde(skip)]
    file: Option<LocalFile>,
}

#[derive(Clone)]
struct LocalFile {
    path: PathBuf,
    /// Found out once, for all hosts.
    print: Arc<OnceCell<Print>>,
}

/// What is on the host, and what shall be.
pub struct State {
    seen: Seen,
    wanted: Option<Print>,
}

impl Sent {
    pub(super) fn new(arguments: &Arguments, source: Source) -> Result<Sent> {
        let new_mode = source.executable.then_some(0o755);
        let placement = Placement { path: source.path, new_mode, ..Placement::parse(arguments)? };
        let file = Some(LocalFile { path: source.local, print: Arc::default() });
        Ok(Sent { placement, local: source.named, within: source.within, file })
    }

    pub(super) fn target(&self) -> String {
        self.placement.path.clone()
    }

    pub(super) async fn observe(&self, host: &Host) -> Result<State> {
        let (seen, wanted) = tokio::try_join!(look(host, &self.placement.path, 0), self.print())?;
        Ok(State { seen, wanted })
    }

    async fn print(&self) -> Result<Option<Print>> {
        let Some(file) = &self.file else { return Ok(None) };
        let read = async { print_of(&file.path).await?.ok_or_else(|| self.gone()) };
        file.print.get_or_try_init(|| read).await.cloned().map(Some)
    }

    pub(super) fn assume(&self, state: State, overlay: &Overlay) -> State {
        State { seen: assume(state.seen, &self.placement.path, overlay), ..state }
    }

    pub(super) fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let wanted = state.wanted.as_ref().ok_or_else(|| self.gone())?;
        let text = Text::Digest(TextDigest { sha256: wanted.sha256.clone(), bytes: wanted.bytes });
        let mut seen = state.seen.clone();
        if self.within && matches!(seen.above, Above::Missing(_)) {
            seen.above = Above::There;
        }
        let mut plan = self.placement.plan(&seen, &text)?;
        if let Plan::Change(change) = &mut plan {
            change.effects.iter_mut().for_each(|effect| self.unread(effect));
        }
        Ok(plan)
    }

    /// A plan knows that the file will be there; what reads want of it, only the run does.
    fn unread(&self, effect: &mut Effect) {
        if let Effect::File(_, planned @ PlannedFile::File(_)) = effect {
            *planned = PlannedFile::Placed(format!("the upload of `{}`", self.local));
        }
    }

    pub(super) async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let output = match self.placement.placing(before, keep, &check(before)) {
            Placing::Attributes(command) => host.exec(&command).await?,
            Placing::Content(command) => host.interruptible(self.send(host, &command)).await?,
        };
        if String::from_utf8_lossy(&output.stderr).contains(NOT_WHOLE) {
            let message = format!("`{}` {NOT_WHOLE}", self.local);
            return Err(Error::new(Kind::Failed, "ssh.upload", message).hint("run again when nobody writes to it"));
        }
        self.placement.judge(&output)
    }

    async fn send(&self, host: &Host, command: &Command) -> Result<Output> {
        let file = self.file.as_ref().ok_or_else(|| self.gone())?;
        let Stream { stdin, stdout, stderr, exit } = host.stream(command).await?;
        let answers = async {
            let answers = tokio::try_join!(read_all(stdout, ANSWER), read_all(stderr, ANSWER));
            answers.map_err(|cut| cut.explain("the answer to an upload", lost))
        };
        let ((), (stdout, stderr)) = tokio::try_join!(self.feed(host, file, stdin), answers)?;
        Ok(Output { exit: exit.await?, stdout, stderr })
    }

    /// A host that takes no more says why on the other side; only what fails here is an error here.
    async fn feed(&self, host: &Host, file: &LocalFile, mut stdin: Box<dyn AsyncWrite + Send + Unpin>) -> Result<()> {
        let failed = |error| cannot("read", &file.path, error);
        let mut reader = tokio::fs::File::open(&file.path).await.map_err(failed)?;
        let total = file.print.get().map(|print| print.bytes);
        let (mut buffer, mut done) = (vec![0; 256 * 1024], 0);
        loop {
            let count = reader.read(&mut buffer).await.map_err(failed)?;
            if count == 0 || stdin.write_all(&buffer[..count]).await.is_err() {
                break;
            }
            done += count as u64;
            host.progress(&self.placement.path, done, total);
        }
        let _ = stdin.shutdown().await;
        Ok(())
    }

    pub(super) async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        Ok(State { seen: self.placement.revisit(host, keep).await?, wanted: None })
    }

    pub(super) fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        self.placement.standing(&state.seen, before, keep)
    }

    pub(super) async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        self.placement.undo(host, before, keep).await
    }

    fn gone(&self) -> Error {
        Error::new(Kind::Local, "ssh.upload", format!("`{}` is no longer on your machine", self.local))
            .hint("put it back, then run again")
    }
}

/// What a host may answer to an upload.
const ANSWER: usize = 1024 * 1024;

const NOT_WHOLE: &str = "did not arrive as it was when it was compared";

/// The input of a command ends as well when the connection breaks, so what came is compared before it is placed.
fn check(before: &Before) -> String {
    let hash = before.after.as_ref().map(|after| after.sha256.as_str()).unwrap_or_default();
    format!(r#"[ "$(sha256sum <"$1")" = "{hash}  -" ] || {{ echo "{NOT_WHOLE}" >&2; exit 1; }}"#)
}

fn lost(error: std::io::Error) -> Error {
    Error::new(Kind::Unreachable, "ssh.lost", "the connection broke during the upload").because(error)
}
