//! Gradients of weights.

use std::rc::Rc;

use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

use super::super::convert::answer;
use super::super::error::Failure;
use super::weights::Weights;
use crate::device::{Buffer, Device};
use crate::graph;

/// The gradients of one loss, on the device until `free()`, or until a step takes them.
#[wasm_bindgen]
pub struct Gradients {
    pub(super) gradients: graph::Gradients,
    pub(super) device: Device,
    /// How many values each parameter has.
    pub(super) sizes: Rc<[usize]>,
}

#[wasm_bindgen]
impl Gradients {
    /// The gradient of a parameter, by its number; zeros where the loss does not depend on it.
    #[wasm_bindgen(unchecked_return_type = "Float32Array | Promise<Float32Array>")]
    pub fn get(&self, parameter: u32) -> Result<JsValue, JsValue> {
        let number = parameter as usize;
        let size = *self.sizes.get(number).ok_or_else(|| Weights::unknown(parameter))?;
        let part =
            self.gradients.slots().nth(number).flatten().map(|buffer: &Buffer| (buffer.clone(), 0..size));
        let device = self.device.clone();
        Ok(answer(async move {
            let values = match part {
                Some(part) => device.read(&[part]).await.map_err(Failure::from)?.pop().unwrap_or_default(),
                None => vec![0.0; size],
            };
            Ok(Float32Array::from(&values[..]).into())
        }))
    }
}
