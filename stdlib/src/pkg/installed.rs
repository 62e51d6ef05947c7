//! `pkg::installed`: packages are there.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay};
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::secret::Secret;
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use serde::{Deserialize, Serialize};

use super::failure::{run, unknown_packages};
use super::leftovers::Traces;
use super::observed::{Foreseen, Known, Packages, is_same};
use super::package::{Manager, Spec};
use super::places::{Facts, Places, Step};
use super::planned::PlannedPackage;

const INSTALL: &str = include_str!("install.sh");
const REMOVE: &str = include_str!("remove.sh");
const PURGE: &str = include_str!("purge.sh");
const SETTLE: &str = include_str!("settle.sh");

/// Packages are installed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Installed {
    packages: Vec<Spec>,
    update: Update,
}

/// When the lists of packages are brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Update {
    Auto,
    Always,
    Never,
}

/// What undo needs; the rest is kept on the host.
#[derive(Serialize, Deserialize)]
pub struct Before {
    manager: Manager,
    /// What the manager knew of the wanted packages.
    known: Vec<Known>,
    missing: Vec<String>,
    refresh: bool,
    /// The packages that come in, as far as they are known beforehand.
    new: Vec<String>,
}

#[async_trait]
impl Op for Installed {
    const NAME: &'static str = "pkg.installed";
    const ABOUT: &'static str = "Packages of the distribution are installed, with apt, dnf or yum.

A list of packages is one change, so that they come in one transaction. `NAME=VERSION` asks for that version, downwards \
too; without a version any is right, and nothing is upgraded. Configuration files that are there stay. An installation \
that would remove other packages is refused.

What a distribution does at an installation is left to it: Debian starts and enables most services, others do neither. \
Say with `service::running` what shall run. needrestart is kept from restarting other services.

Another package manager at work is waited for, up to a minute.

**Undo** takes away exactly the packages that came in, with all that dpkg or rpm lists of them, and puts back what their \
scripts changed in `/etc`: accounts, links, folders. It refuses when other packages need them by now. What appeared while \
they were installed and bears the name of one of them or of an account of theirs (`/var/lib/chrony`, \
`/etc/default/haproxy-exporter`), and files of theirs that somebody edited, are moved to where the run keeps things, \
named, and stay there until `forget`. What else appeared meanwhile stays where it is and is named, since somebody may be \
using it; so does what somebody changed since. It leaves `/var/log`, `/var/cache` and the package manager's own records \
below `/var/lib`. A package that had another version gets it back, as long as the host's package sources have it.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("packages", ParamKind::Strings, "A package or an array of them, `NAME` or `NAME=VERSION`."),
        ],
        options: &[Param::option(
            "update",
            ParamKind::Choice(&["auto", "always", "never"]),
            Absent::String("auto"),
            "When to bring the lists of packages up to date before an installation; `auto`: when they lack a package.",
        )],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A package is there.",
            given: "",
            code: r#"pkg::installed(h, "chrony")"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Several packages come in one transaction; what is there already is left alone.",
            given: "",
            code: r#"pkg::installed(h, ["tree", "coreutils"], #{ update: "never" })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    type State = Packages;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let packages =
            arguments.strings("packages").iter().map(|text| Spec::parse(text)).collect::<Result<Vec<_>>>()?;
        if packages.is_empty() {
            return Err(Error::new(Kind::Usage, "pkg.name", format!("`{}` names no package", arguments.function()))
                .hint("name at least one package"));
        }
        let update = match arguments.string("update")?.as_str() {
            "always" => Update::Always,
            "never" => Update::Never,
            _ => Update::Auto,
        };
        Ok(vec![Installed { packages, update }])
    }

    fn target(&self) -> String {
        self.packages.iter().map(Spec::text).collect::<Vec<_>>().join(",")
    }

    /// A package manager may have to wait for its lists, or for another one.
    fn patience(&self) -> Duration {
        Duration::from_secs(900)
    }

    async fn observe(&self, host: &Host) -> Result<Packages> {
        Packages::observe(host, &self.packages).await
    }

    /// What an earlier call of the plan installs is there.
    fn assume(&self, mut state: Packages, overlay: &Overlay) -> Packages {
        state.missing.retain(|spec| overlay.fact::<PlannedPackage>(spec).is_none());
        state
    }

    fn plan(&self, state: &Packages) -> Result<Plan<Before>> {
        let Some(manager) = state.manager else {
            return Err(refused("pkg.manager", "the host has neither apt-get nor dnf nor yum".to_owned())
                .hint("place the program by other means, such as `file::put`"));
        };
        if state.missing.is_empty() {
            return Ok(Plan::Unchanged);
        }
        if !state.is_root {
            return Err(refused("pkg.rights", "packages can be installed by root alone".to_owned())
                .hint("set `become: true` for the host in the inventory"));
        }
        let unknown = state.unknown();
        let refresh = self.update == Update::Always || (self.update == Update::Auto && !unknown.is_empty());
        if !unknown.is_empty() && !refresh {
            return Err(unknown_packages(&unknown));
        }
        let foreseen = state.foreseen();
        if manager == Manager::Apt && unknown.is_empty() {
            self.refuse(state, &foreseen)?;
        }
        let before = Before {
            manager,
            known: state.known.clone(),
            missing: state.missing.clone(),
            refresh,
            new: foreseen.new.iter().map(|(name, _)| name.clone()).collect(),
        };
        let summary = summary(state, &foreseen, refresh);
        let mut effects: Vec<Effect> = state.missing.iter().map(|spec| installed(spec)).collect();
        effects.extend(self.packages.iter().map(|spec| installed(spec.name())));
        effects.push(Effect::Opaque(format!("the package `{}`", state.missing.join("`, `"))));
        Ok(Plan::Change(Change { before, summary, diff: None, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let command = before
            .manager
            .script(INSTALL)
            .arg(keep.folder())
            .arg(keep.name())
            .arg(if before.refresh { "1" } else { "0" })
            .args(before.missing.iter().map(String::as_str));
        run(host, before.manager, &command).await.map(drop)
    }

    fn standing(&self, state: &Packages, before: &Before, keep: &Keep) -> Standing {
        let kept = format!("{}/{}", keep.folder(), keep.name());
        if state.kept.contains(&kept) {
            return Standing::Ours;
        }
        if is_same(&state.known, &before.known) {
            return Standing::AsBefore;
        }
        Standing::Foreign("it was not this run that installed it".to_owned())
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let script = |text| before.manager.script(text).arg(keep.folder()).arg(keep.name());
        let said = run(host, before.manager, &script(REMOVE)).await?;
        let (mut lists, facts) = Places::parse(&said, 4).ok_or_else(unclear)?;
        forget_unlisted(&mut lists, keep);
        let [before_it, after, undo, removed] = lists.as_slice() else { return Err(unclear()) };
        let (facts, beside) = (Facts::parse(facts), format!(".haengine-{}-{}", keep.run, keep.change));
        let traces = Traces { before: before_it, after, undo, now: removed, facts: &facts, beside: &beside };
        let mut remains = settle(host, script(SETTLE), &traces.endangered()).await?;
        let said = run(host, before.manager, &script(PURGE)).await?;
        let (mut now, _) = Places::parse(&said, 1).ok_or_else(unclear)?;
        forget_unlisted(&mut now, keep);
        let steps = Traces { now: now.first().ok_or_else(unclear)?, ..traces }.leftovers();
        remains.extend(settle(host, script(SETTLE).arg("last"), &steps).await?);
        Ok(remains)
    }
}

/// Has the host put places back, or out of the way; what remains of that.
async fn settle(host: &Host, command: Command, steps: &[Step]) -> Result<Remains> {
    let lines: String = steps.iter().map(Step::line).collect();
    let said = host.ok(&command.stdin(Secret::new(lines))).await?.text();
    Ok(said.split('\0').filter_map(remnant).collect())
}

/// `left`, a path and why, `empty` and a path, or `kept`, a path, where it is now and why.
fn remnant(told: &str) -> Option<Remnant> {
    match told.split('\t').collect::<Vec<_>>().as_slice() {
        ["left", path, why] => Some(Remnant::left(*path, *why)),
        ["empty", path] => Some(Remnant::left(*path, "nothing is in it, and nothing says who made it").by_rule()),
        ["kept", path, place, why] => Some(Remnant::kept(*path, *why, *place).by_rule()),
        _ => None,
    }
}

/// Runs before journals had nonces did not list these.
fn forget_unlisted(lists: &mut [Places], keep: &Keep) {
    if !keep.is_recorded() {
        let paths = ["/var/lib/docker", "/var/lib/containerd", "/var/lib/kubelet"];
        lists.iter_mut().for_each(|places| paths.iter().for_each(|path| places.forget(path)));
    }
}

fn unclear() -> Error {
    Error::new(Kind::Failed, "pkg.places", "cannot make out what the packages left behind")
}

impl Installed {
    /// Refuses what apt would not do, or would do otherwise than the recipe says.
    fn refuse(&self, state: &Packages, foreseen: &Foreseen) -> Result<()> {
        if !state.possible {
            return Err(refused("pkg.unmet", format!("apt cannot install `{}`", state.missing.join("`, `")))
                .hint("look at what apt said, and mend the host's packages first")
                .because(state.said.trim().to_owned()));
        }
        if !foreseen.removed.is_empty() {
            let names = foreseen.removed.join("`, `");
            return Err(refused("pkg.removes", format!("the installation would remove `{names}`"))
                .hint("choose a package that goes together with it, or remove it yourself"));
        }
        let virtual_ones = self.packages.iter().filter(|spec| state.missing.iter().any(|text| text == spec.text()));
        for spec in virtual_ones {
            if !foreseen.brings(spec.name()) {
                let near = foreseen.new.first().map_or("the package that provides it", |(name, _)| name);
                return Err(refused("pkg.virtual", format!("`{}` is not a package of its own", spec.name()))
                    .hint(format!("name `{near}` instead")));
            }
        }
        Ok(())
    }
}

/// `install chrony 4.3-2, with libtomcrypt1`
fn summary(state: &Packages, foreseen: &Foreseen, refresh: bool) -> String {
    let is_wanted = |name: &str| state.missing.iter().any(|spec| spec.split('=').next() == Some(name));
    let mut wanted: Vec<String> = Vec::new();
    for spec in &state.missing {
        let version = foreseen.new.iter().find(|(name, _)| name == spec).map(|(_, version)| format!(" {version}"));
        wanted.push(format!("{spec}{}", version.unwrap_or_default()));
    }
    let mut text = format!("install {}", wanted.join(", "));
    let with: Vec<&str> = foreseen.new.iter().map(|(name, _)| name.as_str()).filter(|name| !is_wanted(name)).collect();
    if !with.is_empty() {
        text.push_str(&format!(", with {}", with.join(", ")));
    }
    for (name, old, new) in &foreseen.other {
        text.push_str(&format!(", {name} from {old} to {new}"));
    }
    if refresh {
        text.push_str(", after an update of the lists of packages");
    }
    text
}

fn installed(name: &str) -> Effect {
    Effect::fact(name, PlannedPackage)
}

fn refused(code: &'static str, message: String) -> Error {
    Error::new(Kind::Refused, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(update: Update) -> Installed {
        Installed { packages: vec![Spec::parse("chrony").unwrap()], update }
    }

    fn state(said: &str, possible: bool) -> Packages {
        let missing = vec!["chrony".to_owned()];
        let (manager, said) = (Some(Manager::Apt), said.to_owned());
        Packages { manager, is_root: true, missing, said, possible, ..Packages::default() }
    }

    fn planned(update: Update, state: &Packages) -> Result<String, &'static str> {
        match op(update).plan(state) {
            Ok(Plan::Change(change)) => Ok(change.summary),
            Ok(Plan::Unchanged) => Ok(String::new()),
            Err(error) => Err(error.code()),
        }
    }

    #[test]
    fn what_would_come_in_is_told() {
        let said = "Inst liba (1 Debian:12 [amd64])\nInst libc6 [2.36-9] (2.36-10 Debian:12 [amd64])\nInst chrony (4.3-2 Debian:12 [amd64])\n";
        let summary = planned(Update::Auto, &state(said, true));
        assert_eq!(summary.as_deref(), Ok("install chrony 4.3-2, with liba, libc6 from 2.36-9 to 2.36-10"));
        assert_eq!(planned(Update::Auto, &Packages { missing: vec![], ..state("", true) }).as_deref(), Ok(""));
    }

    #[test]
    fn an_unknown_package_asks_for_new_lists_once() {
        let said = "E: Unable to locate package chrony";
        let summary = planned(Update::Auto, &state(said, false));
        assert_eq!(summary.as_deref(), Ok("install chrony, after an update of the lists of packages"));
        assert_eq!(planned(Update::Never, &state(said, false)), Err("pkg.unknown"));
    }

    #[test]
    fn what_would_do_harm_or_nothing_is_refused() {
        let removes = "Remv ntp [1]\nInst chrony (4.3-2 Debian:12 [amd64])\n";
        assert_eq!(planned(Update::Auto, &state(removes, true)), Err("pkg.removes"));
        assert_eq!(planned(Update::Auto, &state("Inst other (1 x)\n", true)), Err("pkg.virtual"));
        assert_eq!(planned(Update::Auto, &state("E: Unmet dependencies.", false)), Err("pkg.unmet"));
        assert_eq!(planned(Update::Auto, &Packages { is_root: false, ..state("", true) }), Err("pkg.rights"));
        assert_eq!(planned(Update::Auto, &Packages { manager: None, ..state("", true) }), Err("pkg.manager"));
    }

    #[test]
    fn a_package_of_an_earlier_call_is_there() {
        let mut overlay = Overlay::default();
        overlay.record(installed("chrony"));
        assert!(op(Update::Auto).assume(state("", true), &overlay).missing.is_empty());
    }

    #[test]
    fn what_was_kept_says_whose_it_is() {
        let keep = Keep::new("r", 3);
        let Ok(Plan::Change(change)) = op(Update::Auto).plan(&state("Inst chrony (4 x)\n", true)) else { panic!() };
        let standing = |state: &Packages| op(Update::Auto).standing(state, &change.before, &keep);
        let (name, version, status) = ("chrony:amd64".to_owned(), "4".to_owned(), "installed".to_owned());
        let there = Packages { known: vec![Known { name, version, status }], ..state("", true) };
        assert_eq!(standing(&state("", true)), Standing::AsBefore);
        assert!(matches!(standing(&there), Standing::Foreign(_)));
        let kept = vec!["/var/lib/haengine/r/3".to_owned()];
        assert_eq!(standing(&Packages { kept: kept.clone(), ..there }), Standing::Ours);
        assert_eq!(standing(&Packages { kept, ..state("", true) }), Standing::Ours);
    }
}
