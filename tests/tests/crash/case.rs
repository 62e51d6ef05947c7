//! Where a run is killed, and what must be true then.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::stage::{Killer, Stage, Subject};

/// Where a run is killed.
#[derive(Clone, Debug)]
pub enum Case {
    /// At a moment of the first or the last change of an op.
    Change { op: &'static str, which: Which, moment: &'static str },
    /// Wherever it is after a part of its time.
    Random { number: usize, part: f64 },
    /// The same with the undo of a run that was not killed.
    Undo { number: usize, part: f64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    First,
    Last,
}

const MOMENTS: [&str; 3] = ["started", "applied", "succeeded"];
const RANDOM: usize = 20;
const UNDOS: usize = 5;

/// The list of ops is the recipe's: else cases would be missing.
pub fn every_op(stage: &mut Stage) {
    let listed: Vec<String> = stage.subject.ops.iter().map(|op| (*op).to_owned()).collect();
    let made: Vec<String> = stage.undisturbed().changes.keys().cloned().collect();
    assert_eq!(made, listed, "correct the list of this recipe's ops");
}

impl Case {
    pub fn all(subject: &'static Subject, seed: u64) -> Vec<Case> {
        let mut all = Vec::new();
        for op in subject.ops {
            for which in [Which::First, Which::Last] {
                all.extend(MOMENTS.map(|moment| Case::Change { op, which, moment }));
            }
        }
        all.extend((0..RANDOM).map(|number| Case::Random { number, part: part(seed, number) }));
        all.extend((0..UNDOS).map(|number| Case::Undo { number, part: part(seed, RANDOM + number) }));
        all
    }

    pub fn name(&self, subject: &Subject) -> String {
        let recipe = subject.recipe;
        match self {
            Case::Change { op, which, moment } => format!("{recipe}::{op}::{which:?}::{moment}").to_lowercase(),
            Case::Random { number, .. } => format!("{recipe}::random::{number:02}"),
            Case::Undo { number, .. } => format!("{recipe}::undo::{number:02}"),
        }
    }

    pub fn is_in_sample(&self, subject: &Subject) -> bool {
        let name = self.name(subject);
        subject.sample.iter().any(|sample| name == format!("{}::{sample}", subject.recipe))
    }

    /// Kills, goes on and takes all of it back; kills again and takes back what was done until then.
    pub fn play(&self, stage: &mut Stage) {
        let took = stage.undisturbed().took;
        let killer = match self {
            Case::Change { op, which, moment } => {
                let count = stage.undisturbed().changes[*op];
                let nth = match which {
                    Which::Last if count == 1 => return println!("`{op}` is made once: see its first"),
                    Which::Last => count,
                    Which::First => 1,
                };
                Killer::Crash(format!("{moment}:{op}:{nth}"))
            }
            Case::Random { part, .. } => Killer::After(took.mul_f64(*part)),
            Case::Undo { part, .. } => return undo_killed(stage, *part),
        };
        println!("{killer:?}, of {took:.2?}");
        stage.restore();
        resumed(stage, &killer);
        // What undo leaves is what a snapshot would restore, and it is seen to be that.
        stage.forget();
        undone(stage, &killer);
    }
}

fn resumed(stage: &Stage, killer: &Killer) {
    let Some(run) = stage.kill(killer) else { return };
    stage.then("resume", &run);
    let differences = stage.differs(&stage.known().end, || stage.end());
    assert_eq!(differences, "", "not the end of a run that nobody killed");
    stage.then("undo", &run);
    is_as_before(stage, "undo after resume left something");
}

fn undone(stage: &Stage, killer: &Killer) {
    if let Some(run) = stage.kill(killer) {
        stage.then("undo", &run);
        is_as_before(stage, "undo left something");
        let again = stage.then("undo", &run);
        assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
    }
    is_as_before(stage, "it touched something");
}

fn undo_killed(stage: &mut Stage, part: f64) {
    let time = stage.undisturbed().undo_took.mul_f64(part);
    stage.restore();
    println!("undo is killed after {time:.2?}");
    let run = stage.kill_undo(time);
    stage.then("undo", &run);
    is_as_before(stage, "undo after a killed undo left something");
}

fn is_as_before(stage: &Stage, message: &str) {
    assert_eq!(stage.differs(&stage.known().before, || stage.before()), "", "{message}");
}

/// A part of a run's time, from 0 to 1.
fn part(seed: u64, number: usize) -> f64 {
    let mut hasher = DefaultHasher::new();
    (seed, number).hash(&mut hasher);
    (hasher.finish() % 1000) as f64 / 1000.0
}
