//! Training on the GPU goes as it goes on the CPU: the same losses from the same seed, in memory that does not grow.

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::Device;
use saccade_rnn::train::{Config, Event, Job, Outcome, train};
use tempfile::TempDir;

use common::{device, gpu};

const STEPS: usize = 50;

/// Texts of as many words as `length` says; a text is positive iff it holds more of `warm` than of `cold`.
fn corpus(texts: usize, length: impl Fn(&mut Random) -> usize) -> TempDir {
    let folder = TempDir::new().unwrap_or_else(|error| panic!("there is room for a folder: {error}"));
    let mut random = Random::new(3);
    for (name, texts) in [("train.txt", texts), ("dev.txt", 40)] {
        let mut lines = String::new();
        for _ in 0..texts {
            let (mut score, mut text) = (0i32, String::new());
            for _ in 0..length(&mut random) {
                let word = ["warm", "cold", "the", "soup", "is", "a", "day"][random.below(7)];
                score += i32::from(word == "warm") - i32::from(word == "cold");
                text = text + " " + word;
            }
            lines += &format!("{}{text}\n", u8::from(score > 0));
        }
        std::fs::write(folder.path().join(name), lines)
            .unwrap_or_else(|error| panic!("the folder can be written to: {error}"));
    }
    folder
}

fn config(encoder: &str, skim: &str) -> Config {
    let text = format!(
        r#"
        seed = 5
        [data]
        name = "warm or cold"
        tokenizer = {{ kind = "spaces", lowercase = false }}
        train = [{{ path = "train.txt", format = "lines" }}]
        dev = {{ path = "dev.txt", format = "lines" }}
        [model]
        embedding_size = 7
        encoder = [{encoder}]
        pool = "last"
        forget_bias = 1.0
        [train]
        batch = 16
        epochs = 9
        learning_rate = 0.01
        embedding_rate = 0.5
        weight_decay = 0.01
        clip = 1.0
        average = 0.9
        dropout_embedding = 0.2
        dropout_encoder = 0.1
        dropout_head = 0.1
        {skim}
        "#
    );
    toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// Takes a run as far as `until` steps; what every step told.
fn run(
    device: &Device,
    config: &Config,
    folder: &Path,
    resume: bool,
    until: usize,
    mut each: impl FnMut(),
) -> Vec<[f32; 2]> {
    let (cancel, mut losses) = (AtomicBool::new(false), Vec::new());
    let out = folder.join(format!("{}.safetensors", device.name()));
    let job = Job { config, data: folder, out: &out, resume, command: "a test" };
    let outcome = block_on(train(device, job, &cancel, |event| {
        if let Event::Step { loss, skim_loss } = event {
            losses.push([loss, skim_loss.unwrap_or_default()]);
            cancel.fetch_or(losses.len() == until, Ordering::Relaxed);
            each();
        }
    }));
    assert!(matches!(outcome, Ok(Outcome::Cancelled)), "{outcome:?}");
    losses
}

/// Fifty steps on both devices; the GPU's run is interrupted half way and goes on from its file.
fn curves_agree(encoder: &str, skim: &str) {
    let (device, config) = (device(), config(encoder, skim));
    let folder = corpus(480, |random| 1 + random.below(12));
    let on_cpu = run(&Device::cpu(), &config, folder.path(), false, STEPS, || ());
    let mut on_gpu = run(&device, &config, folder.path(), false, STEPS / 2, || ());
    on_gpu.extend(run(&device, &config, folder.path(), true, STEPS - STEPS / 2, || ()));
    assert_eq!((on_cpu.len(), on_gpu.len()), (STEPS, STEPS));
    for (step, (a, b)) in on_gpu.iter().flatten().zip(on_cpu.iter().flatten()).enumerate() {
        assert!((a - b).abs() <= 1e-3, "{encoder}, step {}: {a}, on the CPU {b}", step / 2);
    }
    let mean = |losses: &[[f32; 2]]| losses.iter().map(|[loss, _]| loss).sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&on_gpu[..10]), mean(&on_gpu[STEPS - 10..]));
    assert!(last < first, "{encoder} learns: {first} at first, {last} at last");
}

#[test]
fn an_lstm_learns_as_on_the_cpu() {
    curves_agree(r#"{ type = "lstm", hidden_size = 9, bidirectional = true }"#, "");
}

#[test]
fn an_sru_learns_as_on_the_cpu() {
    curves_agree(r#"{ type = "sru", hidden_size = 9, num_layers = 2 }"#, "");
}

#[test]
fn a_skim_lstm_learns_as_on_the_cpu() {
    curves_agree(
        r#"{ type = "skim", cell = "lstm", hidden_size = 9, small_size = 3, small_reads = "slice" }"#,
        "skim = { gamma = 0.05, temperature_rate = 1e-2 }",
    );
}

#[test]
fn memory_does_not_grow_from_step_to_step() {
    let (device, config) =
        (device(), config(r#"{ type = "lstm", hidden_size = 9, bidirectional = false }"#, ""));
    // Steps alike, and one evaluation before the first look.
    let folder = corpus(16 * 8, |_| 6);
    let mut bytes = Vec::new();
    run(&device, &config, folder.path(), false, STEPS, || {
        bytes.push(gpu(&device).statistics().bytes_allocated)
    });
    assert_eq!(bytes[10], bytes[40], "{bytes:?}");
}
