//! Ctrl-C and its relatives: the first ends the run in order, the second leaves at once.

use haengine_kernel::cancel::Cancel;
use haengine_kernel::error::{Error, Kind, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, at_once};
use crate::report::{Out, Screen};

/// Sets `cancel` at the first SIGINT, SIGTERM or SIGHUP, and leaves at one that comes before it is renewed. Must be called
/// within a runtime.
///
/// # Errors
/// When the system does not let us know of signals.
pub fn watch(cancel: Cancel, screen: Screen) -> Result<()> {
    let listen = |kind: SignalKind| {
        signal(kind)
            .map_err(|error| Error::new(Kind::Local, "interrupt.signals", "cannot watch for interrupts").because(error))
    };
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] = [listen(signals[0])?, listen(signals[1])?, listen(signals[2])?];
    tokio::spawn(async move {
        loop {
            any(&mut interrupt, &mut terminate, &mut hangup).await;
            if cancel.is_cancelled() {
                at_once(Exit::Interrupted);
            }
            cancel.cancel();
            screen.aside(|| {
                let said = "interrupted: ending what runs on the hosts; press Ctrl-C again to leave at once\n";
                Out::stderr().write(said);
            });
        }
    });
    Ok(())
}

async fn any(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
