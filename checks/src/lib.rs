//! Holds the GPU against the CPU: every kernel, forward and backward, over shapes that break careless ones.
//!
//! The same checks run natively (`tests/native.rs`) and in a browser.

pub mod cases;
mod doubt;
mod kernel;
mod optimizer;
mod random;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use kernel::{Case, Disagreement, Lane, Matrix, agree};
pub use optimizer::optimizers_agree;
pub use random::Random;
