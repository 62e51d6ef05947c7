//! Ctrl-C takes the hosts of a test down too: they live in sessions of their own and would stay.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

use haengine_lab::Lab;
use tokio::signal::unix::{SignalKind, signal};

/// Cache, state folder and name of each lab that was made. A handle would keep it up after its test.
static MADE: Mutex<Vec<(PathBuf, PathBuf, String)>> = Mutex::new(Vec::new());
static WATCH: Once = Once::new();

/// From now on this lab goes down when the tests are interrupted; one that is down by then is fine.
pub fn takes_down(cache: &Path, state: &Path, name: &str) {
    WATCH.call_once(|| drop(std::thread::spawn(watch)));
    made().push((cache.to_owned(), state.to_owned(), name.to_owned()));
}

fn made() -> std::sync::MutexGuard<'static, Vec<(PathBuf, PathBuf, String)>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut interrupt, mut end) =
            (signal(SignalKind::interrupt()).unwrap(), signal(SignalKind::terminate()).unwrap());
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = end.recv() => {}
        }
        let all = std::mem::take(&mut *made());
        for (cache, state, name) in &all {
            let down = async { Lab::open(cache, state, name)?.down().await };
            if let Err(error) = down.await {
                println!("the lab {name} does not go down: {error}");
            }
        }
        std::process::exit(130);
    });
}
