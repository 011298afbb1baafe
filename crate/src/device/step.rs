//! A step of a recurrent layer as one operation: a product, and the recurrence over it. It has no kernel of its own: a
//! device runs those of the two, one after the other.

use super::{Buffer, Call, Device, EngineError, Forward, Op, Operand, ParamGradients, Parameters, Shape};

/// A product with the first operand, and the recurrence over it: its other operands are those of the step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// [`Op::Affine`].
    pub product: Op,
    /// [`Op::Recurrence`] or [`Op::Sru`].
    pub recurrence: Op,
}

impl Step {
    pub(super) fn infer(&self, inputs: &[Shape], parameters: &Parameters) -> Result<Vec<Shape>, EngineError> {
        let (Op::Affine { .. }, Op::Recurrence { .. } | Op::Sru(_)) = (&self.product, &self.recurrence)
        else {
            let reason = "it is a product with a weight and a recurrence over it";
            return Err(EngineError::Unsupported { op: "step", reason });
        };
        let (first, others) = inputs.split_at(inputs.len().min(1));
        let product = self.product.infer(first, &[], parameters)?;
        self.recurrence.infer(&[&product, others].concat(), &[], parameters)
    }

    /// Outputs of the recurrence and what it keeps; last, the product, if anything is kept.
    pub(super) fn forward(&self, device: &Device, call: &Call<'_>) -> Result<Forward, EngineError> {
        let product = device.forward(&self.product(call))?.outputs.remove(0);
        let inputs = self.operands(call, &product);
        let mut forward = device.forward(&Call { op: &self.recurrence, inputs: &inputs, ..*call })?;
        drop(inputs);
        if call.keep {
            forward.saved.push(product);
        } else {
            device.reclaim(product);
        }
        Ok(forward)
    }

    /// Gradients of the operands.
    pub(super) fn backward(
        &self,
        device: &Device,
        call: &Call<'_>,
        forward: &Forward,
        upstream: &[Option<Buffer>],
        wanted: &[bool],
        gradients: &mut ParamGradients,
    ) -> Result<Vec<Option<Buffer>>, EngineError> {
        let Some((product, saved)) = forward.saved.split_last() else {
            unreachable!("a call that is differentiated has kept its product");
        };
        let inputs = self.operands(call, product);
        let recurrence = Call { op: &self.recurrence, inputs: &inputs, ..*call };
        let of_recurrence = Forward { outputs: forward.outputs.clone(), saved: saved.to_vec() };
        let wanted_of = [&[true], &wanted[1..]].concat();
        let mut down = device.backward(&recurrence, &of_recurrence, upstream, &wanted_of, gradients)?;
        let of_product = Forward { outputs: vec![product.clone()], saved: Vec::new() };
        let upstream = [down.remove(0)];
        let first = device.backward(&self.product(call), &of_product, &upstream, &wanted[..1], gradients)?;
        down.splice(..0, first);
        Ok(down)
    }

    /// The call of the product.
    fn product<'a>(&'a self, call: &Call<'a>) -> Call<'a> {
        Call { op: &self.product, inputs: &call.inputs[..1], ..*call }
    }

    /// The operands of the recurrence: those of the call, with the product in the place of the first.
    fn operands(&self, call: &Call<'_>, product: &Buffer) -> Vec<Operand> {
        let mut operands = call.inputs.to_vec();
        if let (Op::Affine { weight, .. }, [first, ..]) = (&self.product, &mut operands[..]) {
            let begin = first.offsets[0];
            first.offsets.iter_mut().for_each(|row| *row -= begin);
            *first = Operand {
                source: product.clone().into(),
                columns: weight.outputs,
                offsets: std::mem::take(&mut first.offsets),
            };
        }
        operands
    }
}
