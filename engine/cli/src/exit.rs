//! How the process ends: the one place that turns the family of an error into an exit code.

use std::process::ExitCode;

use haengine_kernel::error::Kind;
use haengine_runs::End;

/// The exit codes of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All was done.
    Done = 0,
    /// A step failed after something was changed.
    Failed = 1,
    /// Refused, and nothing was touched.
    Refused = 2,
    /// A host could not be reached or did not let us in, and nothing was touched.
    Unreachable = 3,
    /// A plan found pending changes, and was asked to say so.
    Pending = 4,
    /// A live run holds the lock.
    Locked = 5,
    /// Undone, but something was left or kept that is named.
    Remains = 6,
    /// The operator interrupted.
    Interrupted = 130,
}

impl Exit {
    /// The exit code for an error. Once something was changed, that is what matters most about a failure.
    pub fn of(kind: Kind, touched: bool) -> Exit {
        match kind {
            Kind::Cancelled => Exit::Interrupted,
            _ if touched => Exit::Failed,
            Kind::Unreachable => Exit::Unreachable,
            Kind::Locked => Exit::Locked,
            Kind::Usage | Kind::Refused | Kind::Failed | Kind::Drift | Kind::Unknown | Kind::Local => Exit::Refused,
        }
    }

    /// How a run that ends so is called in the journal and in `run_finished`.
    pub fn outcome(self) -> &'static str {
        match self {
            Exit::Done | Exit::Pending | Exit::Remains => "succeeded",
            Exit::Interrupted => "interrupted",
            Exit::Failed | Exit::Refused | Exit::Unreachable | Exit::Locked => "failed",
        }
    }
}

impl From<End> for Exit {
    fn from(end: End) -> Exit {
        match end {
            End::Done => Exit::Done,
            End::Remains => Exit::Remains,
            End::Failed { kind, touched } => Exit::of(kind, touched),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Leaves at once, whatever still runs: the second Ctrl-C.
#[expect(clippy::exit, clippy::disallowed_methods, reason = "the one place where the process ends without unwinding")]
pub fn at_once(exit: Exit) -> ! {
    std::process::exit(exit as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_its_code() {
        let codes = |touched| {
            [
                Kind::Usage,
                Kind::Unreachable,
                Kind::Refused,
                Kind::Failed,
                Kind::Drift,
                Kind::Unknown,
                Kind::Locked,
                Kind::Cancelled,
                Kind::Local,
            ]
            .map(|kind| Exit::of(kind, touched) as u8)
        };
        assert_eq!(codes(false), [2, 3, 2, 2, 2, 2, 5, 130, 2]);
        assert_eq!(codes(true), [1, 1, 1, 1, 1, 1, 1, 130, 1]);
    }
}
