//! Three hosts, a recipe that copies a large tree, and what must be true after each failure.

use std::process::Child;
use std::time::Duration;

use haengine_tests::site::{Given, Site, differences, ended};

use jiff::Timestamp;

use crate::watch::{Seen, Watch};

/// `m1` has the tree, `m2` an older one in its place, `m3` none.
const RECIPE: &str = r#"
fn main(p) {
    step("before", || file::put(group("masters"), "/srv/before", "new\n"));
    step("copy", || file::copy_tree(host("m1"), "/opt/tree", [host("m2"), host("m3")], "/srv/tree"));
    step("after", || file::put(group("masters"), "/srv/after", "new\n"));
}
"#;

/// 110 MB that come slowly, as from an old disk: in four seconds or more.
const SOURCE: &str = r#"mkdir -p /opt/tree/sub && cd /opt/tree && head -c 110000000 /dev/urandom >big
    echo new >a; echo new >sub/b; echo old >/srv/before
    cat >/usr/local/bin/tar <<'END'
#!/bin/bash
set -o pipefail
/usr/bin/tar "$@" | perl -e 'while (my $n = sysread(STDIN, my $b, 1 << 18)) { syswrite(STDOUT, $b, $n) or exit 1; select(undef, undef, undef, 0.01) }'
END
    chmod 755 /usr/local/bin/tar"#;
const OLDER: &str = "mkdir -p /srv/tree/sub && cd /srv/tree && head -c 20000000 /dev/urandom >big; echo old >a; \
    echo old >sub/b; echo own >own; echo old >/srv/before";

/// What changes on a target.
const PATHS: [&str; 5] = ["/srv/tree/big", "/srv/tree/a", "/srv/tree/sub/b", "/srv/before", "/srv/after"];
/// Where the same is on the source once all is done.
const SOURCES: [&str; 5] = ["/opt/tree/big", "/opt/tree/a", "/opt/tree/sub/b", "/srv/before", "/srv/after"];

/// An error comes within this time.
const LIMIT: Duration = Duration::from_secs(30);

pub struct Scene {
    pub site: Site,
    before: String,
    /// What is at the paths before anything was done, on both targets.
    old: Vec<Seen>,
    watches: Vec<(&'static str, Watch)>,
    /// What was seen by watches that have ended.
    seen: Vec<(&'static str, Seen)>,
}

pub const TARGETS: [&str; 2] = ["m2", "m3"];

impl Scene {
    /// Hosts that are watched. `prepare` is done on `m2` first.
    pub fn new(name: &str, prepare: &str) -> Scene {
        let site = Site::new(name, 3);
        site.write("world.rhai", RECIPE);
        site.on("m1", SOURCE);
        site.on("m2", &format!("{prepare}\n{OLDER}"));
        let old = TARGETS.map(|host| Watch::once(&site, host, &PATHS)).into();
        let mut scene = Scene { before: look(&site), site, old, watches: Vec::new(), seen: Vec::new() };
        TARGETS.iter().for_each(|host| scene.watch(host));
        scene
    }

    /// Looks at a host's paths from now on; a watch does not outlive its host.
    pub fn watch(&mut self, host: &'static str) {
        self.watches.push((host, Watch::start(&self.site, host, &PATHS)));
    }

    /// Starts the recipe and comes back in the middle of the copy to `m2`.
    pub fn midway(&self, inventory: &str) -> Child {
        let child = self.site.start(&["run", "world.rhai", "-i", inventory, "--json"]);
        self.site.until("m2", "find /var/lib/haengine /srv/.haengine -name big -size +10M 2>/dev/null | grep -q .");
        assert_eq!(self.site.on("m2", "cat /srv/tree/a"), "old\n", "the copy is not at its end");
        child
    }

    /// The run has ended with an error of this host, told in time, and the other hosts are done.
    pub fn failed(&self, child: Child, since: Timestamp, host: &str, why: &[&str]) -> Failed {
        let given = ended(child).ended_with(1);
        let copies = changes(&given, "copy");
        assert_eq!(copies.len(), 2, "{}", given.out);
        for copy in &copies {
            let is_well = copy["status"] == "changed";
            assert_eq!(is_well, copy["host"] != host, "{}\n{}", given.out, given.errors);
        }
        said(&given, &[&[host], why].concat());
        let took = told_after(&given, since);
        Failed { run: given.finished()["run"].as_str().unwrap().to_owned(), took }
    }

    /// The cause is gone: resume makes all of it, undo takes all of it back, and nobody has ever seen a half of it.
    pub fn mended(mut self, failed: &Failed, inventory: &str) {
        let resumed = self.site.haengine(&["resume", &failed.run, "-i", inventory, "--json", "--yes"]).ended_with(0);
        assert_eq!(resumed.finished()["failed"], 0, "{}", resumed.out);
        self.done_and_undone(&failed.run);
    }

    /// The run has done all of it, and its undo takes all of it back.
    pub fn done_and_undone(&mut self, run: &str) {
        let new = self.new_seen();
        for host in TARGETS {
            assert_eq!(Watch::once(&self.site, host, &PATHS), new, "{host} has not what it should have");
        }
        self.undone(run, &new);
    }

    /// The same of a run that did something else than the recipe.
    pub fn only_undone(&mut self, run: &str) {
        let new = self.new_seen();
        self.undone(run, &new);
    }

    /// The undo of a run takes all of it back, and what was seen all along is whole.
    fn undone(&mut self, run: &str, new: &Seen) {
        self.site.haengine(&["undo", run, "--json", "--yes"]).ended_with(0);
        assert_eq!(differences(&self.before, &look(&self.site)), "", "undo left something");
        for (host, watch) in std::mem::take(&mut self.watches) {
            self.seen.push((host, watch.end()));
        }
        for (host, seen) in &self.seen {
            self.whole(host, seen, new);
        }
    }

    /// What a host has at its paths when all is done.
    fn new_seen(&self) -> Seen {
        let there = Watch::once(&self.site, "m1", &SOURCES);
        PATHS.iter().zip(SOURCES).map(|(path, source)| ((*path).to_owned(), there[source].clone())).collect()
    }

    /// Each path had nothing but its old and its new content.
    fn whole(&self, host: &str, seen: &Seen, new: &Seen) {
        let old = &self.old[usize::from(host == TARGETS[1])];
        for (path, states) in seen {
            let allowed = &old[path] | &new[path];
            assert!(states.is_subset(&allowed), "{host} showed {states:?} at {path}, and not only {allowed:?}");
        }
    }
}

/// A run that has failed.
pub struct Failed {
    pub run: String,
    /// When the error was told, after its cause.
    pub took: Duration,
}

fn changes(given: &Given, step: &str) -> Vec<serde_json::Value> {
    let is_of = |event: &serde_json::Value| event["event"] == "change" && event["step"] == step;
    given.events().into_iter().filter(is_of).collect()
}

/// Fails unless all these words were told.
pub fn said(given: &Given, words: &[&str]) {
    let said = given.out.clone() + &given.errors;
    for word in words {
        assert!(said.contains(word), "`{word}` is not in\n{said}");
    }
}

/// When the first failure was told. The run itself ends when all other hosts have done what they were about to do.
pub fn told_after(given: &Given, since: Timestamp) -> Duration {
    let failed = changes(given, "copy").into_iter().find(|change| change["status"] != "changed").unwrap();
    let told: Timestamp = failed["time"].as_str().unwrap().parse().unwrap();
    let took: Duration = told.duration_since(since).try_into().unwrap_or_default();
    assert!(took < LIMIT, "the error came after {took:?}:\n{}", given.out);
    took
}

/// All that hosts are, also on the other mount of `m2`.
fn look(site: &Site) -> String {
    site.manifest()
        + &site
            .each_says(r"{ find /srv -printf '%p %y %m %U %G %l\n'; find /srv -type f -print0 | xargs -0 sha256sum; }")
}

/// The run of a child that did all it should.
pub fn well(child: Child) -> Given {
    ended(child).ended_with(0)
}
