//! What a node of a cluster is, read from the files of its host, and those files for another node.
//!
//! | file | what |
//! |---|---|
//! | traced | text that knows where each of its characters is written; files, and edits of them |
//! | words | a line split into words by systemd's rules |
//! | specifier | what `%n` stands for |
//! | fragments | which files make up a unit |
//! | unit | a unit with its drop-ins |
//! | variable_file | a file of variables |
//! | environment | `Environment=`, such files, and what of them counts |
//! | expansion | variables put in for `$NAME` and `${NAME}` |
//! | service | a unit with its environment and its command lines |
//! | program | the program that a service runs |
//! | flags, kinds | its flags, and which of them need no value |
//! | naming, hosts | which flags hold a node's own address or name; where in a value they stand |
//! | rename | the same files for another node |
//! | rewrite | a value changed where it is written |
//! | mentions | what still names the old node, and why |
//!
//! Nothing here asks a host: texts come in, values go out.

pub mod environment;
mod expansion;
pub mod flags;
pub mod fragments;
pub mod hosts;
mod kinds;
pub mod mentions;
pub mod naming;
pub mod program;
pub mod rename;
mod rewrite;
pub mod service;
mod specifier;
pub mod traced;
pub mod unit;
pub mod variable_file;
pub mod words;
