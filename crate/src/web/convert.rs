//! Values between Rust and JavaScript.
//!
//! Small ones cross as JSON text, which costs less code than walking JavaScript objects: serde_json is here anyway, for
//! the config of a model file. Matrices cross as one `Float32Array` beside it.

use js_sys::{Array, Float32Array, JSON, JsString, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use super::error::Failure;

pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, Failure> {
    let json = serde_json::to_string(value).map_err(Failure::internal)?;
    JSON::parse(&json).map_err(|_| Failure::internal("the engine wrote JSON that is none"))
}

/// As [`to_js`], with the property `values`: all matrices end to end.
pub(super) fn packed(header: &impl Serialize, matrices: &[&[f32]]) -> Result<JsValue, Failure> {
    let header = to_js(header)?;
    let values = Float32Array::new_with_length(matrices.iter().map(|matrix| matrix.len() as u32).sum());
    let mut at = 0;
    for matrix in matrices {
        let end = at + matrix.len() as u32;
        values.subarray(at, end).copy_from(matrix);
        at = end;
    }
    Reflect::set(&header, &"values".into(), &values)
        .map_err(|_| Failure::internal("the header of matrices is no object"))?;
    Ok(header)
}

/// None for `undefined` and `null`.
pub(super) fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<Option<T>, Failure> {
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
