//! What a model is made of.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::convert::to_js;
use super::error::Failure;
use crate::device::Parameters;

/// The tensors of a model.
#[derive(Serialize)]
struct Made<'a> {
    parameters: usize,
    tensors: Vec<Tensor<'a>>,
}

#[derive(Serialize)]
struct Tensor<'a> {
    name: &'a str,
    shape: &'a [usize],
}

/// `Made` in TypeScript.
pub(super) fn made(parameters: &Parameters) -> Result<JsValue, Failure> {
    let tensors = parameters.iter().map(|(_, p)| Tensor { name: &p.name, shape: &p.shape }).collect();
    let parameters = parameters.iter().map(|(_, p)| p.values.len()).sum();
    to_js(&Made { parameters, tensors })
}
