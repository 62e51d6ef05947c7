//! Where a run is killed, and what must be true then.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::stage::{Killer, Stage, Subject, timed};

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

/// Right before it and right after it. `succeeded` is what the next one's `started` is, but for one line of the journal.
const MOMENTS: [&str; 2] = ["started", "applied"];
const RANDOM: usize = 20;
const UNDOS: usize = 5;
/// So many of the random ones go on to the very end of the recipe, whatever that waits for.
const TO_THE_END: usize = 5;

/// The list of ops is the recipe's: else cases would be missing.
pub fn every_op(stage: &mut Stage) {
    let listed: Vec<String> = stage.subject.ops.iter().map(|op| (*op).to_owned()).collect();
    let made: Vec<String> = stage.undisturbed().changes.keys().cloned().collect();
    assert_eq!(made, listed, "correct the list of this recipe's ops");
}

impl Case {
    /// At this moment of a change.
    pub fn at(op: &'static str, which: Which, moment: &'static str) -> Case {
        Case::Change { op, which, moment }
    }

    /// At every kind of change, and anywhere.
    pub fn all(subject: &'static Subject, seed: u64) -> Vec<Case> {
        let mut all = Vec::new();
        for op in subject.ops {
            for which in [Which::First, Which::Last] {
                all.extend(MOMENTS.map(|moment| Case::at(op, which, moment)));
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
        stage.begin();
        self.resumed(stage, &killer);
        stage.begin();
        undone(stage, &killer);
    }

    fn resumed(&self, stage: &mut Stage, killer: &Killer) {
        let Some(run) = timed("killed", || stage.kill(killer)) else {
            return stage.ends_as_before("it touched something");
        };
        let to_the_end = matches!(self, Case::Random { number, .. } if *number < TO_THE_END);
        let made = stage.subject.made.as_ref().filter(|_| !to_the_end);
        match made {
            Some(_) => timed("resumed", || stage.resume_until_made(&run)),
            None => drop(timed("resumed to its end", || stage.then("resume", &run))),
        }
        let differences = timed("compared", || stage.differs_from_end(made));
        assert_eq!(differences, "", "not the end of a run that nobody killed");
        timed("undone", || stage.then("undo", &run));
        stage.is_taken_back();
    }
}

fn undone(stage: &mut Stage, killer: &Killer) {
    if let Some(run) = timed("killed", || stage.kill(killer)) {
        timed("undone", || stage.then("undo", &run));
        let again = stage.then("undo", &run);
        assert_eq!(again.finished()["changed"], 0, "{:#?}", again.changes());
    }
    stage.ends_as_before("undo left something");
}

fn undo_killed(stage: &mut Stage, part: f64) {
    let time = stage.undisturbed().undo_took.mul_f64(part);
    stage.begin();
    println!("undo is killed after {time:.2?}");
    let run = timed("run and killed", || stage.kill_undo(time));
    timed("undone", || stage.then("undo", &run));
    stage.ends_as_before("undo after a killed undo left something");
}

/// A part of a run's time, from 0 to 1.
fn part(seed: u64, number: usize) -> f64 {
    let mut hasher = DefaultHasher::new();
    (seed, number).hash(&mut hasher);
    (hasher.finish() % 1000) as f64 / 1000.0
}
