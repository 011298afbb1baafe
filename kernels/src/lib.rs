//! CPU kernels: one file a kernel, named like its WGSL twin in `shaders/`.
//!
//! Kernels are plain functions over row-major `f32` slices. They know neither graphs nor parameters' names: a device lays the
//! arguments out and calls them. Sequences are *lanes*: ranges of rows laid end to end, without padding (see [`Ragged`]).

#[cfg(feature = "train")]
pub mod adam;
pub mod affine;
mod buffer_pool;
pub mod cell;
pub mod column_sums;
#[cfg(feature = "train")]
pub mod dropout;
pub mod elementwise;
pub mod elman;
pub mod embedding;
pub mod fused;
pub mod gru;
pub mod layer_norm;
pub mod lstm;
mod math;
pub mod matmul;
pub mod noise;
#[cfg(feature = "train")]
pub mod norm;
pub mod order;
pub mod packed;
pub mod pool;
pub mod ragged;
pub mod ragged_matmul;
pub mod recurrence;
pub mod reduce;
mod registers;
pub mod rows;
pub mod semiring;
pub mod skim;
#[cfg(feature = "train")]
pub mod skim_soft;
#[cfg(feature = "train")]
pub mod skip_gram;
pub mod softmax;
pub mod sru;
pub mod transpose;
mod vectorize;
pub mod word_products;

pub use buffer_pool::BufferPool;
pub use ragged::Ragged;
