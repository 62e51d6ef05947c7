//! `toy::act`.

use async_trait::async_trait;
use haengine_kernel::action::Action;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::op::Example;
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use super::set::{look, put};

/// A word said once.
#[derive(Clone, Serialize, Deserialize)]
pub struct Act {
    word: String,
    unless: Option<String>,
}

#[async_trait]
impl Action for Act {
    const NAME: &'static str = "toy.act";
    const ABOUT: &'static str = "Says a word once, and leaves `/said/WORD`.";
    const SIGNATURE: Signature = Signature {
        positional: &[Param::hosts(), Param::new("word", ParamKind::String, "The word.")],
        options: &[Param::option(
            "unless",
            ParamKind::Path,
            Absent::Means("never"),
            "An entry that says that it is done.",
        )],
    };
    const EXAMPLES: &'static [Example] =
        &[Example { about: "Says hello.", given: "", code: r#"toy::act(h, "hello")"#, gives: r#""hello""# }];

    fn parse(arguments: &Arguments) -> Result<Self> {
        Ok(Act { word: arguments.string("word")?, unless: arguments.opt_string("unless") })
    }

    fn target(&self) -> String {
        self.word.clone()
    }

    async fn done(&self, host: &Host) -> Result<Option<bool>> {
        match &self.unless {
            Some(path) => Ok(Some(look(host, path).await?.is_some())),
            None => Ok(None),
        }
    }

    async fn perform(&self, host: &Host) -> Result<Value> {
        put(host, &format!("/said/{}", self.word), Secret::new("once".to_owned()), 0o644, false).await?;
        Ok(Value::String(self.word.clone()))
    }
}
