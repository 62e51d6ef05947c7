//! A configuration and the unit that runs with it, as one change. Both parts are those of `file` and `service`; what is
//! added is that the unit is judged by the file that it is about to get.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use async_trait::async_trait;
use futures::future::try_join;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::Overlay;
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::text::Text;
use haengine_kernel::value::Value;
use serde::{Deserialize, Serialize};

use crate::file::look::{SHOWN, Seen, assume, look};
use crate::file::path;
use crate::file::place::{self, Placement};
use crate::file::render;
use crate::service::{Running, Unit};

/// What is so of a program wherever it is.
pub struct Usual {
    /// The program's own test of the file `%s`.
    pub test: &'static str,
    /// What its unit always writes.
    pub owns: &'static [&'static str],
}

/// The option `template`.
pub(super) const fn template(usual: &'static str) -> Param {
    Param::option(
        "template",
        ParamKind::LocalPath,
        Absent::String(usual),
        "The template; yours, beside the recipe, wins.",
    )
}
/// The option `vars`.
pub(super) const VARS: Param = Param::option(
    "vars",
    ParamKind::Map,
    Absent::Map,
    "More names for the template; they win over those that the verb sets.",
);
/// The option `path`.
pub(super) const fn path_of(usual: &'static str) -> Param {
    Param::option("path", ParamKind::Path, Absent::String(usual), "The configuration's file.")
}
/// The option `unit`.
pub(super) const fn unit_of(usual: &'static str) -> Param {
    Param::option("unit", ParamKind::String, Absent::String(usual), "The unit that runs with it.")
}
/// The option `reload_on`.
pub(super) const RELOAD_ON: Param = Param::option(
    "reload_on",
    ParamKind::Paths,
    Absent::Strings(&[]),
    "More files for which the unit is reloaded, such as drop-ins.",
);
/// The option `owns`.
pub(super) const OWNS: Param = Param::option(
    "owns",
    ParamKind::Paths,
    Absent::Strings(&[]),
    "What else the unit itself writes: undo moves aside what appeared.",
);
/// The option `timeout`.
pub(super) const TIMEOUT: Param =
    Param::option("timeout", ParamKind::Duration, Absent::String("90s"), "How long the unit may take to start.");

/// A verb of this module: what is said of it, and what its template is filled in with.
pub trait Balancing: Clone + Send + Sync + 'static {
    /// See [`Op::NAME`].
    const NAME: &'static str;
    /// See [`Op::ABOUT`].
    const ABOUT: &'static str;
    /// See [`Op::SIGNATURE`].
    const SIGNATURE: Signature;
    /// See [`Op::EXAMPLES`].
    const EXAMPLES: &'static [Example];
    /// What a call means that names nothing else.
    const USUAL: Usual;

    /// What the template is filled in with, beside the call's `vars`.
    ///
    /// # Errors
    /// When the arguments do not go together.
    fn names(arguments: &Arguments) -> Result<BTreeMap<String, Value>>;
}

/// A configuration and its unit.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Program<B> {
    placement: Placement,
    content: Text,
    unit: Running,
    #[serde(skip)]
    is: PhantomData<B>,
}

/// What is there.
pub struct State {
    seen: Seen,
    unit: Unit,
}

/// What undo needs: nothing of a part that stays.
#[derive(Serialize, Deserialize)]
pub struct Before {
    file: Option<place::Before>,
    unit: Option<<Running as Op>::Before>,
}

#[async_trait]
impl<B: Balancing> Op for Program<B> {
    const NAME: &'static str = B::NAME;
    const ABOUT: &'static str = B::ABOUT;
    const SIGNATURE: Signature = B::SIGNATURE;
    const EXAMPLES: &'static [Example] = B::EXAMPLES;
    const SETTLES: bool = true;

    type State = State;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let (usual, mut names) = (B::USUAL, B::names(arguments)?);
        names.extend(arguments.map("vars"));
        let template = arguments.string("template")?;
        let content = render(&template, &arguments.readable_path("template")?, arguments, &names)?;
        let path = path::clean(&arguments.string("path")?)?;
        let unit = arguments.string("unit")?;
        let patience = arguments.duration("timeout")?;
        let mut reload_on = vec![path.clone()];
        reload_on.extend(path::all_of(arguments, "reload_on")?);
        let owns = usual.owns.iter().map(|path| (*path).to_owned()).chain(arguments.strings("owns")).collect();
        let unit = Running::reloaded_for(&unit, reload_on, owns, patience)?;
        let placement = Placement::tested(path, usual.test).holding(&content);
        Ok(vec![Program { placement, content, unit, is: PhantomData }])
    }

    fn target(&self) -> String {
        self.placement.path.clone()
    }

    async fn observe(&self, host: &Host) -> Result<State> {
        let limit = if self.content.shown().is_some() { SHOWN } else { 0 };
        let (seen, unit) = try_join(look(host, &self.placement.path, limit), self.unit.observe(host)).await?;
        Ok(State { seen, unit })
    }

    async fn revisit(&self, host: &Host, keep: &Keep) -> Result<State> {
        let (seen, unit) = try_join(self.placement.revisit(host, keep), self.unit.revisit(host, keep)).await?;
        Ok(State { seen, unit })
    }

    fn assume(&self, state: State, overlay: &Overlay) -> State {
        State { seen: assume(state.seen, &self.placement.path, overlay), unit: self.unit.assume(state.unit, overlay) }
    }

    fn plan(&self, state: &State) -> Result<Plan<Before>> {
        let file = self.placement.plan(&state.seen, &self.content)?;
        let unit = match &file {
            Plan::Change(_) => self.unit.plan(&state.unit.clone().given(&self.placement.path, &self.content))?,
            Plan::Unchanged => self.unit.plan(&state.unit)?,
        };
        let (mut summary, mut effects, mut diff) = (Vec::new(), Vec::new(), None);
        let file = changed(file).map(|change| {
            summary.push(change.summary);
            effects.extend(change.effects);
            diff = change.diff;
            change.before
        });
        let unit = changed(unit).map(|change| {
            summary.push(change.summary);
            effects.extend(change.effects);
            change.before
        });
        if file.is_none() && unit.is_none() {
            return Ok(Plan::Unchanged);
        }
        let summary = summary.join(", ");
        Ok(Plan::Change(Change { before: Before { file, unit }, summary, diff, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        if let Some(before) = &before.file {
            self.placement.apply(host, before, keep).await?;
        }
        match &before.unit {
            Some(before) => self.unit.apply(host, before, keep).await,
            None => Ok(()),
        }
    }

    fn standing(&self, state: &State, before: &Before, keep: &Keep) -> Standing {
        let file = before.file.as_ref().map(|before| self.placement.standing(&state.seen, before, keep));
        let unit = before.unit.as_ref().map(|before| self.unit.standing(&state.unit, before, keep));
        let parts: Vec<Standing> = file.into_iter().chain(unit).collect();
        let foreign = parts.iter().find(|part| matches!(part, Standing::Foreign(_)));
        match foreign {
            Some(foreign) => foreign.clone(),
            None if parts.iter().all(|part| *part == Standing::AsBefore) => Standing::AsBefore,
            None => Standing::Ours,
        }
    }

    /// The unit first: what did not run before must not meet the file of before.
    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let mut remains = Remains::new();
        if let Some(before) = &before.unit {
            remains.extend(self.unit.undo(host, before, keep).await?);
        }
        if let Some(before) = &before.file {
            remains.extend(self.placement.undo(host, before, keep).await?);
        }
        Ok(remains)
    }

    fn awaits(&self, first: &Before, before: &Before) -> Vec<String> {
        let Some(unit) = &before.unit else { return Vec::new() };
        self.unit.awaits(first.unit.as_ref().unwrap_or(unit), unit)
    }

    async fn settle(&self, host: &Host, first: &Before, before: &Before, keep: &Keep) -> Result<Remains> {
        match &before.unit {
            // The run's first change may have left the unit alone.
            Some(before) => self.unit.settle(host, first.unit.as_ref().unwrap_or(before), before, keep).await,
            None => Ok(Remains::new()),
        }
    }
}

fn changed<B>(plan: Plan<B>) -> Option<Change<B>> {
    match plan {
        Plan::Change(change) => Some(change),
        Plan::Unchanged => None,
    }
}
