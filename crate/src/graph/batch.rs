//! Running one batch: operands laid end to end, one kernel call.

use std::ops::Range;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::Graph;
use super::tape::{Port, Tape};
use crate::cpu::order::{argsort, sort_by};
use crate::device::{
    Buffer, Call, EngineError, Forward, GRAPH, Op, Operand, ParamId, Shape, TableRows, Value, check_size,
};

/// Nodes that ran together, and their outputs.
pub(crate) struct Batch {
    /// The nodes, one a lane.
    pub(super) nodes: Vec<usize>,
    /// How many nodes had run before the flush that it ran in.
    pub(super) flush: usize,
    /// Operands of the call, kept for the backward call in training.
    pub(super) inputs: Vec<Operand>,
    /// Whether each operand had to be copied to lie end to end.
    pub(super) copied: Vec<bool>,
    pub(super) outcome: Outcome,
    /// For every output, its columns and `lanes + 1` row numbers.
    pub(super) outputs: Vec<(usize, Vec<usize>)>,
}

/// Where the outputs of a batch are.
pub(super) enum Outcome {
    /// A kernel computed them.
    Computed(Forward),
    /// The batch is of embeddings: its output is rows of a table, which the device gathers if a kernel needs them.
    Table(Rc<TableRows>),
}

impl Outcome {
    /// One output.
    fn value(&self, output: usize) -> Value {
        match self {
            Self::Computed(forward) => Value::Buffer(forward.outputs[output].clone()),
            Self::Table(rows) => Value::Table(rows.clone()),
        }
    }
}

impl Batch {
    /// Rows of a lane within an output, and the columns.
    pub(super) fn rows(&self, output: usize, lane: usize) -> (Range<usize>, usize) {
        let (columns, offsets) = &self.outputs[output];
        (offsets[lane]..offsets[lane + 1], *columns)
    }
}

impl Tape {
    /// Whether a node is rows of a table that no kernel has needed.
    pub(super) fn is_left_in_its_table(&self, node: usize) -> bool {
        self.ran(node).is_some_and(|(batch, _)| match &self.batches[batch].outcome {
            Outcome::Computed(_) => false,
            Outcome::Table(rows) => !rows.is_gathered(),
        })
    }

    /// The batch output that a value lies in, and its rows there. The node has run.
    pub(super) fn place(&self, port: Port) -> (usize, Range<usize>) {
        let Some((batch, lane)) = self.ran(port.node) else {
            unreachable!("values are located after their node has run");
        };
        (batch, self.batches[batch].rows(port.output, lane).0)
    }

    /// Where a value lies, its rows there and its columns. The node has run.
    pub(super) fn locate(&self, port: Port) -> (Value, Range<usize>, usize) {
        let (batch, rows) = self.place(port);
        let batch = &self.batches[batch];
        (batch.outcome.value(port.output), rows, batch.outputs[port.output].0)
    }
}

/// Per-lane operands that are not matrices.
pub(super) struct LaneData {
    pub(super) streams: Vec<u32>,
    pub(super) indices: Vec<u32>,
    pub(super) index_offsets: Vec<usize>,
}

impl LaneData {
    pub(super) fn of(tape: &Tape, nodes: &[usize]) -> Self {
        let mut data = Self { streams: Vec::new(), indices: Vec::new(), index_offsets: vec![0] };
        for &node in nodes {
            data.streams.push(tape.stream(node));
            data.indices.extend_from_slice(tape.indices(node));
            data.index_offsets.push(data.indices.len());
        }
        if GRAPH && *tape.op(nodes[0]) == Op::Rows {
            data.count_from_the_first_lane(tape, nodes);
        }
        data
    }

    /// Makes one lane of nodes that take rows of values, each of which is laid out once: their numbers are counted from the first.
    fn count_from_the_first_lane(&mut self, tape: &Tape, nodes: &[usize]) {
        let (values, of_node) = values_of(tape, nodes);
        let mut starts = Vec::with_capacity(values.len());
        let mut end = 0;
        for port in values {
            starts.push(end);
            end += tape.shape(port).rows as u32;
        }
        for (range, value) in self.index_offsets.windows(2).zip(of_node) {
            self.indices[range[0]..range[1]].iter_mut().for_each(|index| *index += starts[value]);
        }
        self.index_offsets = vec![0, self.indices.len()];
    }
}

/// The values that nodes take rows of, in the order in which they come first, and of each node the number of its own.
fn values_of(tape: &Tape, nodes: &[usize]) -> (Vec<Port>, Vec<usize>) {
    let (mut values, mut numbers) = (Vec::new(), FxHashMap::default());
    let number = |&node: &usize| {
        let port = tape.inputs(node)[0];
        *numbers.entry(port).or_insert_with(|| {
            values.push(port);
            values.len() - 1
        })
    };
    let of_node = nodes.iter().map(number).collect();
    (values, of_node)
}

/// Runs nodes of one key whose operands have all run. If they cannot run, they have a mistake then.
pub(super) fn run(tape: &mut Tape, mut nodes: Vec<usize>, graph: &Graph) {
    if let Err(error) = compute(tape, &mut nodes, graph) {
        tape.fail(&nodes, error);
    }
}

/// Runs nodes of one key whose operands have all run, and takes them into a batch.
fn compute(tape: &mut Tape, nodes: &mut Vec<usize>, graph: &Graph) -> Result<(), EngineError> {
    let op = tape.op(nodes[0]).clone();
    if GRAPH && op == Op::MatMul {
        // Those with the same right operand side by side: see `merge_lanes`.
        let right = |node: usize| tape.inputs(node)[1];
        sort_by(nodes, &|a, b| right(a).cmp(&right(b)));
    }
    if op == Op::Held {
        // No kernel runs: the values of each buffer are a batch, so that they stay where they are.
        let groups = by_buffer(tape, nodes);
        if groups.len() > 1 {
            groups.into_iter().for_each(|nodes| run(tape, nodes, graph));
            return Ok(());
        }
    }
    let outputs = offsets_of_outputs(tape, nodes);
    for (columns, offsets) in &outputs {
        let rows = offsets[offsets.len() - 1];
        check_size(op.name(), "results of a batch", Shape { rows, columns: *columns })?;
    }
    let (mut inputs, mut copied) = (Vec::new(), Vec::new());
    let leaf = |buffer| Outcome::Computed(Forward { outputs: vec![buffer], saved: Vec::new() });
    let outcome = match op {
        Op::Embedding { table } => {
            let ids = nodes.iter().flat_map(|&node| tape.indices(node)).copied().collect();
            Outcome::Table(Rc::new(TableRows::new(table, ids)))
        }
        Op::Input => {
            let take = |tape: &mut Tape, node| {
                let number = tape.indices(node)[0] as usize;
                std::mem::take(&mut tape.values[number])
            };
            let mut values = take(tape, nodes[0]);
            nodes[1..].iter().for_each(|&node| values.append(&mut take(tape, node)));
            leaf(graph.device.upload(values)?)
        }
        Op::Held => {
            let held: Vec<_> = nodes.iter().map(|&node| tape.held(node)).collect();
            let rows = || held.iter().flat_map(|held| held.rows.clone());
            if rows().eq(0..rows().count()) {
                leaf(held[0].buffer.clone())
            } else {
                let parts: Vec<_> =
                    held.iter().map(|held| (held.buffer.clone(), held.rows.clone())).collect();
                leaf(graph.device.gather(outputs[0].0, &parts)?)
            }
        }
        Op::ConcatRows => {
            let parts = laid_out(tape, nodes, 0);
            let (operand, was_copied) = lay_out(tape, &parts, true, graph)?;
            // Rows that lie end to end are the value, wherever they lie.
            let outcome = match operand.source.clone() {
                Value::Buffer(buffer) => leaf(buffer),
                Value::Table(rows) => Outcome::Table(rows),
            };
            inputs.push(operand);
            copied.push(was_copied);
            outcome
        }
        _ => {
            for operand in 0..tape.inputs(nodes[0]).len() {
                let ports = laid_out(tape, nodes, operand);
                let (operand, was_copied) = lay_out(tape, &ports, false, graph)?;
                inputs.push(operand);
                copied.push(was_copied);
            }
            if GRAPH && op == Op::MatMul {
                merge_lanes(tape, nodes, &mut inputs[0].offsets);
            }
            if GRAPH && op == Op::Rows {
                let offsets = &mut inputs[0].offsets;
                *offsets = vec![offsets[0], offsets[offsets.len() - 1]];
            }
            let lanes = LaneData::of(tape, nodes);
            Outcome::Computed(graph.device.forward(&Call {
                weights_alone: false,
                op: &op,
                parameters: &graph.parameters,
                inputs: &inputs,
                streams: &lanes.streams,
                indices: &lanes.indices,
                index_offsets: &lanes.index_offsets,
                seed: graph.seed,
                keep: cfg!(feature = "train") && graph.training,
            })?)
        }
    };
    tape.set_ran(nodes, tape.batches.len());
    if !graph.training {
        inputs.clear();
    }
    let nodes = std::mem::take(nodes);
    tape.batches.push(Batch { nodes, flush: tape.done(), inputs, copied, outcome, outputs });
    Ok(())
}

/// Held values that lie in one buffer, buffer by buffer.
fn by_buffer(tape: &Tape, nodes: &[usize]) -> Vec<Vec<usize>> {
    let buffer = |node: usize| tape.held(node).buffer.identity();
    let mut nodes = nodes.to_vec();
    sort_by(&mut nodes, &|a, b| buffer(a).cmp(&buffer(b)));
    let groups: Vec<&[usize]> = nodes.chunk_by(|&a, &b| buffer(a) == buffer(b)).collect();
    // Not in the order of addresses, which differs from run to run.
    let order = argsort(groups.len(), &|a, b| groups[a][0].cmp(&groups[b][0]));
    order.into_iter().map(|group| groups[group].to_vec()).collect()
}

/// The values that lie end to end as an operand of a batch: one of every node; of products that lie side by side and have the
/// same right operand, that one once; of rows that are taken of a value, that value once; of rows that are laid end to end, all.
pub(super) fn laid_out(tape: &Tape, nodes: &[usize], operand: usize) -> Vec<Port> {
    match tape.op(nodes[0]) {
        Op::ConcatRows => nodes.iter().flat_map(|&node| tape.inputs(node)).copied().collect(),
        Op::MatMul if GRAPH && operand == 1 => {
            products(tape, nodes).map(|same| tape.inputs(same[0])[operand]).collect()
        }
        Op::Rows if GRAPH => values_of(tape, nodes).0,
        _ => nodes.iter().map(|&node| tape.inputs(node)[operand]).collect(),
    }
}

/// Products with the same right operand.
fn products<'a>(tape: &Tape, nodes: &'a [usize]) -> impl Iterator<Item = &'a [usize]> {
    let right = |&node: &usize| tape.inputs(node)[1];
    nodes.chunk_by(move |a, b| right(a) == right(b))
}

/// Makes one lane of the left operands of products with the same right operand.
fn merge_lanes(tape: &Tape, nodes: &[usize], offsets: &mut Vec<usize>) {
    let (mut end, mut merged) = (0, vec![offsets[0]]);
    for same in products(tape, nodes) {
        end += same.len();
        merged.push(offsets[end]);
    }
    *offsets = merged;
}

/// Columns and row numbers of every output of a batch.
fn offsets_of_outputs(tape: &Tape, nodes: &[usize]) -> Vec<(usize, Vec<usize>)> {
    let columns = tape.shapes(nodes[0]).iter().map(|s| s.columns);
    let mut outputs: Vec<(usize, Vec<usize>)> = columns.map(|c| (c, vec![0])).collect();
    for &node in nodes {
        for ((_, offsets), shape) in outputs.iter_mut().zip(tape.shapes(node)) {
            offsets.push(offsets[offsets.len() - 1].saturating_add(shape.rows));
        }
    }
    outputs
}

/// Rows of values that lie end to end both in the output of one batch and as an operand.
pub(super) struct Run {
    /// The first of the values.
    pub(super) first: Port,
    /// Their rows in the output.
    pub(super) from: Range<usize>,
    /// Their rows in the operand.
    pub(super) to: Range<usize>,
    /// Whether any of them has a gradient.
    pub(super) differentiable: bool,
}

/// Values that are laid end to end, in as few runs as they have.
pub(super) fn runs(tape: &Tape, ports: &[Port]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut end, mut last) = (0, None);
    for &port in ports {
        let (batch, from) = tape.place(port);
        let to = end..end + from.len();
        end = to.end;
        let here = Some((batch, port.output));
        let differentiable = tape.is_differentiable(port.node);
        match runs.last_mut() {
            Some(run) if last == here && run.from.end == from.start => {
                (run.from.end, run.to.end) = (from.end, to.end);
                run.differentiable |= differentiable;
            }
            _ => runs.push(Run { first: port, from, to, differentiable }),
        }
        last = here;
    }
    runs
}

/// Values end to end. Where their rows already lie so in one value (`whole`: from its first row on), that value is used as it
/// is; otherwise they are gathered (the flag says so). Rows of one table are gathered by their ids alone.
fn lay_out(tape: &Tape, ports: &[Port], whole: bool, graph: &Graph) -> Result<(Operand, bool), EngineError> {
    let mut offsets = Vec::with_capacity(ports.len() + 1);
    let runs = runs(tape, ports);
    let (first, rows, columns) = tape.locate(ports[0]);
    let copied = runs.len() > 1 || whole && rows.start > 0;
    let mut end = if copied { 0 } else { rows.start };
    offsets.push(end);
    offsets.extend(ports.iter().map(|&port| {
        end += tape.shape(port).rows;
        end
    }));
    if !copied {
        return Ok((Operand { source: first, columns, offsets }, false));
    }
    let parts = runs.into_iter().map(|run| (tape.locate(run.first).0, run.from)).collect::<Vec<_>>();
    let source = match of_one_table(&parts) {
        Some((table, ids)) => Value::Table(Rc::new(TableRows::new(table, ids))),
        None => {
            let part = |(value, rows): (Value, Range<usize>)| {
                Ok((graph.device.buffer(&graph.parameters, &value)?, rows))
            };
            let parts: Vec<(Buffer, Range<usize>)> =
                parts.into_iter().map(part).collect::<Result<_, EngineError>>()?;
            Value::Buffer(graph.device.gather(columns, &parts)?)
        }
    };
    Ok((Operand { source, columns, offsets }, true))
}

/// The table and the ids of parts that are all rows of one table.
fn of_one_table(parts: &[(Value, Range<usize>)]) -> Option<(ParamId, Vec<u32>)> {
    let mut found = None;
    let mut ids = Vec::new();
    for (value, range) in parts {
        let Value::Table(rows) = value else { return None };
        if *found.get_or_insert(rows.table) != rows.table {
            return None;
        }
        ids.extend_from_slice(&rows.ids[range.clone()]);
    }
    Some((found?, ids))
}
