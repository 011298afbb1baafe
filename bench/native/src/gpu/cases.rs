//! The workloads of a GPU: layers by size, batch and length, their training steps, Skim by its rate, and adaptive softmax.

use crate::{Network, SHAPES, Shape};

/// What is run.
#[derive(Clone, Debug)]
pub enum Work {
    /// A layer over sequences.
    Layer {
        /// Which one; of the Skim layers [`Network::SkimOfRows`].
        network: Network,
        /// Its sizes.
        shape: Shape,
        /// Forward and backward, rather than forward only.
        training: bool,
    },
    /// An adaptive softmax of some rows: their losses, or these and the gradients of the weights.
    Softmax {
        /// Columns of a row.
        input: usize,
        /// The vocabulary.
        words: usize,
        /// The first word of every tail.
        cutoffs: &'static [usize],
        /// Rows.
        rows: usize,
        /// Whether the gradients are computed.
        training: bool,
    },
}

/// The layers that cuDNN and the package `sru` have as well.
const LAYERS: [Network; 3] = [Network::Lstm, Network::Gru, Network::Sru];
const BATCHES: [usize; 3] = [1, 32, 256];
const LENGTHS: [usize; 3] = [20, 1024, 4096];
/// Shares of a hundred tokens that are skimmed.
const SKIMMED: [u32; 4] = [0, 50, 84, 95];
const VOCABULARIES: [(usize, &[usize]); 2] = [(44_000, &[2000, 10_000]), (260_000, &[4000, 40_000, 200_000])];

/// All of them, the most telling first, so that a machine that is too slow for all has those.
pub fn all() -> Vec<Work> {
    let [w1, w2, w3, w4] = SHAPES;
    let mut all = Vec::new();
    let mut layers = |shape: Shape, training: bool| {
        all.extend(LAYERS.map(|network| Work::Layer { network, shape, training }));
    };
    for shape in [w1, w2, w3, w4] {
        layers(shape, false);
    }
    for shape in [w1, w3] {
        layers(shape, true);
    }
    for shape in [w3, w1, w2, w4] {
        for batch in BATCHES.into_iter().filter(|&batch| batch != shape.batch) {
            layers(Shape { batch, ..shape }, false);
        }
    }
    for (shape, batch) in [(w3, 256), (w4, 32), (w2, 32)] {
        layers(Shape { batch, ..shape }, true);
    }
    for steps in LENGTHS {
        layers(Shape { name: "length", batch: 32, steps, input: 128, hidden: 128, layers: 1 }, false);
    }
    let skim = Shape { name: "texts", batch: 1, steps: 200, input: 100, hidden: 100, layers: 1 };
    for batch in BATCHES {
        let shape = Shape { batch, ..skim };
        all.extend(SKIMMED.map(|share| {
            let network = Network::SkimOfRows(share);
            Work::Layer { network, shape, training: false }
        }));
    }
    for (words, cutoffs) in VOCABULARIES {
        all.extend([false, true].map(|training| Work::Softmax {
            input: 512,
            words,
            cutoffs,
            rows: 700,
            training,
        }));
    }
    all
}

impl Work {
    /// The table that it belongs to.
    pub fn group(&self) -> &'static str {
        match self {
            Work::Softmax { .. } => "softmax",
            Work::Layer { network: Network::SkimOfRows(_), .. } => "skim",
            Work::Layer { training: true, .. } => "training",
            Work::Layer { .. } => "forward",
        }
    }

    /// A name that no other has.
    pub fn name(&self) -> String {
        match self {
            Work::Layer { network, shape, training } => {
                let Shape { name, batch, steps, input, hidden, layers } = shape;
                let network = match network {
                    Network::SkimOfRows(share) => format!("Skim at {share} %:"),
                    other => format!("{other:?}"),
                };
                let what = if *training { " training" } else { "" };
                format!("{network} {name} {batch} x {steps}, {input} to {hidden}, {layers} deep{what}")
            }
            Work::Softmax { words, rows, training, .. } => {
                let what = if *training { " training" } else { "" };
                format!("adaptive softmax {words} words, {rows} rows{what}")
            }
        }
    }
}
