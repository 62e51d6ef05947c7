//! `ssh::download`: a file of a host, copied to the operator's machine.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::Overlay;
use haengine_kernel::reach::Reach;
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::shape::Shape;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::{Command, Exit, Output, Stream, read_all};
use haengine_kernel::value::{Unknown, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::local_file::{Fresh, Print, print_of, rights_of};

/// See [`Read::ABOUT`].
#[derive(Clone)]
pub struct Download {
    path: String,
    local: PathBuf,
    /// As the recipe writes it.
    named: String,
    /// Where it may go.
    reach: Option<Arc<Reach>>,
    /// Written with a slash at its end: a folder.
    into: bool,
    mode: u32,
    /// The host that writes the file without `{host}` in its name.
    writer: Arc<Mutex<Option<String>>>,
}

#[async_trait]
impl Read for Download {
    const NAME: &'static str = "ssh.download";
    const ABOUT: &'static str = "Copies a file of a host to your machine.

The copy is written beside its place, forced to disk and renamed, so it is never seen half done; a copy that is the same
already is left alone. A file that grows meanwhile is copied as long as it was at first. Missing folders are made. `{host}`
in the path stands for the host's name; it is needed where several hosts would write to the same file. A path that ends with
`/`, or is a folder, takes the file's own name.

It goes into the recipe's folder, or to a place that you name yourself: as the value of a parameter, or in the inventory. A link
is not written through, and a file that is replaced gets no permissions that it did not have.

The result is a map: `path`, `bytes`, `sha256` and `changed`. It changes nothing on the host, so `undo` does not know of
it. A plan says what would be copied.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("path", ParamKind::Path, "The file on the host."),
            Param::new("local", ParamKind::LocalPlace, "Where the copy goes."),
        ],
        options: &[Param::option("mode", ParamKind::Mode, Absent::Mode(0o600), "Permissions of a new copy.")],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Fetches a file of a host; with several hosts each gets a folder of its own.",
            given: "mkdir -p /opt/demo && printf 'one\\n' > /opt/demo/state",
            code: r#"ssh::download(h, "/opt/demo/state", "demo/{host}/").bytes"#,
            gives: "4",
        },
        Example {
            about: "Binary data stays as it is.",
            given: "printf '\\000\\377' > /opt/blob",
            code: r#"ssh::download(h, "/opt/blob", "demo/blob-of-{host}", #{ mode: 0o644 }).sha256"#,
            gives: r#""06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8""#,
        },
    ];
    const GIVES: Shape = Shape::Map(&[
        ("path", Shape::String),
        ("bytes", Shape::Integer),
        ("sha256", Shape::String),
        ("changed", Shape::Boolean),
    ]);

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Download {
            path: arguments.string("path")?,
            local: arguments.local_place("local")?,
            named: arguments.string("local")?,
            reach: arguments.reach().cloned(),
            into: arguments.string("local")?.ends_with('/'),
            mode: arguments.mode("mode")?,
            writer: Arc::default(),
        })
    }

    fn foresee(&self, host: &Host, _overlay: &Overlay) -> Foreseen {
        let local = self.place(host);
        host.note(format!("would download `{}` to {}", self.path, local.display()));
        let unknown = || Value::Unknown(Unknown { origin: format!("the download of `{}`", self.path) });
        let path = Value::from(local.display().to_string());
        let known = [("path", path), ("bytes", unknown()), ("sha256", unknown()), ("changed", unknown())];
        Foreseen::Known(Value::map(known))
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        self.claim(host)?;
        let local = self.place(host);
        self.may_write(host, &local)?;
        let rights = rights_of(&local).await?;
        let there = print_of(&local).await?;
        let (size, sha256) = self.look(host, there.as_ref()).await?;
        if let Some(there) = there.filter(|there| Some(&there.sha256) == sha256.as_ref()) {
            return Ok(result(&local, &there, false));
        }
        // What others could not read or change before, they cannot after.
        let fresh = Fresh::create(&local, rights.map_or(self.mode, |rights| self.mode & rights)).await?;
        let copied = host.interruptible(self.receive(host, fresh, size)).await?;
        Ok(result(&local, &copied, true))
    }
}

/// What a host may say besides.
const COMPLAINTS: usize = 64 * 1024;

impl Download {
    /// Where the copy of this host's file goes.
    fn place(&self, host: &Host) -> PathBuf {
        let local = PathBuf::from(self.local.to_string_lossy().replace("{host}", host.name()));
        if !self.into && !local.is_dir() {
            return local;
        }
        local.join(self.path.rsplit('/').next().unwrap_or_default())
    }

    /// Once it is known which file it is, and what leads there.
    fn may_write(&self, host: &Host, local: &Path) -> Result<()> {
        let Some(reach) = &self.reach else { return Ok(()) };
        reach.on(host.name()).check_place(local, &self.named.replace("{host}", host.name()))
    }

    /// Two hosts shall not write to one file.
    fn claim(&self, host: &Host) -> Result<()> {
        if self.local.to_string_lossy().contains("{host}") {
            return Ok(());
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let first = writer.get_or_insert_with(|| host.name().to_owned());
        if first == host.name() {
            return Ok(());
        }
        let message = format!("`{}` of `{first}` goes to the same file", self.path);
        let error = Error::new(Kind::Usage, "ssh.download", message);
        Err(error.hint("put `{host}` into the path").on(host.name()))
    }

    /// Size, and hash where it could be the same as the copy that is there.
    async fn look(&self, host: &Host, there: Option<&Print>) -> Result<(u64, Option<String>)> {
        let size = there.map_or(String::new(), |there| there.bytes.to_string());
        let command = Command::script(include_str!("download_look.sh")).arg(&self.path).arg(size);
        let said = host.ok(&command).await?.text();
        let words: Vec<&str> = said.split_whitespace().collect();
        let refused = |what: &str| Error::new(Kind::Failed, "ssh.download", format!("`{}` {what}", self.path));
        match words[..] {
            ["file", size, ref sum @ ..] => {
                let size = size.parse().map_err(|_| refused("has no clear size"))?;
                Ok((size, sum.first().map(|sum| (*sum).to_owned())))
            }
            ["absent"] => Err(refused("is not there")),
            ["directory"] => {
                Err(refused("is a directory").hint("pack it with `tar` through `ssh::run`, then download the archive"))
            }
            ["unreadable"] => Err(refused("may not be read").hint("set `become: true` for this host")),
            _ => Err(refused("is not a regular file")),
        }
        .map_err(|error| error.on(host.name()))
    }

    async fn receive(&self, host: &Host, mut fresh: Fresh, size: u64) -> Result<Print> {
        let command = Command::new("head").arg("-c").arg(size.to_string()).arg("--").arg(&self.path);
        // A little more, so that whoever reads sees that more comes.
        let command = command.unread(size.saturating_add(1024 * 1024));
        let Stream { mut stdin, mut stdout, stderr, exit } = host.stream(&command).await?;
        // `head` reads nothing; a far end that has gone shows itself below.
        let _ = stdin.shutdown().await;
        let complaints = async {
            read_all(stderr, COMPLAINTS).await.map_err(|cut| cut.explain("what the host says of a download", lost))
        };
        let content = async {
            let (mut buffer, mut done) = (vec![0; 256 * 1024], 0);
            loop {
                let count = stdout.read(&mut buffer).await.map_err(lost)?;
                if count == 0 {
                    return Ok(());
                }
                done += count as u64;
                if done > size {
                    return Err(self.more_than(size));
                }
                fresh.write(&buffer[..count]).await?;
                host.progress(&self.path, done, Some(size));
            }
        };
        let ((), said) = tokio::try_join!(content, complaints)?;
        let exit: Exit = exit.await?;
        Output { exit, stdout: Vec::new(), stderr: said }.ok(&command)?;
        fresh.place().await
    }

    fn more_than(&self, size: u64) -> Error {
        let message = format!("the host sends more than the {size} bytes that `{}` has", self.path);
        Error::new(Kind::Failed, "host.too_much", message).hint("look at `head` and the shell on the host")
    }
}

fn lost(error: std::io::Error) -> Error {
    Error::new(Kind::Unreachable, "ssh.lost", "the connection broke during the download").because(error)
}

fn result(local: &Path, print: &Print, changed: bool) -> Value {
    Value::map([
        ("path", Value::from(local.display().to_string())),
        ("bytes", Value::Integer(i64::try_from(print.bytes).unwrap_or(i64::MAX))),
        ("sha256", Value::from(print.sha256.as_str())),
        ("changed", Value::Boolean(changed)),
    ])
}
