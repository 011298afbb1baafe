//! Errors as JavaScript has them: an `Error` with a `code`.

use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

use crate::device::EngineError;
use crate::model::{LayerError, ModelError, ReadError};

/// What becomes an `EngineError`.
pub(super) struct Failure {
    code: &'static str,
    message: String,
}

impl Failure {
    /// Options that are not what the types say.
    pub(super) fn option(reason: impl ToString) -> Self {
        Self { code: "OPTION_INVALID", message: format!("options: {}", reason.to_string()) }
    }

    /// What has a code of its own.
    #[cfg(feature = "runs")]
    pub(super) fn new(code: &'static str, reason: impl ToString) -> Self {
        Self { code, message: reason.to_string() }
    }

    /// A mistake of the engine's own.
    pub(super) fn internal(reason: impl ToString) -> Self {
        Self { code: "ENGINE", message: reason.to_string() }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<LayerError> for Failure {
    fn from(error: LayerError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<Failure> for JsValue {
    fn from(Failure { code, message }: Failure) -> Self {
        let error = Error::new(&message);
        error.set_name("EngineError");
        // A fresh Error takes any property.
        let set = Reflect::set(&error, &"code".into(), &code.into());
        debug_assert!(set.is_ok());
        error.into()
    }
}
