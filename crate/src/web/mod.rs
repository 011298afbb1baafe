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

use crate::device::Cpu;
use crate::model::{self, ConfigSummary, ReadOptions};
use error::Failure;
use watch::Callback;

/// Runs when the module has loaded: a panic then prints its message and place on the console.
#[wasm_bindgen(start, skip_typescript)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// A text classifier with its weights, in wasm memory until `free()`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Model {
    model: Rc<model::Model>,
    config: JsValue,
}

#[wasm_bindgen]
impl Model {
    /// Reads a safetensors file. Throws an {@link EngineError} whose code begins with `MODEL_` for any other bytes.
    pub fn load(bytes: &[u8]) -> Result<Model, JsValue> {
        let model = model::Model::from_bytes(bytes).map_err(Failure::from)?;
        let config = to_js(&ConfigSummary::from(model.config()))?;
        Ok(Self { model: Rc::new(model), config })
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
        let model = Rc::clone(&self.model);
        future_to_promise(async move {
            let options: ReadOptions = from_js(&options)?.unwrap_or_default();
            let mut watch = Callback::new(watch);
            let reading = model.read(&Cpu, &text, &options, &mut watch).await;
            watch.thrown()?;
            Ok(to_js(&reading.map_err(Failure::from)?)?)
        })
    }
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
