//! Bytes that nobody meant to be read, for everything that reads what hosts and people hand over: nothing panics, takes for
//! ever or fills the memory.
//!
//! The examples below `fixtures/hostile` are mutated, each `HAENGINE_MUTATIONS` times, from `HAENGINE_SEED`. The mutation
//! of the moment lies in a file, which is named when it is the one that fails, and is left there when the process ends. Each sort
//! is played by a process of its own: what it needs at most is nobody else's.
//! `tests/fuzz` looks for more from the same examples.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says what brings it back"
)]
#![expect(clippy::disallowed_methods, reason = "it reads its own environment")]

mod mutation;

use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use haengine_stdlib::hostile::READERS;
use libtest_mimic::{Arguments, Failed, Trial};
use mutation::mutation;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A host's answer has to be there after as long; reading it takes milliseconds, but nothing here is optimised.
const BOUND: Duration = Duration::from_secs(60);

/// Names the one sort that the process plays.
const ALONE: &str = "HAENGINE_HOSTILE";

/// What the process may need at most, in KiB.
const MEMORY: u64 = 200 * 1000;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let seed = number("HAENGINE_SEED").unwrap_or(u64::from(std::process::id()));
    let count = number("HAENGINE_MUTATIONS").map_or(20, |count| count as usize);
    if let Ok(alone) = std::env::var(ALONE) {
        let read = READERS.iter().find(|(name, _)| *name == alone).unwrap();
        return match bears(read.0, read.1, seed, count) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                println!("{}", why.message().unwrap_or_default());
                ExitCode::FAILURE
            }
        };
    }
    println!("HAENGINE_SEED={seed} HAENGINE_MUTATIONS={count}");
    let trial = |(name, _)| Trial::test(name, move || in_a_process(name, seed, count));
    libtest_mimic::run(&arguments, READERS.map(trial).into()).exit_code()
}

/// Plays one sort in a process of its own.
fn in_a_process(name: &str, seed: u64, count: usize) -> Result<(), Failed> {
    let mut program = Command::new(std::env::current_exe()?);
    program.env(ALONE, name).env("HAENGINE_SEED", seed.to_string()).env("HAENGINE_MUTATIONS", count.to_string());
    let output = program.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    Err(format!("{}: {}", output.status, said.concat().trim()).into())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The examples of a sort, by their names.
fn examples(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("fixtures/hostile").join(name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn bears(name: &'static str, read: fn(&[u8]), seed: u64, count: usize) -> Result<(), Failed> {
    let place = std::env::temp_dir().join(format!("haengine-hostile-{name}"));
    let began = Arc::new(Mutex::new(Instant::now()));
    let (file, clock) = (place.clone(), began.clone());
    let work = std::thread::spawn(move || {
        let examples = examples(name);
        let mut random = StdRng::seed_from_u64(seed);
        for example in examples.iter().flat_map(|example| iter::repeat_n(example, count)) {
            let bytes = mutation(&mut random, example, &examples);
            std::fs::write(&file, &bytes).unwrap();
            *clock.lock().unwrap() = Instant::now();
            read(&bytes);
        }
    });
    while !work.is_finished() {
        std::thread::sleep(Duration::from_millis(20));
        if began.lock().unwrap().elapsed() > BOUND {
            // What comes next would be written over it.
            let slow = place.with_extension("slow");
            std::fs::rename(&place, &slow)?;
            return Err(format!("it takes longer than {BOUND:?} for {}", slow.display()).into());
        }
    }
    work.join().map_err(|_| format!("it panics for {}", place.display()))?;
    std::fs::remove_file(place)?;
    let peak = peak();
    if peak > MEMORY { Err(format!("it needed {peak} KiB").into()) } else { Ok(()) }
}

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
