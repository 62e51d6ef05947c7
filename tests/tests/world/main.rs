//! The world fails in the middle of a run: cables, power, sshd, disks, sudo, and other people.
//!
//! | file | what |
//! |---|---|
//! | scene | three hosts, a recipe that copies a large tree, and what must be true after each failure |
//! | watch | what a program on a host sees at the paths that change, all along |
//! | network, host, disk, people | what fails |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod disk;
mod host;
mod network;
mod people;
mod scene;
mod watch;
