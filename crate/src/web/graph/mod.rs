//! Graphs from JavaScript: weights, programs of instructions, gradients and optimisers.
//!
//! Recording crosses as one list of numbers a flush ([`instructions`]); `js/src/graph` makes expressions of it.

mod gradients;
mod instructions;
mod optimizer;
mod program;
mod weights;

pub use gradients::Gradients;
pub use optimizer::Optimizer;
pub use program::Program;
pub use weights::Weights;

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::DEVICES;
use super::error::Failure;
use crate::device::{Device, EngineError};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// A device by its name; `cpu` is the one that these weights have been used on.
async fn device(name: &str, cpu: Device) -> Result<Device, Failure> {
    match name {
        "cpu" => return Ok(cpu),
        "webgpu" => {}
        _ => return Err(Failure::option(format!("device: expected cpu or webgpu, found {name:?}"))),
    }
    let devices = DEVICES.with(Rc::clone);
    match devices.gpu().await {
        Ok(gpu) => Ok(Device::Gpu(gpu)),
        Err(reason) => Err(EngineError::unavailable(reason).into()),
    }
}
