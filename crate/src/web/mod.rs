//! The surface for JavaScript, by wasm-bindgen: thin, no arithmetic.
//!
//! Values cross as JSON text, which costs less code than walking JavaScript objects: serde_json is here anyway, for
//! the config of a model file.

mod error;
mod types;
mod watch;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::rc::Rc;

use js_sys::{Array, Function, JSON, JsString, Number, Object, Promise};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::device::gpu::Statistics;
use crate::json;
use crate::model::{self, ConfigSummary, Decision, ReadOptions};
use crate::runner::{Cost, Devices, Preference, Runner};
use error::Failure;
use watch::Callback;

/// Runs when the module has loaded: a panic then prints its message and place on the console.
#[wasm_bindgen(start, skip_typescript)]
pub fn start() {
    console_error_panic_hook::set_once();
}

thread_local! {
    /// Shared by all models: they have one GPU between them.
    static DEVICES: Rc<Devices> = Rc::default();
}

/// What the GPU was asked to do so far and the memory it holds; null if it was not asked for, or is not there.
#[wasm_bindgen(js_name = gpuStatistics, unchecked_return_type = "GpuStatistics | null")]
pub fn gpu_statistics() -> Result<JsValue, JsValue> {
    let statistics: Option<Statistics> = DEVICES.with(|devices| devices.ready()).map(|gpu| gpu.statistics());
    Ok(to_js(&statistics)?)
}

/// A text classifier with its weights, in wasm memory until `free()`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Model {
    runner: Rc<Runner>,
    config: JsValue,
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

#[wasm_bindgen]
impl Model {
    /// Reads a safetensors file. Throws an {@link EngineError} whose code begins with `MODEL_` for any other bytes.
    pub fn load(bytes: &[u8]) -> Result<Model, JsValue> {
        let model = model::Model::from_bytes(bytes).map_err(Failure::from)?;
        let config = to_js(&ConfigSummary::from(model.config()))?;
        let runner = Rc::new(Runner::new(Rc::new(model), DEVICES.with(Rc::clone)));
        Ok(Self { runner, config })
    }

    /// What the model file says of itself.
    #[wasm_bindgen(getter, unchecked_return_type = "ModelConfig")]
    pub fn config(&self) -> JsValue {
        self.config.clone()
    }

    /// Reads a text of any length; a lone surrogate counts as U+FFFD. Rejects with an {@link EngineError}, or with what
    /// `watch` throws.
    #[wasm_bindgen(unchecked_return_type = "Promise<Reading>")]
    pub fn read(
        &self,
        text: String,
        #[wasm_bindgen(unchecked_optional_param_type = "ReadOptions")] options: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> Promise {
        // The future owns what it uses, so the model may be asked again, or freed, while it is pending.
        let runner = Rc::clone(&self.runner);
        future_to_promise(async move {
            let (options, preference) = read_options(&options)?;
            let mut watch = Callback::new(watch);
            let run = runner.read(&text, &options, preference, &mut watch).await;
            watch.thrown()?;
            Ok(to_js(&run.map_err(Failure::from)?)?)
        })
    }

    /// Measures the CPU and the GPU on the text read last, some tenths of a second, so that the device `auto` can
    /// choose between them. `watch` is called between samples.
    #[wasm_bindgen(unchecked_return_type = "Promise<Costs>")]
    pub fn calibrate(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> Promise {
        let runner = Rc::clone(&self.runner);
        future_to_promise(async move {
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
    #[wasm_bindgen(unchecked_return_type = "Promise<Steps>")]
    pub fn steps(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "DevicePreference")] device: Option<String>,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> Promise {
        let runner = Rc::clone(&self.runner);
        future_to_promise(async move {
            let preference = preference(device.as_deref())?;
            let mut watch = Callback::new(watch);
            let steps = runner.steps(preference, &mut watch).await;
            watch.thrown()?;
            Ok(to_js(&steps.map_err(Failure::from)?)?)
        })
    }
}

/// Options of a reading, and where it is wanted.
fn read_options(options: &JsValue) -> Result<(ReadOptions, Preference), Failure> {
    /// [`ReadOptions`] with the device beside them.
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase", deny_unknown_fields)]
    struct Options {
        threshold: Option<f32>,
        force: BTreeMap<usize, Decision>,
        measure_ms: f64,
        device: Preference,
    }

    let Options { threshold, force, measure_ms, device } = from_js(options)?.unwrap_or_default();
    Ok((ReadOptions { threshold, force, measure_ms }, device))
}

fn preference(device: Option<&str>) -> Result<Preference, Failure> {
    let Some(device) = device else { return Ok(Preference::default()) };
    let device = IntoDeserializer::<json::Error>::into_deserializer(device);
    Preference::deserialize(device).map_err(|e| Failure::option(format!("device: {e}")))
}

fn to_js(value: &impl Serialize) -> Result<JsValue, Failure> {
    let mut json = Vec::new();
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut json, Numbers))
        .map_err(Failure::internal)?;
    JSON::parse(&String::from_utf8_lossy(&json))
        .map_err(|_| Failure::internal("the engine wrote JSON that is none"))
}

/// Has JavaScript print numbers, which needs no code here.
struct Numbers;

impl serde_json::ser::Formatter for Numbers {
    fn write_f32<W: Write + ?Sized>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, value.into())
    }

    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(String::from(Object::to_string(&Number::from(value))).as_bytes())
    }
}

/// None for `undefined` and `null`.
fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<Option<T>, Failure> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    // JSON has no NaN and no infinity and would write null, which stands for an option that is absent.
    let named =
        Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(|_key, value: JsValue| match value.as_f64() {
            Some(number) if !number.is_finite() => Object::to_string(&Number::from(number)).into(),
            _ => value,
        });
    let plain = || Failure::option("expected a plain object");
    if !value.is_object() || Array::is_array(value) {
        return Err(plain());
    }
    let json = JSON::stringify_with_replacer(value, named.as_ref())
        .ok()
        .and_then(|json| json.dyn_into::<JsString>().ok())
        .ok_or_else(plain)?;
    json::from_str(&String::from(json)).map(Some).map_err(Failure::option)
}
