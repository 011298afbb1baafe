//! Makes a layer and a damaged `state_dict` for it, and holds what opens and what is reported against PyTorch's own loader.
//!
//! `cargo +nightly fuzz run state_dict`
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crate/tests/state_dicts/oracle.rs"]
mod oracle;
#[path = "../../crate/tests/state_dicts/property.rs"]
mod property;

fuzz_target!(|bytes: &[u8]| {
    let mut choices = bytes.iter();
    property::Case::new(|n| choices.next().map_or(0, |&byte| usize::from(byte)) % n).check();
});
