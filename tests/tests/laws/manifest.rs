//! All that a host is, as far as a change may show: files, units, processes.
//!
//! What may differ although everything was taken back is not looked at; it is this, and no more:
//!
//! | what | why |
//! |---|---|
//! | times of folders | their entries come and go |
//! | `/var/log` | systemd, sshd, sudo and apt write down what they did, and that stays |
//! | `/run/haengine.lock` | to remove it would race with the next run; the process that holds it must go, though |
//! | `/run`, but for haengine's own | what systemd keeps there shows as units |
//! | `/var/lib/haengine/RUN/aside` | what a unit wrote is moved there, and stays until the run is forgotten |
//! | what of an example's cluster of etcd is in units `demo-etcd-…` | a member that undo removes ends |
//! | the API that examples of `k8s` ask for | the test's own, in `/run/laws.k8s` |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::Law;
use crate::stage::Stage;

/// What a package manager writes for itself and undo leaves, beyond what is not looked at anyway; a plan must not touch
/// even these.
const CACHES: &str = "/var/cache/";

/// Here it writes the same again, and keeps the former as `NAME-old`: the times and the `-old` ones may differ.
const BOOKS: &[&str] = &["/var/lib/dpkg/", "/var/lib/apt/extended_states"];

/// A host, item by item: `file /etc/motd` is `f 644 0 0 …`. What the host said is taken apart only where it said
/// something else than another time, since that is a megabyte.
pub struct Manifest {
    processes: BTreeMap<String, String>,
    said: Vec<u8>,
    hashes: Vec<u8>,
    items: OnceLock<BTreeMap<String, String>>,
}

/// One item that is not the same in two manifests.
pub struct Difference {
    item: String,
    before: Option<String>,
    after: Option<String>,
}

/// Everything but the kernel's own file systems and the folders' times, which their entries change. Units that are
/// enabled are links in /etc, packages are /var/lib/dpkg. Hashes go to the standard error: of those files alone whose
/// inode changed since `$1`, the others are the image's.
const LOOK: &str = r#"
# systemd has forked it, and it is not yet the program that it will be.
n=0
while [ $n -lt 50 ] && ps -eo args= | grep -v sd-pam | grep -q '^('; do n=$((n + 1)); sleep 0.02; done
ps -eo pid=,ppid=,args= | while read -r line; do printf '\tprocess %s\0' "$line"; done
{ find / /tmp -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /var/log -o -path /var/lib/laws \) -prune -o \
    \( -type f -printf 'f %m %U %G %s %n %T@\tfile %p\0' -newerct "@$1" -fprint0 /dev/fd/3 \) \
    -o \( -type d -printf 'd %m %U %G\tfile %p\0' \) -o ! -type f -printf '%y %m %U %G %l\tfile %p\0' 3>&1 >&4 |
    xargs -0 -r sha256sum -z >&2; } 4>&1
find /run -maxdepth 2 -path '/run/haengine*' ! -path /run/haengine.lock -printf '%y %m %U %G\tfile %p\0'
systemctl list-units --plain --no-legend --type=service,socket,timer,path,mount |
    while read -r unit load active sub rest; do printf '%s %s\tunit %s\0' "$active" "$sub" "$unit"; done"#;

const ALL_HASHES: &str = "find / -xdev -type f ! -path '/var/log/*' -print0 | xargs -0 sha256sum -z >&2";

impl Manifest {
    pub fn of(stage: &Stage, host: &str) -> Law<Manifest> {
        let output = stage.output(host, LOOK, &[&stage.since])?;
        let (mut said, mut processes) = (output.stdout.as_slice(), Vec::new());
        while let Some((process, rest)) = said.strip_prefix(b"\tprocess ").and_then(cut) {
            processes.push(String::from_utf8_lossy(process).into_owned());
            said = rest;
        }
        let (processes, said) = (running(&processes), said.to_vec());
        Ok(Manifest { processes, said, hashes: output.stderr, items: OnceLock::new() })
    }

    fn items(&self, stage: &Stage) -> &BTreeMap<String, String> {
        self.items.get_or_init(|| {
            let hashes = hashes(&self.hashes);
            let mut items = self.processes.clone();
            for entry in texts(&self.said) {
                let Some((facts, item)) = entry.split_once('\t') else { continue };
                if item.starts_with("unit laws-k8s-") {
                    continue;
                }
                let path = item.strip_prefix("file ").filter(|_| facts.starts_with("f "));
                let hash = path.and_then(|path| hashes.get(path).or_else(|| stage.originals().get(path)));
                items.insert(item.to_owned(), hash.map_or_else(|| facts.to_owned(), |hash| format!("{facts} {hash}")));
            }
            items
        })
    }

    /// The hashes of all files of the image, taken once.
    pub fn originals(stage: &Stage, host: &str) -> Law<BTreeMap<String, String>> {
        Ok(hashes(&stage.output(host, ALL_HASHES, &[])?.stderr))
    }

    /// What differs from this manifest after a moment: processes of a closed connection need one to end.
    pub fn settled(
        stage: &Stage,
        host: &str,
        expected: &Manifest,
        counts: impl Fn(&Difference) -> bool,
    ) -> Law<Option<Vec<Difference>>> {
        // A busy machine ends them late.
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let mut differences = expected.differences(&Manifest::of(stage, host)?, stage);
            differences.retain(&counts);
            if differences.is_empty() {
                return Ok(None);
            }
            let are_fleeting =
                differences.iter().all(|d| d.item.starts_with("process ") || d.item.starts_with("unit "));
            if !are_fleeting || Instant::now() > patience {
                return Ok(Some(differences));
            }
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    pub fn differences(&self, after: &Manifest, stage: &Stage) -> Vec<Difference> {
        if (&self.processes, &self.said, &self.hashes) == (&after.processes, &after.said, &after.hashes) {
            return Vec::new();
        }
        let (before, after) = (self.items(stage), after.items(stage));
        let items: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let differences = items.into_iter().filter(|item| before.get(*item) != after.get(*item));
        differences
            .map(|item| Difference {
                item: item.clone(),
                before: before.get(item).cloned(),
                after: after.get(item).cloned(),
            })
            .collect()
    }
}

impl Difference {
    pub fn path(&self) -> Option<String> {
        self.item.strip_prefix("file ").map(str::to_owned)
    }

    /// True for what a package manager keeps for itself.
    pub fn is_bookkeeping(&self) -> bool {
        let Some(path) = self.path() else { return false };
        let same = || match (&self.before, &self.after) {
            (Some(before), Some(after)) => timeless(before) == timeless(after),
            _ => false,
        };
        path.starts_with(CACHES)
            || BOOKS.iter().any(|book| path.starts_with(book)) && (path.ends_with("-old") || same())
    }

    /// True for what undo moved aside, and the folders that it lies in.
    pub fn is_aside(&self) -> bool {
        let Some(path) = self.path() else { return false };
        let within = path.strip_prefix("/var/lib/haengine");
        within.is_some_and(|within| {
            matches!(within.split('/').collect::<Vec<_>>()[..], [""] | ["", _] | ["", _, "aside", ..])
        })
    }

    /// True for a member of etcd that an example is given beside the first: where undo removes it, it ends.
    pub fn is_of_a_member(&self) -> bool {
        self.item.starts_with("unit demo-etcd-")
            || self.item.starts_with("process ") && self.item.contains("/run/demo-etcd-")
    }

    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// The unit that runs and did not.
    pub fn started_unit(&self) -> Option<String> {
        self.item.strip_prefix("unit ").filter(|_| self.is_new()).map(str::to_owned)
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |facts: &Option<String>| facts.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}\n      was {}\n      is  {}", self.item, shown(&self.before), shown(&self.after))
    }
}

/// The facts of a file without its time, the seventh of them.
fn timeless(facts: &str) -> Vec<&str> {
    facts.split(' ').enumerate().filter(|(place, _)| *place != 6).map(|(_, fact)| fact).collect()
}

fn hashes(said: &[u8]) -> BTreeMap<String, String> {
    let pair = |line: String| line.split_once("  ").map(|(hash, path)| (path.to_owned(), hash.to_owned()));
    texts(said).filter_map(pair).collect()
}

/// The text before the first NUL, and what comes after it.
fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn texts(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes
        .split(|byte| *byte == 0)
        .filter(|text| !text.is_empty())
        .map(|text| String::from_utf8_lossy(text).into_owned())
}

/// How many processes there are of each command line, but for those that the test itself brought in from outside.
fn running(lines: &[String]) -> BTreeMap<String, String> {
    let mut processes = BTreeMap::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let (Some(process), Some(parent)) = (words.next(), words.next()) else { continue };
        processes.insert(process, (parent, words.collect::<Vec<_>>().join(" ")));
    }
    let parent_of = |process: &str| processes.get(process).map(|(parent, _)| *parent).filter(|parent| *parent != "0");
    let comes_from_outside = |process: &str| {
        std::iter::successors(Some(process), |process| parent_of(process)).last().is_none_or(|first| first != "1")
    };
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (process, (_, command)) in &processes {
        // One that has ended and whose end nobody has asked for yet runs no more.
        let has_ended = command.ends_with("<defunct>");
        if !comes_from_outside(process) && !has_ended && !command.contains("/run/laws.k8s/") {
            *counts.entry(format!("process {command}")).or_default() += 1;
        }
    }
    counts.into_iter().map(|(item, count)| (item, count.to_string())).collect()
}
