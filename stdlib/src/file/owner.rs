//! Whose a file or a folder shall be.

use haengine_kernel::arguments::Arguments;
use haengine_kernel::signature::{Absent, Param, ParamKind};
use serde::{Deserialize, Serialize};

use crate::file::look::Found;

/// The option `owner`.
pub const OWNER: Param = Param::option(
    "owner",
    ParamKind::String,
    Absent::Means("as it is; the login for a new one"),
    "The owner, by name or number.",
);
/// The option `group`.
pub const GROUP: Param = Param::option(
    "group",
    ParamKind::String,
    Absent::Means("as it is; the login's for a new one"),
    "The group, by name or number.",
);

/// Owner and group, by name or number, where the recipe names them.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Owner {
    /// The owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl Owner {
    /// The owner of a call.
    pub fn parse(arguments: &Arguments) -> Owner {
        Owner { owner: arguments.opt_string("owner"), group: arguments.opt_string("group") }
    }

    /// As `chown` takes it; empty when nothing is named.
    pub fn spec(&self) -> String {
        let group = self.group.as_ref().map(|group| format!(":{group}")).unwrap_or_default();
        format!("{}{group}", self.owner.as_deref().unwrap_or_default())
    }

    /// True when what is found has the named owner and group.
    pub fn fits(&self, found: &Found) -> bool {
        let fits = |wanted: &Option<String>, name: &str, number: u32| {
            wanted.as_ref().is_none_or(|wanted| wanted == name || *wanted == number.to_string())
        };
        fits(&self.owner, &found.owner, found.uid) && fits(&self.group, &found.group, found.gid)
    }
}
