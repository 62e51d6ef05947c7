//! The `pkg` module on a Debian host.
