//! `toy::get`.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::overlay::{Overlay, PlannedFile};
use haengine_kernel::read::{Foreseen, Read};
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::value::Value;

/// What an entry holds.
#[derive(Clone)]
pub struct Get {
    path: String,
}

#[async_trait]
impl Read for Get {
    const NAME: &'static str = "toy.get";
    const ABOUT: &'static str = "The content of an entry, or `()`.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("path", ParamKind::Path, "The entry's key.")],
        options: &[],
    };
    const EXAMPLES: &'static [Example] =
        &[Example { about: "What the greeting says.", given: "", code: r#"toy::get(h, "/motd")"#, gives: "" }];

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Get { path: arguments.string("path")? })
    }

    fn foresee(&self, host: &Host, overlay: &Overlay) -> Foreseen {
        match overlay.file(&self.path) {
            Some(PlannedFile::File(Text::Plain(text))) => Foreseen::Known(Value::String(text.clone())),
            Some(PlannedFile::File(Text::Secret(text))) => Foreseen::Known(Value::Secret(text.clone())),
            Some(PlannedFile::File(Text::Unknown(unknown))) => Foreseen::Unknown(unknown.clone()),
            _ if overlay.opaque().is_some() => Foreseen::unless_touched("toy::get", host, overlay),
            _ => Foreseen::Real,
        }
    }

    async fn read(&self, host: &Host) -> Result<Value> {
        Ok(super::set::look(host, &self.path).await?.map_or(Value::Null, |entry| Value::String(entry.content)))
    }
}
