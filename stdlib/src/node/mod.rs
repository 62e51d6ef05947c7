//! What a node of a cluster is made of: the texts that say it, read and rewritten by parsing.
//!
//! | file | what |
//! |---|---|
//! | document, reading, scalar, edit | a text in YAML or JSON: its values with their places, and others written in their stead |
//! | endpoint | where a server is: addresses, names, ports |
//! | moving, mention | from which node to which one, and what still names the old one |
//! | kubeconfig | clusters, users, contexts; the only reader of kubeconfigs |
//! | configuration | the components' configuration files |
//! | etcd | etcd's configuration file |
//! | network, subnet | the files of CNI, and the parts of networks in them |
//! | manifest | static pods |
//!
//! All of it is pure: a text and its file's name go in, values and edited texts come out. What is not understood is
//! refused with file and line; an error never quotes the text, since there may be a secret in it.

pub mod configuration;
pub mod document;
pub mod edit;
pub mod endpoint;
pub mod etcd;
pub mod kubeconfig;
pub mod manifest;
pub mod mention;
pub mod moving;
pub mod network;
mod reading;
pub mod scalar;
pub mod subnet;
