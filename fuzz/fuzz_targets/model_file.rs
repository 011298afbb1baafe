//! Opens arbitrary bytes as a model file.
//!
//! `cargo +nightly fuzz run model_file fuzz/corpus/model_file crate/tests/fixtures/safetensors -- -malloc_limit_mb=64`
#![no_main]

use libfuzzer_sys::fuzz_target;
use saccade_rnn::model::{Checkpoint, Storage, open};

fuzz_target!(|bytes: &[u8]| {
    if let Ok((config, checkpoint)) = open(bytes) {
        config.to_json().expect("what was opened can be written");
        let again = checkpoint.to_bytes(|_, _| Storage::F32).expect("what was opened can be written");
        assert_eq!(Checkpoint::from_bytes(&again), Ok(checkpoint));
    }
});
