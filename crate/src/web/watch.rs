//! A JavaScript function that follows a reading.

use std::ops::ControlFlow;

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::model::Watch;

/// Calls the function between the pieces of a text, if there is one, and waits for what it promises: the event loop
/// then has its turn.
pub(super) struct Callback {
    function: Option<Function>,
    thrown: Option<JsValue>,
}

impl Callback {
    pub(super) fn new(function: Option<Function>) -> Self {
        Self { function, thrown: None }
    }

    /// What the function threw, as an error.
    pub(super) fn thrown(self) -> Result<(), JsValue> {
        self.thrown.map_or(Ok(()), Err)
    }
}

impl Watch for Callback {
    async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
        let Some(function) = &self.function else { return ControlFlow::Continue(()) };
        let answer = match function.call2(&JsValue::UNDEFINED, &done.into(), &total.into()) {
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
}
