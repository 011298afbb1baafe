//! Devices by their names.

use std::rc::Rc;

use super::DEVICES;
use super::error::Failure;
use crate::device::{Device, EngineError};

/// A device by its name; `cpu` is the one that is meant by that.
pub(super) async fn by_name(name: &str, cpu: Device) -> Result<Device, Failure> {
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
