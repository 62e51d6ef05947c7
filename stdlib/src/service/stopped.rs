//! `service::stopped`: a unit does not run.

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay};
use haengine_kernel::remnant::Remains;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::uses::Uses;
use serde::{Deserialize, Serialize};

use super::enablement::{Enablement, must_disable, record};
use super::failure;
use super::name::units;
use super::planned::{Activity, PlannedEnablement};
use super::running::patience;
use super::stopping;
use super::unit::Unit;

const APPLY: &str =
    concat!("# Makes a unit run.\n", include_str!("stamp_as.sh"), include_str!("links.sh"), include_str!("apply.sh"));
const STOP: &str = concat!("# Stops a unit.\n", include_str!("links.sh"), include_str!("stop.sh"));

/// A unit does not run.
#[derive(Clone, Serialize, Deserialize)]
pub struct Stopped {
    unit: String,
    disabled: bool,
    /// Seconds.
    timeout: u64,
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    active: bool,
    /// None when the enablement stays.
    enablement: Option<Enablement>,
}

#[async_trait]
impl Op for Stopped {
    const NAME: &'static str = "service.stopped";
    const ABOUT: &'static str = "A unit does not run.

It still starts at the next boot, unless `disabled` says otherwise, and whenever something asks for it: a socket or \
timer that starts it has to be stopped as well. A unit that the host does not have is an error, since a misspelt name \
would leave running what you believe is stopped.

**Undo** starts it again if it ran, and puts the enablement back.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("units", ParamKind::Strings, "A unit or an array of them; without a suffix, a service."),
        ],
        options: &[
            Param::option("disabled", ParamKind::Boolean, Absent::Boolean(false), "Do not start it at boot either."),
            Param::option(
                "timeout",
                ParamKind::Duration,
                Absent::String("90s"),
                "How long it may take to stop; where systemd waits longer for it, so does this.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A service is stopped now; it starts again at the next boot.",
            given: RUNNING,
            code: r#"service::stopped(h, "demo")"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "It does not start at boot either.",
            given: RUNNING,
            code: r#"service::stopped(h, "demo.service", #{ disabled: true })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    type State = Unit;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let (disabled, timeout) = (arguments.boolean("disabled")?, patience(arguments)?);
        Ok(units(arguments)?.into_iter().map(|unit| Stopped { unit, disabled, timeout }).collect())
    }

    fn target(&self) -> String {
        self.unit.clone()
    }

    fn uses(&self) -> Uses {
        Uses::service(&self.unit, [])
    }

    async fn observe(&self, host: &Host) -> Result<Unit> {
        let wanted = if self.disabled { "disabled" } else { "-" };
        Unit::observe(host, &self.unit, wanted, &[], &[]).await
    }

    fn assume(&self, state: Unit, overlay: &Overlay) -> Unit {
        state.assume(overlay)
    }

    fn plan(&self, unit: &Unit) -> Result<Plan<Before>> {
        if unit.is_unknown() && !unit.is_unread() && !unit.coming {
            return Err(unit.unknown());
        }
        // A distribution may start what a package brings.
        let stop = !unit.is_down() || (unit.is_unknown() && unit.coming);
        let disable = self.disabled && (must_disable(unit) || (unit.is_unknown() && unit.coming));
        if !stop && !disable {
            return Ok(Plan::Unchanged);
        }
        let words: Vec<&str> = [(stop, "stop"), (disable, "disable")].iter().filter(|w| w.0).map(|w| w.1).collect();
        let before = Before { active: !unit.is_down(), enablement: disable.then(|| Enablement::of(unit)) };
        let mut effects = vec![Effect::fact(&self.unit, Activity::Inactive)];
        effects.extend(disable.then(|| Effect::fact(&self.unit, PlannedEnablement("disabled"))));
        Ok(Plan::Change(Change { before, summary: words.join(", "), diff: None, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let disable = if before.enablement.is_some() { "1" } else { "0" };
        let patience = stopping::patience(host, &self.unit, self.timeout).await?;
        let command = Command::script(STOP).arg(&self.unit).arg(patience.to_string()).arg(disable).arg("0");
        let command = command.arg(keep.folder()).arg(record(keep));
        failure::act(host, &self.unit, "stop", patience, command).await
    }

    fn standing(&self, unit: &Unit, before: &Before, _keep: &Keep) -> Standing {
        if unit.load == "masked" && before.enablement.is_some() {
            return Standing::Foreign("it is masked".to_owned());
        }
        let enabled_back = before.enablement.as_ref().is_none_or(|enablement| enablement.is_back(unit));
        if enabled_back && before.active != unit.is_down() { Standing::AsBefore } else { Standing::Ours }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let mut remains = Remains::new();
        if let Some(enablement) = &before.enablement {
            remains = enablement.restore(host, &self.unit, keep).await?;
        }
        if !before.active {
            return Ok(remains);
        }
        let patience = self.timeout.to_string();
        let command =
            Command::script(APPLY).arg(&self.unit).arg("0").arg("0").arg("start").arg(patience).args(["", "", "", ""]);
        failure::act(host, &self.unit, "start", self.timeout, command).await.map(|()| remains)
    }
}

/// A service for the examples: it runs and is enabled.
const RUNNING: &str = concat!(
    "printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n'",
    " >/etc/systemd/system/demo.service\nsystemctl daemon-reload && systemctl -q enable --now demo"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(active: &str, enablement: &str, disabled: bool) -> Option<String> {
        let (load, active, enablement) = ("loaded".to_owned(), active.to_owned(), enablement.to_owned());
        let unit = Unit { load, active, enablement, ..Unit::default() };
        match (Stopped { unit: "a.service".to_owned(), disabled, timeout: 90 }).plan(&unit).unwrap() {
            Plan::Change(change) => Some(change.summary),
            Plan::Unchanged => None,
        }
    }

    #[test]
    fn what_must_change_is_planned() {
        assert_eq!(planned("inactive", "enabled", false), None);
        assert_eq!(planned("failed", "disabled", true), None);
        assert_eq!(planned("activating", "enabled", false).as_deref(), Some("stop"));
        assert_eq!(planned("active", "enabled", true).as_deref(), Some("stop, disable"));
        assert_eq!(planned("inactive", "enabled-runtime", true).as_deref(), Some("disable"));
        assert_eq!(planned("inactive", "static", true), None);
    }

    #[test]
    fn a_misspelt_unit_is_no_stopped_unit() {
        let unit = Unit { load: "not-found".to_owned(), active: "inactive".to_owned(), ..Unit::default() };
        let op = Stopped { unit: "a.service".to_owned(), disabled: false, timeout: 90 };
        assert_eq!(op.plan(&unit).err().unwrap().code(), "service.unknown");
    }
}
