//! The surface for JavaScript, by wasm-bindgen: thin, no arithmetic.
//!
//! Values cross as JSON text, which costs less code than walking JavaScript objects: serde_json is here anyway, for
//! the config of a model file.

mod error;
mod types;
mod watch;

use std::rc::Rc;

use js_sys::{Array, Function, JSON, JsString, Promise};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::device::gpu::Statistics;
use crate::model::{self, ConfigSummary, ReadOptions};
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
    /// choose between them.
    #[wasm_bindgen(unchecked_return_type = "Promise<Costs>")]
    pub fn calibrate(&self) -> Promise {
        let runner = Rc::clone(&self.runner);
        future_to_promise(async move {
            let costs = runner.calibrate().await.map_err(Failure::from)?;
            let (webgpu, webgpu_absent) =
                costs.gpu.map_or_else(|reason| (None, Some(reason)), |c| (Some(c), None));
            Ok(to_js(&MeasuredCosts { cpu: costs.cpu, webgpu, webgpu_absent })?)
        })
    }

    /// Measures what one read and one skimmed token cost on a device, on the text read last.
    #[wasm_bindgen(unchecked_return_type = "Promise<Steps>")]
    pub fn steps(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "DevicePreference")] device: Option<String>,
    ) -> Promise {
        let runner = Rc::clone(&self.runner);
        future_to_promise(async move {
            let steps = runner.steps(preference(device.as_deref())?).await.map_err(Failure::from)?;
            Ok(to_js(&steps)?)
        })
    }
}

/// Options of a reading, and where it is wanted.
fn read_options(options: &JsValue) -> Result<(ReadOptions, Preference), Failure> {
    let mut fields: serde_json::Map<String, serde_json::Value> = from_js(options)?.unwrap_or_default();
    let preference = match fields.remove("device") {
        None => Preference::default(),
        Some(device) => {
            serde_json::from_value(device).map_err(|e| Failure::option(format!("device: {e}")))?
        }
    };
    Ok((serde_json::from_value(fields.into()).map_err(Failure::option)?, preference))
}

fn preference(device: Option<&str>) -> Result<Preference, Failure> {
    let Some(device) = device else { return Ok(Preference::default()) };
    serde_json::from_value(device.into()).map_err(|e| Failure::option(format!("device: {e}")))
}

fn to_js(value: &impl Serialize) -> Result<JsValue, Failure> {
    let json = serde_json::to_string(value).map_err(Failure::internal)?;
    JSON::parse(&json).map_err(|_| Failure::internal("the engine wrote JSON that is none"))
}

/// None for `undefined` and `null`.
fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<Option<T>, Failure> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    // JSON has no NaN and no infinity and would write null, which stands for an option that is absent.
    let named =
        Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(|_key, value: JsValue| match value.as_f64() {
            Some(number) if !number.is_finite() => number.to_string().into(),
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
    serde_json::from_str(&String::from(json)).map(Some).map_err(Failure::option)
}
