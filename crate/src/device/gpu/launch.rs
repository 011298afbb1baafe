//! Launches a kernel with its arguments, in the order of its bindings, over a grid.

use bytemuck::Pod;
use saccade_shaders::{Binding, Kernel};

use super::pipelines::Pipeline;
use super::{Gpu, GpuBuffer};
use crate::device::EngineError;

/// An argument of a kernel.
#[derive(Clone, Copy)]
pub(super) enum Arg<'a> {
    /// A uniform's bytes.
    Uniform(&'a [u8]),
    /// Numbers from the host, read only.
    Words(&'a [u32]),
    /// Values to read.
    Read(&'a GpuBuffer),
    /// Values to write.
    Write(&'a GpuBuffer),
    /// A read-only binding that this launch does not use.
    Nothing,
}

impl<'a> Arg<'a> {
    /// A uniform of plain numbers.
    pub(super) fn uniform<T: Pod>(arguments: &'a T) -> Self {
        Arg::Uniform(bytemuck::bytes_of(arguments))
    }

    /// An array of plain numbers, 32 bits each, or of structs of such numbers.
    pub(super) fn words<T: Pod>(values: &'a [T]) -> Self {
        Arg::Words(bytemuck::cast_slice(values))
    }
}

/// `flag` if it is set, otherwise 0.
pub(super) fn flag(set: bool, flag: u32) -> u32 {
    if set { flag } else { 0 }
}

/// The size of a launch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grid {
    /// This many invocations, rounded up to whole workgroups.
    Invocations(usize),
    /// This many workgroups.
    Groups(usize),
}

impl Gpu {
    /// Encodes a launch. `work` estimates its cost in multiply-adds.
    pub(super) fn launch(
        &self,
        kernel: &'static Kernel,
        arguments: &[Arg<'_>],
        grid: Grid,
        work: usize,
    ) -> Result<(), EngineError> {
        self.launch_with(kernel, None, arguments, grid, work)
    }

    /// Encodes a launch of a kernel with workgroup memory for so many values of each sequence, its `SHARED`; see
    /// [`Self::launch`].
    pub(super) fn launch_with(
        &self,
        kernel: &'static Kernel,
        shared: Option<u32>,
        arguments: &[Arg<'_>],
        grid: Grid,
        work: usize,
    ) -> Result<(), EngineError> {
        self.context.failures.check()?;
        let groups = match grid {
            Grid::Invocations(n) => n.div_ceil(kernel.workgroup_size[0] as usize),
            Grid::Groups(n) => n,
        };
        if groups == 0 {
            return Ok(());
        }
        debug_assert!(fits(kernel, arguments), "{} does not take these arguments", kernel.name);
        let pipeline = self.pipelines.get(&self.context, kernel, shared);
        self.encode(kernel.name, &pipeline, arguments, groups, work)
    }

    /// Encodes a launch of a kernel that was generated, of 256 invocations a workgroup; see [`Self::launch`].
    #[cfg(any(feature = "graph", not(feature = "web")))]
    pub(super) fn launch_generated(
        &self,
        name: &'static str,
        source: &std::sync::Arc<str>,
        arguments: &[Arg<'_>],
        invocations: usize,
        work: usize,
    ) -> Result<(), EngineError> {
        self.context.failures.check()?;
        let groups = invocations.div_ceil(256);
        if groups == 0 {
            return Ok(());
        }
        let pipeline = self.pipelines.generated(&self.context, name, source);
        self.encode(name, &pipeline, arguments, groups, work)
    }

    fn encode(
        &self,
        name: &'static str,
        pipeline: &Pipeline,
        arguments: &[Arg<'_>],
        groups: usize,
        work: usize,
    ) -> Result<(), EngineError> {
        // A grid is folded because no axis may exceed the limit; kernels unfold it (`shared/grid.wgsl`).
        let most = self.context.limits.max_compute_workgroups_per_dimension as usize;
        let x = groups.min(most);
        let groups = [x as u32, groups.div_ceil(x) as u32];
        let mut recorder = self.recorder.borrow_mut();
        if recorder.dispatch(&self.context, name, pipeline, arguments, groups, work)? {
            self.pool.submitted();
        }
        Ok(())
    }

    /// Replaces a shared buffer by a copy, so that kernels may write to it.
    pub(super) fn make_unique(&self, buffer: &mut GpuBuffer) -> Result<(), EngineError> {
        if !buffer.is_unique() {
            let copy = self.pool.like(buffer);
            self.recorder.borrow_mut().copy(&self.context, buffer, &copy);
            *buffer = copy;
        }
        Ok(())
    }

    /// A buffer of `size` values for a kernel to fill.
    pub(super) fn allocate(&self, size: usize) -> Result<GpuBuffer, EngineError> {
        self.pool.allocate(size)
    }
}

/// Whether the arguments match the kernel's bindings.
fn fits(kernel: &Kernel, arguments: &[Arg<'_>]) -> bool {
    let fits = |(binding, argument): (&Binding, &Arg<'_>)| match (binding, argument) {
        (Binding::Uniform(size), Arg::Uniform(bytes)) => bytes.len() == *size as usize,
        (Binding::Read, Arg::Words(_) | Arg::Read(_) | Arg::Nothing) => true,
        (Binding::Write, Arg::Write(_)) => true,
        _ => false,
    };
    kernel.bindings.len() == arguments.len() && kernel.bindings.iter().zip(arguments).all(fits)
}
