//! An adaptive softmax by itself.

use js_sys::{Array, Uint32Array};
use wasm_bindgen::prelude::*;
use web_time::Instant;

use super::convert::end_to_end;
use super::error::Failure;
use super::model::cpu;
use crate::device::Device;
use crate::model::{SoftmaxLayer, StoredSoftmax};
use crate::nn::Ask;

/// An adaptive softmax with its weights, in wasm memory until `free()`. The CPU computes it: the fewer rows there are, the more
/// it is the weights that are moved.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Softmax {
    layer: SoftmaxLayer,
    cpu: Device,
}

#[wasm_bindgen]
impl Softmax {
    /// The `nn.AdaptiveLogSoftmaxWithLoss` of a safetensors file, found as `Layer.load` finds a layer; cut-offs and
    /// `div_value` are held against the file if they are given.
    pub fn load(
        bytes: &[u8],
        prefix: &str,
        cutoffs: Option<Vec<u32>>,
        div_value: Option<f64>,
        bf16: bool,
    ) -> Result<Softmax, JsValue> {
        let cutoffs = cutoffs.map(|cutoffs| cutoffs.into_iter().map(|cutoff| cutoff as usize).collect());
        let stored = StoredSoftmax { cutoffs, div_value };
        let layer = SoftmaxLayer::from_bytes(bytes, prefix, &stored).map_err(Failure::from)?;
        Ok(Self { layer, cpu: cpu(bf16, false) })
    }

    /// Columns of the input.
    #[wasm_bindgen(getter, js_name = inputSize)]
    pub fn input_size(&self) -> usize {
        self.layer.input_size()
    }

    /// The first word of every tail, and how many words there are.
    #[wasm_bindgen(getter)]
    pub fn ends(&self) -> Vec<u32> {
        let softmax = self.layer.softmax();
        let starts = (0..softmax.clusters()).map(|tail| softmax.cluster(tail).start);
        starts.chain([softmax.words()]).map(|word| word as u32).collect()
    }

    /// Answers for every row: log-probabilities of the `targets`, if there are any, otherwise the `top` most probable words,
    /// and of all words if that is 0.
    #[wasm_bindgen(unchecked_return_type = "SoftmaxValues")]
    pub fn ask(&self, x: &[f32], top: u32, targets: Option<Vec<u32>>) -> Result<Array, JsValue> {
        let asks = match targets {
            Some(targets) => targets.into_iter().map(|word| Ask::Score { word, rank: false }).collect(),
            None => {
                let ask = if top == 0 { Ask::All } else { Ask::Top(top as usize) };
                vec![ask; x.len() / self.layer.input_size()]
            }
        };
        let begun = Instant::now();
        let (mut log_p, mut ids, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let told = self.layer.answers(&self.cpu, x, &asks, |answer| {
            ids.extend(answer.words.iter().map(|word| word.id));
            let mut values = answer.all;
            values.extend(answer.words.iter().map(|word| word.log_probability));
            log_p.push(values);
            rows.push(answer.rows as u32);
        });
        told.map_err(Failure::from)?;
        let ms = begun.elapsed().as_secs_f64() * 1e3;
        let log_p: Vec<&[f32]> = log_p.iter().map(Vec::as_slice).collect();
        Ok(Array::of4(
            &end_to_end(&log_p),
            &Uint32Array::from(&ids[..]),
            &Uint32Array::from(&rows[..]),
            &ms.into(),
        ))
    }
}
