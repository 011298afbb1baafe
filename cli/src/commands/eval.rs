//! `saccade eval`: figures of a model on a text.

use std::path::PathBuf;
use std::time::Instant;

use saccade_rnn::model::{Model, Task};
use saccade_rnn::train::evaluate;
use serde_json::json;

use crate::corpus::read_items;
use crate::device::Hardware;
use crate::failure::Failure;
use crate::perplexity::Running;
use crate::progress::Progress;
use crate::source::AnyFormat;
use crate::{config, labelled, output};

/// Prints, of a classifier on labelled texts, `{n, accuracy, skim_rate, flop_reduction, tokens_per_second}`; of a language
/// model on running text, `{n, perplexity, loss, unknown, tokens_per_second, clusters, convention}`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model file.
    #[arg(long)]
    model: PathBuf,
    /// The file of texts; of running text also a folder.
    #[arg(long)]
    data: PathBuf,
    /// How it is written. For a classifier: lines (`label text`), imdb-tsv, ag-csv or sst-trees. For a language model: text
    /// (running text, hard-wrapped or not), lines (a sentence each) or imdb-tsv (a document each).
    #[arg(long)]
    format: AnyFormat,
    /// Skim iff the probability of skimming exceeds this; the model's own if absent.
    #[arg(long, allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "cpu")]
    device: Hardware,
}

pub(crate) fn run(args: &Arguments) -> Result<(), Failure> {
    let model = labelled::open(&args.model)?;
    match model.config().task {
        Task::Classify(_) => classify(args, &model),
        Task::Predict(_) => predict(args, &model),
    }
}

fn classify(args: &Arguments, model: &Model) -> Result<(), Failure> {
    let threshold = labelled::threshold(args.threshold, model)?;
    let format = args.format.labelled.ok_or(Failure::Unlabelled)?;
    let part = config::Part { path: args.data.clone(), format };
    let labels = model.config().task.data_labels();
    let items = read_items(&part, "".as_ref(), model.tokenizer(), model.vocabulary(), labels)?;
    let device = args.device.device()?;
    let progress = Progress::of(items.len(), "texts")?;
    let go_on = |done| progress.at(done);
    let begun = Instant::now();
    let result = pollster::block_on(evaluate(model, &device, &items, threshold, go_on))?;
    let seconds = begun.elapsed().as_secs_f64();
    progress.end();
    let evaluation = result.ok_or_else(cancelled)?;
    output::json(&json!({
        "n": evaluation.n,
        "accuracy": evaluation.accuracy,
        "skim_rate": evaluation.skim_rate,
        "flop_reduction": evaluation.flop_reduction,
        "tokens_per_second": evaluation.tokens as f64 / seconds,
    }))
}

fn predict(args: &Arguments, model: &Model) -> Result<(), Failure> {
    if args.threshold.is_some() {
        let reason = "a language model is measured at its own threshold";
        return Err(Failure::Option { option: "--threshold", reason });
    }
    let layout = args.format.running.ok_or(Failure::NotRunning)?;
    let text = Running::read(&args.data, layout, model)?;
    let device = args.device.device()?;
    let progress = Progress::of(text.words(), "words")?;
    let report = text.report(model, &device, |done| progress.at(done))?;
    progress.end();
    output::json(&report.ok_or_else(cancelled)?)
}

fn cancelled() -> Failure {
    Failure::Cancelled("nothing was measured".into())
}
