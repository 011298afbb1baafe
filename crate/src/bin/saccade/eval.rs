//! `saccade eval`: figures of a model on labelled texts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use saccade_rnn::device::Cpu;
use saccade_rnn::model::{Model, ReadError};
use saccade_rnn::train::data::Format;
use saccade_rnn::train::{Part, evaluate, read_items};
use serde_json::json;

use crate::device::{self, Hardware};
use crate::failure::Failure;
use crate::{interrupt, output};

/// Prints `{n, accuracy, skim_rate, flop_reduction, tokens_per_second}`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model file.
    #[arg(long)]
    model: PathBuf,
    /// The file of labelled texts.
    #[arg(long)]
    data: PathBuf,
    /// How it is written: lines (`label text`), imdb-tsv, ag-csv or sst-trees.
    #[arg(long)]
    format: Format,
    /// Skim iff the probability of skimming exceeds this; the model's own if absent.
    #[arg(long)]
    threshold: Option<f32>,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "cpu")]
    device: Hardware,
}

pub(crate) fn run(args: Arguments) -> Result<(), Failure> {
    if let Some(threshold) = args.threshold.filter(|t| !(0.0..=1.0).contains(t)) {
        return Err(ReadError::Threshold(threshold).into());
    }
    let bytes = std::fs::read(&args.model).map_err(Failure::file(&args.model))?;
    let model = Model::from_bytes(&bytes).map_err(Failure::model(&args.model))?;
    let threshold = args.threshold.unwrap_or(model.config().default_threshold());
    let config = model.config();
    let labels = if config.data_labels.is_empty() { &config.labels } else { &config.data_labels };
    let part = Part { path: args.data, format: args.format };
    let items = read_items(&part, Path::new(""), model.tokenizer(), model.vocabulary(), labels)?;

    let cancel = Arc::new(AtomicBool::new(false));
    interrupt::sets(&cancel)?;
    let bar = ProgressBar::new(items.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} texts, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    let go_on = |done| {
        bar.set_position(done as u64);
        !cancel.load(Ordering::Relaxed)
    };
    let gpu = (args.device == Hardware::Gpu).then(device::gpu).transpose()?;
    let begun = Instant::now();
    let result = match &gpu {
        None => pollster::block_on(evaluate(&model, &Cpu, &items, threshold, go_on)),
        Some(gpu) => pollster::block_on(evaluate(&model, gpu, &items, threshold, go_on)),
    }?;
    let seconds = begun.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let evaluation = result.ok_or_else(|| Failure::Cancelled("nothing was measured".into()))?;
    output::json(&json!({
        "n": evaluation.n,
        "accuracy": evaluation.accuracy,
        "skim_rate": evaluation.skim_rate,
        "flop_reduction": evaluation.flop_reduction,
        "tokens_per_second": evaluation.tokens as f64 / seconds,
    }))
}
