//! Hosts, what they are before and after a run that nobody disturbed, and a run that is killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use haengine_tests::site::{Given, Site, differences, ended};
use jiff::Timestamp;
use serde_json::Value;

use crate::case::Case;
use crate::manifest::{Look, manifest};

/// A recipe whose runs are killed.
pub struct Subject {
    pub recipe: &'static str,
    /// Its parameters.
    pub words: &'static [&'static str],
    pub hosts: &'static [&'static str],
    /// All ops of which it makes changes on these hosts.
    pub ops: &'static [&'static str],
    /// Where its runs are killed, of a seed.
    pub cases: fn(&'static Subject, u64) -> Vec<Case>,
    /// The cases that `make test` plays.
    pub sample: &'static [&'static str],
    /// Where those that follow wait long for what nothing of ours does.
    pub made: Option<Made>,
    /// How long the hosts' own work goes on behind a change.
    pub patience: Duration,
    /// Hosts on which the recipe can be run.
    pub set_up: fn() -> Site,
    /// What these hosts are, in a word: recipes that stand on the same have them one after the other.
    pub stands_on: &'static str,
    /// Waits until hosts that were just switched on are what they were.
    pub wait: fn(&Site),
    /// Hosts whose units run before the recipe does.
    pub running: &'static [&'static str],
    /// What else is compared: a cluster's objects or members, by name.
    pub objects: fn(&Site) -> String,
}

/// The end of a recipe's changes.
pub struct Made {
    /// The first verification behind the last one.
    pub verified: &'static str,
    /// What is there of a run that is alive, or was killed just now.
    pub held: &'static str,
    /// What the hosts make some time after: it may be there or not.
    pub late: &'static str,
}

/// The hosts of a recipe.
pub struct Stage {
    pub subject: &'static Subject,
    pub site: Site,
    undisturbed: Option<Undisturbed>,
    /// The hosts are as they were before any run, as far as a comparison of all of it can tell.
    is_as_before: bool,
}

/// A run that nobody disturbed.
pub struct Undisturbed {
    pub before: State,
    pub end: State,
    /// How many changes it made of each op.
    pub changes: BTreeMap<String, usize>,
    /// How long it took until nothing changed any more.
    pub took: Duration,
    /// How long its undo took.
    pub undo_took: Duration,
}

/// What is compared.
#[derive(Clone)]
pub struct State {
    /// Every host's manifest.
    pub hosts: String,
    /// What else there is, by name.
    pub objects: String,
}

/// How a run is killed.
#[derive(Clone, Debug)]
pub enum Killer {
    /// By itself, at a change.
    Crash(String),
    /// From outside, after a while.
    After(Duration),
}

const SNAPSHOT: &str = "before";

impl Stage {
    /// The stage of this recipe; one that stands on something else goes down.
    pub fn of<'a>(slot: &'a mut Option<Stage>, subject: &'static Subject) -> &'a mut Stage {
        if slot.as_ref().is_some_and(|stage| stage.subject.stands_on != subject.stands_on) {
            slot.take();
        }
        if let Some(stage) = slot.as_mut().filter(|stage| stage.subject.recipe != subject.recipe) {
            (stage.subject, stage.undisturbed) = (subject, None);
        }
        slot.get_or_insert_with(|| {
            let site = (subject.set_up)();
            site.snapshot(SNAPSHOT);
            (subject.wait)(&site);
            Stage { subject, site, undisturbed: None, is_as_before: true }
        })
    }

    /// The hosts as they were before any run, and an operator who remembers none. What a case has left is seen to be
    /// that: only where it failed, or never looked, the hosts go back to the snapshot.
    pub fn begin(&mut self) {
        self.forget();
        if !std::mem::take(&mut self.is_as_before) {
            timed("restored", || {
                self.site.restore(SNAPSHOT);
                (self.subject.wait)(&self.site);
            });
        }
    }

    /// The hosts must be as they were before any run.
    pub fn ends_as_before(&mut self, message: &str) {
        assert_eq!(timed("compared", || self.differs_from_before()), "", "{message}");
        self.is_as_before = true;
    }

    /// The objects must be as they were before any run. What an undo has left on the hosts is still there after the next one,
    /// behind which all of them are compared.
    pub fn is_taken_back(&mut self) {
        let asked = Instant::now();
        let left = || differences(&self.known().before.objects, &(self.subject.objects)(&self.site));
        while !left().is_empty() && asked.elapsed() < self.subject.patience {
            std::thread::sleep(Duration::from_secs(1));
        }
        assert_eq!(left(), "", "undo after resume left something");
        self.is_as_before = true;
    }

    /// The operator remembers no run.
    pub fn forget(&self) {
        let state = self.site.path().join("state");
        if state.exists() {
            std::fs::remove_dir_all(state).unwrap();
        }
    }

    /// What a run is that nobody disturbed, found out once.
    pub fn undisturbed(&mut self) -> &Undisturbed {
        if self.undisturbed.is_none() {
            self.begin();
            let before = self.state(&self.before());
            let run = self.haengine("run", &[]).ended_with(0);
            let (changes, took, end) = (changes(&run), self.took(&run), self.state(&self.end()));
            let began = Instant::now();
            self.then("undo", run.finished()["run"].as_str().unwrap());
            let undo_took = began.elapsed();
            println!("{}: {changes:?} in {took:.1?}, taken back in {undo_took:.1?}", self.subject.recipe);
            self.undisturbed = Some(Undisturbed { before, end, changes, took, undo_took });
            self.ends_as_before("undo left something");
        }
        self.undisturbed.as_ref().unwrap()
    }

    /// How long a run took until nothing changed any more.
    fn took(&self, run: &Given) -> Duration {
        let events = run.events();
        let last = events.iter().find(|event| self.is_made(event)).or(events.last()).unwrap();
        let when = |event: &Value| event["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
        when(last).duration_since(when(&events[0])).unsigned_abs()
    }

    fn is_made(&self, event: &Value) -> bool {
        event["event"] == "verified" && self.subject.made.as_ref().is_some_and(|made| event["name"] == made.verified)
    }

    /// What was found out.
    pub fn known(&self) -> &Undisturbed {
        self.undisturbed.as_ref().unwrap()
    }

    /// How the hosts differ from what they were before the run.
    fn differs_from_before(&self) -> String {
        self.differs(&self.known().before, &self.before(), "")
    }

    /// How the hosts differ from the end of another run, or from where nothing changed any more.
    pub fn differs_from_end(&self, made: Option<&Made>) -> String {
        let mut end = self.known().end.clone();
        end.objects += made.map_or("", |made| made.held);
        self.differs(&end, &self.end(), made.map_or("", |made| made.late))
    }

    fn before(&self) -> Look<'static> {
        Look { running: self.subject.running, said: false }
    }

    fn end(&self) -> Look<'static> {
        Look { running: self.subject.hosts, said: true }
    }

    fn state(&self, look: &Look<'_>) -> State {
        State { hosts: manifest(&self.site, self.subject.hosts, look), objects: (self.subject.objects)(&self.site) }
    }

    /// How the hosts differ from what they should be. A cluster removes what belonged to an object a moment after it,
    /// and a kubelet writes down what it got a moment after it was approved. The few objects tell when it is time to read
    /// all of the hosts.
    fn differs(&self, should: &State, look: &Look<'_>, late: &str) -> String {
        let asked = Instant::now();
        let objects = |all: &str| {
            all.lines().filter(|line| !late.contains(line)).fold(String::new(), |all, line| all + line + "\n")
        };
        loop {
            let is_late = asked.elapsed() > self.subject.patience;
            let mut found = differences(&objects(&should.objects), &objects(&(self.subject.objects)(&self.site)));
            if found.is_empty() || is_late {
                found += &differences(&should.hosts, &manifest(&self.site, self.subject.hosts, look));
            }
            if found.is_empty() || is_late {
                return found;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn words<'a>(&self, command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&[command, self.subject.recipe, "-i", "site.yaml", "--json", "--yes"], self.subject.words, more].concat()
    }

    fn haengine(&self, command: &str, more: &[&str]) -> Given {
        self.site.haengine(&self.words(command, more))
    }

    /// Runs the recipe and kills it; gives the run's id, if there is one by then.
    pub fn kill(&self, killer: &Killer) -> Option<String> {
        let mut command = self.site.command(&self.words("run", &[]));
        match killer {
            Killer::Crash(point) => {
                let output = command.env("HAENGINE_CRASH", point).output().unwrap();
                let text = String::from_utf8_lossy(&output.stdout);
                assert_eq!(output.status.signal(), Some(9), "nothing was killed at {point}:\n{text}");
            }
            Killer::After(time) => {
                let mut child = command.spawn().unwrap();
                std::thread::sleep(*time);
                // One that has ended meanwhile is undone and resumed too.
                child.kill().unwrap();
                ended(child);
            }
        }
        let runs = self.site.haengine(&["runs", "--json"]).ended_with(0).events();
        assert!(runs.len() < 2, "{runs:?}");
        runs.first().map(|run| run["run"].as_str().unwrap().to_owned())
    }

    /// Runs the recipe to its end, then takes it back and kills the undo after a while; gives the run's id.
    pub fn kill_undo(&self, time: Duration) -> String {
        let run = self.haengine("run", &[]).ended_with(0).finished()["run"].as_str().unwrap().to_owned();
        let mut child = self.site.start(&["undo", &run, "--json", "--yes"]);
        std::thread::sleep(time);
        child.kill().unwrap();
        ended(child);
        run
    }

    /// Goes on with a run until nothing changes any more. What then still waits for the hosts' own work is killed.
    pub fn resume_until_made(&self, run: &str) {
        let mut child = self.site.start(&["resume", run, "--json", "--yes"]);
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let made = told.find(|line| self.is_made(&serde_json::from_str(line).unwrap()));
        assert!(made.is_some(), "resume ended before its changes were made: {}", ended(child).errors);
        child.kill().unwrap();
        ended(child);
    }

    /// Goes on with a run, or takes it back.
    pub fn then(&self, command: &str, run: &str) -> Given {
        let given = self.site.haengine(&[command, run, "--json", "--yes"]);
        if given.code != 0 {
            let shown = self.site.haengine(&["show", run]);
            panic!("{command} ended with {}:\n{}\n{}", given.code, given.errors, shown.out);
        }
        given
    }
}

/// How many changes a run made of each op.
fn changes(run: &Given) -> BTreeMap<String, usize> {
    let mut changes = BTreeMap::new();
    for event in run.events().iter().filter(|event| event["event"] == "change" && event["status"] == "changed") {
        *changes.entry(event["op"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    changes
}

/// Says how long a part of a case took: the matrix has an hour.
pub fn timed<T>(what: &str, part: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = part();
    println!("  {what} in {:.1?}", began.elapsed());
    result
}
