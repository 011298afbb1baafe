//! Cross entropy and layer normalisation against `torch.nn.functional`.
//!
//! Every row is an example of its own. (The `adam*` files of the same family are the optimiser's: feature `train`.)

use saccade_rnn::device::{ParamId, Pool};
use saccade_rnn::nn::{BuildError, Builder, Init};
use serde::Deserialize;

use crate::agreement::{Case, check};
use crate::recording::Recording;

/// A case of `training.py`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CrossEntropy {
    #[serde(rename = "kind")]
    _kind: CrossEntropyKind,
    reduction: Reduction,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reduction {
    Mean,
    Sum,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CrossEntropyKind {
    CrossEntropy,
}

impl Case for CrossEntropy {
    type Layer = ();

    fn build(&self, _: &mut Builder) -> Result<(), BuildError> {
        Ok(())
    }

    fn record(&self, (): &(), recording: &mut Recording<'_>) {
        let targets = recording.integers("targets").expect("targets");
        let logits = recording.sequences("logits", &vec![1; targets.len()]);
        let losses: Vec<_> = logits.iter().zip(targets).map(|(x, &y)| x.cross_entropy(&[y])).collect();
        let reduction = match self.reduction {
            Reduction::Mean => Pool::Mean,
            Reduction::Sum => Pool::Sum,
        };
        recording.emit("loss", vec![recording.graph.concat_rows(&losses).pool(reduction)]);
        recording.emit("nll", losses);
    }
}

/// A case of `training.py`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerNorm {
    #[serde(rename = "kind")]
    _kind: LayerNormKind,
    size: usize,
    eps: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LayerNormKind {
    LayerNorm,
}

impl Case for LayerNorm {
    type Layer = (ParamId, ParamId);

    fn build(&self, builder: &mut Builder) -> Result<Self::Layer, BuildError> {
        assert_eq!(self.eps, 1e-5, "the one that the engine has");
        let weight = builder.parameter("weight", &[self.size], Init::Constant(1.0))?;
        Ok((weight, builder.parameter("bias", &[self.size], Init::Constant(0.0))?))
    }

    fn record(&self, &(weight, bias): &Self::Layer, recording: &mut Recording<'_>) {
        let lengths = vec![1; recording.rows("x")];
        let x = recording.sequences("x", &lengths);
        recording.emit("y", x.iter().map(|x| x.layer_norm(weight, bias)).collect());
    }
}

#[test]
fn cross_entropy_agrees_with_pytorch() {
    check::<CrossEntropy>("train", "cross_entropy", 3);
}

#[test]
fn layer_norm_agrees_with_pytorch() {
    check::<LayerNorm>("train", "layer_norm", 3);
}
