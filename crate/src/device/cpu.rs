//! The CPU: lays a call's operands out as slices and hands them to the kernel of the same name.

#[cfg(feature = "train")]
mod backward;
pub(super) mod known;
#[cfg(feature = "train")]
mod optimize;
pub(super) mod packs;
#[cfg(feature = "train")]
mod training;
#[cfg(not(feature = "train"))]
#[path = "cpu/without_training.rs"]
mod training;

use std::ops::Range;
use std::sync::Arc;

use self::known::Product;
use super::op::{Binary, Op, Real, Skim, SkimMode, Sru, Unary, WeightView};
use super::{Call, Device, EngineError, Forward, Operand, ParamGradients, ParamId, Parameters};
use crate::cpu::recurrence;
use crate::cpu::{Ragged, affine, elementwise, embedding, layer_norm, pool, rows, skim, softmax, spare, sru};

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

    fn zeros(&self, size: usize) -> Result<Buffer, EngineError> {
        Ok(Arc::new(vec![0.0; size]))
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

    fn reads_words(&self, op: &Op, parameters: &Parameters) -> bool {
        parameters.keeps_word_products()
            && match op {
                Op::Affine { weight, .. } => is_narrow(weight),
                Op::Skim(skim) => matches!(skim.mode, SkimMode::Hard { .. }),
                _ => false,
            }
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
        training::backward(call, forward, upstream, wanted, gradients)
    }

    fn reclaim(&self, buffer: Buffer) {
        if let Some(values) = Arc::into_inner(buffer) {
            spare::give_back(values);
        }
    }

    async fn read(&self, parts: &[(Buffer, Range<usize>)]) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(parts.iter().map(|(buffer, range)| buffer[range.clone()].to_vec()).collect())
    }
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
        Op::Input | Op::Held => unreachable!("the graph supplies the values of leaves"),
        Op::Embedding { table } => {
            vec![embedding::forward(p.values(table), p.get(table).columns(), call.indices)]
        }
        Op::Affine { ref weight, bias } => vec![product(call, weight, bias)],
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
        Op::ConcatColumns => vec![rows::concat_columns(&ragged(call))],
        Op::ConcatRows => vec![rows::concat_rows(&ragged(call))],
        Op::Columns { start, count } => vec![rows::columns(input(0).ragged(), start, count)],
        Op::Rows => vec![rows::select(input(0).ragged(), chosen(call))],
        Op::Pool(kind) => vec![pool::forward(input(0).ragged(), kind)],
        Op::Softmax => in_place(&|y| softmax::softmax(y, input(0).columns)),
        Op::LogSoftmax => in_place(&|y| softmax::log_softmax(y, input(0).columns)),
        Op::Dropout { .. } | Op::CrossEntropy => return training::forward(call),
        Op::LayerNorm { weight, bias } => {
            vec![layer_norm::forward(input(0).all(), p.values(weight), p.values(bias))]
        }
        Op::Recurrence { cell, weight_hh, .. } => {
            let weight_hh = p.packed(&WeightView::whole(p, weight_hh));
            let f = recurrence::forward(cell, recurrence_arguments(call), &weight_hh);
            return Ok((vec![f.rows, f.h, f.c], vec![f.gates, f.cells]));
        }
        Op::Sru(ref op) => {
            let mask = training::sru_mask(call, op)?;
            let f = sru::forward(sru_arguments(call, op, mask.as_deref()));
            return Ok((vec![f.rows, f.c], vec![f.cells]));
        }
        Op::Skim(ref op) => {
            let operands = SkimOperands::new(call, op);
            let a = operands.arguments(p, op);
            let f = match op.mode {
                SkimMode::Hard { threshold } => {
                    let force = forced(call);
                    let packed = |weight| p.packed(&WeightView::whole(p, weight));
                    let small_weight_hh = op.small_hh.map(|(weight, _)| packed(weight));
                    let known = call.words.and_then(|words| {
                        let weight = WeightView::whole(p, op.big_weight_ih);
                        p.known(Product { table: words.table, weight, bias: Some(op.big_bias_ih) })
                    });
                    let mut known = known.as_ref().and_then(|known| known.try_lock().ok());
                    let hard = skim::Hard {
                        x: operands.first,
                        big_weight_ih: &packed(op.big_weight_ih),
                        big_bias_ih: p.values(op.big_bias_ih),
                        big_weight_hh: &packed(op.big_weight_hh),
                        small_weight_hh: small_weight_hh.as_deref(),
                        threshold: threshold.0,
                        force: force.as_deref(),
                        words: call
                            .words
                            .map(|words| skim::Words { table: p.values(words.table), ids: words.ids }),
                        known: known.as_deref_mut(),
                    };
                    skim::hard(op.cell, a, hard)
                }
                SkimMode::Soft { .. } => return training::forward(call),
            };
            return Ok((vec![f.rows, f.h, f.c, f.logits, f.decisions], vec![f.saved]));
        }
    };
    Ok((outputs, Vec::new()))
}

/// The first operand's product, of words as far as it is known already.
fn product(call: &Call<'_, Buffer>, view: &WeightView, bias: Option<ParamId>) -> Vec<f32> {
    let p = call.parameters;
    let (weight, values) = (p.packed(view), bias.map(|b| p.values(b)));
    let known = call.words.filter(|_| is_narrow(view)).and_then(|words| {
        let known = p.known(Product { table: words.table, weight: *view, bias })?;
        Some((words, known))
    });
    let Some((words, known)) = known else {
        let x = call.inputs[0].ragged();
        return affine::forward(x.all(), x.total_rows(), &weight, values);
    };
    let compute = |ids: &[u32]| {
        let rows = embedding::forward(p.values(words.table), weight.inputs(), ids);
        affine::forward(&rows, ids.len(), &weight, values)
    };
    match known.try_lock() {
        Ok(mut known) => known.rows(words.ids, compute),
        Err(_) => compute(words.ids),
    }
}

/// Whether products of words with this weight are kept: those that take less room than the words themselves, and are
/// fetched in less time than computed.
fn is_narrow(weight: &WeightView) -> bool {
    2 * weight.outputs <= weight.inputs
}

/// All operands.
fn ragged<'a>(call: &'a Call<'_, Buffer>) -> Vec<Ragged<'a>> {
    call.inputs.iter().map(Operand::ragged).collect()
}

/// The rows that an [`Op::Rows`] takes.
fn chosen<'a>(call: &'a Call<'_, Buffer>) -> rows::Chosen<'a> {
    rows::Chosen { numbers: call.indices, offsets: call.index_offsets }
}

fn recurrence_arguments<'a>(call: &'a Call<'_, Buffer>) -> recurrence::Arguments<'a> {
    let Op::Recurrence { cell, weight_hh, bias_hh, reverse, initial } = *call.op else {
        unreachable!("called for recurrences only");
    };
    recurrence::Arguments {
        x: call.inputs[0].ragged(),
        h0: initial.then(|| call.inputs[1].ragged()),
        c0: (initial && cell.has_memory()).then(|| call.inputs[2].ragged()),
        bias_hh: bias_hh.map(|b| call.parameters.values(b)),
        hidden: call.parameters.get(weight_hh).columns(),
        reverse,
        keep: call.keep,
    }
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
        keep: call.keep,
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
    #[cfg_attr(not(feature = "train"), allow(dead_code, reason = "the soft mixture reads it"))]
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
        skim::Arguments {
            small_x: self.small_x,
            decision_x: self.decision_x,
            h0: self.h0,
            c0: self.c0,
            big_bias_hh: p.values(op.big_bias_hh),
            small_bias_hh: op.small_hh.map_or(&[][..], |(_, b)| p.values(b)),
            decision_weight: p.values(op.decision_weight),
            hidden: op.hidden,
            small: op.small,
            small_reads: op.small_reads,
        }
    }
}
