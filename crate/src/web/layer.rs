//! A layer by itself.

use std::rc::Rc;

use js_sys::{Array, Uint32Array};
use wasm_bindgen::prelude::*;

use super::DEVICES;
use super::convert::{answer, end_to_end, to_js};
use super::error::Failure;
use super::model::{cpu, forced, preference};
use crate::model::{
    Cell, DEFAULT_THRESHOLD, LayerConfig, LayerShape, Nonlinearity, SequenceLayer, Sequences, SmallReads,
    SruConfig, StoredLayer, StoredSizes, StoredSkim, StoredSru,
};
use crate::runner::{LayerRun, LayerRunner, Reason};

/// A recurrent layer with its weights, in wasm memory until `free()`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Layer {
    runner: Rc<LayerRunner>,
}

#[wasm_bindgen]
impl Layer {
    /// A layer of a kind with the tensors of a safetensors file whose names begin with `prefix`, or, if that is empty, of the
    /// only such layer; their shapes tell its sizes, `choices` what they cannot. `bf16` has the CPU keep its weights with 16
    /// bits. Choices are numbers, in the order of [`Choice`].
    pub fn load(
        bytes: &[u8],
        prefix: &str,
        kind: &str,
        choices: Vec<u32>,
        bf16: bool,
    ) -> Result<Layer, JsValue> {
        let layer = SequenceLayer::from_bytes(bytes, prefix, &Choices(choices).stored(kind)?);
        Ok(Self::of(layer.map_err(Failure::from)?, bf16))
    }

    /// A layer of a kind with weights drawn from a seed.
    pub fn random(kind: &str, choices: Vec<u32>, seed: u32, bf16: bool) -> Result<Layer, JsValue> {
        let layer = SequenceLayer::random(&Choices(choices).shape(kind)?, seed);
        Ok(Self::of(layer.map_err(Failure::from)?, bf16))
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

    /// Runs sequences, whose rows `x` are end to end, as one batch: one sequence unless there are `lengths`. `force` has pairs
    /// of a row and 1 to read it or 2 to skim it.
    #[allow(
        clippy::too_many_arguments,
        reason = "JavaScript gives every option of a call by itself, as objects are dear to cross"
    )]
    #[wasm_bindgen(unchecked_return_type = "LayerValues | Promise<LayerValues>")]
    pub fn forward(
        &self,
        x: Vec<f32>,
        state: Vec<f32>,
        lengths: Option<Vec<u32>>,
        threshold: Option<f32>,
        force: Option<Vec<u32>>,
        profile: bool,
        #[wasm_bindgen(unchecked_optional_param_type = "DevicePreference")] device: Option<String>,
    ) -> JsValue {
        let runner = Rc::clone(&self.runner);
        answer(async move {
            let lengths = match lengths {
                Some(lengths) => lengths.into_iter().map(|length| length as usize).collect(),
                None => vec![x.len() / runner.layer().input_size()],
            };
            let threshold = threshold.unwrap_or(DEFAULT_THRESHOLD);
            let given = Sequences { lengths, state, threshold, force: forced(force) };
            let run = runner.forward(x, &given, preference(device.as_deref())?, profile).await;
            Ok(values(&run.map_err(Failure::from)?)?.into())
        })
    }
}

/// What may be chosen of a layer.
#[derive(Clone, Copy)]
enum Choice {
    /// 1 is ReLU.
    Nonlinearity,
    InputSize,
    HiddenSize,
    NumLayers,
    Bias,
    Bidirectional,
    ProjSize,
    LayerNorm,
    ProjectionSize,
    V1,
    Rescale,
    HasSkipTerm,
    UseTanh,
    NormalizeAfter,
    SmallSize,
    /// 1 is a GRU.
    Cell,
    /// 1 is all of the state.
    SmallReads,
}

/// A number for every [`Choice`]; `u32::MAX` was not chosen.
struct Choices(Vec<u32>);

impl Choices {
    fn size(&self, choice: Choice) -> Option<usize> {
        self.0.get(choice as usize).filter(|number| **number != u32::MAX).map(|number| *number as usize)
    }

    fn flag(&self, choice: Choice) -> Option<bool> {
        self.size(choice).map(|number| number != 0)
    }

    fn is(&self, choice: Choice) -> bool {
        self.flag(choice).unwrap_or(false)
    }

    fn nonlinearity(&self) -> Option<Nonlinearity> {
        let relu = self.flag(Choice::Nonlinearity)?;
        Some(if relu { Nonlinearity::Relu } else { Nonlinearity::Tanh })
    }

    fn cell(&self) -> Option<Cell> {
        Some(if self.flag(Choice::Cell)? { Cell::Gru } else { Cell::Lstm })
    }

    fn small_reads(&self) -> Option<SmallReads> {
        Some(if self.flag(Choice::SmallReads)? { SmallReads::All } else { SmallReads::Slice })
    }

    /// What is known of a stored layer.
    fn stored(&self, kind: &str) -> Result<StoredLayer, Failure> {
        let sizes = || StoredSizes {
            nonlinearity: self.nonlinearity(),
            input_size: self.size(Choice::InputSize),
            hidden_size: self.size(Choice::HiddenSize),
            num_layers: self.size(Choice::NumLayers),
            bias: self.flag(Choice::Bias),
            bidirectional: self.flag(Choice::Bidirectional),
            proj_size: self.size(Choice::ProjSize),
        };
        Ok(match kind {
            "elman" => StoredLayer::Elman(sizes()),
            "lstm" => StoredLayer::Lstm(sizes()),
            "gru" => StoredLayer::Gru(sizes()),
            "sru" => StoredLayer::Sru(StoredSru {
                input_size: self.size(Choice::InputSize),
                hidden_size: self.size(Choice::HiddenSize),
                num_layers: self.size(Choice::NumLayers),
                layer_norm: self.flag(Choice::LayerNorm),
                projection_size: self.size(Choice::ProjectionSize),
                bidirectional: self.is(Choice::Bidirectional),
                v1: self.is(Choice::V1),
                rescale: self.flag(Choice::Rescale),
                has_skip_term: self.flag(Choice::HasSkipTerm),
                use_tanh: self.is(Choice::UseTanh),
                normalize_after: self.is(Choice::NormalizeAfter),
            }),
            "skim" => StoredLayer::Skim(StoredSkim {
                input_size: self.size(Choice::InputSize),
                hidden_size: self.size(Choice::HiddenSize),
                small_size: self.size(Choice::SmallSize),
                cell: self.cell(),
                small_reads: self.small_reads(),
            }),
            _ => return Err(unknown(kind)),
        })
    }

    /// The sizes of a fresh layer, with the defaults of the original.
    fn shape(&self, kind: &str) -> Result<LayerShape, Failure> {
        let of = |choice| self.size(choice).unwrap_or(0);
        let (hidden_size, bidirectional) = (of(Choice::HiddenSize), self.is(Choice::Bidirectional));
        let num_layers = self.size(Choice::NumLayers).unwrap_or(1);
        let layer = match kind {
            "elman" => {
                let nonlinearity = self.nonlinearity().unwrap_or(Nonlinearity::Tanh);
                LayerConfig::Elman { hidden_size, nonlinearity, bidirectional }
            }
            "lstm" => LayerConfig::Lstm { hidden_size, bidirectional },
            "gru" => LayerConfig::Gru { hidden_size, bidirectional },
            "sru" => LayerConfig::Sru(SruConfig {
                hidden_size,
                num_layers,
                bidirectional,
                v1: self.is(Choice::V1),
                rescale: self.is(Choice::Rescale),
                has_skip_term: self.flag(Choice::HasSkipTerm).unwrap_or(true),
                use_tanh: self.is(Choice::UseTanh),
                layer_norm: self.is(Choice::LayerNorm),
                normalize_after: self.is(Choice::NormalizeAfter),
                projection_size: of(Choice::ProjectionSize),
                proj_input_to_hidden_first: false,
            }),
            "skim" => LayerConfig::Skim {
                cell: self.cell().unwrap_or(Cell::Lstm),
                hidden_size,
                small_size: of(Choice::SmallSize),
                small_reads: self.small_reads().unwrap_or(SmallReads::Slice),
            },
            _ => return Err(unknown(kind)),
        };
        let stacked = matches!(kind, "elman" | "lstm" | "gru");
        Ok(LayerShape {
            input_size: of(Choice::InputSize),
            num_layers: if stacked { num_layers } else { 1 },
            bias: self.flag(Choice::Bias).unwrap_or(true),
            proj_size: 0,
            layer,
        })
    }
}

fn unknown(kind: &str) -> Failure {
    Failure::option(format!("there is no layer {kind:?}"))
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
