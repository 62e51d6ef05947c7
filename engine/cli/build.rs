//! A recipe that is added to the folder of recipes is a reason to build again; the compiler only knows those it has seen.
#![expect(clippy::print_stdout, reason = "this is how a build script speaks")]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../scripts");
}
