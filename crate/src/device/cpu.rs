//! The CPU: lays a call's operands out as slices and hands them to the kernel of the same name.

use std::ops::Range;
use std::sync::Arc;

use super::op::{Binary, CellKind, Op, Real, Skim, SkimMode, Sru, Unary, WeightView};
use super::{Call, Device, EngineError, Forward, Operand, ParamGradients, ParamId, Parameters};
use crate::cpu::recurrence::{self, Upstream};
use crate::cpu::{
    Ragged, affine, dropout, elementwise, elman, embedding, gru, layer_norm, lstm, pool, skim, skim_soft,
    softmax, sru,
};

/// The host's processor, one thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

type Buffer = Arc<Vec<f32>>;

impl Operand<Buffer> {
    fn ragged(&self) -> Ragged<'_> {
        Ragged { values: &self.buffer, columns: self.columns, offsets: &self.offsets }
    }

    fn all(&self) -> &[f32] {
        self.ragged().all()
    }
}

impl Device for Cpu {
    type Buffer = Buffer;

    fn name(&self) -> &'static str {
        "cpu"
    }

    fn upload(&self, values: Vec<f32>) -> Result<Buffer, EngineError> {
        Ok(Arc::new(values))
    }

    fn gather(&self, columns: usize, parts: &[(&Buffer, Range<usize>)]) -> Result<Buffer, EngineError> {
        let rows: usize = parts.iter().map(|(_, range)| range.len()).sum();
        let mut out = Vec::with_capacity(rows * columns);
        for (buffer, range) in parts {
            out.extend_from_slice(&buffer[range.start * columns..range.end * columns]);
        }
        Ok(Arc::new(out))
    }

    fn add(
        &self,
        target: &mut Buffer,
        at: usize,
        source: &Buffer,
        rows: Range<usize>,
        columns: usize,
    ) -> Result<(), EngineError> {
        let source = &source[rows.start * columns..rows.end * columns];
        let target = &mut Arc::make_mut(target)[at * columns..][..source.len()];
        elementwise::add(target, source);
        Ok(())
    }

    fn forward(&self, call: &Call<'_, Buffer>) -> Result<Forward<Buffer>, EngineError> {
        let (outputs, saved) = forward(call)?;
        let share = |values: Vec<Vec<f32>>| values.into_iter().map(Arc::new).collect();
        Ok(Forward { outputs: share(outputs), saved: share(saved) })
    }

    fn backward(
        &self,
        call: &Call<'_, Buffer>,
        forward: &Forward<Buffer>,
        upstream: &[Option<Buffer>],
        wanted: &[bool],
        gradients: &mut ParamGradients<Buffer>,
    ) -> Result<Vec<Option<Buffer>>, EngineError> {
        let mut gradients = Gradients { slots: gradients, parameters: call.parameters };
        let back = backward(call, forward, upstream, wanted, &mut gradients)?;
        Ok(back.into_iter().map(|d| d.map(Arc::new)).collect())
    }

    async fn read(&self, buffer: &Buffer, range: Range<usize>) -> Result<Vec<f32>, EngineError> {
        Ok(buffer[range].to_vec())
    }
}

/// Gradient buffers of parameters, taken out while a kernel adds to them so that several can be borrowed at once.
struct Gradients<'a> {
    slots: &'a mut ParamGradients<Buffer>,
    parameters: &'a Parameters,
}

impl Gradients<'_> {
    fn take(&mut self, id: ParamId) -> Vec<f32> {
        let fresh = || vec![0.0; self.parameters.values(id).len()];
        self.slots[id.index()].take().map_or_else(fresh, Arc::unwrap_or_clone)
    }

    fn put(&mut self, id: ParamId, values: Vec<f32>) {
        self.slots[id.index()] = Some(Arc::new(values));
    }
}

/// The weight of an affine operation, as its kernel wants it.
fn weight<'a>(parameters: &'a Parameters, view: &WeightView) -> affine::Weight<'a> {
    let p = parameters.get(view.param);
    affine::Weight {
        values: &p.values[view.offset(parameters)..],
        stride: p.columns(),
        input_major: view.input_major,
        inputs: view.inputs,
        outputs: view.outputs,
    }
}

/// Runs `$body` with the type `$cell` set to the kernel's cell.
macro_rules! with_cell {
    ($kind:expr, $cell:ident => $body:expr) => {
        match $kind {
            CellKind::ElmanTanh => {
                type $cell = elman::ElmanTanh;
                $body
            }
            CellKind::ElmanRelu => {
                type $cell = elman::ElmanRelu;
                $body
            }
            CellKind::Lstm => {
                type $cell = lstm::Lstm;
                $body
            }
            CellKind::Gru => {
                type $cell = gru::Gru;
                $body
            }
        }
    };
}

type Values = Vec<Vec<f32>>;

/// Outputs and what to keep for the backward call.
fn forward(call: &Call<'_, Buffer>) -> Result<(Values, Values), EngineError> {
    let p = call.parameters;
    let input = |i: usize| &call.inputs[i];
    let in_place = |f: &dyn Fn(&mut [f32])| {
        let mut y = input(0).all().to_vec();
        f(&mut y);
        vec![y]
    };
    let outputs = match *call.op {
        Op::Input => vec![input(0).all().to_vec()],
        Op::Embedding { table } => {
            vec![embedding::forward(p.values(table), p.get(table).columns(), call.indices)]
        }
        Op::Affine { weight: ref view, bias } => {
            let bias = bias.map(|b| p.values(b));
            vec![affine::forward(input(0).all(), input(0).total_rows(), weight(p, view), bias)]
        }
        Op::Unary(Unary::Tanh) => in_place(&elementwise::tanh),
        Op::Unary(Unary::Sigmoid) => in_place(&elementwise::sigmoid),
        Op::Unary(Unary::Relu) => in_place(&elementwise::relu),
        Op::Unary(Unary::Scale(Real(s))) => in_place(&|y| elementwise::scale(y, s)),
        Op::Binary(f) => {
            let mut y = input(0).all().to_vec();
            match f {
                Binary::Add => elementwise::add(&mut y, input(1).all()),
                Binary::Subtract => elementwise::subtract(&mut y, input(1).all()),
                Binary::Multiply => elementwise::multiply(&mut y, input(1).all()),
            }
            vec![y]
        }
        Op::ConcatColumns => vec![concat_columns(call.inputs)],
        Op::ConcatRows => {
            let lanes = 0..call.lanes();
            vec![
                lanes
                    .flat_map(|l| call.inputs.iter().flat_map(move |x| x.ragged().lane(l)))
                    .copied()
                    .collect(),
            ]
        }
        Op::Columns { start, count } => {
            let columns = input(0).columns.max(1);
            let rows = input(0).all().chunks_exact(columns);
            vec![rows.flat_map(|row| &row[start..start + count]).copied().collect()]
        }
        Op::Rows => {
            let x = input(0).ragged();
            let row = |(lane, i): (usize, usize)| x.row(x.start(lane) + call.indices[i] as usize);
            vec![indexed(call).flat_map(row).copied().collect()]
        }
        Op::Pool(kind) => vec![pool::forward(input(0).ragged(), kind)],
        Op::Dropout { rate: Real(rate), per_sequence } => {
            vec![dropout::apply(input(0).ragged(), rate, call.seed, call.streams, per_sequence)]
        }
        Op::Softmax => in_place(&|y| softmax::softmax(y, input(0).columns)),
        Op::LogSoftmax => in_place(&|y| softmax::log_softmax(y, input(0).columns)),
        Op::CrossEntropy => {
            let (losses, log_p) = softmax::cross_entropy(input(0).all(), input(0).columns, call.indices);
            return Ok((vec![losses], vec![log_p]));
        }
        Op::LayerNorm { weight, bias } => {
            vec![layer_norm::forward(input(0).all(), p.values(weight), p.values(bias))]
        }
        Op::Recurrence { cell, .. } => {
            let a = recurrence_arguments(call);
            let f = with_cell!(cell, C => recurrence::forward::<C>(a));
            return Ok((vec![f.rows, f.h, f.c], vec![f.gates, f.cells]));
        }
        Op::Sru(ref op) => {
            let mask = sru_mask(call, op);
            let f = sru::forward(sru_arguments(call, op, mask.as_deref()));
            return Ok((vec![f.rows, f.c], vec![f.cells]));
        }
        Op::Skim(ref op) => {
            let operands = SkimOperands::new(call, op);
            let a = operands.arguments(p, op);
            let f = match op.mode {
                SkimMode::Hard { threshold } => {
                    let force = forced(call);
                    let hard = skim::Hard {
                        x: operands.first,
                        big_weight_ih: p.values(op.big_weight_ih),
                        big_bias_ih: p.values(op.big_bias_ih),
                        threshold: threshold.0,
                        force: force.as_deref(),
                    };
                    with_cell!(op.cell, C => skim::hard::<C>(a, hard))
                }
                SkimMode::Soft { temperature, .. } => {
                    with_cell!(op.cell, C => skim_soft::soft::<C>(a, operands.soft(call, temperature)))
                }
            };
            return Ok((vec![f.rows, f.h, f.c, f.logits, f.decisions], vec![f.saved]));
        }
    };
    Ok((outputs, Vec::new()))
}

/// Gradients of the operands.
fn backward(
    call: &Call<'_, Buffer>,
    forward: &Forward<Buffer>,
    up: &[Option<Buffer>],
    wanted: &[bool],
    gradients: &mut Gradients<'_>,
) -> Result<Vec<Option<Vec<f32>>>, EngineError> {
    let p = call.parameters;
    let input = |i: usize| &call.inputs[i];
    let output = |i: usize| forward.outputs[i].as_slice();
    let upstream = |i: usize| up[i].as_ref().map(|d| d.as_slice());
    // Operations with one output are only called when it has a gradient.
    let dy: &[f32] = upstream(0).unwrap_or(&[]);
    let in_place = |f: &dyn Fn(&mut [f32], &[f32])| {
        let mut d = dy.to_vec();
        f(&mut d, output(0));
        vec![Some(d)]
    };
    Ok(match *call.op {
        Op::Input => Vec::new(),
        Op::Embedding { table } => {
            let mut d = gradients.take(table);
            embedding::backward(&mut d, p.get(table).columns(), call.indices, dy);
            gradients.put(table, d);
            Vec::new()
        }
        Op::Affine { weight: ref view, bias } => {
            let mut d_weight = gradients.take(view.param);
            let mut d_bias = bias.map(|b| (b, gradients.take(b)));
            let dx = affine::backward(
                input(0).all(),
                input(0).total_rows(),
                weight(p, view),
                dy,
                &mut d_weight[view.offset(p)..],
                d_bias.as_mut().map(|(_, d)| d.as_mut_slice()),
                wanted[0],
            );
            gradients.put(view.param, d_weight);
            if let Some((id, d)) = d_bias {
                gradients.put(id, d);
            }
            vec![wanted[0].then_some(dx)]
        }
        Op::Unary(Unary::Tanh) => in_place(&elementwise::tanh_backward),
        Op::Unary(Unary::Sigmoid) => in_place(&elementwise::sigmoid_backward),
        Op::Unary(Unary::Relu) => in_place(&elementwise::relu_backward),
        Op::Unary(Unary::Scale(Real(s))) => in_place(&|d, _| elementwise::scale(d, s)),
        Op::Binary(Binary::Add) => vec![Some(dy.to_vec()), Some(dy.to_vec())],
        Op::Binary(Binary::Subtract) => vec![Some(dy.to_vec()), Some(dy.iter().map(|d| -d).collect())],
        Op::Binary(Binary::Multiply) => {
            let times = |x: &[f32]| Some(x.iter().zip(dy).map(|(x, d)| x * d).collect());
            vec![times(input(1).all()), times(input(0).all())]
        }
        Op::ConcatColumns => concat_columns_backward(call.inputs, dy),
        Op::ConcatRows => concat_rows_backward(call, dy),
        Op::Columns { start, count } => {
            let columns = input(0).columns;
            let mut dx = vec![0.0; input(0).all().len()];
            if count > 0 {
                for (row, d) in dx.chunks_exact_mut(columns).zip(dy.chunks_exact(count)) {
                    row[start..start + count].copy_from_slice(d);
                }
            }
            vec![Some(dx)]
        }
        Op::Rows => {
            let x = input(0).ragged();
            let mut dx = vec![0.0; x.all().len()];
            for (n, (lane, i)) in indexed(call).enumerate() {
                let row = x.start(lane) + call.indices[i] as usize;
                let d = &dy[n * x.columns..(n + 1) * x.columns];
                elementwise::add(&mut dx[row * x.columns..(row + 1) * x.columns], d);
            }
            vec![Some(dx)]
        }
        Op::Pool(kind) => vec![Some(pool::backward(input(0).ragged(), kind, output(0), dy))],
        Op::Dropout { rate: Real(rate), per_sequence } => {
            let d = Ragged { values: dy, columns: input(0).columns, offsets: &rebase(&input(0).offsets) };
            vec![Some(dropout::apply(d, rate, call.seed, call.streams, per_sequence))]
        }
        Op::Softmax => vec![Some(softmax::softmax_backward(output(0), dy, input(0).columns))],
        Op::LogSoftmax => vec![Some(softmax::log_softmax_backward(output(0), dy, input(0).columns))],
        Op::CrossEntropy => {
            let log_p = &forward.saved[0];
            vec![Some(softmax::cross_entropy_backward(log_p, input(0).columns, call.indices, dy))]
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
            let back = with_cell!(cell, C => {
                recurrence::backward::<C>(a, output(0), gates, cells, up, &mut dw, d_bias)
            });
            gradients.put(weight_hh, dw);
            if let Some((id, d)) = db {
                gradients.put(id, d);
            }
            vec![Some(back.x), Some(back.h0), Some(back.c0)]
        }
        Op::Sru(ref op) => {
            let mask = sru_mask(call, op);
            let a = sru_arguments(call, op, mask.as_deref());
            let mut db = gradients.take(op.bias);
            let mut dv = op.weight_c.map(|v| (v, gradients.take(v)));
            let d_v = dv.as_mut().map(|(_, d)| d.as_mut_slice());
            let back = sru::backward(a, &forward.saved[0], upstream(0), upstream(1), d_v, &mut db);
            gradients.put(op.bias, db);
            if let Some((id, d)) = dv {
                gradients.put(id, d);
            }
            let mut all = vec![Some(back.u)];
            if op.skip {
                all.push((!back.skip.is_empty()).then_some(back.skip));
            }
            all.push(Some(back.c0));
            all
        }
        Op::Skim(ref op) => skim_backward(call, op, forward, up, gradients)?,
    })
}

/// Row numbers that begin at 0.
fn rebase(offsets: &[usize]) -> Vec<usize> {
    offsets.iter().map(|o| o - offsets[0]).collect()
}

/// (lane, position in the indices) of every index.
fn indexed<'a>(call: &'a Call<'_, Buffer>) -> impl Iterator<Item = (usize, usize)> + 'a {
    let ranges = call.index_offsets.windows(2).enumerate();
    ranges.flat_map(|(lane, range)| (range[0]..range[1]).map(move |i| (lane, i)))
}

fn concat_columns(inputs: &[Operand<Buffer>]) -> Vec<f32> {
    let rows = inputs[0].total_rows();
    let mut out = Vec::with_capacity(rows * inputs.iter().map(|x| x.columns).sum::<usize>());
    for row in 0..rows {
        inputs.iter().for_each(|x| out.extend_from_slice(x.ragged().row(row)));
    }
    out
}

fn concat_columns_backward(inputs: &[Operand<Buffer>], dy: &[f32]) -> Vec<Option<Vec<f32>>> {
    let width: usize = inputs.iter().map(|x| x.columns).sum();
    let mut first = 0;
    let part = |x: &Operand<Buffer>| {
        let range = first..first + x.columns;
        first += x.columns;
        Some(dy.chunks_exact(width.max(1)).flat_map(|row| &row[range.clone()]).copied().collect())
    };
    inputs.iter().map(part).collect()
}

fn concat_rows_backward(call: &Call<'_, Buffer>, dy: &[f32]) -> Vec<Option<Vec<f32>>> {
    let mut parts = vec![Vec::new(); call.inputs.len()];
    let mut at = 0;
    for lane in 0..call.lanes() {
        for (x, part) in call.inputs.iter().zip(&mut parts) {
            let size = x.ragged().lane(lane).len();
            part.extend_from_slice(&dy[at..at + size]);
            at += size;
        }
    }
    parts.into_iter().map(Some).collect()
}

fn recurrence_arguments<'a>(call: &'a Call<'_, Buffer>) -> recurrence::Arguments<'a> {
    let Op::Recurrence { cell, weight_hh, bias_hh, reverse, initial } = *call.op else {
        unreachable!("called for recurrences only");
    };
    recurrence::Arguments {
        x: call.inputs[0].ragged(),
        h0: initial.then(|| call.inputs[1].ragged()),
        c0: (initial && cell.has_memory()).then(|| call.inputs[2].ragged()),
        weight_hh: call.parameters.values(weight_hh),
        bias_hh: bias_hh.map(|b| call.parameters.values(b)),
        hidden: call.parameters.get(weight_hh).columns(),
        reverse,
        keep: call.keep,
    }
}

fn sru_mask(call: &Call<'_, Buffer>, op: &Sru) -> Option<Vec<f32>> {
    let channels = call.parameters.values(op.bias).len() / 2;
    (op.dropout.0 > 0.0).then(|| dropout::masks(op.dropout.0, call.seed, call.streams, channels))
}

fn sru_arguments<'a>(call: &'a Call<'_, Buffer>, op: &Sru, mask: Option<&'a [f32]>) -> sru::Arguments<'a> {
    let p = call.parameters;
    sru::Arguments {
        u: call.inputs[0].ragged(),
        skip: op.skip.then(|| call.inputs[1].ragged()),
        c0: op.initial.then(|| call.inputs[1 + usize::from(op.skip)].ragged()),
        weight_c: op.weight_c.map(|v| p.values(v)),
        bias: p.values(op.bias),
        scale: op.scale.map_or(1.0, |s| p.values(s)[0]),
        use_tanh: op.use_tanh,
        bidirectional: op.bidirectional,
        mask,
        version_1: op.weight_c.is_none(),
    }
}

/// Forced decisions of all rows; lanes without any are free.
fn forced(call: &Call<'_, Buffer>) -> Option<Vec<u32>> {
    if call.indices.is_empty() {
        return None;
    }
    let x = call.inputs[0].ragged();
    let mut force = Vec::with_capacity(x.total_rows());
    for (lane, range) in call.index_offsets.windows(2).enumerate() {
        if range[0] == range[1] {
            force.resize(force.len() + x.rows(lane), 0);
        } else {
            force.extend_from_slice(&call.indices[range[0]..range[1]]);
        }
    }
    Some(force)
}

/// A Skim call's operands by their names.
struct SkimOperands<'a> {
    first: Ragged<'a>,
    small_x: Ragged<'a>,
    decision_x: Ragged<'a>,
    noise: Option<Ragged<'a>>,
    h0: Option<Ragged<'a>>,
    c0: Option<Ragged<'a>>,
}

impl<'a> SkimOperands<'a> {
    fn new(call: &'a Call<'_, Buffer>, op: &Skim) -> Self {
        let mut rest = call.inputs.iter().map(Operand::ragged);
        let mut next = || rest.next();
        let first = call.inputs[0].ragged();
        next();
        // Without a small cell its operand stands empty: no column.
        let small_x = if op.small > 0 { next() } else { None };
        let decision_x = next();
        let given = matches!(op.mode, SkimMode::Soft { given_noise: true, .. });
        let noise = if given { next() } else { None };
        let h0 = if op.initial { next() } else { None };
        let c0 = if op.initial { next() } else { None };
        let empty = Ragged { values: &[], columns: 0, offsets: first.offsets };
        Self {
            first,
            small_x: small_x.unwrap_or(empty),
            decision_x: decision_x.unwrap_or(empty),
            noise,
            h0,
            c0,
        }
    }

    fn arguments<'b>(&self, p: &'b Parameters, op: &Skim) -> skim::Arguments<'b>
    where
        'a: 'b,
    {
        let (small_weight, small_bias) =
            op.small_hh.map_or((&[][..], &[][..]), |(w, b)| (p.values(w), p.values(b)));
        skim::Arguments {
            small_x: self.small_x,
            decision_x: self.decision_x,
            h0: self.h0,
            c0: self.c0,
            big_weight_hh: p.values(op.big_weight_hh),
            big_bias_hh: p.values(op.big_bias_hh),
            small_weight_hh: small_weight,
            small_bias_hh: small_bias,
            decision_weight: p.values(op.decision_weight),
            hidden: op.hidden,
            small: op.small,
            small_reads: op.small_reads,
        }
    }

    fn soft(&self, call: &'a Call<'_, Buffer>, temperature: Real) -> skim_soft::Soft<'a> {
        let drawn = skim_soft::Noise::Counter(call.seed, call.streams);
        let noise = self.noise.map_or(drawn, skim_soft::Noise::Given);
        skim_soft::Soft { big_x: self.first, temperature: temperature.0, noise }
    }
}

fn skim_backward(
    call: &Call<'_, Buffer>,
    op: &Skim,
    forward: &Forward<Buffer>,
    up: &[Option<Buffer>],
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
    let soft = operands.soft(call, temperature);
    let states = Upstream { rows: upstream(0), h: upstream(1), c: upstream(2) };
    let (rows, saved) = (&forward.outputs[0], &forward.saved[0]);
    let (up_logits, up_decisions) = (upstream(3), upstream(4));
    let back = with_cell!(op.cell, C => {
        skim_soft::soft_backward::<C>(a, soft, rows, saved, states, up_logits, up_decisions, weights)
    });
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
