//! Certificates: read, made, extended.
//!
//! | file | what |
//! |---|---|
//! | pem, kubeconfig | the texts that certificates and keys come in |
//! | certificate, name, key | what is in them |
//! | tbs | a certificate that is another one in all but a few fields |
//! | signer | the authority whose key signs, on whichever host it lies |
//! | pair | a key and its certificate, placed and taken back by one change |
//!
//! rcgen makes keys, extensions and authorities. It cannot write every name: of two organisations it keeps one, and an
//! issuer's name that it read may come out in another encoding, which verifiers compare byte for byte. So the names of a
//! certificate, and all that `ensure_sans` keeps of one, are bytes that were there before, joined by yasna (the DER
//! writer behind rcgen) and signed with rcgen's key.

mod asked;
mod authority;
pub(crate) mod certificate;
mod ensure_sans;
mod inspect;
mod issue;
pub(crate) mod key;
pub(crate) mod kubeconfig;
mod name;
mod pair;
pub(crate) mod pem;
mod served;
mod signer;
pub(crate) mod tbs;
mod usage;

use haengine_kernel::module::Module;

pub use authority::Authority;
pub(crate) use certificate::{Certificate, now, public_key};
pub use ensure_sans::EnsureSans;
pub use inspect::Inspect;
pub use issue::Issue;
pub use served::Served;
pub(crate) use served::{endpoint_of, roots};

/// The module, as recipes see it.
pub fn module() -> Module {
    Module::new("cert", ABOUT).read::<Inspect>().read::<Served>().op::<Authority>().op::<Issue>().op::<EnsureSans>()
}

const ABOUT: &str = "Certificates: read, made, extended.

An authority's key stays on its host; where something is signed, it comes into the memory of your machine for that
moment. No key is ever shown, journalled, or part of a command.";
