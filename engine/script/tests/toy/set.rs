//! `toy::set`.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::diff::Diff;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay, PlannedFile};
use haengine_kernel::remnant::Remains;
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::{Text, TextDigest};
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

use super::wire::Entry;

/// An entry with a content.
#[derive(Clone, Serialize, Deserialize)]
pub struct Set {
    path: String,
    content: Text,
    mode: u32,
    flag: bool,
}

/// What is under the path.
pub enum Found {
    Nothing,
    Entry(Entry),
    /// Planned by an earlier call.
    Planned(Text),
}

/// What was under the path: digest, mode, flag.
#[derive(Serialize, Deserialize)]
pub struct Before(Option<(TextDigest, u32, bool)>);

pub async fn look(host: &Host, key: &str) -> Result<Option<Entry>> {
    let output = host.exec(&Command::new("get").arg(key)).await?;
    let text = output.text();
    Ok(text.split_once('\n').filter(|_| output.success()).map(|(first, content)| {
        let (mode, flag) = first.split_once(' ').unwrap();
        Entry { content: content.to_owned(), mode: mode.parse().unwrap(), flag: flag.parse().unwrap() }
    }))
}

pub async fn put(host: &Host, key: &str, content: Secret, mode: u32, flag: bool) -> Result<()> {
    let command = Command::new("set").arg(key).arg(mode.to_string()).arg(flag.to_string());
    host.ok(&command.stdin(content)).await.map(drop)
}

fn kept(keep: &Keep) -> String {
    format!("{}/{}", keep.folder(), keep.name())
}

impl Before {
    fn of(entry: &Entry) -> Before {
        Before(Some((TextDigest::of(entry.content.as_bytes()), entry.mode, entry.flag)))
    }
}

#[async_trait]
impl Op for Set {
    const NAME: &'static str = "toy.set";
    const ABOUT: &'static str = "Puts an entry.\n\nIts content is replaced as a whole.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("path", ParamKind::Path, "The entry's key."),
            Param::new("content", ParamKind::Text, "What it shall hold."),
        ],
        options: &[
            Param::option("mode", ParamKind::Mode, Absent::Mode(0o644), "Its permissions."),
            Param::option("flag", ParamKind::Boolean, Absent::Boolean(false), "Whether it is marked."),
        ],
    };
    const EXAMPLES: &'static [Example] = &[Example {
        about: "A greeting that everybody may read.",
        given: "",
        code: r#"toy::set(h, "/motd", "hello\n", #{ mode: 0o644 })"#,
        gives: "",
    }];

    type State = Found;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        Ok(vec![Set {
            path: arguments.string("path")?,
            content: arguments.text("content")?,
            mode: arguments.mode("mode")?,
            flag: arguments.boolean("flag")?,
        }])
    }

    fn target(&self) -> String {
        self.path.clone()
    }

    async fn observe(&self, host: &Host) -> Result<Found> {
        Ok(look(host, &self.path).await?.map_or(Found::Nothing, Found::Entry))
    }

    fn assume(&self, state: Found, overlay: &Overlay) -> Found {
        match overlay.file(&self.path) {
            Some(PlannedFile::File(text)) => Found::Planned(text.clone()),
            _ => state,
        }
    }

    fn plan(&self, state: &Found) -> Result<Plan<Before>> {
        let (before, old, summary) = match state {
            Found::Entry(Entry { content, mode, flag })
                if self.content == Text::Plain(content.clone()) && (*mode, *flag) == (self.mode, self.flag) =>
            {
                return Ok(Plan::Unchanged);
            }
            Found::Planned(text) if *text == self.content => return Ok(Plan::Unchanged),
            Found::Planned(_) => (Before(None), String::new(), "replace"),
            Found::Entry(entry) => (Before::of(entry), entry.content.clone(), "replace"),
            Found::Nothing => (Before(None), String::new(), "create"),
        };
        Ok(Plan::Change(Change {
            before,
            summary: summary.to_owned(),
            diff: self.content.shown().and_then(|new| Diff::between(&old, new)),
            effects: vec![Effect::File(self.path.clone(), PlannedFile::File(self.content.clone()))],
        }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        if let (Before(Some((_, mode, flag))), Some(old)) = (before, look(host, &self.path).await?) {
            put(host, &kept(keep), Secret::new(old.content), *mode, *flag).await?;
        }
        put(host, &self.path, self.content.content()?, self.mode, self.flag).await
    }

    fn standing(&self, state: &Found, before: &Before, _keep: &Keep) -> Standing {
        let Found::Entry(entry) = state else {
            return if before.0.is_none() { Standing::AsBefore } else { Standing::Foreign("it is gone".to_owned()) };
        };
        if before.0 == Before::of(entry).0 {
            return Standing::AsBefore;
        }
        match self.content.digest() == Some(TextDigest::of(entry.content.as_bytes())) {
            true => Standing::Ours,
            false => Standing::Foreign("its content differs".to_owned()),
        }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let Before(Some((_, mode, flag))) = before else {
            return host.ok(&Command::new("del").arg(&self.path)).await.map(|_| Remains::new());
        };
        let Some(old) = look(host, &kept(keep)).await? else { return Ok(Remains::new()) };
        put(host, &self.path, Secret::new(old.content), *mode, *flag).await?;
        host.ok(&Command::new("del").arg(kept(keep))).await.map(|_| Remains::new())
    }
}
