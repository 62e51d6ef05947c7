//! Whether a unit starts at boot, and how that is put back.

use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::remnant::Remains;
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

use super::owned::told;
use super::unit::{Link, Unit};

const RESTORE: &str = include_str!("restore_links.sh");

/// What undo needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Enablement {
    state: String,
    links: Vec<Link>,
}

impl Enablement {
    pub(super) fn of(unit: &Unit) -> Enablement {
        Enablement { state: unit.enablement.clone(), links: unit.links.clone() }
    }

    /// True when the unit is as it was. One that is gone has no enablement to put back.
    pub(super) fn is_back(&self, unit: &Unit) -> bool {
        unit.is_unknown() || unit.enablement == self.state || (self.state.is_empty() && unit.is_down())
    }

    /// Puts it back: away with what the run's enabling made, and every link as it was. What somebody else made stays.
    pub(super) async fn restore(&self, host: &Host, unit: &str, keep: &Keep) -> Result<Remains> {
        let disable = !self.state.starts_with("enabled") || self.state.ends_with("-runtime");
        let links = self.links.iter().flat_map(|link| [&link.path, &link.target]);
        let command = Command::script(RESTORE).arg(unit).arg(if disable { "1" } else { "0" });
        let command = command.arg(format!("{}/{}", keep.folder(), record(keep)));
        let command = command.arg(if keep.is_recorded() { "1" } else { "0" }).args(links);
        let output = host.exec(&command).await?;
        if output.success() {
            return Ok(told(&output.text()));
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let message = format!("the enablement of `{unit}` cannot be put back to `{}`", self.state);
        Err(Error::new(Kind::Failed, "service.enable", message).because(said).on(host.name()))
    }
}

/// The name of the record of what links the run made, in its folder on the host.
pub(super) fn record(keep: &Keep) -> String {
    format!("{}.links", keep.name())
}

/// True when the unit can be enabled and is not, or only until the next boot. Units without an `[Install]` section,
/// generated and transient ones have nothing to enable.
pub(super) fn must_enable(unit: &Unit) -> bool {
    matches!(unit.enablement.as_str(), "disabled" | "enabled-runtime" | "linked" | "linked-runtime")
}

/// True when the unit starts at boot by a link that can be taken away.
pub(super) fn must_disable(unit: &Unit) -> bool {
    matches!(unit.enablement.as_str(), "enabled" | "enabled-runtime")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_a_link_can_be_enabled_or_disabled() {
        let unit = |enablement: &str| Unit { enablement: enablement.to_owned(), ..Unit::default() };
        for (state, enable, disable) in [
            ("enabled", false, true),
            ("enabled-runtime", true, true),
            ("disabled", true, false),
            ("linked", true, false),
            ("static", false, false),
            ("generated", false, false),
            ("", false, false),
        ] {
            assert_eq!((must_enable(&unit(state)), must_disable(&unit(state))), (enable, disable), "{state}");
        }
    }
}
