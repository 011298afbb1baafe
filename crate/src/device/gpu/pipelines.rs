//! Pipelines, made once a kernel.

use std::cell::RefCell;

use saccade_shaders::Kernel;

use super::Gpu;
use super::adapter::Context;
use super::driver::{Filter, Pipeline};
use crate::device::EngineError;
use crate::few::Few;

/// Pipelines by the name of their kernel.
#[derive(Default)]
pub(super) struct Pipelines {
    made: RefCell<Few<&'static str, Pipeline>>,
}

impl Pipelines {
    pub(super) fn get(&self, context: &Context, kernel: &'static Kernel) -> Pipeline {
        self.made.borrow_mut().get_or_insert_with(kernel.name, || context.device.pipeline(kernel)).clone()
    }
}

impl Gpu {
    /// Makes a kernel's pipeline ahead of its first launch.
    ///
    /// # Errors
    /// What the driver has against it.
    pub async fn compile(&self, kernel: &'static Kernel) -> Result<(), EngineError> {
        let scope = self.context.device.scope(Filter::Validation);
        self.pipelines.get(&self.context, kernel);
        match scope.pop().await {
            None => self.context.failures.check(),
            Some((kind, reason)) => {
                Err(EngineError::Device { kind, reason: format!("{}: {reason}", kernel.name) })
            }
        }
    }
}
