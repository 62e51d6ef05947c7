//! `service::enabled`: a unit starts at boot, or does not.

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

use super::enablement::{Enablement, must_disable, must_enable, record};
use super::failure;
use super::name::units;
use super::planned::PlannedEnablement;
use super::running::DEMO;
use super::unit::{Unit, refused};

const ENABLE: &str = concat!("# Enables or disables a unit.\n", include_str!("links.sh"), include_str!("enable.sh"));

/// A unit starts at boot, or does not.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enabled {
    unit: String,
    enabled: bool,
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    reread: bool,
    enablement: Enablement,
}

#[async_trait]
impl Op for Enabled {
    const NAME: &'static str = "service.enabled";
    const ABOUT: &'static str = "A unit starts at boot, or does not; whether it runs now stays as it is.

A unit without an `[Install]` section cannot be enabled by itself: enabling it is refused, and it counts as disabled. A \
masked unit is refused.

**Undo** puts every link back as it was. A link that somebody else made since stays, and is named.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("units", ParamKind::Strings, "A unit or an array of them; without a suffix, a service."),
        ],
        options: &[Param::option(
            "enabled",
            ParamKind::Boolean,
            Absent::Boolean(true),
            "`false`: it does not start at boot.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A service starts at boot, and is not started now.",
            given: DEMO,
            code: r#"service::enabled(h, "demo")"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "A service does not start at boot.",
            given: concat!(
                "printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\nAlias=sample.service\\n'",
                " >/etc/systemd/system/demo.service\nsystemctl daemon-reload && systemctl -q enable demo"
            ),
            code: r#"service::enabled(h, ["demo"], #{ enabled: false })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    type State = Unit;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let enabled = arguments.boolean("enabled")?;
        Ok(units(arguments)?.into_iter().map(|unit| Enabled { unit, enabled }).collect())
    }

    fn target(&self) -> String {
        self.unit.clone()
    }

    fn uses(&self) -> Uses {
        Uses::service(&self.unit, [])
    }

    async fn observe(&self, host: &Host) -> Result<Unit> {
        Unit::observe(host, &self.unit, self.wanted(), &[], &[]).await
    }

    fn assume(&self, state: Unit, overlay: &Overlay) -> Unit {
        state.assume(overlay)
    }

    fn plan(&self, unit: &Unit) -> Result<Plan<Before>> {
        unit.refuse_if_unusable()?;
        if self.enabled && matches!(unit.enablement.as_str(), "static" | "transient") {
            return Err(refused("service.static", format!("`{}` has no `[Install]` section to enable", self.unit))
                .hint("leave this call out, or add an `[Install]` section to the unit file"));
        }
        let coming = unit.is_unknown();
        if !(coming || if self.enabled { must_enable(unit) } else { must_disable(unit) }) {
            return Ok(Plan::Unchanged);
        }
        let reread = unit.must_reread || unit.is_unread();
        let before = Before { reread, enablement: Enablement::of(unit) };
        let summary = if self.enabled { "enable" } else { "disable" }.to_owned();
        let effects = vec![Effect::fact(&self.unit, PlannedEnablement(self.wanted()))];
        Ok(Plan::Change(Change { before, summary, diff: None, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let how = if self.enabled { "enable" } else { "disable" };
        let command = Command::script(ENABLE).arg(&self.unit).arg(if before.reread { "1" } else { "0" }).arg(how);
        let command = command.arg(keep.folder()).arg(record(keep));
        failure::act(host, &self.unit, "enable", 60, command).await
    }

    fn standing(&self, unit: &Unit, before: &Before, _keep: &Keep) -> Standing {
        if unit.load == "masked" {
            return Standing::Foreign("it is masked".to_owned());
        }
        if before.enablement.is_back(unit) { Standing::AsBefore } else { Standing::Ours }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        before.enablement.restore(host, &self.unit, keep).await
    }
}

impl Enabled {
    fn wanted(&self) -> &'static str {
        if self.enabled { "enabled" } else { "disabled" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(enablement: &str, enabled: bool) -> Result<bool> {
        let (load, enablement) = ("loaded".to_owned(), enablement.to_owned());
        let unit = Unit { load, enablement, ..Unit::default() };
        let plan = Enabled { unit: "a.service".to_owned(), enabled }.plan(&unit)?;
        Ok(matches!(plan, Plan::Change(_)))
    }

    #[test]
    fn what_must_change_is_planned() {
        assert!(planned("disabled", true).unwrap());
        assert!(planned("enabled-runtime", true).unwrap());
        assert!(!planned("enabled", true).unwrap());
        assert!(planned("enabled", false).unwrap());
        assert!(!planned("static", false).unwrap());
    }

    #[test]
    fn what_cannot_be_enabled_is_refused() {
        assert_eq!(planned("static", true).unwrap_err().code(), "service.static");
        assert_eq!(planned("masked", true).unwrap_err().code(), "service.masked");
        assert_eq!(planned("masked-runtime", false).unwrap_err().code(), "service.masked");
    }
}
