//! A recipe that is added to the folder of recipes is a reason to build again; the compiler only knows those it has seen.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../scripts");
}
