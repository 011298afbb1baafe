//! The CPU: lays a call's operands out as slices and hands them to the kernel of the same name.

#[cfg(feature = "train")]
mod backward;
#[cfg(feature = "train")]
mod by_word;
#[cfg(any(feature = "graph", not(feature = "web")))]
mod cell;
#[cfg(feature = "train")]
mod optimize;
mod options;
mod packed_weights;
#[cfg(feature = "train")]
mod training;
#[cfg(not(feature = "train"))]
#[path = "cpu/without_training.rs"]
mod training;
mod word_cache;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

pub use self::options::{CpuOptions, Precision};
use self::packed_weights::{PackedWeights, Side};
use self::word_cache::{Product, WordCache};
use super::op::{
    Binary, GRAPH, Op, PROGRAMS, Real, SemiringProduct, Skim, SkimMode, Sru, Unary, WeightView, graph_only,
    program_only,
};
use super::{
    Buffer, Call, EngineError, Forward, Operand, ParamGradients, ParamId, Parameters, TableRows, Value,
};
use crate::cpu::packed::Packed;
use crate::cpu::{BufferPool, Ragged};
use crate::cpu::{
    affine, elementwise, embedding, layer_norm, pool, ragged_matmul, recurrence, reduce, rows, semiring,
    skim, softmax, sru, transpose,
};

/// The host's processor, with what it keeps between calls: packed weights, products of words, buffers. A call runs on one
/// thread.
#[derive(Debug)]
pub struct Cpu {
    options: CpuOptions,
    /// How many threads texts may be dealt to; never 0.
    #[cfg_attr(not(feature = "train"), allow(dead_code, reason = "training and evaluation deal texts"))]
    threads: usize,
    packed_weights: PackedWeights,
    word_cache: WordCache,
    buffers: BufferPool,
}

impl Default for Cpu {
    fn default() -> Self {
        Self::new(CpuOptions::default())
    }
}

impl Operand {
    /// The rows. Those of a table have been gathered, unless the call reads them by id.
    fn ragged(&self) -> Ragged<'_> {
        let buffer = match &self.source {
            Value::Buffer(buffer) => Some(buffer),
            Value::Table(rows) => rows.buffer(),
        };
        let values = buffer.and_then(|buffer| buffer.on_cpu().ok()).map_or(&[][..], |values| values);
        Ragged { values, columns: self.columns, offsets: &self.offsets }
    }

    fn all(&self) -> &[f32] {
        self.ragged().all()
    }
}

/// Outputs of a kernel, and what to keep for the backward call.
type Values = (Vec<Vec<f32>>, Vec<Vec<f32>>);

impl Cpu {
    /// A CPU with empty caches.
    pub fn new(options: CpuOptions) -> Self {
        Self {
            options,
            threads: 1,
            packed_weights: PackedWeights::default(),
            word_cache: WordCache::new(options.word_cache_bytes),
            buffers: BufferPool::default(),
        }
    }

    /// Lets scoring deal its texts, and training the texts of a minibatch, to so many threads, each with caches of its own. What
    /// scoring finds is the same. Training adds gradients up in another order and draws other noise: a run gives the same bytes
    /// again with the same number of threads. Without this there is no thread but the caller's; in a browser there never is.
    #[cfg(feature = "train")]
    pub fn with_threads(mut self, threads: std::num::NonZeroUsize) -> Self {
        self.threads = threads.get();
        self
    }

    /// In a browser one, which the compiler is to know: what deals to threads is then left out.
    #[cfg(feature = "train")]
    #[inline]
    pub(super) fn threads(&self) -> (usize, CpuOptions) {
        (if cfg!(target_arch = "wasm32") { 1 } else { self.threads }, self.options)
    }

    pub(super) fn zeros(&self, size: usize) -> Vec<f32> {
        self.buffers.zeros(size)
    }

    pub(super) fn table_rows(
        &self,
        parameters: &Parameters,
        rows: &TableRows,
    ) -> Result<Buffer, EngineError> {
        let table = parameters.get(rows.table);
        let values = embedding::forward(&self.buffers, &table.values, table.columns(), &rows.ids);
        Ok(Buffer::Cpu(Arc::new(values)))
    }

    pub(super) fn gather(
        &self,
        columns: usize,
        parts: &[(Buffer, Range<usize>)],
    ) -> Result<Buffer, EngineError> {
        let rows: usize = parts.iter().map(|(_, range)| range.len()).sum();
        let mut out = self.buffers.take(rows * columns);
        let mut at = 0;
        for (buffer, range) in parts {
            let part = &buffer.on_cpu()?[range.start * columns..range.end * columns];
            out[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        Ok(Buffer::Cpu(Arc::new(out)))
    }

    pub(super) fn add(
        &self,
        target: &mut Buffer,
        at: usize,
        source: &Buffer,
        rows: Range<usize>,
        columns: usize,
    ) -> Result<(), EngineError> {
        let source = &source.on_cpu()?[rows.start * columns..rows.end * columns];
        let target = Arc::make_mut(target.on_cpu_mut()?);
        elementwise::add(&mut target[at * columns..][..source.len()], source);
        Ok(())
    }

    pub(super) fn reclaim(&self, values: Arc<Vec<f32>>) {
        if let Some(values) = Arc::into_inner(values) {
            self.buffers.give_back(values);
        }
    }

    pub(super) fn forward(&self, call: &Call<'_>) -> Result<Forward, EngineError> {
        let by_id = self.reads_by_id(call);
        self.gather_rows(call, usize::from(by_id))?;
        let (outputs, saved) = self.run(call)?;
        let share = |values: Vec<Vec<f32>>| values.into_iter().map(|v| Buffer::Cpu(Arc::new(v))).collect();
        Ok(Forward { outputs: share(outputs), saved: share(saved) })
    }

    pub(super) fn backward(
        &self,
        call: &Call<'_>,
        forward: &Forward,
        upstream: &[Option<Buffer>],
        wanted: &[bool],
        gradients: &mut ParamGradients,
    ) -> Result<Vec<Option<Buffer>>, EngineError> {
        self.gather_rows(call, 0)?;
        self.run_backward(call, forward, upstream, wanted, gradients)
    }

    /// Gathers the rows of tables among the operands from number `first` on, and checks that all buffers are on the CPU.
    fn gather_rows(&self, call: &Call<'_>, first: usize) -> Result<(), EngineError> {
        for operand in &call.inputs[first..] {
            match &operand.source {
                Value::Buffer(buffer) => drop(buffer.on_cpu()?),
                Value::Table(rows) => {
                    rows.gathered(|| self.table_rows(call.parameters, rows))?.on_cpu()?;
                }
            }
        }
        Ok(())
    }

    /// Whether the kernel takes the rows of its first operand by their ids, so that they need not be gathered.
    fn reads_by_id(&self, call: &Call<'_>) -> bool {
        let by_id = match call.op {
            Op::Affine { weight, .. } => is_narrow(weight),
            Op::Skim(skim) => matches!(skim.mode, SkimMode::Hard { .. }),
            _ => false,
        };
        by_id && !call.keep && self.word_cache.has_room() && table_rows(call).is_some()
    }

    /// A weight packed for a product.
    fn packed(&self, parameters: &Parameters, view: WeightView, side: Side) -> Arc<Packed> {
        self.packed_weights.get(parameters, view, side, self.options.precision)
    }

    fn run(&self, call: &Call<'_>) -> Result<Values, EngineError> {
        let p = call.parameters;
        let buffers = &self.buffers;
        let input = |i: usize| &call.inputs[i];
        let in_place = |f: &dyn Fn(&mut [f32])| {
            let mut y = buffers.copy(input(0).all());
            f(&mut y);
            vec![y]
        };
        let outputs = match *call.op {
            graph_only!() if !GRAPH => return Err(call.op.left_out()),
            program_only!() if !PROGRAMS => return Err(call.op.left_out()),
            Op::Input | Op::Held => unreachable!("the graph supplies the values of leaves"),
            Op::ConcatRows => unreachable!("the graph lays rows end to end"),
            Op::Step(_) => unreachable!("a step's parts run by themselves"),
            #[cfg(any(feature = "graph", not(feature = "web")))]
            Op::Cell(ref function) => return Ok(self.cell(call, function)),
            #[cfg(not(any(feature = "graph", not(feature = "web"))))]
            Op::Cell(ref none) => match *none {},
            Op::Embedding { table } => {
                vec![embedding::forward(buffers, p.values(table), p.get(table).columns(), call.indices)]
            }
            Op::Affine { weight, bias } => vec![self.product(call, weight, bias)],
            Op::MatMul => vec![ragged_matmul::forward(buffers, input(0).ragged(), input(1).ragged())],
            Op::Semiring(product) => {
                let [_, outputs] = product.sizes(p);
                semiring::forward(buffers, product.semiring, input(0).all(), &by_input(p, product), outputs)
            }
            Op::Unary(Unary::Tanh) => in_place(&elementwise::tanh),
            Op::Unary(Unary::Sigmoid) => in_place(&elementwise::sigmoid),
            Op::Unary(Unary::Relu) => in_place(&elementwise::relu),
            Op::Unary(Unary::Scale(Real(s))) => in_place(&|y| elementwise::scale(y, s)),
            Op::Unary(Unary::Exp) => in_place(&elementwise::exp),
            Op::Unary(Unary::Log) => in_place(&elementwise::log),
            Op::Binary(Binary::Add) => in_place(&|y| elementwise::add(y, input(1).all())),
            Op::Binary(Binary::Subtract) => in_place(&|y| elementwise::subtract(y, input(1).all())),
            Op::Binary(Binary::Multiply) => in_place(&|y| elementwise::multiply(y, input(1).all())),
            Op::ConcatColumns => vec![rows::concat_columns(&ragged(call))],
            Op::Columns { start, count } => vec![rows::columns(input(0).ragged(), start, count)],
            Op::Rows => vec![rows::select(buffers, input(0).ragged(), chosen(call))],
            Op::ScatterAdd => {
                let (rows, numbers) = call.scattered();
                let mut sums = buffers.zeros(rows * input(0).columns);
                embedding::backward(&mut sums, input(0).columns, &numbers, input(0).all());
                vec![sums]
            }
            Op::Pool(kind) => vec![pool::forward(input(0).ragged(), kind)],
            Op::Reduce(kind) => reduce::forward(input(0).ragged(), kind),
            Op::Softmax => in_place(&|y| softmax::softmax(y, input(0).columns)),
            Op::LogSoftmax => in_place(&|y| softmax::log_softmax(y, input(0).columns)),
            Op::Dropout { .. } | Op::CrossEntropy => return self.run_training(call),
            Op::LayerNorm { weight, bias } => {
                vec![layer_norm::forward(input(0).all(), p.values(weight), p.values(bias))]
            }
            Op::Recurrence { cell, weight_hh, inspect, .. } => {
                let weight_hh = self.packed(p, WeightView::whole(p, weight_hh), Side::Forward);
                let f = recurrence::forward(buffers, cell, recurrence_arguments(call), &weight_hh);
                return Ok(inspected(inspect, vec![f.rows, f.h, f.c], vec![f.gates, f.cells]));
            }
            Op::Sru(ref op) => {
                let mask = training::sru_mask(call, op)?;
                let a = sru_arguments(call, op, mask.as_deref());
                let f = sru::forward(buffers, a);
                let mut outputs = vec![f.rows, f.c];
                if op.inspect {
                    outputs.extend([sru::gates(a, &f.cells), f.cells.clone()]);
                }
                return Ok((outputs, vec![f.cells]));
            }
            Op::Skim(ref op) => match op.mode {
                SkimMode::Hard { threshold: Real(threshold) } => {
                    let f = self.skim(call, op, threshold);
                    let outputs = vec![f.rows, f.h, f.c, f.logits, f.decisions];
                    return Ok(inspected(op.inspect, outputs, vec![f.saved, f.cells]));
                }
                SkimMode::Soft { .. } => return self.run_training(call),
            },
        };
        Ok((outputs, Vec::new()))
    }

    /// The product of the first operand with a weight. Products of words are taken from the word cache where it has them.
    fn product(&self, call: &Call<'_>, view: WeightView, bias: Option<ParamId>) -> Vec<f32> {
        if let Some(products) = self.product_by_word(call, view, bias) {
            return products;
        }
        let (p, buffers) = (call.parameters, &self.buffers);
        let (weight, values) = (self.packed(p, view, Side::Forward), bias.map(|b| p.values(b)));
        let kept = table_rows(call).filter(|_| self.reads_by_id(call)).and_then(|rows| {
            let kept = self.word_cache.get(p, Product { table: rows.table, weight: view, bias })?;
            Some((rows, kept))
        });
        let Some((words, kept)) = kept else {
            let x = call.inputs[0].ragged();
            return affine::forward(buffers, x.all(), x.total_rows(), &weight, values);
        };
        let compute = |ids: &[u32]| {
            let rows = embedding::forward(buffers, p.values(words.table), weight.inputs(), ids);
            affine::forward(buffers, &rows, ids.len(), &weight, values)
        };
        let ids = ids(call, words);
        match kept.try_lock() {
            Ok(mut kept) => kept.rows(ids, compute),
            Err(_) => compute(ids),
        }
    }

    fn skim(&self, call: &Call<'_>, op: &Skim, threshold: f32) -> skim::Forward {
        let p = call.parameters;
        let operands = SkimOperands::new(call, op);
        let force = forced(call);
        let packed = |weight| self.packed(p, WeightView::whole(p, weight), Side::Forward);
        let small_weight_hh = op.small_hh.map(|(weight, _)| packed(weight));
        let words = table_rows(call).filter(|_| self.reads_by_id(call));
        let kept = words.and_then(|words| {
            let weight = WeightView::whole(p, op.big_weight_ih);
            self.word_cache.get(p, Product { table: words.table, weight, bias: Some(op.big_bias_ih) })
        });
        let mut kept = kept.as_ref().and_then(|kept| kept.try_lock().ok());
        let hard = skim::Hard {
            x: operands.first,
            big_weight_ih: &packed(op.big_weight_ih),
            big_bias_ih: p.values(op.big_bias_ih),
            big_weight_hh: &packed(op.big_weight_hh),
            small_weight_hh: small_weight_hh.as_deref(),
            threshold,
            force: force.as_deref(),
            words: words.map(|words| skim::Words { table: p.values(words.table), ids: ids(call, words) }),
            word_products: kept.as_deref_mut(),
            keep: op.inspect,
        };
        skim::hard(&self.buffers, op.cell, operands.arguments(p, op), hard)
    }
}

/// The outputs, followed by what the kernel kept if `inspect`; and what it kept.
fn inspected(inspect: bool, mut outputs: Vec<Vec<f32>>, kept: Vec<Vec<f32>>) -> Values {
    if inspect {
        outputs.extend(kept.iter().cloned());
    }
    (outputs, kept)
}

/// The first operand of a call, if it is rows of a table.
fn table_rows<'a>(call: &'a Call<'_>) -> Option<&'a TableRows> {
    match &call.inputs.first()?.source {
        Value::Table(rows) => Some(rows),
        Value::Buffer(_) => None,
    }
}

/// The ids of the rows that the lanes of a call have of a table.
fn ids<'a>(call: &Call<'_>, rows: &'a TableRows) -> &'a [u32] {
    let offsets = &call.inputs[0].offsets;
    &rows.ids[offsets[0]..offsets[offsets.len() - 1]]
}

/// Whether products of words with this weight are kept: those that take less room than the words themselves, and are
/// fetched in less time than computed.
fn is_narrow(weight: &WeightView) -> bool {
    2 * weight.outputs <= weight.inputs
}

/// All operands.
fn ragged<'a>(call: &'a Call<'_>) -> Vec<Ragged<'a>> {
    call.inputs.iter().map(Operand::ragged).collect()
}

/// The matrix of a product in a semiring as `[in, out]`.
fn by_input(parameters: &Parameters, product: SemiringProduct) -> Cow<'_, [f32]> {
    let values = parameters.values(product.weight);
    if product.transposed {
        transpose::transpose(values, product.sizes(parameters)[0]).into()
    } else {
        values.into()
    }
}

/// The rows that an [`Op::Rows`] takes.
fn chosen<'a>(call: &'a Call<'_>) -> rows::Chosen<'a> {
    rows::Chosen { numbers: call.indices, offsets: call.index_offsets }
}

fn recurrence_arguments<'a>(call: &'a Call<'_>) -> recurrence::Arguments<'a> {
    let Op::Recurrence { cell, weight_hh, bias_hh, reverse, initial, inspect } = *call.op else {
        unreachable!("called for recurrences only");
    };
    recurrence::Arguments {
        x: call.inputs[0].ragged(),
        h0: initial.then(|| call.inputs[1].ragged()),
        c0: (initial && cell.has_memory()).then(|| call.inputs[2].ragged()),
        bias_hh: bias_hh.map(|b| call.parameters.values(b)),
        hidden: call.parameters.get(weight_hh).columns(),
        reverse,
        keep: call.keep || inspect,
    }
}

fn sru_arguments<'a>(call: &'a Call<'_>, op: &Sru, mask: Option<&'a [f32]>) -> sru::Arguments<'a> {
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
        keep: call.keep || op.inspect,
    }
}

/// Forced decisions of all rows; lanes without any are free.
fn forced(call: &Call<'_>) -> Option<Vec<u32>> {
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
    fn new(call: &'a Call<'_>, op: &Skim) -> Self {
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
