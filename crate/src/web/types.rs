//! The types that TypeScript sees: what serde makes of [`crate::model`]'s.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");
