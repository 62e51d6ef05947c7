//! What a plan will have made of the cluster.

/// A node that is let in.
pub struct ApprovedNode;

/// An object that is changed.
pub enum PlannedObject {
    /// It is there, in some form.
    Applied,
    /// It is gone.
    Absent,
}
