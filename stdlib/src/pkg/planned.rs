//! What a plan will have installed.

/// A package that will be there.
pub struct PlannedPackage;
