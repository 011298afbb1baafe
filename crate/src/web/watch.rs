//! A JavaScript function that follows a reading.

use std::ops::ControlFlow;

use js_sys::{Array, Float32Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::model::Watch;

/// Calls the function between the pieces of a text, if there is one, and waits for what it promises: the event loop
/// then has its turn.
pub(super) struct Callback {
    function: Option<Function>,
    thrown: Option<JsValue>,
    /// Decision and probability of each token since the last call, in turn, and the first of them.
    decided: (usize, Vec<f32>),
}

impl Callback {
    pub(super) fn new(function: Option<Function>) -> Self {
        Self { function, thrown: None, decided: Default::default() }
    }

    /// What the function threw, as an error.
    pub(super) fn thrown(self) -> Result<(), JsValue> {
        self.thrown.map_or(Ok(()), Err)
    }
}

impl Watch for Callback {
    async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
        let Some(function) = &self.function else { return ControlFlow::Continue(()) };
        let (from, decided) = std::mem::take(&mut self.decided);
        let decided = Float32Array::from(&decided[..]);
        let arguments = Array::of4(&done.into(), &total.into(), &from.into(), &decided);
        let answer = match function.apply(&JsValue::UNDEFINED, &arguments) {
            Ok(answer) => JsFuture::from(Promise::resolve(&answer)).await,
            Err(thrown) => Err(thrown),
        };
        match answer {
            Ok(answer) if answer == JsValue::FALSE => ControlFlow::Break(()),
            Ok(_) => ControlFlow::Continue(()),
            Err(thrown) => {
                self.thrown = Some(thrown);
                ControlFlow::Break(())
            }
        }
    }

    fn decided(&mut self, from: usize, decisions: &[f32], probabilities: &[f32]) {
        if self.function.is_some() {
            self.decided = (from, decisions.iter().zip(probabilities).flat_map(|(d, p)| [*d, *p]).collect());
        }
    }
}
