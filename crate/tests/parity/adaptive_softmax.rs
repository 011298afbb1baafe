//! Adaptive softmax against `torch.nn.AdaptiveLogSoftmaxWithLoss`.

use saccade_rnn::nn::{AdaptiveSoftmax, AdaptiveSoftmaxConfig, BuildError, Builder};
use serde::Deserialize;

use crate::agreement::{Case, check};
use crate::recording::Recording;

/// A case of `adaptive_softmax.py`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Adaptive {
    #[serde(rename = "kind")]
    _kind: Kind,
    input_size: usize,
    words: usize,
    cutoffs: Vec<usize>,
    div_value: f64,
    head_bias: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    AdaptiveSoftmax,
}

impl Case for Adaptive {
    type Layer = AdaptiveSoftmax;

    fn build(&self, builder: &mut Builder) -> Result<AdaptiveSoftmax, BuildError> {
        let config = AdaptiveSoftmaxConfig {
            input_size: self.input_size,
            words: self.words,
            cutoffs: self.cutoffs.clone(),
            div_value: self.div_value,
            head_bias: self.head_bias,
        };
        AdaptiveSoftmax::new(builder, config)
    }

    fn record(&self, layer: &AdaptiveSoftmax, recording: &mut Recording<'_>) {
        let lengths = recording.lengths();
        let mut targets = recording.integers("targets").expect("targets");
        let x = recording.sequences("x", &lengths);
        let losses: Vec<_> = x
            .iter()
            .zip(lengths)
            .map(|(&x, length)| {
                let (of_sequence, rest) = targets.split_at(length);
                targets = rest;
                layer.cross_entropy(x, of_sequence)
            })
            .collect();
        recording.emit("log_prob", x.iter().map(|&x| layer.log_softmax(x)).collect());
        recording.emit("loss", vec![recording.graph.mean(&losses)]);
        recording.emit("nll", losses);
    }
}

#[test]
fn adaptive_softmax_agrees_with_pytorch() {
    check::<Adaptive>("adaptive_softmax", "", 13);
}
