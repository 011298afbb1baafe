//! Gradients: the batches of the forward pass, last first, one backward call each.

use std::ops::Range;

use super::batch::{LaneData, Outcome, Run, laid_out, runs};
use super::tape::{Port, Tape};
use super::{Gradients, Graph};
use crate::device::{Buffer, Call, EngineError, Forward, Op};

/// Differentiates a scalar that has run; gradients of parameters are added to `parameters`. Those of values are kept, unless
/// weights alone are asked for: then each is given back when it was used.
pub(super) fn run(
    graph: &Graph,
    scalar: Port,
    parameters: &mut Gradients,
    weights_alone: bool,
) -> Result<(), EngineError> {
    if !graph.training {
        return Err(EngineError::NotTraining);
    }
    let mut tape = graph.tape.borrow_mut();
    let shape = tape.shape(scalar);
    if (shape.rows, shape.columns) != (1, 1) {
        let found = shape.to_string();
        return Err(EngineError::Shape {
            op: "backward",
            what: "scalar".into(),
            expected: "1 x 1".into(),
            found,
        });
    }
    let mut gradients: Vec<Vec<Option<Buffer>>> =
        tape.batches.iter().map(|batch| vec![None; batch.outputs.len()]).collect();
    let one = graph.device.upload(vec![1.0])?;
    let (_, at, _) = tape.locate(scalar);
    add(graph, &tape, &mut gradients, scalar, at.start, (&one, 1), 0..1)?;

    for number in (0..tape.batches.len()).rev() {
        let batch = &tape.batches[number];
        let op = tape.op(batch.nodes[0]);
        if matches!(op, Op::Input | Op::Held) || gradients[number].iter().all(Option::is_none) {
            continue;
        }
        let upstream = match weights_alone {
            true => std::mem::take(&mut gradients[number]),
            false => gradients[number].clone(),
        };
        let ports: Vec<Vec<Port>> =
            (0..batch.inputs.len()).map(|operand| laid_out(&tape, &batch.nodes, operand)).collect();
        let wanted: Vec<bool> =
            ports.iter().map(|ports| ports.iter().any(|port| tape.is_differentiable(port.node))).collect();
        let downstream = match op {
            // Its value is its operand.
            Op::ConcatRows => upstream.clone(),
            _ => {
                let lanes = LaneData::of(&tape, &batch.nodes);
                let call = Call {
                    op,
                    parameters: &graph.parameters,
                    inputs: &batch.inputs,
                    streams: &lanes.streams,
                    indices: &lanes.indices,
                    index_offsets: &lanes.index_offsets,
                    seed: graph.seed,
                    keep: true,
                    weights_alone,
                };
                let table = Forward { outputs: Vec::new(), saved: Vec::new() };
                let forward = match &batch.outcome {
                    Outcome::Computed(forward) => forward,
                    Outcome::Table(_) => &table,
                };
                graph.device.backward(&call, forward, &upstream, &wanted, &mut parameters.slots)?
            }
        };
        for (operand, ports) in ports.iter().enumerate() {
            let Some(gradient) = downstream[operand].as_ref().filter(|_| wanted[operand]) else { continue };
            let input = &batch.inputs[operand];
            let total = input.total_rows();
            if !batch.copied[operand] {
                // The operand's rows lie in its producer's buffer as they do in the gradient: one addition.
                add(graph, &tape, &mut gradients, ports[0], input.offsets[0], (gradient, total), 0..total)?;
                continue;
            }
            for Run { first, from, to, .. } in runs(&tape, ports).into_iter().filter(|run| run.differentiable)
            {
                add(graph, &tape, &mut gradients, first, from.start, (gradient, total), to)?;
            }
        }
        if weights_alone {
            downstream.into_iter().chain(upstream).flatten().for_each(|used| graph.device.reclaim(used));
        }
    }
    tape.gradients = if weights_alone { Vec::new() } else { gradients };
    Ok(())
}

/// Adds rows of a buffer, which holds `source_rows`, to the gradient of the batch output that a port lies in, from
/// row `at`. A buffer that is exactly that gradient is shared.
fn add(
    graph: &Graph,
    tape: &Tape,
    gradients: &mut [Vec<Option<Buffer>>],
    port: Port,
    at: usize,
    (source, source_rows): (&Buffer, usize),
    rows: Range<usize>,
) -> Result<(), EngineError> {
    let Some((batch, _)) = tape.ran(port.node) else {
        unreachable!("the forward pass ran every operand");
    };
    let (columns, offsets) = &tape.batches[batch].outputs[port.output];
    let total = offsets[offsets.len() - 1];
    match &mut gradients[batch][port.output] {
        Some(target) => graph.device.add(target, at, source, rows, *columns),
        slot @ None if rows == (0..total) && source_rows == total => {
            *slot = Some(source.clone());
            Ok(())
        }
        slot @ None => {
            let target = slot.insert(graph.device.zeros(total * columns)?);
            graph.device.add(target, at, source, rows, *columns)
        }
    }
}
