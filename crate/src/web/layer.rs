//! A layer by itself.

use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::DEVICES;
use super::convert::{from_js, packed, promise};
use super::error::Failure;
use crate::model::{DEFAULT_THRESHOLD, Decision, LayerShape, SequenceLayer, Sequences};
use crate::record::{optional, record};
use crate::runner::{LayerRunner, Preference};

/// A recurrent layer with its weights, in wasm memory until `free()`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Layer {
    runner: Rc<LayerRunner>,
}

/// How a layer is to run.
#[derive(Default)]
struct Options {
    device: Preference,
    lengths: Vec<usize>,
    threshold: Option<f32>,
    force: BTreeMap<usize, Decision>,
    profile: bool,
}

record!(Options {
    device: optional,
    lengths: optional,
    threshold: optional,
    force: optional,
    profile: optional,
});

#[wasm_bindgen]
impl Layer {
    /// A layer with the tensors of a safetensors file whose names begin with `prefix`.
    pub fn load(
        bytes: &[u8],
        prefix: &str,
        #[wasm_bindgen(unchecked_param_type = "LayerShape")] shape: &JsValue,
    ) -> Result<Layer, JsValue> {
        let layer = SequenceLayer::from_bytes(bytes, prefix, &shape_of(shape)?);
        Ok(Self::of(layer.map_err(Failure::from)?))
    }

    /// A layer with weights drawn from a seed.
    pub fn random(
        #[wasm_bindgen(unchecked_param_type = "LayerShape")] shape: &JsValue,
        seed: u32,
    ) -> Result<Layer, JsValue> {
        Ok(Self::of(SequenceLayer::random(&shape_of(shape)?, seed).map_err(Failure::from)?))
    }

    fn of(layer: SequenceLayer) -> Self {
        Self { runner: Rc::new(LayerRunner::new(layer, DEVICES.with(Rc::clone))) }
    }

    /// Columns of the output.
    #[wasm_bindgen(getter, js_name = outputSize)]
    pub fn output_size(&self) -> usize {
        self.runner.layer().output_size()
    }

    /// Runs sequences, whose rows `x` are end to end, as one batch. `values` of what it resolves to are the output, the
    /// state, and for a Skim layer its logits and decisions.
    #[wasm_bindgen(unchecked_return_type = "Promise<LayerValues>")]
    pub fn forward(
        &self,
        x: Vec<f32>,
        #[wasm_bindgen(unchecked_param_type = "LayerCall")] options: JsValue,
        state: Vec<f32>,
    ) -> Promise {
        let runner = Rc::clone(&self.runner);
        promise(async move {
            let Options { device, lengths, threshold, force, profile } =
                from_js(&options)?.unwrap_or_default();
            let given =
                Sequences { x, lengths, state, threshold: threshold.unwrap_or(DEFAULT_THRESHOLD), force };
            let (computed, run) = runner.forward(&given, device, profile).await.map_err(Failure::from)?;
            let matrices = [&computed.output, &computed.state, &computed.logits, &computed.decisions];
            Ok(packed(&run, &matrices.map(Vec::as_slice))?)
        })
    }
}

fn shape_of(shape: &JsValue) -> Result<LayerShape, Failure> {
    from_js(shape)?.ok_or_else(|| Failure::option("a layer needs its shape"))
}
