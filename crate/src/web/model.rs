//! A text model.

use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Function};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::DEVICES;
use super::convert::{answer, rounded, to_js};
use super::cursor::Cursor;
use super::error::Failure;
use super::made::made;
use super::reader::Reader;
use super::reading::packed;
use super::watch::Callback;
use crate::device::{Cpu, CpuOptions, Device, Precision};
use crate::model::{self, ConfigSummary, Decision, ReadOptions};
use crate::runner::{Cost, Preference, Runner};

/// A text model with its weights, in wasm memory until `free()`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Model {
    runner: Rc<Runner>,
    config: JsValue,
    bf16: bool,
}

/// What `calibrate` measured, for JavaScript.
#[derive(Serialize)]
struct MeasuredCosts {
    cpu: Cost,
    webgpu: Option<Cost>,
    /// Why there is none.
    #[serde(rename = "webgpuAbsent")]
    webgpu_absent: Option<String>,
}

/// A token before it is read.
#[derive(Serialize)]
struct PlainToken {
    text: String,
    start: usize,
    end: usize,
    known: bool,
}

#[wasm_bindgen]
impl Model {
    /// Reads a safetensors file; `bf16` has the CPU keep its weights with 16 bits. Throws an {@link EngineError} whose code
    /// begins with `MODEL_` for any other bytes.
    pub fn load(bytes: &[u8], bf16: bool) -> Result<Model, JsValue> {
        let model = model::Model::from_bytes(bytes).map_err(Failure::from)?;
        let config = rounded(&ConfigSummary::from(model.config()))?;
        let runner = Rc::new(Runner::new(Rc::new(model), cpu(bf16, true), DEVICES.with(Rc::clone)));
        Ok(Self { runner, config, bf16 })
    }

    /// The same model, whose weights it shares, on a CPU of its own that keeps no products of words.
    #[wasm_bindgen(js_name = withoutWordCache)]
    pub fn without_word_cache(&self) -> Model {
        let runner = Rc::new(self.runner.with_cpu(cpu(self.bf16, false)));
        Self { runner, config: self.config.clone(), bf16: self.bf16 }
    }

    /// What the model file says of itself.
    #[wasm_bindgen(getter, unchecked_return_type = "ModelConfig")]
    pub fn config(&self) -> JsValue {
        self.config.clone()
    }

    /// Reads a text of any length; a lone surrogate counts as U+FFFD. `force` has pairs of a token and 1 to read it or 2 to skim
    /// it. Rejects with an {@link EngineError}, or with what
    /// `watch` throws.
    #[wasm_bindgen(unchecked_return_type = "PackedReading | Promise<PackedReading>")]
    pub fn read(
        &self,
        text: String,
        threshold: Option<f32>,
        force: Option<Vec<u32>>,
        measure_ms: f64,
        #[wasm_bindgen(unchecked_optional_param_type = "DevicePreference")] device: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        // The future owns what it uses, so the model may be asked again, or freed, while it is pending.
        let runner = Rc::clone(&self.runner);
        answer(async move {
            let options = ReadOptions { threshold, force: forced(force), measure_ms };
            let preference = preference(device.as_deref())?;
            let mut watch = Callback::new(watch);
            let run = runner.read(&text, &options, preference, &mut watch).await;
            watch.thrown()?;
            Ok(packed(&run.map_err(Failure::from)?)?)
        })
    }

    /// Reads texts in batches; `watch` is told how many of them are read. Rejects as `read` does.
    #[wasm_bindgen(js_name = readAll, unchecked_return_type = "PackedReading[] | Promise<PackedReading[]>")]
    pub fn read_all(
        &self,
        texts: Vec<String>,
        threshold: Option<f32>,
        #[wasm_bindgen(unchecked_optional_param_type = "DevicePreference")] device: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let runner = Rc::clone(&self.runner);
        answer(async move {
            let options = ReadOptions { threshold, ..ReadOptions::default() };
            let preference = preference(device.as_deref())?;
            let mut watch = Callback::new(watch);
            let runs = runner.read_all(&texts, &options, preference, &mut watch).await;
            watch.thrown()?;
            let readings = runs.map_err(Failure::from)?;
            Ok(readings.iter().map(packed).collect::<Result<Array, _>>()?.into())
        })
    }

    /// A text's tokens, as a reading of it has them, without what the network does with them.
    #[wasm_bindgen(unchecked_return_type = "PlainToken[]")]
    pub fn tokenize(&self, text: &str) -> Result<JsValue, JsValue> {
        let model = self.runner.model();
        let tokens = model.tokenizer().tokenize(text).into_iter().map(|token| PlainToken {
            known: model.vocabulary().contains(&token.text),
            text: token.text,
            start: token.span.utf16.start,
            end: token.span.utf16.end,
        });
        Ok(to_js(&tokens.collect::<Vec<_>>())?)
    }

    /// What the model is made of.
    #[wasm_bindgen(unchecked_return_type = "Made")]
    pub fn inspect(&self) -> Result<JsValue, JsValue> {
        Ok(made(self.runner.model().parameters())?)
    }

    /// A reader of text that is still being written, with the options of all its readings.
    pub fn reader(&self, threshold: Option<f32>, force: Option<Vec<u32>>) -> Reader {
        let options = ReadOptions { threshold, force: forced(force), ..ReadOptions::default() };
        Reader::new(Rc::clone(&self.runner), options)
    }

    /// A place in a text that a language model reads on. `scores` says what is told of the words: 0 nothing, 1 how probable
    /// they are together, 2 of each. With `keeps` the text may change at little cost.
    pub fn cursor(
        &self,
        scores: u8,
        keeps: bool,
        #[wasm_bindgen(unchecked_optional_param_type = "DevicePreference")] device: Option<String>,
    ) -> Result<Cursor, JsValue> {
        Ok(Cursor::new(Rc::clone(&self.runner), device.as_deref(), scores, keeps)?)
    }

    /// Makes the GPU ready for the model; until then the CPU answers what is asked of `webgpu`. `watch` is called between
    /// runs.
    #[wasm_bindgen(unchecked_return_type = "undefined | Promise<undefined>")]
    pub fn prepare(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let runner = Rc::clone(&self.runner);
        answer(async move {
            let mut watch = Callback::new(watch);
            let prepared = runner.prepare(&mut watch).await;
            watch.thrown()?;
            prepared.map_err(Failure::from)?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Measures the CPU and the GPU on the text read last, some tenths of a second, so that the device `auto` can
    /// choose between them. `watch` is called between samples.
    #[wasm_bindgen(unchecked_return_type = "Costs | Promise<Costs>")]
    pub fn calibrate(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let runner = Rc::clone(&self.runner);
        answer(async move {
            let mut watch = Callback::new(watch);
            let costs = runner.calibrate(&mut watch).await;
            watch.thrown()?;
            let costs = costs.map_err(Failure::from)?;
            let (webgpu, webgpu_absent) =
                costs.gpu.map_or_else(|reason| (None, Some(reason)), |c| (Some(c), None));
            Ok(to_js(&MeasuredCosts { cpu: costs.cpu, webgpu, webgpu_absent })?)
        })
    }

    /// Measures what one read and one skimmed token cost on a device, on the text read last. `watch` is called between
    /// samples.
    #[wasm_bindgen(unchecked_return_type = "Steps | Promise<Steps>")]
    pub fn steps(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "DevicePreference")] device: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let runner = Rc::clone(&self.runner);
        answer(async move {
            let preference = preference(device.as_deref())?;
            let mut watch = Callback::new(watch);
            let steps = runner.steps(preference, &mut watch).await;
            watch.thrown()?;
            Ok(to_js(&steps.map_err(Failure::from)?)?)
        })
    }
}

/// Decisions imposed on tokens or rows: pairs of a number, and 1 to read it or 2 to skim it.
pub(super) fn forced(pairs: Option<Vec<u32>>) -> BTreeMap<usize, Decision> {
    let mut force = BTreeMap::new();
    for pair in pairs.unwrap_or_default().chunks_exact(2) {
        force.insert(pair[0] as usize, if pair[1] == 2 { Decision::Skim } else { Decision::Read });
    }
    force
}

pub(super) fn preference(device: Option<&str>) -> Result<Preference, Failure> {
    let Some(device) = device else { return Ok(Preference::default()) };
    let device = IntoDeserializer::<serde::de::value::Error>::into_deserializer(device);
    Preference::deserialize(device).map_err(|e| Failure::option(format!("device: {e}")))
}

/// A CPU that keeps weights with 16 bits, and products of words, if it is to.
pub(super) fn cpu(bf16: bool, words: bool) -> Device {
    let precision = if bf16 { Precision::Bf16 } else { Precision::F32 };
    let word_cache_bytes = if words { CpuOptions::default().word_cache_bytes } else { 0 };
    Cpu::new(CpuOptions { precision, word_cache_bytes }).into()
}
