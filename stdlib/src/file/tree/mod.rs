//! Whole trees: what is in them, how two of them differ, and how one becomes like the other.

pub(super) mod before;
pub(super) mod comparison;
mod digests;
pub(super) mod entry;
pub(super) mod glob;
pub(super) mod manifest;
pub(super) mod place;
mod planned;
pub(super) mod proofs;
pub(super) mod show;
mod size;
pub(super) mod state;
pub(super) mod stream;
