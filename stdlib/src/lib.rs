//! The verbs that recipes call.

pub mod ssh;
