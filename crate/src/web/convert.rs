//! Values between Rust and JavaScript.
//!
//! Values become objects by serde-wasm-bindgen. Options cross one by one, checked before by `js/src/arguments`. Matrices
//! cross as one `Float32Array`.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

#[cfg(any(all(feature = "train", not(feature = "runs")), not(feature = "graph")))]
use js_sys::Float32Array;
#[cfg(not(feature = "train"))]
use js_sys::JSON;
use js_sys::Promise;
#[cfg(not(feature = "graph"))]
use js_sys::Reflect;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::error::Failure;

/// Runs a future, at once as far as it goes without waiting, and gives its value where that is to its end: what the CPU
/// computes in one piece need not go through the event loop. Otherwise a promise. Behind a pointer: what drives a future
/// would otherwise be compiled anew for every one of them.
pub(super) fn answer(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> JsValue {
    let mut future: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>> = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => value,
        Poll::Ready(Err(error)) => Promise::reject(&error).into(),
        // Asked again there, it tells who is to wake it.
        Poll::Pending => future_to_promise(future).into(),
    }
}

/// A value as JavaScript has it: maps are objects, what is absent is null.
pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, Failure> {
    value.serialize(&Serializer::json_compatible()).map_err(Failure::internal)
}

/// A value as JavaScript has it, by way of JSON, which rounds a whole number above 2 ** 53 where [`to_js`] fails.
#[cfg(not(feature = "train"))]
pub(super) fn rounded(value: &impl Serialize) -> Result<JsValue, Failure> {
    let json = serde_json::to_string(value).map_err(Failure::internal)?;
    JSON::parse(&json).map_err(|_| Failure::internal("the engine wrote JSON that is none"))
}

/// The header as an object, with a property `values` that holds all matrices end to end.
#[cfg(not(feature = "graph"))]
pub(super) fn packed(header: &impl Serialize, matrices: &[&[f32]]) -> Result<JsValue, Failure> {
    let header = to_js(header)?;
    Reflect::set(&header, &"values".into(), &end_to_end(matrices))
        .map_err(|_| Failure::internal("the header of matrices is no object"))?;
    Ok(header)
}

/// All matrices in one array.
#[cfg(any(all(feature = "train", not(feature = "runs")), not(feature = "graph")))]
pub(super) fn end_to_end(matrices: &[&[f32]]) -> Float32Array {
    let values = Float32Array::new_with_length(matrices.iter().map(|matrix| matrix.len() as u32).sum());
    let mut at = 0;
    for matrix in matrices.iter().filter(|matrix| !matrix.is_empty()) {
        let end = at + matrix.len() as u32;
        values.subarray(at, end).copy_from(matrix);
        at = end;
    }
    values
}
