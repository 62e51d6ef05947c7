//! The connection: russh behind the kernel's transport.
