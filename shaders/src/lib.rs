//! The WGSL kernels of `saccade-rnn`, one file each, named like their CPU twins in `crate/src/cpu/`.
//!
//! The GPU device is not built yet; this package holds its place in the workspace and on crates.io.
