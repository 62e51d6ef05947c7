//! How every run ends.

use haengine_kernel::error::Kind;
use haengine_kernel::event::{Event, Level, Totals};
use haengine_kernel::run::Run;
use haengine_script::Fault;

use crate::person::{Person, record};

/// How a run, a plan or an undo ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All was done.
    Done,
    /// Undone, but something was left or kept that is named.
    Remains,
    /// An error of this family ended it; `touched` says whether something was changed before.
    Failed {
        /// The family.
        kind: Kind,
        /// Something was changed.
        touched: bool,
    },
}

impl End {
    /// The end that a result is.
    pub(crate) fn of(run: &Run, result: &Result<(), Fault>) -> End {
        match result {
            Ok(()) if run.leaves() => End::Remains,
            Ok(()) => End::Done,
            Err(fault) => End::Failed { kind: fault.error().kind(), touched: run.has_touched() },
        }
    }

    /// How a run that ends so is called in the journal and in `run_finished`.
    ///
    /// ```
    /// use haengine_kernel::error::Kind;
    /// use haengine_runs::End;
    ///
    /// assert_eq!(End::Remains.outcome(), "succeeded");
    /// assert_eq!(End::Failed { kind: Kind::Cancelled, touched: true }.outcome(), "interrupted");
    /// ```
    pub fn outcome(self) -> &'static str {
        match self {
            End::Done | End::Remains => "succeeded",
            End::Failed { kind: Kind::Cancelled, .. } => "interrupted",
            End::Failed { .. } => FAILED,
        }
    }
}

/// How a run is called that an error ended.
pub(crate) const FAILED: &str = "failed";

/// Ends a run as its result says, and tells it.
pub(crate) async fn finish(person: &dyn Person, run: &Run, result: Result<(), Fault>) -> (End, Totals) {
    let end = End::of(run, &result);
    if let Err(fault) = &result {
        person.tell(fault);
    }
    let error = result.err().as_ref().map(record);
    (end, run.finish_with(end.outcome(), error).await)
}

/// Ends where nothing was to be done.
pub(crate) fn nothing(person: &dyn Person, run: &str, why: &str) -> End {
    person.events().log(Level::Info, None, why);
    let totals = Totals { run: run.to_owned(), outcome: End::Done.outcome().to_owned(), ..Totals::default() };
    person.events().send(Event::RunFinished(totals));
    End::Done
}
