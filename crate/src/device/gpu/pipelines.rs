//! Compiles each kernel once and keeps its pipeline.

use std::cell::RefCell;

use rustc_hash::FxHashMap;
use saccade_shaders::Kernel;

use super::Gpu;
use super::adapter::{Context, describe};
use crate::device::EngineError;

/// A compiled kernel.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub(super) raw: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// The most pipelines of generated kernels: a program may have a number in them that changes from step to step.
#[cfg(any(feature = "graph", not(feature = "web")))]
const MOST_GENERATED: usize = 256;

/// Pipelines by the name of their kernel and its `SHARED`, where that is set.
#[derive(Default)]
pub(super) struct Pipelines {
    made: RefCell<FxHashMap<(&'static str, Option<u32>), Pipeline>>,
    /// Those of generated kernels, by their source.
    #[cfg(any(feature = "graph", not(feature = "web")))]
    generated: RefCell<FxHashMap<std::sync::Arc<str>, Pipeline>>,
}

impl Pipelines {
    /// The pipeline of a kernel, with another value of `SHARED` than its own if one is given.
    pub(super) fn get(&self, context: &Context, kernel: &'static Kernel, shared: Option<u32>) -> Pipeline {
        debug_assert!(shared.is_none() || kernel.overrides == ["SHARED"], "{} has no `SHARED`", kernel.name);
        self.made
            .borrow_mut()
            .entry((kernel.name, shared))
            .or_insert_with(|| compile(context, kernel.name, kernel.source(), shared))
            .clone()
    }

    /// Whether there is a pipeline of a kernel, whatever its `SHARED`.
    fn has(&self, kernel: &Kernel) -> bool {
        self.made.borrow().keys().any(|&(name, _)| name == kernel.name)
    }

    /// The pipeline of a generated kernel.
    #[cfg(any(feature = "graph", not(feature = "web")))]
    pub(super) fn generated(
        &self,
        context: &Context,
        name: &'static str,
        source: &std::sync::Arc<str>,
    ) -> Pipeline {
        let mut generated = self.generated.borrow_mut();
        if let Some(pipeline) = generated.get(source) {
            return pipeline.clone();
        }
        if generated.len() == MOST_GENERATED {
            generated.clear();
        }
        let pipeline = compile(context, name, source.to_string(), None);
        generated.insert(source.clone(), pipeline.clone());
        pipeline
    }
}

impl Gpu {
    /// Compiles a kernel, unless a launch has had it compiled.
    ///
    /// # Errors
    /// If the driver rejects the kernel.
    pub async fn compile(&self, kernel: &'static Kernel) -> Result<(), EngineError> {
        if self.pipelines.has(kernel) {
            return Ok(());
        }
        let scope = self.context.device.push_error_scope(wgpu::ErrorFilter::Validation);
        self.pipelines.get(&self.context, kernel, None);
        match scope.pop().await {
            None => self.context.failures.check(),
            Some(error) => {
                let (kind, reason) = describe(&error);
                Err(EngineError::Device { kind, reason: format!("{}: {reason}", kernel.name) })
            }
        }
    }
}

fn compile(context: &Context, name: &'static str, source: String, shared: Option<u32>) -> Pipeline {
    let device = &context.device;
    let constants = shared.map(|values| ("SHARED", f64::from(values)));
    let label = Some(name);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let raw = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        // wgpu derives the layout from the shader, which uses all of its bindings: the shaders' build checks that.
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: constants.as_slice(),
            // Every kernel writes its workgroup memory before it reads it.
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    });
    Pipeline { layout: raw.get_bind_group_layout(0), raw }
}
