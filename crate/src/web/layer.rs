//! A layer by itself.

use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Uint32Array};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use super::DEVICES;
use super::convert::{answer, end_to_end, from_js, to_js};
use super::error::Failure;
use super::model::{cpu, preference};
use crate::model::{DEFAULT_THRESHOLD, Decision, LayerShape, SequenceLayer, Sequences, StoredLayer};
use crate::runner::{LayerRun, LayerRunner, Reason};

/// A recurrent layer with its weights, in wasm memory until `free()`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Layer {
    runner: Rc<LayerRunner>,
}

#[wasm_bindgen]
impl Layer {
    /// A layer with the tensors of a safetensors file whose names begin with `prefix`, or, if that is empty, of the only such
    /// layer; their shapes tell its sizes, `stored` what they cannot. `bf16` has the CPU keep its weights with 16 bits.
    pub fn load(
        bytes: &[u8],
        prefix: &str,
        #[wasm_bindgen(unchecked_param_type = "StoredLayer")] stored: &JsValue,
        bf16: bool,
    ) -> Result<Layer, JsValue> {
        let layer = SequenceLayer::from_bytes(bytes, prefix, &described::<StoredLayer>(stored)?);
        Ok(Self::of(layer.map_err(Failure::from)?, bf16))
    }

    /// A layer with weights drawn from a seed.
    pub fn random(
        #[wasm_bindgen(unchecked_param_type = "LayerShape")] shape: &JsValue,
        seed: u32,
        bf16: bool,
    ) -> Result<Layer, JsValue> {
        Ok(Self::of(
            SequenceLayer::random(&described::<LayerShape>(shape)?, seed).map_err(Failure::from)?,
            bf16,
        ))
    }

    fn of(layer: SequenceLayer, bf16: bool) -> Self {
        Self { runner: Rc::new(LayerRunner::new(layer, cpu(bf16, true), DEVICES.with(Rc::clone))) }
    }

    /// Columns of the input.
    #[wasm_bindgen(getter, js_name = inputSize)]
    pub fn input_size(&self) -> usize {
        self.runner.layer().input_size()
    }

    /// The parts of its state in their order: `hc`, `h` or `c`.
    #[wasm_bindgen(getter, js_name = stateParts)]
    pub fn state_parts(&self) -> String {
        self.runner.layer().state_parts().into()
    }

    /// The columns of each part of its state, of every cell.
    #[wasm_bindgen(getter, js_name = stateColumns)]
    pub fn state_columns(&self) -> Vec<u32> {
        self.runner.layer().state_columns().map(|columns| columns as u32).collect()
    }

    /// Columns of the output.
    #[wasm_bindgen(getter, js_name = outputSize)]
    pub fn output_size(&self) -> usize {
        self.runner.layer().output_size()
    }

    /// Runs sequences, whose rows `x` are end to end, as one batch. A call of one step takes some microseconds: what most
    /// of them say crosses by itself, the rest as JSON.
    #[wasm_bindgen(unchecked_return_type = "LayerValues | Promise<LayerValues>")]
    pub fn forward(
        &self,
        x: Vec<f32>,
        state: Vec<f32>,
        #[wasm_bindgen(unchecked_optional_param_type = "DevicePreference")] device: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] threshold: Option<f32>,
        #[wasm_bindgen(unchecked_optional_param_type = "LayerCall")] rest: JsValue,
    ) -> JsValue {
        let runner = Rc::clone(&self.runner);
        answer(async move {
            let Rest { lengths, force, profile } = from_js(&rest)?.unwrap_or_default();
            let lengths = lengths.unwrap_or_else(|| vec![x.len() / runner.layer().input_size()]);
            let threshold = threshold.unwrap_or(DEFAULT_THRESHOLD);
            let given = Sequences { lengths, state, threshold, force };
            let run = runner.forward(x, &given, preference(device.as_deref())?, profile).await;
            Ok(values(&run.map_err(Failure::from)?)?.into())
        })
    }
}

/// What few calls say.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rest {
    /// One sequence, if there are none.
    lengths: Option<Vec<usize>>,
    force: BTreeMap<usize, Decision>,
    profile: bool,
}

/// `LayerValues` in TypeScript.
fn values(run: &LayerRun) -> Result<Array, Failure> {
    let LayerRun { computed, total_ms, gpu, device_reason } = run;
    let matrices = [&computed.output, &computed.state, &computed.logits, &computed.decisions];
    let flops = computed.flops;
    let mut figures = vec![*total_ms, flops.spent as f64, flops.full as f64, flops.reduction()];
    if let Some(gpu) = gpu {
        figures.extend([gpu.dispatches, gpu.submissions, gpu.bytes_moved].map(|count| count as f64));
        figures.extend(gpu.kernel_ms);
    }
    let bits = Uint32Array::from(bytemuck::cast_slice::<f64, u32>(&figures));
    // What most calls say needs no JSON.
    let reason = match device_reason {
        Reason::CpuAsked => JsValue::UNDEFINED,
        other => to_js(other)?,
    };
    Ok(Array::of3(&end_to_end(&matrices.map(Vec::as_slice)), &bits, &reason))
}

fn described<T: DeserializeOwned>(layer: &JsValue) -> Result<T, Failure> {
    from_js(layer)?.ok_or_else(|| Failure::option("a layer needs its kind"))
}
