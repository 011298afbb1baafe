//! In the place of `training.rs` where the feature `train` is off, as in the browser's inference binary: no kernel of
//! training is compiled, and asking for one is a typed error.

use super::{Cpu, Values};
use crate::device::{Buffer, Call, EngineError, Forward, ParamGradients, ParamId, Sru, WeightView};

fn absent(op: &'static str) -> EngineError {
    EngineError::Unsupported { op, reason: "this build has no training code (cargo feature `train`)" }
}

impl Cpu {
    pub(super) fn run_training(&self, call: &Call<'_>) -> Result<Values, EngineError> {
        Err(absent(call.op.name()))
    }

    #[inline]
    pub(super) fn product_by_word(
        &self,
        _: &Call<'_>,
        _: WeightView,
        _: Option<ParamId>,
    ) -> Option<Vec<f32>> {
        None
    }

    pub(super) fn run_backward(
        &self,
        call: &Call<'_>,
        _: &Forward,
        _: &[Option<Buffer>],
        _: &[bool],
        _: &mut ParamGradients,
    ) -> Result<Vec<Option<Buffer>>, EngineError> {
        Err(absent(call.op.name()))
    }
}

pub(super) fn sru_mask(_: &Call<'_>, op: &Sru) -> Result<Option<Vec<f32>>, EngineError> {
    if op.dropout.0 > 0.0 { Err(absent("sru")) } else { Ok(None) }
}
