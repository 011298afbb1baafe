//! In the place of `training.rs` where the feature `train` is off, as in the browser's inference binary: no kernel of
//! training is compiled, and asking for one is a typed error.

use super::{Buffer, Values};
use crate::device::{Call, EngineError, Forward, ParamGradients, Sru};

fn absent(op: &'static str) -> EngineError {
    EngineError::Unsupported { op, reason: "this build has no training code (cargo feature `train`)" }
}

pub(super) fn forward(call: &Call<'_, Buffer>) -> Result<(Values, Values), EngineError> {
    Err(absent(call.op.name()))
}

pub(super) fn backward(
    call: &Call<'_, Buffer>,
    _: &Forward<Buffer>,
    _: &[Option<Buffer>],
    _: &[bool],
    _: &mut ParamGradients<Buffer>,
) -> Result<Vec<Option<Buffer>>, EngineError> {
    Err(absent(call.op.name()))
}

pub(super) fn sru_mask(_: &Call<'_, Buffer>, op: &Sru) -> Result<Option<Vec<f32>>, EngineError> {
    if op.dropout.0 > 0.0 { Err(absent("sru")) } else { Ok(None) }
}
