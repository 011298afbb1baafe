//! `saccade eval`: figures of a model on labelled texts.

use std::time::Instant;

use saccade_rnn::train::evaluate;
use serde_json::json;

use crate::device::Hardware;
use crate::failure::Failure;
use crate::labelled::{self, Labelled};
use crate::output;
use crate::progress::Progress;

/// Prints `{n, accuracy, skim_rate, flop_reduction, tokens_per_second}`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: Labelled,
    /// Skim iff the probability of skimming exceeds this; the model's own if absent.
    #[arg(long, allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "cpu")]
    device: Hardware,
}

pub(crate) fn run(args: &Arguments) -> Result<(), Failure> {
    let model = labelled::open(&args.on.model)?;
    let threshold = labelled::threshold(args.threshold, &model)?;
    let items = args.on.items(&model)?;
    let device = args.device.device()?;
    let progress = Progress::of(items.len())?;
    let go_on = |done| progress.at(done);
    let begun = Instant::now();
    let result = pollster::block_on(evaluate(&model, &device, &items, threshold, go_on))?;
    let seconds = begun.elapsed().as_secs_f64();
    progress.end();
    let evaluation = result.ok_or_else(|| Failure::Cancelled("nothing was measured".into()))?;
    output::json(&json!({
        "n": evaluation.n,
        "accuracy": evaluation.accuracy,
        "skim_rate": evaluation.skim_rate,
        "flop_reduction": evaluation.flop_reduction,
        "tokens_per_second": evaluation.tokens as f64 / seconds,
    }))
}
