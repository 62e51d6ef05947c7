//! `service::running`: a unit runs, with the files that it has now.

use std::time::Duration;

use async_trait::async_trait;
use haengine_kernel::arguments::Arguments;
use haengine_kernel::error::Result;
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Example, Op, Plan, Standing};
use haengine_kernel::overlay::{Effect, Overlay};
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::signature::{Absent, Param, ParamKind, Signature};
use haengine_kernel::transport::Command;
use haengine_kernel::uses::Uses;
use serde::{Deserialize, Serialize};

use super::enablement::{Enablement, must_enable, record};
use super::failure;
use super::name::{full_name, template, units};
use super::owned::{Owned, Was, refuse_broad};
use super::planned::{Activity, PlannedEnablement};
use super::pods;
use super::stamp::{Stamps, is_newer, is_stale};
use super::stopping;
use super::unit::{FOLDERS, File, Unit, refused};

/// Its first line is the command's name for a person.
const APPLY: &str = concat!(
    "# Makes a unit run.\n",
    include_str!("sha256.sh"),
    include_str!("stamp_as.sh"),
    include_str!("links.sh"),
    include_str!("apply.sh")
);
const REREAD: &str = include_str!("reread.sh");
const STOP: &str = include_str!("stop.sh");
const STAMP: &str =
    concat!("# Puts the stamp of a unit back.\n", include_str!("stamp_as.sh"), include_str!("stamp.sh"));

/// A unit runs, and starts at boot.
#[derive(Clone, Serialize, Deserialize)]
pub struct Running {
    unit: String,
    enabled: bool,
    restart_on: Vec<String>,
    reload_on: Vec<String>,
    owns: Vec<String>,
    /// True for a kubelet.
    #[serde(default)]
    pods: bool,
    /// What succeeds once it is ready.
    #[serde(default)]
    ready: Option<String>,
    /// Seconds.
    timeout: u64,
    /// Set when the op comes from the journal: undo asks for nothing of the files, of which some are large.
    #[serde(skip, default = "recorded")]
    recorded: bool,
}

fn recorded() -> bool {
    true
}

/// What undo needs.
#[derive(Serialize, Deserialize)]
pub struct Before {
    /// It ran, or systemd was about to start it: undo does not stop it.
    active: bool,
    failed: bool,
    /// Which boot of the host, and which start of the unit in it.
    boot: String,
    started: u64,
    /// None when the enablement stays.
    enablement: Option<Enablement>,
    stamp: Option<String>,
    owned: Vec<Owned>,
    /// What was mounted at or below what it owns; none in journals that do not tell.
    #[serde(default)]
    mounts: Option<Vec<String>>,
    /// The pods that were there, of a kubelet.
    #[serde(default)]
    pods: Vec<String>,
    reread: bool,
    act: Act,
    /// What is remembered of the files that the unit is then started with.
    #[serde(default)]
    stamps: Stamps,
}

/// What is done to the unit itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Nothing,
    Start,
    Restart,
    Reload,
}

impl Act {
    fn word(self) -> &'static str {
        match self {
            Act::Nothing => "-",
            Act::Start => "start",
            Act::Restart => "restart",
            Act::Reload => "reload",
        }
    }
}

#[async_trait]
impl Op for Running {
    const NAME: &'static str = "service.running";
    const ABOUT: &'static str = "A unit runs, and starts at boot.

Restarts follow from state, not from what happened to change: the unit is restarted when one of the files in \
`restart_on` has another content than when it was last started. That is remembered on the host in `/run/haengine`, so \
a run that breaks off between writing a file and restarting loses nothing: the next one restarts. Where nothing is \
remembered, because the host was rebooted or somebody else started the unit, the unit is restarted unless all of these \
files are surely older than its start.

After a start the unit must stay up; if it does not, the error shows the end of its journal. Unit files that changed \
are read again first. A masked unit is refused. Units that have nothing to enable (static, generated) just run.

A unit can run and not be ready: `ready` is a command of the shell that succeeds once it is. It is asked after each \
start and restart, by undo too.

`owns` names what the unit itself writes: folders that are its alone, or patterns, such as `/etc/demo/demo*`, in which \
`*` is any part of a name.

**Undo** stops what did not run (a unit that systemd was about to start again counts as one that ran) and puts the \
enablement back. What appeared in the paths under `owns` (in a folder that was there: the new entries directly in it) is \
moved to where the run keeps things on the host, in `/var/lib/haengine/RUN/aside` or, on another mount, in \
`.haengine/RUN/aside` at its root; it stays there until the run is forgotten. What is mounted there since is unmounted, \
not lazily and not by force; what cannot be unmounted stays where it is, and so does a file system in memory that is \
not empty. No mount is entered. The pods of a kubelet (`pods`) end first, since they go on without it.

What ran before is restarted as soon as its files are back, and before anything else is taken back; one host after the \
other, each ready before the next.";
    const SIGNATURE: Signature = Signature {
        positional: &[
            Param::hosts(),
            Param::new("units", ParamKind::Strings, "A unit or an array of them; without a suffix, a service."),
        ],
        options: &[
            Param::option(
                "enabled",
                ParamKind::Boolean,
                Absent::Boolean(true),
                "Start it at boot too; `false` leaves that as it is.",
            ),
            Param::option(
                "restart_on",
                ParamKind::Paths,
                Absent::Strings(&[]),
                "Files that it must have been restarted with.",
            ),
            Param::option("reload_on", ParamKind::Paths, Absent::Strings(&[]), "Files for which a reload is enough."),
            Param::option(
                "owns",
                ParamKind::Paths,
                Absent::Strings(&[]),
                "What the unit itself writes: undo moves aside what appeared.",
            ),
            Param::option("pods", ParamKind::Boolean, Absent::Boolean(false), "It is a kubelet: undo ends its pods."),
            Param::option(
                "ready",
                ParamKind::String,
                Absent::Means("()"),
                "A command that succeeds once the unit is ready.",
            ),
            Param::option(
                "timeout",
                ParamKind::Duration,
                Absent::String("90s"),
                "How long it may take to start. A restart and undo wait as long as systemd does for it to stop, besides.",
            ),
        ],
    };
    const EXAMPLES: &'static [Example] = &[
        Example {
            about: "A service runs, and starts at boot.",
            given: DEMO,
            code: r#"service::running(h, "demo")"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "It is restarted when its configuration is not the one that it was started with.",
            given: concat!(
                "mkdir -p /etc/demo && echo old >/etc/demo/demo.conf\n",
                "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/demo.service\n",
                "systemctl daemon-reload && systemctl start demo && sleep 1.1 && echo new >/etc/demo/demo.conf"
            ),
            code: r#"service::running(h, "demo", #{ restart_on: ["/etc/demo/demo.conf"] })"#,
            gives: r#"{"changed":true}"#,
        },
        Example {
            about: "Undo moves aside what the service wrote, as well as stopping it.",
            given: concat!(
                "printf '[Service]\\nExecStart=/bin/sh -c \"mkdir -p /srv/demo; exec sleep infinity\"\\n[Install]\\nWantedBy=multi-user.target\\n'",
                " >/etc/systemd/system/demo.service\nsystemctl daemon-reload"
            ),
            code: r#"service::running(h, "demo", #{ enabled: false, owns: ["/srv/demo"] })"#,
            gives: r#"{"changed":true}"#,
        },
    ];
    const SETTLES: bool = true;
    type State = Unit;
    type Before = Before;

    fn parse(arguments: &Arguments) -> Result<Vec<Self>> {
        let op = Running {
            unit: String::new(),
            enabled: arguments.boolean("enabled")?,
            restart_on: arguments.strings("restart_on"),
            reload_on: arguments.strings("reload_on"),
            owns: arguments.strings("owns"),
            pods: arguments.boolean("pods")?,
            ready: arguments.opt_string("ready"),
            timeout: patience(arguments)?,
            recorded: false,
        };
        for path in arguments.strings("owns") {
            refuse_broad(&path)?;
        }
        Ok(units(arguments)?.into_iter().map(|unit| Running { unit, ..op.clone() }).collect())
    }

    fn target(&self) -> String {
        self.unit.clone()
    }

    fn uses(&self) -> Uses {
        Uses::service(&self.unit, self.restart_on.iter().chain(&self.reload_on).chain(&self.owns))
    }

    async fn observe(&self, host: &Host) -> Result<Unit> {
        let mut unit = self.look(host, !self.recorded).await?;
        if self.pods && !self.recorded {
            unit.pods = pods::list(host).await?;
        }
        Ok(unit)
    }

    fn assume(&self, state: Unit, overlay: &Overlay) -> Unit {
        state.assume(overlay)
    }

    fn plan(&self, unit: &Unit) -> Result<Plan<Before>> {
        unit.refuse_if_unusable()?;
        // What does not run has not been started with any files.
        let (restart, reload) = if unit.is_active() { self.stale(unit) } else { Default::default() };
        let act = match () {
            () if !unit.is_active() => Act::Start,
            () if !restart.is_empty() => Act::Restart,
            () if !reload.is_empty() => Act::Reload,
            () => Act::Nothing,
        };
        if act == Act::Reload && !unit.can_reload {
            return Err(refused("service.no_reload", format!("`{}` cannot reload", self.unit))
                .hint("name the file under `restart_on` instead"));
        }
        let enable = self.enabled && (must_enable(unit) || unit.is_unknown());
        let reread = unit.must_reread || unit.is_unread();
        if act == Act::Nothing && !enable && !reread {
            return Ok(Plan::Unchanged);
        }
        let mut words = Vec::new();
        words.extend(enable.then(|| "enable".to_owned()));
        match act {
            Act::Nothing if !enable => words.push("read its unit file again".to_owned()),
            Act::Nothing => {}
            Act::Start => words.push("start".to_owned()),
            Act::Restart => words.push(format!("restart for {}", restart.join(", "))),
            Act::Reload => words.push(format!("reload for {}", reload.join(", "))),
        }
        let before = Before {
            active: unit.is_active() || unit.is_coming_up(),
            failed: unit.is_failed(),
            boot: unit.boot.clone(),
            started: unit.started,
            enablement: enable.then(|| Enablement::of(unit)),
            stamp: unit.stamp.clone(),
            owned: unit.owned.clone(),
            mounts: Some(unit.mounts.clone()),
            pods: unit.pods.clone(),
            reread,
            act,
            stamps: Stamps::of(unit),
        };
        let mut effects = vec![Effect::fact(&self.unit, Activity::Active)];
        effects.extend(enable.then(|| Effect::fact(&self.unit, PlannedEnablement("enabled"))));
        Ok(Plan::Change(Change { before, summary: words.join(", "), diff: None, effects }))
    }

    async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let enable = before.enablement.is_some().then_some(keep);
        self.make(host, before.reread, enable, before.act, &before.stamps).await
    }

    fn standing(&self, unit: &Unit, before: &Before, _keep: &Keep) -> Standing {
        let same_boot = unit.boot == before.boot;
        if unit.load == "masked" {
            return Standing::Foreign("it is masked".to_owned());
        }
        // Without a stamp of ours, it was our own start that failed, or a later change of the run that was taken back.
        let never_ran = before.act != Act::Nothing && before.stamps != Stamps::None && unit.stamp == before.stamp;
        if before.active && unit.active == "inactive" && same_boot && !never_ran {
            return Standing::Foreign("it is stopped".to_owned());
        }
        let enabled_back = before.enablement.as_ref().is_none_or(|enablement| enablement.is_back(unit));
        // What ran before is left to `settle`: it cannot run as before until its files are.
        let runs_as_before = before.active || (unit.is_down() && (before.failed || !unit.is_failed()));
        let owned_back = before.active || self.was(before).appeared(&unit.owned).is_empty();
        // A stamp does not survive a boot.
        let stamp_back = unit.stamp == before.stamp || (!same_boot && unit.stamp.is_none());
        if enabled_back && runs_as_before && owned_back && stamp_back { Standing::AsBefore } else { Standing::Ours }
    }

    async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        let mut remains = Remains::new();
        if !before.active {
            self.stop(host, !before.failed).await?;
            if self.pods {
                pods::end(host, &before.pods).await?;
            }
            remains = self.clear(host, before, keep).await?;
        }
        if let Some(enablement) = &before.enablement {
            remains.extend(enablement.restore(host, &self.unit, keep).await?);
        }
        let stamp = before.stamp.as_deref().unwrap_or_default();
        host.ok(&Command::script(STAMP).arg(&self.unit).arg(stamp)).await.map(|_| remains)
    }

    /// What ran before is restarted once the files are back for which it was, and those that make the unit.
    fn awaits(&self, first: &Before, _before: &Before) -> Vec<String> {
        if !first.active {
            return Vec::new();
        }
        let mut names = vec![self.unit.clone(), template(&self.unit)];
        names.dedup();
        let places = FOLDERS.iter().flat_map(|folder| names.iter().map(move |name| format!("{folder}/{name}")));
        let places: Vec<String> = places.flat_map(|place| [format!("{place}.d"), place]).collect();
        self.files().into_iter().map(str::to_owned).chain(places).collect()
    }

    /// What ran before the run is restarted if it runs since then, and not yet with the files that are back. A unit that
    /// the run itself started is not: it ran before a later change of it, and it is stopped by now.
    async fn settle(&self, host: &Host, first: &Before, before: &Before, keep: &Keep) -> Result<Remains> {
        if !first.active {
            let command = Command::script(REREAD).arg(&self.unit);
            return failure::act(host, &self.unit, "read", self.timeout, command).await.map(|()| Remains::new());
        }
        let unit = self.look(host, true).await?;
        if unit.is_unknown() {
            return Ok(Remains::new());
        }
        let restarted = unit.started != before.started;
        let newer = unit.files.iter().any(|file| is_newer(&unit, file));
        let act = match before.act {
            _ if !unit.is_active() => Act::Start,
            Act::Restart | Act::Start if restarted && newer => Act::Restart,
            Act::Reload if newer => Act::Reload,
            _ => Act::Nothing,
        };
        let appeared = self.was(before).appeared(&unit.owned);
        let clears = matches!(act, Act::Start | Act::Restart) && !appeared.is_empty();
        let mut remains = Remains::new();
        if clears {
            self.stop(host, true).await?;
            remains = self.clear(host, before, keep).await?;
        }
        let act = if clears { Act::Start } else { act };
        if act == Act::Nothing && !unit.must_reread {
            return Ok(remains);
        }
        let stamps = if before.stamp.is_some() { Stamps::of(&unit) } else { Stamps::None };
        self.make(host, unit.must_reread, None, act, &stamps).await.map(|()| remains)
    }
}

impl Running {
    /// The unit, and the files for which it must be restarted if `with_files`.
    async fn look(&self, host: &Host, with_files: bool) -> Result<Unit> {
        let files = if with_files { self.files() } else { Vec::new() };
        let wanted = if self.enabled { "enabled" } else { "-" };
        Unit::observe(host, &self.unit, wanted, &files, &self.owns).await
    }

    /// The files that it must have been started or reloaded with.
    fn files(&self) -> Vec<&str> {
        self.restart_on.iter().chain(&self.reload_on).map(String::as_str).collect()
    }

    /// A unit that runs, starts at boot, and is reloaded for files; for verbs that write these.
    ///
    /// # Errors
    /// When it cannot be the name of a unit, or it would own what belongs to the system.
    pub(crate) fn reloaded_for(
        unit: &str,
        reload_on: Vec<String>,
        owns: Vec<String>,
        patience: Duration,
    ) -> Result<Running> {
        owns.iter().try_for_each(|path| refuse_broad(path))?;
        let (unit, timeout) = (full_name(unit)?, patience.as_secs().max(1));
        let (restart_on, pods, ready) = (Vec::new(), false, None);
        Ok(Running { unit, enabled: true, restart_on, reload_on, owns, pods, ready, timeout, recorded: false })
    }

    /// The files for which it must be restarted, and those for which it must be reloaded.
    fn stale<'a>(&self, unit: &'a Unit) -> (Vec<&'a str>, Vec<&'a str>) {
        let (restart, reload) = unit.files.split_at(self.restart_on.len().min(unit.files.len()));
        let stale = |files: &'a [File]| {
            files.iter().filter(|file| is_stale(unit, file)).map(|file| file.path.as_str()).collect::<Vec<_>>()
        };
        (stale(restart), stale(reload))
    }

    async fn make(&self, host: &Host, reread: bool, enable: Option<&Keep>, act: Act, stamps: &Stamps) -> Result<()> {
        let word = act.word();
        // A restart stops it first.
        let stop = if act == Act::Restart { stopping::patience(host, &self.unit, 0).await? } else { 0 };
        let patience = stop + self.timeout;
        let flag = |on: bool| if on { "1" } else { "0" };
        let command = Command::script(APPLY)
            .arg(&self.unit)
            .arg(flag(reread))
            .arg(flag(enable.is_some()))
            .arg(word)
            .arg(patience.to_string())
            .arg(stamps.text(&self.files()))
            .arg(self.ready.as_deref().unwrap_or_default())
            .arg(enable.map(Keep::folder).unwrap_or_default())
            .arg(enable.map(record).unwrap_or_default())
            .args(self.files().into_iter().filter(|_| *stamps == Stamps::AtStart));
        failure::act(host, &self.unit, word, patience, command).await
    }

    async fn stop(&self, host: &Host, forget_failure: bool) -> Result<()> {
        let forget = if forget_failure { "1" } else { "0" };
        let patience = stopping::patience(host, &self.unit, self.timeout).await?;
        let command = Command::script(STOP).arg(&self.unit).arg(patience.to_string()).arg("0").arg(forget);
        failure::act(host, &self.unit, "stop", patience, command).await
    }

    /// Moves aside what appeared in the paths that the unit owns. Others may write there too, and go on.
    async fn clear(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        if self.owns.is_empty() {
            return Ok(Remains::new());
        }
        let (was, mut remains) = (self.was(before), Remains::new());
        let mut now = self.observe(host).await?.owned;
        for _ in 0..3 {
            let told = was.move_aside(host, &now, keep).await?;
            remains.extend(told.into_iter().filter(|remnant| !remains.contains(remnant)).collect::<Vec<_>>());
            now = self.observe(host).await?.owned;
            if was.appeared(&now).is_empty() || remains.iter().any(|remnant| !remnant.by_rule) {
                return Ok(remains);
            }
        }
        remains
            .extend(was.appeared(&now).into_iter().map(|path| Remnant::left(path, "somebody goes on writing there")));
        Ok(remains)
    }

    /// What was in the paths that the unit owns.
    fn was<'a>(&'a self, before: &'a Before) -> Was<'a> {
        Was { paths: &self.owns, owned: &before.owned, mounts: before.mounts.as_deref(), memory: self.pods }
    }
}

/// The option `timeout` in whole seconds.
pub(super) fn patience(arguments: &Arguments) -> Result<u64> {
    Ok(arguments.duration("timeout")?.as_secs().max(1))
}

/// A service for the examples.
pub(super) const DEMO: &str = concat!(
    "printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n'",
    " >/etc/systemd/system/demo.service\nsystemctl daemon-reload"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pkg::PlannedPackage;

    fn op() -> Running {
        let paths = |path: &str| vec![path.to_owned()];
        let (restart_on, reload_on, owns) = (paths("/etc/a"), paths("/etc/b"), paths("/var/lib/a"));
        Running {
            unit: "a.service".to_owned(),
            enabled: true,
            restart_on,
            reload_on,
            owns,
            pods: false,
            ready: None,
            timeout: 90,
            recorded: false,
        }
    }

    fn file(path: &str, changed: i64) -> File {
        File { path: path.to_owned(), sha256: Some("x".to_owned()), changed: Some(changed), ..File::default() }
    }

    /// Active and enabled since 1000 s on the wall clock, 60 s ago, all files older.
    fn unit() -> Unit {
        Unit {
            name: "a.service".to_owned(),
            load: "loaded".to_owned(),
            active: "active".to_owned(),
            enablement: "enabled".to_owned(),
            can_reload: true,
            started: 100_000_000,
            started_at: 1000,
            booted_at: 900,
            files: vec![file("/etc/a", 900), file("/etc/b", 900)],
            owned: vec![Owned::Absent],
            ..Unit::default()
        }
    }

    fn planned(unit: &Unit) -> Option<(String, Act)> {
        match op().plan(unit).unwrap() {
            Plan::Change(change) => Some((change.summary, change.before.act)),
            Plan::Unchanged => None,
        }
    }

    #[test]
    fn what_runs_with_its_files_is_left_alone() {
        assert_eq!(planned(&unit()), None);
        assert_eq!(planned(&Unit { enablement: "static".to_owned(), ..unit() }), None);
    }

    #[test]
    fn what_differs_is_planned() {
        let cases = [
            (Unit { active: "inactive".to_owned(), ..unit() }, "start", Act::Start),
            (Unit { active: "activating".to_owned(), ..unit() }, "start", Act::Start),
            (Unit { enablement: "disabled".to_owned(), ..unit() }, "enable", Act::Nothing),
            (Unit { must_reread: true, ..unit() }, "read its unit file again", Act::Nothing),
            (
                Unit { files: vec![file("/etc/a", 1010), file("/etc/b", 900)], ..unit() },
                "restart for /etc/a",
                Act::Restart,
            ),
            (
                Unit { files: vec![file("/etc/a", 900), file("/etc/b", 1010)], ..unit() },
                "reload for /etc/b",
                Act::Reload,
            ),
        ];
        for (unit, summary, act) in cases {
            assert_eq!(planned(&unit), Some((summary.to_owned(), act)));
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let code = |unit: &Unit| op().plan(unit).err().map(|error| error.code());
        let gone = Unit { load: "not-found".to_owned(), active: "inactive".to_owned(), ..unit() };
        assert_eq!(code(&gone), Some("service.unknown"));
        assert_eq!(code(&Unit { coming: true, ..gone }), None);
        assert_eq!(code(&Unit { load: "masked".to_owned(), ..unit() }), Some("service.masked"));
        let stale = vec![file("/etc/a", 900), file("/etc/b", 1010)];
        assert_eq!(code(&Unit { can_reload: false, files: stale, ..unit() }), Some("service.no_reload"));
    }

    #[test]
    fn a_package_or_unit_file_planned_before_brings_the_unit() {
        let gone = Unit { load: "not-found".to_owned(), active: "inactive".to_owned(), ..unit() };
        let mut overlay = Overlay::default();
        assert!(!gone.clone().assume(&overlay).coming);
        overlay.record(Effect::fact("a", PlannedPackage));
        let state = gone.assume(&overlay);
        assert_eq!(planned(&state), Some(("enable, start".to_owned(), Act::Start)));
    }

    fn standing(unit: &Unit, before: &Unit) -> Standing {
        let Plan::Change(change) = op().plan(before).unwrap() else { panic!("no change") };
        let json = serde_json::to_value(change.before).unwrap();
        op().standing(unit, &serde_json::from_value(json).unwrap(), &Keep::new("r", 1))
    }

    #[test]
    fn where_a_started_unit_stands() {
        let before = Unit { active: "inactive".to_owned(), enablement: "disabled".to_owned(), ..unit() };
        assert_eq!(standing(&before, &before), Standing::AsBefore);
        assert_eq!(standing(&unit(), &before), Standing::Ours);
        assert_eq!(standing(&Unit { active: "failed".to_owned(), ..before.clone() }, &before), Standing::Ours);
        assert_eq!(standing(&Unit { enablement: "enabled".to_owned(), ..before.clone() }, &before), Standing::Ours);
        assert_eq!(standing(&Unit { owned: vec![Owned::There], ..before.clone() }, &before), Standing::Ours);
        assert_eq!(standing(&Unit { stamp: Some("1\n{}".to_owned()), ..before.clone() }, &before), Standing::Ours);
    }

    #[test]
    fn where_a_restarted_unit_stands() {
        let before = Unit { files: vec![file("/etc/a", 1010), file("/etc/b", 900)], ..unit() };
        assert_eq!(standing(&Unit { started: 1, ..before.clone() }, &before), Standing::AsBefore);
        assert_eq!(standing(&Unit { active: "failed".to_owned(), ..before.clone() }, &before), Standing::AsBefore);
        let stopped = Unit { active: "inactive".to_owned(), stamp: Some("1\n{}".to_owned()), ..before.clone() };
        assert_eq!(standing(&stopped, &before), Standing::Foreign("it is stopped".to_owned()));
        let failed = Unit { stamp: None, ..stopped };
        assert_eq!(standing(&failed, &before), Standing::AsBefore);
        assert_eq!(standing(&Unit { boot: "other".to_owned(), ..failed }, &before), Standing::AsBefore);
    }

    #[test]
    fn a_unit_that_was_about_to_start_again_is_not_stopped() {
        let before = Unit { active: "activating".to_owned(), ..unit() };
        assert_eq!(standing(&unit(), &before), Standing::AsBefore);
        assert_eq!(standing(&before, &before), Standing::AsBefore);
    }
}
