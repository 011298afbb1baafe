//! Forward kernels that only training runs: dropout, cross entropy, Skim's soft mixture. (Feature `train`.)

use std::sync::Arc;

use super::{Buffer, SkimOperands, Values, backward};
use crate::cpu::{dropout, skim_soft, softmax};
use crate::device::{Call, EngineError, Forward, Op, ParamGradients, Real, Skim, SkimMode, Sru};

/// Outputs and what to keep for the backward call.
pub(super) fn forward(call: &Call<'_, Buffer>) -> Result<(Values, Values), EngineError> {
    let x = &call.inputs[0];
    match call.op {
        Op::Dropout { rate: Real(rate), per_sequence } => {
            let y = dropout::apply(x.ragged(), *rate, call.seed, call.streams, *per_sequence);
            Ok((vec![y], Vec::new()))
        }
        Op::CrossEntropy => {
            let (losses, log_p) = softmax::cross_entropy(x.all(), x.columns, call.indices);
            Ok((vec![losses], vec![log_p]))
        }
        Op::Skim(op @ Skim { mode: SkimMode::Soft { temperature, .. }, .. }) => {
            let operands = SkimOperands::new(call, op);
            let (a, soft) =
                (operands.arguments(call.parameters, op), soft(&operands, call, op, *temperature));
            let f = skim_soft::soft(op.cell, a, soft);
            Ok((vec![f.rows, f.h, f.c, f.logits, f.decisions], vec![f.saved]))
        }
        _ => Err(EngineError::Unsupported {
            op: call.op.name(),
            reason: "it is not an operation of training alone",
        }),
    }
}

/// See [`crate::device::Device::backward`].
pub(super) fn backward(
    call: &Call<'_, Buffer>,
    forward: &Forward<Buffer>,
    upstream: &[Option<Buffer>],
    wanted: &[bool],
    gradients: &mut ParamGradients<Buffer>,
) -> Result<Vec<Option<Buffer>>, EngineError> {
    let mut gradients = backward::Gradients { slots: gradients, parameters: call.parameters };
    let back = backward::backward(call, forward, upstream, wanted, &mut gradients)?;
    Ok(back.into_iter().map(|d| d.map(Arc::new)).collect())
}

/// The dropout mask inside SRU's highway: one value a lane and channel.
pub(super) fn sru_mask(call: &Call<'_, Buffer>, op: &Sru) -> Result<Option<Vec<f32>>, EngineError> {
    let channels = call.parameters.values(op.bias).len() / 2;
    let rate = op.dropout.0;
    Ok((rate > 0.0).then(|| dropout::masks(rate, call.seed, call.streams, channels)))
}

/// The operands of the soft mixture alone.
pub(super) fn soft<'a>(
    operands: &SkimOperands<'a>,
    call: &'a Call<'_, Buffer>,
    op: &Skim,
    temperature: Real,
) -> skim_soft::Soft<'a> {
    let drawn = skim_soft::Noise::Counter(call.seed, call.streams);
    let noise = operands.noise.map_or(drawn, skim_soft::Noise::Given);
    skim_soft::Soft {
        big_x: operands.first,
        big_weight_hh: call.parameters.values(op.big_weight_hh),
        small_weight_hh: op.small_hh.map_or(&[][..], |(w, _)| call.parameters.values(w)),
        temperature: temperature.0,
        noise,
    }
}
