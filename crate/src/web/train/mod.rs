//! Training runs from JavaScript: a config and texts, and then one call for all that is due. `js/src/train` drives them.

mod config;
mod failure;
mod run;
mod texts;

pub use run::TrainingRun;
pub use texts::TrainingTexts;

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");
