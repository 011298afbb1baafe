//! SRU against the `sru` package.

use saccade_rnn::nn::{BuildError, Builder, Sru, SruConfig};
use serde::Deserialize;

use crate::agreement::{Case, check};
use crate::recording::Recording;

/// A case of `sru_package.py`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SruCase {
    #[serde(rename = "kind")]
    _kind: SruCaseKind,
    input_size: usize,
    hidden_size: usize,
    num_layers: usize,
    bidirectional: bool,
    v1: bool,
    rescale: bool,
    has_skip_term: bool,
    use_tanh: bool,
    layer_norm: bool,
    normalize_after: bool,
    projection_size: usize,
    highway_bias: f32,
    proj_input_to_hidden_first: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SruCaseKind {
    Sru,
}

impl Case for SruCase {
    type Layer = Sru;

    fn build(&self, builder: &mut Builder) -> Result<Sru, BuildError> {
        let config = SruConfig {
            input_size: self.input_size,
            hidden_size: self.hidden_size,
            num_layers: self.num_layers,
            bidirectional: self.bidirectional,
            v1: self.v1,
            rescale: self.rescale,
            has_skip_term: self.has_skip_term,
            use_tanh: self.use_tanh,
            layer_norm: self.layer_norm,
            normalize_after: self.normalize_after,
            projection_size: self.projection_size,
            highway_bias: self.highway_bias,
            dropout: 0.0,
            proj_input_to_hidden_first: self.proj_input_to_hidden_first,
        };
        Sru::new(builder, config)
    }

    fn record(&self, layer: &Sru, recording: &mut Recording<'_>) {
        let lengths = recording.lengths();
        let c0 = recording.states("c0");
        let (mut rows, mut c) = (Vec::new(), Vec::new());
        for (b, x) in recording.sequences("x", &lengths).into_iter().enumerate() {
            let out = layer.forward(x, c0.as_ref().map(|c0| &c0[b][..]));
            rows.push(out.rows);
            c.push(out.c);
        }
        recording.emit("y", rows);
        recording.emit_states("c_n", &c);
    }
}

#[test]
fn sru_agrees_with_the_package() {
    check::<SruCase>("sru", "", 39);
}
