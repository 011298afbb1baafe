//! Graphs from JavaScript: weights, programs of instructions, gradients and optimisers.
//!
//! Recording crosses as one list of numbers a flush ([`instructions`]); `js/src/graph` makes expressions of it.

mod gradients;
mod instructions;
mod optimizer;
mod program;
mod weights;

pub use gradients::Gradients;
pub use optimizer::Optimizer;
pub use program::Program;
pub use weights::Weights;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");
