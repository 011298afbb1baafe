//! Running one batch: operands laid end to end, one kernel call.

use std::ops::Range;

use super::{Graph, Port, Tape};
use crate::device::{Call, Device, EngineError, Forward, Op, Operand, ParamId, Words};

/// Nodes that ran together and what they left.
pub(crate) struct Batch<B> {
    /// The nodes, one a lane.
    pub(super) nodes: Vec<usize>,
    /// Operands of the call, kept for the backward call in training.
    pub(super) inputs: Vec<Operand<B>>,
    /// Whether each operand had to be copied to lie end to end.
    pub(super) copied: Vec<bool>,
    pub(super) forward: Forward<B>,
    /// For every output, its columns and `lanes + 1` row numbers.
    pub(super) outputs: Vec<(usize, Vec<usize>)>,
}

impl<B> Batch<B> {
    /// Rows of a lane within an output's buffer, and the columns.
    pub(super) fn rows(&self, output: usize, lane: usize) -> (Range<usize>, usize) {
        let (columns, offsets) = &self.outputs[output];
        (offsets[lane]..offsets[lane + 1], *columns)
    }
}

impl<B> Tape<B> {
    /// The buffer, rows and columns where a value lies. The node has run.
    pub(super) fn locate(&self, port: Port) -> (&B, Range<usize>, usize) {
        let Some((batch, lane)) = self.nodes[port.node].place else {
            unreachable!("values are located after their node has run");
        };
        let batch = &self.batches[batch];
        let (rows, columns) = batch.rows(port.output, lane);
        (&batch.forward.outputs[port.output], rows, columns)
    }
}

/// Per-lane operands that are not matrices.
pub(super) struct LaneData {
    pub(super) streams: Vec<u32>,
    pub(super) indices: Vec<u32>,
    pub(super) index_offsets: Vec<usize>,
}

impl LaneData {
    pub(super) fn of<B>(tape: &Tape<B>, nodes: &[usize]) -> Self {
        let mut data = Self { streams: Vec::new(), indices: Vec::new(), index_offsets: vec![0] };
        for &node in nodes {
            data.streams.push(node as u32);
            data.indices.extend_from_slice(&tape.nodes[node].indices);
            data.index_offsets.push(data.indices.len());
        }
        data
    }
}

/// Runs nodes of one key whose operands have all run.
pub(super) fn run<D: Device>(
    tape: &mut Tape<D::Buffer>,
    nodes: Vec<usize>,
    graph: &Graph<'_, D>,
) -> Result<Batch<D::Buffer>, EngineError> {
    let outputs = offsets_of_outputs(tape, &nodes);
    let op = tape.keys[tape.nodes[nodes[0]].key].op.clone();
    let (mut inputs, mut copied) = (Vec::new(), Vec::new());
    let forward = if matches!(op, Op::Embedding { .. }) && !graph.training {
        Forward { outputs: Vec::new(), saved: Vec::new() }
    } else if op == Op::Input {
        let mut values = std::mem::take(&mut tape.nodes[nodes[0]].values);
        nodes[1..].iter().for_each(|&n| values.append(&mut tape.nodes[n].values));
        Forward { outputs: vec![graph.device.upload(values)?], saved: Vec::new() }
    } else if op == Op::Held {
        let columns = outputs[0].0;
        let held: Vec<_> = nodes.iter().map(|&n| &tape.held[tape.nodes[n].indices[0] as usize]).collect();
        let parts: Vec<_> = held.iter().map(|h| (&h.buffer, h.rows.clone())).collect();
        Forward { outputs: vec![graph.device.gather(columns, &parts)?], saved: Vec::new() }
    } else {
        let words = if graph.training { None } else { words_of(tape, &nodes) };
        let by_word = words.is_some() && graph.device.reads_words(&op, graph.parameters);
        for operand in 0..tape.nodes[nodes[0]].inputs.len() {
            let (input, was_copied) = if by_word && operand == 0 {
                let columns = tape.keys[tape.nodes[nodes[0]].key].columns[0];
                // Such operations have a row for every row of this operand.
                (Operand { buffer: graph.device.zeros(0)?, columns, offsets: outputs[0].1.clone() }, false)
            } else {
                for &node in &nodes {
                    settle(tape, tape.nodes[node].inputs[operand], graph)?;
                }
                lay_out(tape, &nodes, operand, graph.device)?
            };
            inputs.push(input);
            copied.push(was_copied);
        }
        call(tape, &nodes, &inputs, words, graph)?
    };
    let number = tape.batches.len();
    for (lane, &node) in nodes.iter().enumerate() {
        tape.nodes[node].place = Some((number, lane));
    }
    if !graph.training {
        inputs.clear();
    }
    Ok(Batch { nodes, inputs, copied, forward, outputs })
}

/// Runs the embeddings that a value is from, if nobody has asked for their rows before. An inference's embeddings wait for
/// that: who reads words by their ids needs no rows, of which most are fetched from far away.
#[inline(never)]
pub(super) fn settle<D: Device>(
    tape: &mut Tape<D::Buffer>,
    port: Port,
    graph: &Graph<'_, D>,
) -> Result<(), EngineError> {
    if let Some((number, _)) = tape.nodes[port.node].place
        && tape.batches[number].forward.outputs.is_empty()
    {
        tape.batches[number].forward = call(tape, &tape.batches[number].nodes, &[], None, graph)?;
    }
    Ok(())
}

/// One kernel call for nodes of one key.
#[inline(never)]
fn call<D: Device>(
    tape: &Tape<D::Buffer>,
    nodes: &[usize],
    inputs: &[Operand<D::Buffer>],
    words: Option<(ParamId, Vec<u32>)>,
    graph: &Graph<'_, D>,
) -> Result<Forward<D::Buffer>, EngineError> {
    let lanes = LaneData::of(tape, nodes);
    graph.device.forward(&Call {
        op: &tape.keys[tape.nodes[nodes[0]].key].op,
        parameters: graph.parameters,
        inputs,
        streams: &lanes.streams,
        indices: &lanes.indices,
        index_offsets: &lanes.index_offsets,
        seed: graph.seed,
        keep: cfg!(feature = "train") && graph.training,
        words: words.as_ref().map(|(table, ids)| Words { table: *table, ids }),
    })
}

/// The table and the ids of the first operand's rows, if embeddings made all of them.
fn words_of<B>(tape: &Tape<B>, nodes: &[usize]) -> Option<(ParamId, Vec<u32>)> {
    let mut found = None;
    let mut ids = Vec::new();
    for &node in nodes {
        let embedding = &tape.nodes[tape.nodes[node].inputs.first()?.node];
        let Op::Embedding { table } = tape.keys[embedding.key].op else { return None };
        if *found.get_or_insert(table) != table {
            return None;
        }
        ids.extend_from_slice(&embedding.indices);
    }
    Some((found?, ids))
}

/// Columns and row numbers of every output of a batch.
fn offsets_of_outputs<B>(tape: &Tape<B>, nodes: &[usize]) -> Vec<(usize, Vec<usize>)> {
    let columns = tape.nodes[nodes[0]].shapes.iter().map(|s| s.columns);
    let mut outputs: Vec<(usize, Vec<usize>)> = columns.map(|c| (c, vec![0])).collect();
    for &node in nodes {
        for ((_, offsets), shape) in outputs.iter_mut().zip(&tape.nodes[node].shapes) {
            offsets.push(offsets[offsets.len() - 1] + shape.rows);
        }
    }
    outputs
}

/// One operand of all nodes, end to end. Where they already lie so in one buffer, that buffer is used as it is;
/// otherwise the rows are gathered (the flag says so).
fn lay_out<D: Device>(
    tape: &Tape<D::Buffer>,
    nodes: &[usize],
    operand: usize,
    device: &D,
) -> Result<(Operand<D::Buffer>, bool), EngineError> {
    let ports = nodes.iter().map(|&n| tape.nodes[n].inputs[operand]);
    let mut offsets = Vec::with_capacity(nodes.len() + 1);
    let mut home = None;
    let mut contiguous = true;
    for port in ports.clone() {
        let batch = tape.nodes[port.node].place.map(|(batch, _)| (batch, port.output));
        let (_, rows, _) = tape.locate(port);
        contiguous &= *home.get_or_insert(batch) == batch;
        match offsets.last() {
            None => offsets.push(rows.start),
            Some(&end) => contiguous &= end == rows.start,
        }
        offsets.push(rows.end);
    }
    let first = tape.nodes[nodes[0]].inputs[operand];
    let (buffer, _, columns) = tape.locate(first);
    if contiguous {
        return Ok((Operand { buffer: buffer.clone(), columns, offsets }, false));
    }
    let parts: Vec<_> = ports
        .map(|port| {
            let (buffer, rows, _) = tape.locate(port);
            (buffer, rows)
        })
        .collect();
    let mut end = 0;
    let mut offsets = vec![0];
    offsets.extend(parts.iter().map(|(_, rows)| {
        end += rows.len();
        end
    }));
    Ok((Operand { buffer: device.gather(columns, &parts)?, columns, offsets }, true))
}
