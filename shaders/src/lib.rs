//! The WGSL kernels of `saccade-rnn`, one file each, named like their CPU twins in `kernels/src/`.
//!
//! A kernel `x.wgsl` becomes the static [`Kernel`] `X`; one with variants (`//! variants: lstm gru`) becomes one static
//! a variant, `X_LSTM` and `X_GRU`. Imports are expanded, and each variant is validated by naga, when this package is
//! built: a shader with a mistake fails the build and names its line. What a host must know to launch a kernel is
//! reflected from the shader into that static. The structs of its bindings and its constants are declared in a module
//! named like the file.

/// What a binding holds. All are in group 0, numbered in this order from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `var<uniform>` of so many bytes.
    Uniform(u32),
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`.
    Write,
}

/// A compute shader with one entry point, `main`.
#[derive(Debug)]
pub struct Kernel {
    /// The file's name without its ending, and the variant.
    pub name: &'static str,
    /// WGSL, imports expanded, in pieces that variants share: see [`Self::source`].
    pub source: &'static [&'static str],
    /// Its bindings in order.
    pub bindings: &'static [Binding],
    /// Invocations of a workgroup along each axis.
    pub workgroup_size: [u32; 3],
    /// Bytes of workgroup memory, at most.
    pub workgroup_memory: u32,
    /// Names of the constants that a host may set when it compiles the kernel: WGSL's `override`s.
    pub overrides: &'static [&'static str],
}

impl Kernel {
    /// The WGSL source.
    pub fn source(&self) -> String {
        self.source.concat()
    }
}

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
