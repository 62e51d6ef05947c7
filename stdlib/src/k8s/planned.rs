//! Under which kinds a plan remembers what would change in a cluster.

/// Nodes and their certificates.
pub const NODE: &str = "k8s node";
/// Any other object, by [`Identity`](super::document::Identity).
pub const OBJECT: &str = "k8s object";
