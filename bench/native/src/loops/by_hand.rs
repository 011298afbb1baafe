//! Minibatches that somebody has batched by hand: every kernel is called once, for all sentences, and no graph records it.
//!
//! What on-the-fly batching costs is what a loop over single sentences takes over this.

use saccade_rnn::device::{
    Buffer, Call, CellKind, Device, EngineError, Forward, Op, Operand, ParamGradients, ParamId, Parameters,
    Pool, Real, Sru, TableRows, Unary, Value, WeightView,
};

use super::examples::{Network, Word};
use crate::ready;

/// The calls of a minibatch, in their order.
pub(super) struct ByHand<'a> {
    device: &'a Device,
    parameters: &'a Parameters,
    /// Where every sentence begins among all words, and where the last ends.
    sentences: Vec<usize>,
    calls: Vec<Made>,
}

/// The number of a call.
type Number = Result<usize, EngineError>;

/// A call that has run.
struct Made {
    op: Op,
    inputs: Vec<Operand>,
    /// The calls whose results its operands are.
    from: Vec<usize>,
    indices: Vec<u32>,
    forward: Forward,
    /// Its first result, and the columns of that.
    value: Value,
    columns: usize,
}

impl<'a> ByHand<'a> {
    /// The loss of all words.
    pub(super) fn forward(
        device: &'a Device,
        parameters: &'a Parameters,
        network: Network,
        batch: &[&[Word]],
    ) -> Result<Self, EngineError> {
        let mut sentences = vec![0];
        sentences.extend(batch.iter().scan(0, |end, words| {
            *end += words.len();
            Some(*end)
        }));
        let mut made = Self { device, parameters, sentences, calls: Vec::new() };
        let words = || batch.iter().copied().flatten();
        let x = made.look_up("words.weight", words().map(|word| word.id).collect());
        let rows = match network {
            Network::Tagger { letters: false, whole } => {
                let [there, back] = match whole {
                    true => [("reader", ""), ("reader", "_reverse")],
                    false => [("reader.there", ""), ("reader.back", "")],
                };
                let (there, back) = (made.lstm(x, there, false)?, made.lstm(x, back, true)?);
                let both = made.call(Op::ConcatColumns, &[there, back], Vec::new())?;
                let hidden = made.affine(both, WeightView::whole(parameters, made.id("hidden")), None)?;
                made.call(Op::Unary(Unary::Tanh), &[hidden], Vec::new())?
            }
            Network::Sequence { sru: false } => made.lstm(x, ("reader", ""), false)?,
            Network::Sequence { sru: true } => made.sru(x)?,
            _ => unreachable!("nobody has batched it by hand"),
        };
        let scores = made.affine(rows, WeightView::whole(parameters, made.id("output")), None)?;
        let losses = made.call(Op::CrossEntropy, &[scores], words().map(|word| word.tag).collect())?;
        made.call(Op::Pool(Pool::Sum), &[losses], Vec::new())?;
        Ok(made)
    }

    /// The value of the last call, one number.
    pub(super) fn loss(&self) -> Result<f32, EngineError> {
        let Value::Buffer(last) = &self.calls[self.calls.len() - 1].value else {
            unreachable!("the last call sums")
        };
        Ok(ready(self.device.read(&[(last.clone(), 0..1)]))?[0][0])
    }

    /// Adds the gradients of the last call's value to those of parameters.
    pub(super) fn backward(&self, gradients: &mut ParamGradients) -> Result<(), EngineError> {
        let mut upstream: Vec<Option<Buffer>> = vec![None; self.calls.len()];
        upstream[self.calls.len() - 1] = Some(self.device.upload(vec![1.0])?);
        for (number, made) in self.calls.iter().enumerate().rev() {
            let mut of_outputs = vec![None; made.forward.outputs.len().max(1)];
            of_outputs[0] = upstream[number].take();
            let wanted = vec![true; made.inputs.len()];
            let down = self.with_call(&made.op, &made.inputs, &made.indices, |call| {
                self.device.backward(&call, &made.forward, &of_outputs, &wanted, gradients)
            })?;
            for ((gradient, from), operand) in down.into_iter().zip(&made.from).zip(&made.inputs) {
                let Some(gradient) = gradient else { continue };
                match &mut upstream[*from] {
                    Some(there) => {
                        let rows = 0..operand.total_rows();
                        self.device.add(there, 0, &gradient, rows, operand.columns)?;
                        self.device.reclaim(gradient);
                    }
                    none => *none = Some(gradient),
                }
            }
            of_outputs.into_iter().flatten().for_each(|used| self.device.reclaim(used));
        }
        Ok(())
    }

    fn id(&self, name: &str) -> ParamId {
        self.parameters.id(name).unwrap_or_else(|| unreachable!("{name} is a parameter"))
    }

    fn look_up(&mut self, table: &str, ids: Vec<u32>) -> usize {
        let table = self.id(table);
        let value = Value::Table(TableRows::new(table, ids.clone()).into());
        let forward = Forward { outputs: Vec::new(), saved: Vec::new() };
        let op = Op::Embedding { table };
        let columns = self.parameters.get(table).columns();
        let made = Made { op, inputs: Vec::new(), from: Vec::new(), indices: ids, forward, value, columns };
        self.calls.push(made);
        self.calls.len() - 1
    }

    fn affine(&mut self, x: usize, weight: WeightView, bias: Option<ParamId>) -> Number {
        self.call(Op::Affine { weight, bias }, &[x], Vec::new())
    }

    /// An LSTM, whose parameters have PyTorch's names after a scope and before a suffix.
    fn lstm(&mut self, x: usize, (scope, end): (&str, &str), reverse: bool) -> Number {
        let of = |name: &str| self.id(&format!("{scope}.{name}_l0{end}"));
        let (weight_ih, bias_ih) = (WeightView::whole(self.parameters, of("weight_ih")), of("bias_ih"));
        let op = Op::Recurrence {
            cell: CellKind::Lstm,
            weight_hh: of("weight_hh"),
            bias_hh: Some(of("bias_hh")),
            reverse,
            initial: false,
            inspect: false,
        };
        let gates = self.affine(x, weight_ih, Some(bias_ih))?;
        self.call(op, &[gates], Vec::new())
    }

    fn sru(&mut self, x: usize) -> Number {
        let of = |name: &str| self.id(&format!("reader.rnn_lst.0.{name}"));
        let weight = WeightView::input_major(self.parameters, of("weight"));
        let op = Op::Sru(Sru {
            weight_c: Some(of("weight_c")),
            bias: of("bias"),
            scale: None,
            skip: true,
            initial: false,
            use_tanh: false,
            bidirectional: false,
            dropout: Real(0.0),
            inspect: false,
        });
        let product = self.affine(x, weight, None)?;
        self.call(op, &[product, x], Vec::new())
    }

    fn call(&mut self, op: Op, from: &[usize], indices: Vec<u32>) -> Number {
        let offsets = match op {
            // Nothing but a recurrence knows where sentences begin.
            Op::Recurrence { .. } | Op::Sru(_) => self.sentences.clone(),
            _ => vec![0, self.sentences[self.sentences.len() - 1]],
        };
        let operand = |&call: &usize| {
            let Made { value, columns, .. } = &self.calls[call];
            Operand { source: value.clone(), columns: *columns, offsets: offsets.clone() }
        };
        let inputs: Vec<Operand> = from.iter().map(operand).collect();
        let forward = self.with_call(&op, &inputs, &indices, |call| self.device.forward(&call))?;
        let value = Value::Buffer(forward.outputs[0].clone());
        let columns = match &op {
            Op::Affine { weight, .. } => weight.outputs,
            Op::Recurrence { weight_hh, .. } => self.parameters.get(*weight_hh).columns(),
            // What it skips with is as wide.
            Op::Sru(_) => inputs[1].columns,
            Op::CrossEntropy => 1,
            _ => inputs.iter().map(|operand| operand.columns).sum(),
        };
        self.calls.push(Made { op, inputs, from: from.to_vec(), indices, forward, value, columns });
        Ok(self.calls.len() - 1)
    }

    fn with_call<T>(
        &self,
        op: &Op,
        inputs: &[Operand],
        indices: &[u32],
        run: impl FnOnce(Call<'_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let lanes = inputs.first().map_or(1, |operand| operand.offsets.len() - 1);
        let mut index_offsets = vec![0; lanes + 1];
        index_offsets[lanes] = indices.len();
        run(Call {
            op,
            parameters: self.parameters,
            inputs,
            streams: &vec![0; lanes],
            indices,
            index_offsets: &index_offsets,
            seed: 0,
            keep: true,
            weights_alone: true,
        })
    }
}

impl Drop for ByHand<'_> {
    /// Gives the device its memory back, as a graph does.
    fn drop(&mut self) {
        let mut buffers = Vec::new();
        for made in self.calls.drain(..) {
            match &made.value {
                Value::Table(rows) if rows.is_gathered() => {
                    buffers.extend(self.device.buffer(self.parameters, &made.value).ok());
                }
                _ => {}
            }
            buffers.extend(made.forward.outputs);
            buffers.extend(made.forward.saved);
        }
        buffers.into_iter().for_each(|buffer| self.device.reclaim(buffer));
    }
}
