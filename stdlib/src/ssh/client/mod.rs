//! The connection: russh behind the kernel's transport.
//!
//! | file | what it holds |
//! |---|---|
//! | `connector` | one connection a host, shared with the hosts behind it |
//! | `dial` | name, route, refused: the socket, before SSH speaks |
//! | `handshake`, `algorithms` | the key exchange and the check of the host's key |
//! | `known_hosts` | the file of host keys, hashed names too |
//! | `identity`, `login` | keys, passphrases, the agent, and what was offered |
//! | `link`, `line`, `tunnel` | an authenticated connection, its channels and what it forwards |
//! | `launch`, `starter`, `rights` | how a process starts on the host, as login user or through sudo |
//! | `shell`, `frame`, `pool` | persistent `sh` for the short commands of ops |
//! | `process`, `spool`, `stdin`, `kill` | a command on a channel of its own, and how it ends |
//! | `transport` | the four verbs of the kernel's wire |

mod algorithms;
mod connector;
mod dial;
pub(crate) mod frame;
mod handshake;
mod identity;
mod kill;
pub(crate) mod known_hosts;
mod launch;
mod line;
mod link;
mod login;
mod notice;
mod patience;
mod pool;
mod process;
mod rights;
mod shell;
mod short_scalar;
mod spool;
mod starter;
mod stdin;
mod transport;
mod tunnel;

pub use connector::{Options, SshConnector};
pub use notice::Notice;
