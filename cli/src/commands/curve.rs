//! `saccade curve`: what accuracy a model keeps for what it saves, threshold by threshold.

use std::num::NonZeroUsize;

use saccade_rnn::train::{Evaluation, Item, evaluate};
use serde::Serialize;

use crate::device::{self, threads};
use crate::failure::Failure;
use crate::labelled::{self, Labelled};
use crate::output;
use crate::progress::Progress;

/// From reading nothing to reading everything. Probabilities of skimming crowd at both ends, and so do these.
const THRESHOLDS: [f32; 29] = [
    0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65,
    0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0,
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: Labelled,
    /// The thresholds, with commas between; if absent 29 from 0 to 1, close together at both ends.
    #[arg(long, value_delimiter = ',', allow_negative_numbers = true, default_values_t = THRESHOLDS, hide_default_value = true)]
    thresholds: Vec<f32>,
    /// Measure on so many texts, at even distances in the file. All if absent.
    #[arg(long, value_name = "COUNT")]
    sample: Option<NonZeroUsize>,
    /// How many threads texts are dealt to. The figures do not depend on it.
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = threads)]
    threads: NonZeroUsize,
}

#[derive(Serialize)]
struct Curve {
    texts: usize,
    of: usize,
    points: Vec<Point>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    threshold: f32,
    accuracy: f64,
    skim_rate: f64,
    flop_reduction: f64,
}

pub(crate) fn run(args: &Arguments) -> Result<(), Failure> {
    let model = labelled::open_skimming(&args.on.model)?;
    let thresholds = args.thresholds.iter().map(|&asked| labelled::threshold(Some(asked), &model));
    let thresholds: Vec<f32> = thresholds.collect::<Result<_, _>>()?;
    let all = args.on.items(&model)?;
    let of = all.len();
    let items = evenly(all, args.sample.map_or(of, NonZeroUsize::get));
    let progress = Progress::of(items.len() * thresholds.len(), "texts")?;
    let device = device::cpu(args.threads);
    let mut points = Vec::new();
    for (i, &threshold) in thresholds.iter().enumerate() {
        let go_on = |done| progress.at(i * items.len() + done);
        let point = pollster::block_on(evaluate(&model, &device, &items, threshold, go_on))?;
        let point = point.ok_or_else(|| {
            progress.end();
            Failure::Cancelled(format!("{i} of {} thresholds were measured", thresholds.len()))
        })?;
        let Evaluation { accuracy, skim_rate, flop_reduction, .. } = labelled::finite(point)?;
        points.push(Point { threshold, accuracy, skim_rate, flop_reduction });
    }
    progress.end();
    output::json(&Curve { texts: items.len(), of, points })
}

/// `count` of the items, at even distances; all, if there are no more.
fn evenly(items: Vec<Item>, count: usize) -> Vec<Item> {
    let of = items.len();
    let count = count.min(of);
    // The i-th wanted is the first whose share of the list reaches i: each step below crosses exactly `count` bounds.
    let wanted = |place: usize| (place + 1) * count / of > place * count / of;
    items.into_iter().enumerate().filter(|(place, _)| wanted(*place)).map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_evenly() {
        let items = |n: u32| (0..n).map(|label| Item { label, ..Item::default() }).collect::<Vec<_>>();
        let labels =
            |n, count| evenly(items(n), count).into_iter().map(|item| item.label).collect::<Vec<_>>();
        assert_eq!(labels(10, 5), [1, 3, 5, 7, 9]);
        assert_eq!(labels(10, 3), [3, 6, 9]);
        assert_eq!(labels(3, 10), [0, 1, 2]);
        assert_eq!(labels(0, 10), [0; 0]);
    }

    #[test]
    fn thresholds_rise_from_0_to_1() {
        assert!(THRESHOLDS.is_sorted_by(|a, b| a < b));
        assert_eq!((THRESHOLDS[0], THRESHOLDS[THRESHOLDS.len() - 1]), (0.0, 1.0));
    }
}
