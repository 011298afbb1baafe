//! Pipelines, made once a kernel.

use std::cell::RefCell;

use saccade_shaders::Kernel;

use super::Gpu;
use super::adapter::{Context, describe};
use crate::device::EngineError;
use crate::few::Few;

/// A compiled kernel.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub(super) raw: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// Pipelines by the name of their kernel.
#[derive(Default)]
pub(super) struct Pipelines {
    made: RefCell<Few<&'static str, Pipeline>>,
}

impl Pipelines {
    pub(super) fn get(&self, context: &Context, kernel: &'static Kernel) -> Pipeline {
        self.made.borrow_mut().get_or_insert_with(kernel.name, || compile(context, kernel)).clone()
    }
}

impl Gpu {
    /// Makes a kernel's pipeline ahead of its first launch.
    ///
    /// # Errors
    /// What the driver has against it.
    pub async fn compile(&self, kernel: &'static Kernel) -> Result<(), EngineError> {
        let scope = self.context.device.push_error_scope(wgpu::ErrorFilter::Validation);
        self.pipelines.get(&self.context, kernel);
        match scope.pop().await {
            None => self.context.failures.check(),
            Some(error) => {
                let (kind, reason) = describe(&error);
                Err(EngineError::Device { kind, reason: format!("{}: {reason}", kernel.name) })
            }
        }
    }
}

fn compile(context: &Context, kernel: &'static Kernel) -> Pipeline {
    let device = &context.device;
    let label = Some(kernel.name);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label,
        source: wgpu::ShaderSource::Wgsl(kernel.source().into()),
    });
    let raw = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        // As the shader has its bindings, all of which it uses: the build sees to that.
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            // Every kernel writes its workgroup memory before it reads it.
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    });
    Pipeline { layout: raw.get_bind_group_layout(0), raw }
}
