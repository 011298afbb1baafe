//! Forward kernels that only training runs: dropout, cross entropy, Skim's soft mixture. (Feature `train`.)

use std::sync::Arc;

use super::backward::Gradients;
use super::packed_weights::Side;
use super::{Cpu, SkimOperands, Values};
use crate::cpu::packed::Packed;
use crate::cpu::{dropout, skim_soft, softmax};
use crate::device::{
    Buffer, Call, EngineError, Forward, Op, ParamGradients, Real, Skim, SkimMode, Sru, WeightView,
};

impl Cpu {
    pub(super) fn run_training(&self, call: &Call<'_>) -> Result<Values, EngineError> {
        let x = &call.inputs[0];
        match call.op {
            Op::Dropout { rate: Real(rate), per_sequence } => {
                let y = dropout::apply(x.ragged(), *rate, call.seed, call.streams, *per_sequence);
                Ok((vec![y], Vec::new()))
            }
            Op::CrossEntropy => {
                let (losses, normalizers) = softmax::cross_entropy(x.all(), x.columns, call.indices);
                Ok((vec![losses], vec![normalizers]))
            }
            Op::Skim(op @ Skim { mode: SkimMode::Soft { temperature, .. }, .. }) => {
                let operands = SkimOperands::new(call, op);
                let (a, soft) =
                    (operands.arguments(call.parameters, op), soft(&operands, call, *temperature));
                let weights = SkimWeights::new(self, call, op, Side::Forward);
                let f = skim_soft::soft(&self.buffers, op.cell, a, soft, weights.of_state());
                Ok((vec![f.rows, f.h, f.c, f.logits, f.decisions], vec![f.saved]))
            }
            _ => Err(EngineError::Unsupported {
                op: call.op.name(),
                reason: "it is not an operation of training alone",
            }),
        }
    }

    pub(super) fn run_backward(
        &self,
        call: &Call<'_>,
        forward: &Forward,
        upstream: &[Option<Buffer>],
        wanted: &[bool],
        gradients: &mut ParamGradients,
    ) -> Result<Vec<Option<Buffer>>, EngineError> {
        let host = |buffer: &Buffer| buffer.on_cpu().cloned();
        let all = |buffers: &[Buffer]| buffers.iter().map(host).collect::<Result<_, _>>();
        let forward = Forward { outputs: all(&forward.outputs)?, saved: all(&forward.saved)? };
        let upstream: Vec<_> =
            upstream.iter().map(|d| d.as_ref().map(host).transpose()).collect::<Result<_, EngineError>>()?;
        let mut gradients =
            Gradients { slots: gradients, parameters: call.parameters, buffers: &self.buffers };
        let back = self.run_gradients(call, &forward, &upstream, wanted, &mut gradients)?;
        Ok(back.into_iter().map(|d| d.map(|d| Buffer::Cpu(Arc::new(d)))).collect())
    }
}

/// The packed weights of a Skim cell that multiply its state.
pub(super) struct SkimWeights {
    big: Arc<Packed>,
    small: Option<Arc<Packed>>,
    decision: Arc<Packed>,
}

impl SkimWeights {
    pub(super) fn new(cpu: &Cpu, call: &Call<'_>, op: &Skim, side: Side) -> Self {
        let p = call.parameters;
        let packed = |view| cpu.packed(p, view, side);
        let decision = WeightView::whole(p, op.decision_weight);
        Self {
            big: packed(WeightView::whole(p, op.big_weight_hh)),
            small: op.small_hh.map(|(weight, _)| packed(WeightView::whole(p, weight))),
            decision: packed(WeightView {
                first: decision.inputs - op.hidden,
                inputs: op.hidden,
                ..decision
            }),
        }
    }

    pub(super) fn of_state(&self) -> skim_soft::StateWeights<'_> {
        skim_soft::StateWeights { big: &self.big, small: self.small.as_deref(), decision: &self.decision }
    }
}

/// The dropout mask inside SRU's highway: one value a lane and channel.
pub(super) fn sru_mask(call: &Call<'_>, op: &Sru) -> Result<Option<Vec<f32>>, EngineError> {
    let channels = call.parameters.values(op.bias).len() / 2;
    let rate = op.dropout.0;
    Ok((rate > 0.0).then(|| dropout::masks(rate, call.seed, call.streams, channels)))
}

/// The operands of the soft mixture alone.
pub(super) fn soft<'a>(
    operands: &SkimOperands<'a>,
    call: &'a Call<'_>,
    temperature: Real,
) -> skim_soft::Soft<'a> {
    let drawn = skim_soft::Noise::Counter(call.seed, call.streams);
    let noise = operands.noise.map_or(drawn, skim_soft::Noise::Given);
    skim_soft::Soft { big_x: operands.first, temperature: temperature.0, noise }
}
