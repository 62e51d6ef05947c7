//! `file::template`: a file from a template.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Example, Op, Plan, Standing};
use haengine_kernel::overlay::Overlay;
use haengine_kernel::remnant::Remains;
use haengine_kernel::review::{Doubt, Written};
use haengine_kernel::signature::{Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use serde::{Deserialize, Serialize};

use crate::file::in_place::IN_PLACE;
use crate::file::look::{SHOWN, Seen, assume, look};
use crate::file::owner::{GROUP, OWNER};
use crate::file::place::{Before, MODE, Placement, VALIDATE};
use crate::file::render::render;
use crate::file::variables;

/// A file from a template.
#[derive(Clone, Serialize, Deserialize)]
pub struct Template {
    #[serde(flatten)]
    placement: Placement,
    template: String,
    content: Text,
}

#[async_trait]
impl Op for Template {
    const NAME: &'static str = "file.template";
    const ABOUT: &'static str = "Places a text that is made from a template.

The template is a file beside the recipe, or one of haengine's own by its name; yours wins. Its language is Jinja: `{{ name }}`,
`{% for … %}`, `{% if name is defined %}`. A name that is not among the variables is an error. It is filled in on your
machine, before the host is asked. Where a variable is a secret, so is the whole text. For the rest see `file::put`.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("path", ParamKind::Path, "The file."),
            Param::new("template", ParamKind::LocalPath, "The template."),
            Param::new("vars", ParamKind::Map, "What the names in the template stand for."),
        ],
        options: &[MODE, OWNER, GROUP, VALIDATE, IN_PLACE],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "Place a configuration of chrony that is not there yet.",
            given: "rm -rf /opt/demo; mkdir -p /opt/demo",
            code: r#"file::template(h, "/opt/demo/chrony.conf", "chrony.conf.j2", #{ servers: ["192.0.2.1"] })"#,
            gives: "",
        },
        Example {
            about: "Replace one, with permissions of its own.",
            given: "printf 'old\\n' >/etc/demo-chrony.conf; chmod 600 /etc/demo-chrony.conf",
            code: r#"file::template(h, "/etc/demo-chrony.conf", "chrony.conf.j2", #{ servers: [], local_stratum: 10, allow: "192.0.2.0/24" }, #{ mode: 0o640 })"#,
            gives: "",
        },
    ];

    type State = Seen;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let template = arguments.string("template")?;
        let path = arguments.readable_path("template")?;
        let content = render(&template, &path, arguments, &arguments.map("vars"))?;
        let placement = Placement::parse(arguments)?.in_place(arguments)?.holding(&content);
        Ok(vec![Template { placement, template, content }])
    }

    fn review(written: &Written) -> Vec<Doubt> {
        variables::review(written)
    }

    fn target(&self) -> String {
        self.placement.path.clone()
    }

    async fn observe(&self, host: &Host) -> Result<Seen> {
        let limit = if self.content.shown().is_some() { SHOWN } else { 0 };
        look(host, &self.placement.path, limit).await
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<Seen> {
        self.placement.revisit(host, keep).await
    }

    fn assume(&self, seen: Seen, overlay: &Overlay) -> Seen {
        assume(seen, &self.placement.path, overlay)
    }

    fn plan(&self, seen: &Seen) -> Result<Plan<Before>> {
        self.placement.plan(seen, &self.content)
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        self.placement.apply(host, before, keep).await
    }

    fn standing(&self, seen: &Seen, before: &Before, keep: &Keep) -> Standing {
        self.placement.standing(seen, before, keep)
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        self.placement.undo(host, before, keep).await
    }
}
