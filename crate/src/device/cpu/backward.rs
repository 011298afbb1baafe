//! Gradients on the CPU: the backward kernel of every operation. (Feature `train`.)

use std::borrow::Cow;
use std::sync::Arc;

use super::cell::Matrices;
use super::packed_weights::{Side, weight};
use super::training::{self, SkimWeights};
use super::{Cpu, SkimOperands, by_input, chosen, ragged, recurrence_arguments, sru_arguments};
use crate::cpu::packed::{Rows, Start, multiply};
use crate::cpu::recurrence::{self, Upstream};
use crate::cpu::{
    BufferPool, Ragged, affine, dropout, elementwise, embedding, layer_norm, pool, ragged_matmul, reduce,
    rows, semiring, skim_soft, softmax, sru, transpose,
};
use crate::device::cell::Matrix;
use crate::device::op::{PROGRAMS, program_only};
use crate::device::{
    Binary, Buffer, Call, EngineError, Forward, Function, Op, ParamGradients, ParamId, Parameters, Real,
    Skim, SkimMode, Unary, WeightView,
};

/// Values in the host's memory.
type Host = Arc<Vec<f32>>;

/// Gradient buffers of parameters, taken out while a kernel adds to them so that several can be borrowed at once.
pub(super) struct Gradients<'a> {
    pub(super) slots: &'a mut ParamGradients,
    pub(super) parameters: &'a Parameters,
    pub(super) buffers: &'a BufferPool,
}

impl Gradients<'_> {
    fn take(&mut self, id: ParamId) -> Vec<f32> {
        match self.slots[id.index()].take() {
            Some(Buffer::Cpu(values)) => Arc::unwrap_or_clone(values),
            _ => self.buffers.zeros(self.parameters.values(id).len()),
        }
    }

    /// Gives back what was taken; what an operation took twice, as its weight and as its bias, adds up.
    fn put(&mut self, id: ParamId, mut values: Vec<f32>) {
        if let Some(Buffer::Cpu(others)) = self.slots[id.index()].take() {
            values.iter_mut().zip(&*others).for_each(|(value, other)| *value += other);
        }
        self.slots[id.index()] = Some(Buffer::Cpu(Arc::new(values)));
    }
}

impl Cpu {
    /// Gradients of the operands.
    pub(super) fn run_gradients(
        &self,
        call: &Call<'_>,
        forward: &Forward<Host>,
        up: &[Option<Host>],
        wanted: &[bool],
        gradients: &mut Gradients<'_>,
    ) -> Result<Vec<Option<Vec<f32>>>, EngineError> {
        let (p, buffers) = (call.parameters, &self.buffers);
        let input = |i: usize| &call.inputs[i];
        let output = |i: usize| forward.outputs[i].as_slice();
        let upstream = |i: usize| up[i].as_ref().map(|d| d.as_slice());
        // Operations with one output are only called when it has a gradient.
        let dy: &[f32] = upstream(0).unwrap_or(&[]);
        let in_place = |f: &dyn Fn(&mut [f32], &[f32])| {
            let mut d = buffers.copy(dy);
            f(&mut d, output(0));
            vec![Some(d)]
        };
        let each = |parts: Vec<Vec<f32>>| parts.into_iter().map(Some).collect();
        Ok(match *call.op {
            program_only!() if !PROGRAMS => return Err(call.op.left_out()),
            Op::Input | Op::Held => Vec::new(),
            Op::ConcatRows => unreachable!("the graph lays rows end to end"),
            Op::Step(_) => unreachable!("a step's parts run by themselves"),
            Op::Cell(ref function) => self.cell_gradients(call, function, forward, up, wanted, gradients),
            Op::Embedding { table } => {
                let mut d = gradients.take(table);
                embedding::backward(&mut d, p.get(table).columns(), call.indices, dy);
                gradients.put(table, d);
                Vec::new()
            }
            Op::Affine { weight: ref view, bias } => {
                if call.weights_alone
                    && let Some(dx) = self.gradients_by_word(call, view, bias, dy, wanted[0], gradients)
                {
                    return Ok(vec![dx]);
                }
                let (x, rows) = (input(0).all(), input(0).total_rows());
                self.affine_gradients(call, view, bias, (x, rows), dy, gradients);
                let dx = || affine::backward_input(buffers, dy, rows, &self.packed(p, *view, Side::Backward));
                vec![wanted[0].then(dx)]
            }
            Op::MatMul => {
                let (a, b) = (input(0).ragged(), input(1).ragged());
                let left = || ragged_matmul::backward_left(buffers, a, b, dy);
                let right = || ragged_matmul::backward_right(buffers, a, b, dy);
                vec![wanted[0].then(left), wanted[1].then(right)]
            }
            // The rows that maxima came by have no gradient.
            Op::Semiring(_) if upstream(0).is_none() => vec![None],
            Op::Semiring(product) => {
                let ([inputs, columns], mut sums) = (product.sizes(p), gradients.take(product.weight));
                if product.transposed {
                    sums = transpose::transpose(&sums, inputs);
                }
                let outputs: Vec<&[f32]> = forward.outputs.iter().map(|y| y.as_slice()).collect();
                let (x, weight) = (input(0).all(), by_input(p, product));
                let dx = semiring::backward(
                    buffers,
                    product.semiring,
                    x,
                    &weight,
                    columns,
                    &outputs,
                    dy,
                    &mut sums,
                );
                if product.transposed {
                    sums = transpose::transpose(&sums, columns);
                }
                gradients.put(product.weight, sums);
                vec![Some(dx)]
            }
            Op::Unary(Unary::Tanh) => in_place(&elementwise::tanh_backward),
            Op::Unary(Unary::Sigmoid) => in_place(&elementwise::sigmoid_backward),
            Op::Unary(Unary::Relu) => in_place(&elementwise::relu_backward),
            Op::Unary(Unary::Scale(Real(s))) => in_place(&|d, _| elementwise::scale(d, s)),
            Op::Unary(Unary::Exp) => in_place(&elementwise::multiply),
            Op::Unary(Unary::Log) => in_place(&|d, _| elementwise::divide(d, input(0).all())),
            Op::Binary(function) => {
                let of = |operand: usize, f: &dyn Fn(&mut [f32])| {
                    wanted[operand].then(|| {
                        let mut d = buffers.copy(dy);
                        f(&mut d);
                        d
                    })
                };
                match function {
                    Binary::Add => vec![of(0, &|_| {}), of(1, &|_| {})],
                    Binary::Subtract => vec![of(0, &|_| {}), of(1, &|d| elementwise::scale(d, -1.0))],
                    Binary::Multiply => {
                        vec![
                            of(0, &|d| elementwise::multiply(d, input(1).all())),
                            of(1, &|d| elementwise::multiply(d, input(0).all())),
                        ]
                    }
                }
            }
            Op::ConcatColumns => each(rows::concat_columns_backward(&ragged(call), dy)),
            Op::Columns { start, count } => {
                vec![Some(rows::columns_backward(input(0).ragged(), start, count, dy))]
            }
            Op::Rows => vec![Some(rows::select_backward(buffers, input(0).ragged(), chosen(call), dy))],
            Op::ScatterAdd => {
                vec![Some(embedding::forward(buffers, dy, input(0).columns, &call.scattered().1))]
            }
            // The column of a maximum has no gradient.
            Op::Reduce(_) if upstream(0).is_none() => vec![None],
            Op::Reduce(kind) => {
                let outputs: Vec<&[f32]> = (0..forward.outputs.len()).map(output).collect();
                vec![Some(reduce::backward(buffers, input(0).ragged(), kind, &outputs, dy))]
            }
            Op::Pool(kind) => vec![Some(pool::backward(input(0).ragged(), kind, output(0), dy))],
            Op::Dropout { rate: Real(rate), per_sequence } => {
                let d = Ragged { values: dy, columns: input(0).columns, offsets: &rebase(&input(0).offsets) };
                vec![Some(dropout::apply(d, rate, call.seed, call.streams, per_sequence))]
            }
            Op::Softmax => vec![Some(softmax::softmax_backward(buffers, output(0), dy, input(0).columns))],
            Op::LogSoftmax => {
                vec![Some(softmax::log_softmax_backward(buffers, output(0), dy, input(0).columns))]
            }
            Op::CrossEntropy => {
                let (logits, normalizers) = (input(0), &forward.saved[0]);
                vec![Some(softmax::cross_entropy_backward(
                    buffers,
                    logits.all(),
                    logits.columns,
                    call.indices,
                    normalizers,
                    dy,
                ))]
            }
            Op::LayerNorm { weight, bias } => {
                let (mut dw, mut db) = (gradients.take(weight), gradients.take(bias));
                let dx = layer_norm::backward(input(0).all(), p.values(weight), dy, &mut dw, &mut db);
                gradients.put(weight, dw);
                gradients.put(bias, db);
                vec![Some(dx)]
            }
            Op::Recurrence { cell, weight_hh, bias_hh, .. } => {
                let a = recurrence_arguments(call);
                let up = Upstream { rows: upstream(0), h: upstream(1), c: upstream(2) };
                let mut dw = gradients.take(weight_hh);
                let mut db = bias_hh.map(|b| (b, gradients.take(b)));
                let (gates, cells) = (forward.saved[0].as_slice(), forward.saved[1].as_slice());
                let d_bias = db.as_mut().map(|(_, d)| d.as_mut_slice());
                let weight = self.packed(p, WeightView::whole(p, weight_hh), Side::Backward);
                let rows = output(0);
                let back =
                    recurrence::backward(buffers, cell, a, &weight, rows, gates, cells, up, &mut dw, d_bias);
                gradients.put(weight_hh, dw);
                if let Some((id, d)) = db {
                    gradients.put(id, d);
                }
                vec![Some(back.x), Some(back.h0), Some(back.c0)]
            }
            Op::Sru(ref op) => {
                let mask = training::sru_mask(call, op)?;
                let a = sru_arguments(call, op, mask.as_deref());
                let mut db = gradients.take(op.bias);
                let mut dv = op.weight_c.map(|v| (v, gradients.take(v)));
                let d_v = dv.as_mut().map(|(_, d)| d.as_mut_slice());
                let back =
                    sru::backward(buffers, a, &forward.saved[0], upstream(0), upstream(1), d_v, &mut db);
                gradients.put(op.bias, db);
                if let Some((id, d)) = dv {
                    gradients.put(id, d);
                }
                let mut all = vec![Some(back.u)];
                if op.skip {
                    // With four products the highway does not read the operand.
                    all.push((back.skip.len() == input(1).all().len()).then_some(back.skip));
                }
                all.push(Some(back.c0));
                all
            }
            Op::Skim(ref op) => self.skim_gradients(call, op, forward, up, gradients)?,
        })
    }

    fn cell_gradients(
        &self,
        call: &Call<'_>,
        function: &Function,
        forward: &Forward<Host>,
        up: &[Option<Host>],
        wanted: &[bool],
        gradients: &mut Gradients<'_>,
    ) -> Vec<Option<Vec<f32>>> {
        let plan = function.backward(up.iter().map(Option::is_some).collect(), wanted);
        let mut matrices = Matrices::new(call, &plan.columns, &plan.constants);
        let saved: Vec<Cow<'_, [f32]>> = forward.saved.iter().map(|v| Cow::Borrowed(&v[..])).collect();
        let (products, kept) = saved.split_at(plan.columns.products.len());
        (matrices.products, matrices.kept) = (products.to_vec(), kept.to_vec());
        matrices.given = up.iter().map(|d| d.as_ref().map_or(&[][..], |d| d.as_slice())).collect();
        for stage in &plan.stages {
            self.cell_segment(&mut matrices, &stage.segment);
            for product in &stage.products {
                let dy = std::mem::take(&mut matrices.product_gradients[product.number]);
                for term in &product.terms {
                    let x = matrices.values(Matrix::Value(term.operand));
                    let rows = call.inputs[0].total_rows();
                    self.affine_gradients(call, &term.weight, term.bias, (x, rows), &dy, gradients);
                    let Some(add) = term.add else { continue };
                    let place = Matrix::Gradient(term.operand);
                    let mut dx = matrices.take(self, place);
                    let weight = self.packed(call.parameters, term.weight, Side::Backward);
                    let start = if add { Start::Out } else { Start::Zero };
                    multiply(&mut dx, start, Rows::new(&dy, matrices.rows, term.weight.outputs), &weight);
                    matrices.put(place, dx);
                }
                self.buffers.give_back(dy);
            }
        }
        matrices.kept_gradients.into_iter().for_each(|d| self.buffers.give_back(d));
        let inputs = matrices.input_gradients.into_iter().zip(&plan.written);
        inputs.map(|(d, written)| written.then_some(d)).collect()
    }

    /// Adds the gradients of a weight and a bias, `dy` being that of their product with so many rows `x`.
    pub(super) fn affine_gradients(
        &self,
        call: &Call<'_>,
        view: &WeightView,
        bias: Option<ParamId>,
        (x, rows): (&[f32], usize),
        dy: &[f32],
        gradients: &mut Gradients<'_>,
    ) {
        let p = call.parameters;
        let mut d_weight = gradients.take(view.param);
        let mut d_bias = bias.map(|b| (b, gradients.take(b)));
        let d_bias_values = d_bias.as_mut().map(|(_, d)| d.as_mut_slice());
        let of_view = &mut d_weight[view.offset(p)..];
        affine::backward_weight(x, rows, weight(p, view), dy, of_view, d_bias_values);
        gradients.put(view.param, d_weight);
        if let Some((id, d)) = d_bias {
            gradients.put(id, d);
        }
    }

    fn skim_gradients(
        &self,
        call: &Call<'_>,
        op: &Skim,
        forward: &Forward<Host>,
        up: &[Option<Host>],
        gradients: &mut Gradients<'_>,
    ) -> Result<Vec<Option<Vec<f32>>>, EngineError> {
        let SkimMode::Soft { temperature, given_noise } = op.mode else {
            let reason = "a hard decision has no gradient; train with the soft mixture";
            return Err(EngineError::Unsupported { op: "skim", reason });
        };
        let upstream = |i: usize| up[i].as_ref().map(|d| d.as_slice());
        let operands = SkimOperands::new(call, op);
        let mut big_w = gradients.take(op.big_weight_hh);
        let mut big_b = gradients.take(op.big_bias_hh);
        let mut small = op.small_hh.map(|(w, b)| (gradients.take(w), gradients.take(b)));
        let mut decision = gradients.take(op.decision_weight);
        let (small_w, small_b): (&mut [f32], &mut [f32]) =
            small.as_mut().map_or((&mut [], &mut []), |(w, b)| (w.as_mut_slice(), b.as_mut_slice()));
        let weights = skim_soft::WeightGradients {
            big_weight_hh: &mut big_w,
            big_bias_hh: &mut big_b,
            small_weight_hh: small_w,
            small_bias_hh: small_b,
            decision_weight: &mut decision,
        };
        let a = operands.arguments(call.parameters, op);
        let soft = training::soft(&operands, call, temperature);
        let states = Upstream { rows: upstream(0), h: upstream(1), c: upstream(2) };
        let (rows, saved) = (&forward.outputs[0], &forward.saved[0]);
        let (up_logits, up_decisions) = (upstream(3), upstream(4));
        let packed = SkimWeights::new(self, call, op, Side::Backward);
        let back = skim_soft::soft_backward(
            &self.buffers,
            op.cell,
            a,
            soft,
            packed.of_state(),
            rows,
            saved,
            states,
            up_logits,
            up_decisions,
            weights,
        );
        gradients.put(op.big_weight_hh, big_w);
        gradients.put(op.big_bias_hh, big_b);
        gradients.put(op.decision_weight, decision);
        if let (Some((wid, bid)), Some((w, b))) = (op.small_hh, small) {
            gradients.put(wid, w);
            gradients.put(bid, b);
        }
        let mut all = vec![Some(back.big_x)];
        if op.small > 0 {
            all.push(Some(back.small_x));
        }
        all.push(Some(back.decision_x));
        if given_noise {
            all.push(None);
        }
        all.extend([Some(back.h0), Some(back.c0)]);
        Ok(all)
    }
}

/// Row numbers that begin at 0.
fn rebase(offsets: &[usize]) -> Vec<usize> {
    offsets.iter().map(|o| o - offsets[0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, Operand};

    #[test]
    fn of_two_operands_the_one_that_wants_no_gradient_gets_none() {
        let (device, parameters) = (Device::cpu(), Parameters::new());
        let buffer = |values: [f32; 2]| Buffer::Cpu(Arc::new(values.to_vec()));
        let operand = |values| Operand { source: buffer(values).into(), columns: 2, offsets: vec![0, 1] };
        let inputs = [operand([2.0, 3.0]), operand([5.0, 7.0])];
        let forward = Forward { outputs: vec![buffer([0.0, 0.0])], saved: Vec::new() };
        for (function, gradients) in [
            (Binary::Add, [[1.0, -1.0], [1.0, -1.0]]),
            (Binary::Subtract, [[1.0, -1.0], [-1.0, 1.0]]),
            (Binary::Multiply, [[5.0, -7.0], [2.0, -3.0]]),
        ] {
            let call = Call {
                op: &Op::Binary(function),
                parameters: &parameters,
                inputs: &inputs,
                streams: &[0],
                indices: &[],
                index_offsets: &[0, 0],
                seed: 0,
                keep: true,
                weights_alone: false,
            };
            for wanted in [[true, true], [true, false], [false, true]] {
                let up = [Some(buffer([1.0, -1.0]))];
                let found = device.backward(&call, &forward, &up, &wanted, &mut Vec::new()).expect("it runs");
                let found =
                    found.iter().map(|d| d.as_ref().map(|d| d.on_cpu().expect("on the CPU").to_vec()));
                let expected = std::iter::zip(wanted, gradients).map(|(w, d)| w.then(|| d.to_vec()));
                assert!(found.eq(expected), "{function:?} {wanted:?}");
            }
        }
    }
}
