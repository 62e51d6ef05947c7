//! haengine.
