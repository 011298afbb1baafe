//! CPU kernels: one file a kernel, named like its WGSL twin in `shaders/`.
//!
//! Kernels are plain functions over row-major `f32` slices. They know neither graphs nor parameters' names;
//! [`crate::device::Cpu`] lays the arguments out and calls them. Sequences are *lanes*: ranges of rows laid
//! end to end, without padding (see [`Ragged`]).

#![cfg_attr(
    not(feature = "train"),
    allow(dead_code, reason = "backward kernels stand beside their forward twins and are compiled away")
)]

#[cfg(feature = "train")]
pub(crate) mod adam;
pub(crate) mod affine;
pub(crate) mod cell;
pub(crate) mod column_sums;
#[cfg(feature = "train")]
pub(crate) mod dropout;
pub(crate) mod elementwise;
pub(crate) mod elman;
pub(crate) mod embedding;
pub(crate) mod gru;
pub(crate) mod layer_norm;
pub(crate) mod lstm;
pub mod math;
pub(crate) mod matmul;
pub mod noise;
#[cfg(feature = "train")]
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod ragged;
pub(crate) mod recurrence;
pub(crate) mod rows;
pub(crate) mod skim;
#[cfg(feature = "train")]
pub(crate) mod skim_soft;
#[cfg(feature = "train")]
pub(crate) mod skip_gram;
pub(crate) mod softmax;
pub(crate) mod sru;
#[cfg(feature = "gpu")]
pub(crate) mod transpose;
mod vectorize;

pub use ragged::Ragged;
