#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| haengine_stdlib::hostile::units(bytes));
