//! Placing a text as a file: the part that `put`, `template`, `replace` and `line` share. They differ only in how
//! they come by the text.

use haengine_kernel::arguments::Arguments;
use haengine_kernel::diff::Diff;
use haengine_kernel::error::{Error, Kind, Result};
use haengine_kernel::host::Host;
use haengine_kernel::keep::Keep;
use haengine_kernel::op::{Change, Plan, Standing};
use haengine_kernel::overlay::{Effect, PlannedFile};
use haengine_kernel::remnant::{Remains, Remnant};
use haengine_kernel::secret::{REDACTED, Secret};
use haengine_kernel::signature::{Absent, Param, ParamKind};
use haengine_kernel::text::{Text, TextDigest};
use haengine_kernel::transport::{Command, Exit, Output};
use serde::{Deserialize, Serialize};

use crate::file::former;
use crate::file::in_place::{POUR, POUR_BACK, POURED, kept_aside, mode_meanwhile, refuse_large};
use crate::file::look::{Found, Proof, Seen, Sort, attributes_effect, look, need_above, revisit};
use crate::file::owner::Owner;
use crate::file::path;
use crate::file::succeed::{because, failed, succeed};

const PLACE: &str = concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("place.sh"));
/// Takes a placed file or link back: see the script for its arguments.
pub const RESTORE: &str = concat!(include_str!("own.sh"), include_str!("area.sh"), include_str!("restore.sh"));
const ATTRIBUTES: &str = include_str!("attributes.sh");

/// Up to this size a file is kept as a copy, and compared by its hash; a larger one keeps its inode.
const COPIED: u64 = 16 * 1024 * 1024;

/// Beyond this size a diff helps nobody.
const DIFFED: usize = 256 * 1024;

/// The mode of a new file when the recipe names none.
const NEW_MODE: u32 = 0o644;

/// The option `mode` of files.
pub const MODE: Param = Param::option(
    "mode",
    ParamKind::Mode,
    Absent::Means("as it is; `0o644` for a new file, `0o600` where it holds a secret"),
    "Permissions of the file.",
);
/// The option `validate`.
pub const VALIDATE: Param = Param::option(
    "validate",
    ParamKind::String,
    Absent::Means("()"),
    "A command that must accept the new file before it takes its place; `%s`, without quotes, stands for its name.",
);

/// Where a text is placed, and how.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Placement {
    /// The file.
    pub path: String,
    /// Its permissions, where the recipe names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// The permissions of a new file, where they are not the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_mode: Option<u32>,
    /// Its owner and group, where the recipe names them.
    #[serde(flatten)]
    pub owner: Owner,
    /// The command that must accept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<String>,
    /// Which one it is where one change places several files: their kept ones must not meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
    /// An old file is written into, and keeps its inode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_place: bool,
}

/// What undo needs to know of a placed text.
#[derive(Serialize, Deserialize)]
pub struct Before {
    /// What was there.
    pub was: Option<Found>,
    /// Hash and size of what is placed.
    pub after: Option<TextDigest>,
    /// What is placed: for apply, which follows at once. The journal keeps no content.
    #[serde(skip)]
    text: Option<Text>,
}

/// How a planned file is placed.
pub enum Placing {
    /// Its content stays.
    Attributes(Command),
    /// The command reads the content from its standard input.
    Content(Command),
}

impl Placement {
    /// The placement of a call that says whose the file shall be, and with which permissions.
    ///
    /// # Errors
    /// When the arguments do not go together.
    pub fn parse(arguments: &Arguments) -> Result<Placement> {
        let owner = Owner::parse(arguments);
        Ok(Placement { mode: arguments.opt_mode("mode"), owner, ..Placement::edited(arguments)? })
    }

    /// The placement of a call that edits a file, and leaves owner and permissions as they are.
    ///
    /// # Errors
    /// When the arguments do not go together.
    pub fn edited(arguments: &Arguments) -> Result<Placement> {
        let validate = arguments.opt_string("validate");
        if validate.as_ref().is_some_and(|command| !command.contains("%s")) {
            let message = format!("`validate` of `{}` does not name the new file", arguments.function());
            return Err(Error::new(Kind::Usage, "file.validate", message).hint("write `%s` where its name belongs"));
        }
        Ok(Placement { path: path::of(arguments, "path")?, validate, ..Placement::default() })
    }

    /// The same of a verb that has the option `in_place`.
    ///
    /// # Errors
    /// When it was not given and has no default.
    pub fn in_place(self, arguments: &Arguments) -> Result<Placement> {
        Ok(Placement { in_place: arguments.boolean("in_place")?, ..self })
    }

    /// The placement of a file that a verb makes itself, one of those of its change; `new_mode` is that of a new file.
    pub fn part(path: String, new_mode: u32, part: u32) -> Placement {
        Placement { path, new_mode: Some(new_mode), part: Some(part), ..Placement::default() }
    }

    /// The placement of a file that its program must accept: `test` is its command, with `%s` for the file's name.
    pub fn tested(path: String, test: &str) -> Placement {
        Placement { path, validate: Some(test.to_owned()), ..Placement::default() }
    }

    /// What must change so that `wanted` stands there.
    ///
    /// # Errors
    /// When something is there that is no file, or the folder is missing.
    pub fn plan(&self, seen: &Seen, wanted: &Text) -> Result<Plan<Before>> {
        self.refuse_other_sorts(seen)?;
        if seen.found.is_none() {
            need_above(&self.path, seen)?;
        }
        let after = wanted.digest();
        let found = seen.found.as_ref();
        let same_text =
            after.is_some() && found.and_then(|found| found.sha256.as_ref()) == after.as_ref().map(|d| &d.sha256);
        let attributes = found.filter(|_| seen.sure).and_then(|found| self.attributes_differ(found));
        if same_text && attributes.is_none() {
            return Ok(Plan::Unchanged);
        }
        if let Some(found) = found.filter(|_| self.in_place && !same_text) {
            refuse_large(&self.path, found.size.max(after.as_ref().map_or(0, |after| after.bytes)))?;
        }
        let content = if same_text { None } else { Some(self.summary(found, after.as_ref())) };
        let summary = content.into_iter().chain(attributes).collect::<Vec<_>>().join(", ");
        let diff = if same_text { None } else { diff(seen, wanted) };
        let before = Before { was: seen.found.clone(), after, text: Some(wanted.clone()) };
        Ok(Plan::Change(Change { before, summary, diff, effects: self.effects(found, wanted) }))
    }

    /// Places what was planned.
    ///
    /// # Errors
    /// When the host did not do it; then the old file is where it was, or undo will put it back.
    pub async fn apply(&self, host: &Host, before: &Before, keep: &Keep) -> Result<()> {
        let command = match self.placing(before, keep, "") {
            Placing::Attributes(command) => command,
            Placing::Content(command) => {
                let text = before.text.as_ref().ok_or_else(|| {
                    Error::new(Kind::Local, "journal.no_content", "the journal keeps only the hash of a text")
                })?;
                command.stdin(text.content()?)
            }
        };
        let output = host.exec(&command).await?;
        match &before.text {
            Some(Text::Secret(secret)) => self.judge(&discreet(output, secret)),
            _ => self.judge(&output),
        }
    }

    /// How what was planned is placed. `check` is sh that looks at the new file, `"$1"`, before `validate` does; it
    /// may be empty.
    pub fn placing(&self, before: &Before, keep: &Keep, check: &str) -> Placing {
        let mode = format!("{:05o}", self.mode_after(before.was.as_ref()));
        let owner = self.owner.spec();
        let same_text = before.keeps_text();
        if let Some(was) = before.was.as_ref().filter(|_| same_text) {
            return Placing::Attributes(attributes(&self.path, &mode, &owner, "", was));
        }
        let validate = self.validate.as_ref().map(|command| command.replace("%s", "\"$1\""));
        let checks: Vec<&str> =
            [check].into_iter().chain(validate.as_deref()).filter(|check| !check.is_empty()).collect();
        let checks = checks.join(" || exit\n");
        if let Some(was) = self.poured(before) {
            let (hash, text) = hashes(was, before);
            let pour = self.kept(POUR, keep).args([&mode, &owner, &self.mode_meanwhile(was), &checks]);
            return Placing::Content(pour.args([was.identity().as_str(), hash, text]));
        }
        let (age, mode) = match before.was {
            Some(_) if self.mode.is_none() && owner.is_empty() => ("old", String::new()),
            Some(_) => ("old", mode),
            None => ("new", mode),
        };
        let (seen, hash) = before.was.as_ref().map(seen_as).unwrap_or_default();
        Placing::Content(self.kept(PLACE, keep).args([age, &mode, &owner, &checks, &seen, &hash]))
    }

    /// What became of it.
    ///
    /// # Errors
    /// When the host did not do it.
    pub fn judge(&self, output: &Output) -> Result<()> {
        if output.success() { Ok(()) } else { Err(self.failed(output)) }
    }

    /// Where a host stands.
    pub fn standing(&self, seen: &Seen, before: &Before, keep: &Keep) -> Standing {
        let (was, found) = (before.was.as_ref(), seen.found.as_ref());
        let as_before = match (was, found) {
            (None, None) => true,
            (Some(was), Some(found)) => was.same(found),
            _ => false,
        };
        match found {
            _ if as_before && !seen.is_midway() => Standing::AsBefore,
            _ if as_before => Standing::Ours,
            None => Standing::Foreign("it is gone".to_owned()),
            Some(found) => match self.made(found, seen, before, keep) {
                Made::Here => self.differs(seen, found, before).map_or(Standing::Ours, Standing::Foreign),
                Made::Nothing => Standing::Ours,
                Made::Replaced(how) => Standing::Foreign(how.to_owned()),
            },
        }
    }

    /// Whether what is there is what the change made.
    fn made(&self, found: &Found, seen: &Seen, before: &Before, keep: &Keep) -> Made {
        let replaced = Made::Replaced("it is another file, which somebody else put there");
        if !keep.is_recorded() {
            return Made::Here;
        }
        if let Some(was) = before.was.as_ref().filter(|_| before.keeps_text()) {
            return if was.inode == found.inode { Made::Here } else { replaced };
        }
        match seen.trace.proof(if self.poured(before).is_some() { POURED } else { "file" }) {
            Proof::Ours => Made::Here,
            _ if !keep.made => Made::Nothing,
            Proof::Other => replaced,
            Proof::None => Made::Replaced("the host has no record any more that this run made it"),
        }
    }

    /// How a file differs both from what was there and from what was placed; between the two every mixture is ours. What
    /// is written in place and broke off is judged on the host.
    fn differs(&self, seen: &Seen, found: &Found, before: &Before) -> Option<String> {
        let was = before.was.as_ref();
        let is_between = self.poured(before).is_some() && seen.is_midway();
        if found.sort != Sort::File {
            return Some(format!("it is now {}", found.sort.named()));
        }
        let placed = before.after.as_ref().is_some_and(|after| found.sha256.as_ref() == Some(&after.sha256));
        if !placed && !is_between && was.is_none_or(|was| was.sha256 != found.sha256) {
            return Some("its content is different".to_owned());
        }
        let mut modes = vec![self.mode_after(was), was.map_or(self.new_mode(), |was| was.mode)];
        modes.extend(self.poured(before).and_then(|was| mode_meanwhile(was, self.mode_after(Some(was)), &self.owner)));
        if !modes.contains(&found.mode) {
            return Some(format!("its mode is {:04o}", found.mode));
        }
        let owned = self.owner.fits(found) || was.is_some_and(|was| (was.uid, was.gid) == (found.uid, found.gid));
        (!owned).then(|| format!("its owner is {}:{}", found.owner, found.group))
    }

    /// Puts back what was there.
    ///
    /// # Errors
    /// When the host did not do it.
    pub async fn undo(&self, host: &Host, before: &Before, keep: &Keep) -> Result<Remains> {
        if !keep.is_recorded() {
            former::restore(host, &self.path, keep, &self.name(keep), before.was.is_some()).await?;
        }
        // Where only mode and owner were changed, nothing was kept.
        if let Some(was) = before.was.as_ref().filter(|_| before.keeps_text()) {
            succeed(host, &attributes_of(&self.path, was), &self.path).await?;
            return Ok(Remains::new());
        }
        if !keep.is_recorded() {
            return Ok(Remains::new());
        }
        let said = succeed(host, &self.restoring(before, keep), &self.path).await?.text();
        let mut remains = Remains::new();
        if said.lines().any(|line| line == "left") {
            remains = left_at(host, &self.path, before.was.as_ref()).await?;
        }
        remains.extend(kept_aside(&self.path, &said));
        Ok(remains)
    }

    /// The command that puts back what was there.
    fn restoring(&self, before: &Before, keep: &Keep) -> Command {
        if let Some(was) = self.poured(before) {
            let (hash, text) = hashes(was, before);
            return self.kept(POUR_BACK, keep).args([text, hash, &self.mode_meanwhile(was)]);
        }
        let age = if before.was.is_some() { "old" } else { "new" };
        let after = before.after.as_ref().map(|after| after.sha256.as_str()).unwrap_or_default();
        let (_, hash) = before.was.as_ref().map(seen_as).unwrap_or_default();
        self.kept(RESTORE, keep).args(["file", age, after, &hash])
    }

    /// Looks at it for an undo.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub async fn revisit(&self, host: &Host, keep: &Keep) -> Result<Seen> {
        revisit(host, &self.path, keep, &self.name(keep)).await
    }

    /// The name of what it keeps.
    fn name(&self, keep: &Keep) -> String {
        self.part.map_or_else(|| keep.name(), |part| format!("{}.{part}", keep.name()))
    }

    fn kept(&self, script: &str, keep: &Keep) -> Command {
        kept_as(Command::script(script), &self.path, keep, &self.name(keep))
    }

    fn refuse_other_sorts(&self, seen: &Seen) -> Result<()> {
        let Some(found) = seen.found.as_ref().filter(|found| found.sort != Sort::File) else { return Ok(()) };
        let error = Error::new(Kind::Refused, "file.not_a_file", format!("`{}` is {}", self.path, found.sort.named()));
        Err(match &found.target {
            Some(target) => error.hint(format!("write to where it leads, `{target}`, or remove the link by hand")),
            None => error.hint("choose another path, or move it away by hand"),
        })
    }

    /// The same, where a new file is the owner's alone if it holds a secret and the recipe names no mode.
    #[must_use]
    pub fn holding(mut self, content: &Text) -> Placement {
        if matches!(content, Text::Secret(_)) {
            self.new_mode.get_or_insert(0o600);
        }
        self
    }

    fn new_mode(&self) -> u32 {
        self.new_mode.unwrap_or(NEW_MODE)
    }

    fn mode_after(&self, was: Option<&Found>) -> u32 {
        self.mode.unwrap_or_else(|| was.map_or(self.new_mode(), |was| was.mode))
    }

    /// The old file, where it is written into.
    fn poured<'a>(&self, before: &'a Before) -> Option<&'a Found> {
        before.was.as_ref().filter(|_| self.in_place && !before.keeps_text())
    }

    fn mode_meanwhile(&self, was: &Found) -> String {
        let mode = mode_meanwhile(was, self.mode_after(Some(was)), &self.owner);
        mode.map(|mode| format!("{mode:05o}")).unwrap_or_default()
    }

    fn summary(&self, found: Option<&Found>, after: Option<&TextDigest>) -> String {
        let summary = summary(found, after);
        if self.in_place && found.is_some() { format!("{summary}, in place") } else { summary }
    }

    fn attributes_differ(&self, found: &Found) -> Option<String> {
        attributes_differ(self.mode, &self.owner, found)
    }

    fn effects(&self, found: Option<&Found>, wanted: &Text) -> Vec<Effect> {
        let owner = self.owner.owner.as_deref().or(found.map(|found| found.owner.as_str())).unwrap_or("root");
        let group = self.owner.group.as_deref().or(found.map(|found| found.group.as_str())).unwrap_or("root");
        vec![
            Effect::File(self.path.clone(), PlannedFile::File(wanted.clone())),
            attributes_effect(&self.path, self.mode_after(found), owner, group),
        ]
    }

    fn failed(&self, output: &Output) -> Error {
        let path = &self.path;
        let error = match (&output.exit, &self.validate) {
            (Exit::Status(73), Some(command)) => {
                Error::new(Kind::Failed, "file.validate", format!("`{command}` does not accept the new `{path}`"))
                    .hint("correct the content; the old file is still in its place")
            }
            (Exit::Status(74), _) => {
                Error::new(Kind::Failed, "file.denied", format!("`{path}` belongs to another user"))
                    .hint("set `become: true` for the host in the inventory")
            }
            (exit, _) => return failed(path, exit, output),
        };
        because(error, output)
    }
}

/// What differs between the named mode and owner and those found, in a few words.
pub fn attributes_differ(mode: Option<u32>, owner: &Owner, found: &Found) -> Option<String> {
    let mode = mode.filter(|mode| *mode != found.mode).map(|mode| format!("mode {:04o} → {mode:04o}", found.mode));
    let owner = (!owner.fits(found)).then(|| format!("owner {}:{} → {}", found.owner, found.group, owner.spec()));
    let differs: Vec<String> = mode.into_iter().chain(owner).collect();
    (!differs.is_empty()).then(|| differs.join(", "))
}

/// The arguments that every script on kept things takes first.
pub fn kept(script: Command, path: &str, keep: &Keep) -> Command {
    kept_as(script, path, keep, &keep.name())
}

fn kept_as(script: Command, path: &str, keep: &Keep, name: &str) -> Command {
    script.args([path, &keep.folder(), &keep.run, name, &keep.nonce])
}

/// How a script knows what was seen: its identity, and the hash of a file that is not large.
pub fn seen_as(was: &Found) -> (String, String) {
    let hash = was.sha256.as_ref().filter(|_| was.size <= COPIED);
    (was.identity(), hash.cloned().unwrap_or_default())
}

/// The hash of what was there, and that of what is placed.
fn hashes<'a>(was: &'a Found, before: &'a Before) -> (&'a str, &'a str) {
    let after = before.after.as_ref().map(|after| after.sha256.as_str());
    (was.sha256.as_deref().unwrap_or_default(), after.unwrap_or_default())
}

/// The command that changes mode, owner and time of what was seen.
pub fn attributes(path: &str, mode: &str, owner: &str, modified: &str, was: &Found) -> Command {
    match was.inode {
        Some(inode) => Command::script(ATTRIBUTES).args([path, mode, owner, modified, &inode.to_string()]),
        None => former::attributes(path, mode, owner, modified),
    }
}

/// The command that gives mode, owner and time back.
pub fn attributes_of(path: &str, was: &Found) -> Command {
    let modified = if was.sort == Sort::Directory { "" } else { was.modified.as_str() };
    attributes(path, &format!("{:05o}", was.mode), &format!("{}:{}", was.uid, was.gid), modified, was)
}

/// What stays where a script has `left` what is there; nothing where that is what was there before the change.
///
/// # Errors
/// When the host cannot be asked.
pub async fn left_at(host: &Host, path: &str, was: Option<&Found>) -> Result<Remains> {
    Ok(remains_of(path, was, look(host, path, 0).await?.found.as_ref()))
}

/// The same, of what is there now.
pub fn remains_of(path: &str, was: Option<&Found>, now: Option<&Found>) -> Remains {
    let why = match (was, now) {
        (None, Some(_)) => "somebody else made it",
        (Some(was), Some(now)) if !was.same(now) => "somebody else changed it before the run could",
        _ => return Remains::new(),
    };
    vec![Remnant::left(path, why)]
}

/// The output without the lines that quote a secret: a validator shows what it does not accept.
fn discreet(output: Output, secret: &Secret) -> Output {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let shown = said.lines().map(|line| if secret.is_quoted_in(line) { REDACTED } else { line });
    Output { stderr: shown.collect::<Vec<_>>().join("\n").into_bytes(), ..output }
}

/// What a change made of what is there.
enum Made {
    /// It is what the change made.
    Here,
    /// The change did not come so far.
    Nothing,
    /// Somebody else put it in the place of ours.
    Replaced(&'static str),
}

impl Before {
    /// True when the content stays: mode and owner alone are changed.
    fn keeps_text(&self) -> bool {
        let was = self.was.as_ref().and_then(|was| was.sha256.as_ref());
        was.is_some() && was == self.after.as_ref().map(|digest| &digest.sha256)
    }
}

fn summary(found: Option<&Found>, after: Option<&TextDigest>) -> String {
    let Some(after) = after else {
        let verb = if found.is_some() { "change" } else { "create" };
        return format!("{verb}, known only when run");
    };
    match found {
        None => format!("create, {}", size(after.bytes)),
        Some(found) if found.size == after.bytes => format!("change, {}", size(after.bytes)),
        Some(found) => format!("change, {} → {}", size(found.size), size(after.bytes)),
    }
}

fn diff(seen: &Seen, wanted: &Text) -> Option<Diff> {
    let new = wanted.shown()?;
    let old = match (&seen.found, &seen.text) {
        (None, _) => "",
        (Some(_), text) => text.as_ref()?.shown()?,
    };
    (old.len() < DIFFED && new.len() < DIFFED).then(|| Diff::between(old, new)).flatten()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::look::Above;

    fn seen(text: Option<&str>) -> Seen {
        let found = text.map(|text| Found {
            sort: Sort::File,
            mode: 0o640,
            uid: 0,
            gid: 33,
            owner: "root".into(),
            group: "www-data".into(),
            size: text.len() as u64,
            modified: "1.000000000".into(),
            inode: Some(7),
            sha256: Some(TextDigest::of(text.as_bytes()).sha256),
            target: None,
        });
        let text = text.map(|text| Text::Plain(text.to_owned()));
        Seen { found, text, ..Seen::nothing(Above::There) }
    }

    fn placement() -> Placement {
        Placement { path: "/etc/motd".into(), ..Placement::default() }
    }

    /// Of a run before hosts held records: what is there speaks for itself.
    fn keep() -> Keep {
        Keep { nonce: String::new(), ..Keep::new("r", 1) }
    }

    fn change(plan: Plan<Before>) -> Change<Before> {
        match plan {
            Plan::Change(change) => change,
            Plan::Unchanged => panic!("unchanged"),
        }
    }

    #[test]
    fn the_same_text_changes_nothing() {
        let plan = placement().plan(&seen(Some("a\n")), &Text::Plain("a\n".into())).unwrap();
        assert!(matches!(plan, Plan::Unchanged));
    }

    #[test]
    fn a_mode_alone_is_no_change_of_content() {
        let wanted = Placement { mode: Some(0o600), ..placement() };
        let change = change(wanted.plan(&seen(Some("a\n")), &Text::Plain("a\n".into())).unwrap());
        assert_eq!((change.summary.as_str(), change.diff), ("mode 0640 → 0600", None));
    }

    #[test]
    fn a_secret_is_never_shown() {
        let plan = change(placement().plan(&seen(None), &Text::Secret(Secret::new("hush".into()))).unwrap());
        assert_eq!((plan.summary.as_str(), plan.diff), ("create, 4 B", None));
        assert!(!serde_json::to_string(&plan.before).unwrap().contains("hush"));
    }

    #[test]
    fn a_diff_shows_old_and_new() {
        let plan = change(placement().plan(&seen(Some("a\n")), &Text::Plain("b\n".into())).unwrap());
        assert!(plan.diff.unwrap().text().contains("-a\n+b\n"));
    }

    #[test]
    fn every_mixture_of_old_and_new_is_ours_and_the_rest_is_not() {
        let wanted = Placement { mode: Some(0o600), ..placement() };
        let before = change(wanted.plan(&seen(Some("a\n")), &Text::Plain("b\n".into())).unwrap()).before;
        let mut now = seen(Some("a\n"));
        assert_eq!(wanted.standing(&now, &before, &keep()), Standing::AsBefore);
        now.leftovers.push("1".into());
        assert_eq!(wanted.standing(&now, &before, &keep()), Standing::Ours);
        let mut now = seen(Some("b\n"));
        assert_eq!(wanted.standing(&now, &before, &keep()), Standing::Ours);
        now.found.as_mut().unwrap().mode = 0o777;
        assert_eq!(wanted.standing(&now, &before, &keep()), Standing::Foreign("its mode is 0777".into()));
        let now = seen(Some("c\n"));
        assert_eq!(wanted.standing(&now, &before, &keep()), Standing::Foreign("its content is different".into()));
        assert_eq!(wanted.standing(&seen(None), &before, &keep()), Standing::Foreign("it is gone".into()));
    }

    #[test]
    fn what_broke_off_in_place_is_judged_on_the_host() {
        let wanted = Placement { in_place: true, ..placement() };
        let change = change(wanted.plan(&seen(Some("a\n")), &Text::Plain("b\n".into())).unwrap());
        assert_eq!(change.summary, "change, 2 B, in place");
        let mut now = seen(Some("half\n"));
        assert!(matches!(wanted.standing(&now, &change.before, &keep()), Standing::Foreign(_)));
        now.leftovers.push("1".into());
        assert_eq!(wanted.standing(&now, &change.before, &keep()), Standing::Ours);
        assert!(matches!(placement().standing(&now, &change.before, &keep()), Standing::Foreign(_)));
    }

    #[test]
    fn a_new_file_is_made_as_always_and_a_large_one_is_not_written_into() {
        let wanted = Placement { in_place: true, ..placement() };
        let text = Text::Plain("b\n".into());
        let new = change(wanted.plan(&seen(None), &text).unwrap());
        assert!(wanted.poured(&new.before).is_none() && new.summary == "create, 2 B");
        let mut large = seen(Some("a\n"));
        large.found.as_mut().unwrap().size = 65 << 20;
        assert!(matches!(wanted.plan(&large, &text), Err(error) if error.code() == "file.too_large"));
        assert!(placement().plan(&large, &text).is_ok());
    }
}
