//! How a snapshot flows from a member to its places, never in plain where it shall not be.
//!
//! | file | what |
//! |---|---|
//! | source | where it comes from: a file of etcdctl's, or the gateway |
//! | whole | whether all of it came |
//! | seal | encrypting it |
//! | places | where it goes: the host, the operator's machine, or both |

mod places;
mod seal;
mod source;
mod whole;

pub(super) use places::{Places, Print};
pub(super) use seal::recipients;
pub(super) use source::{Facts, Source};
