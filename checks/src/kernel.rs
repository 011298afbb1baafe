//! One kernel call on two devices.

use std::borrow::Cow;

use saccade_rnn::device::{Buffer, Call, Device, EngineError, Op, Operand, Parameters, Shape};

use crate::{Random, doubt};

/// An operand of one lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Time steps, or 1.
    pub rows: usize,
    /// Features.
    pub columns: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

/// What one node brings to a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// Its operands.
    pub inputs: Vec<Matrix>,
    /// Ids, targets, row numbers or forced decisions.
    pub indices: Vec<u32>,
}

/// One batched call.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about.
    pub name: String,
    /// The operation.
    pub op: Op,
    /// The weights it refers to.
    pub parameters: Parameters,
    /// Its lanes.
    pub lanes: Vec<Lane>,
    /// Whether it is differentiated too.
    pub backward: bool,
    /// Devices agree if `|a - b| <= bound * max(0.01, largest finite |b|)`, gradients with ten times the bound; infinities and
    /// NaN only with the same.
    pub bound: f32,
}

/// Where devices disagree.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    /// The case, and which value of it.
    pub what: String,
    /// How.
    pub how: String,
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.how)
    }
}

/// Named values of a call.
pub(crate) type Values = Vec<(String, Vec<f32>)>;

/// Runs a case on the CPU and on another device and compares all values and gradients.
///
/// # Errors
/// The first disagreement, or the error of either device.
pub async fn agree(device: &Device, case: &Case) -> Result<(), Disagreement> {
    let fail = |what: &str, how: String| Disagreement { what: format!("{}: {what}", case.name), how };
    let on_cpu = run(&Device::cpu(), case).await.map_err(|error| fail("on the CPU", error.to_string()))?;
    let on_device = run(device, case).await.map_err(|error| fail("on the device", error.to_string()))?;
    let names = |values: &Values| values.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ");
    if names(&on_device) != names(&on_cpu) {
        return Err(fail("values", format!("{}; on the CPU {}", names(&on_device), names(&on_cpu))));
    }
    let shapes = shapes(case).map_err(|error| fail("shapes", error.to_string()))?;
    let logits = on_cpu.get(doubt::LOGITS).map_or(&[][..], |(_, logits)| logits);
    let certain = doubt::certain_rows(case, logits);
    for (i, ((name, a), (_, b))) in on_device.iter().zip(&on_cpu).enumerate() {
        let (mut a, mut b) = (Cow::Borrowed(&a[..]), Cow::Borrowed(&b[..]));
        if let (Some(certain), Some(shapes)) = (&certain, shapes.get(i)) {
            a = doubt::comparable(case, certain, shapes, &a).into();
            b = doubt::comparable(case, certain, shapes, &b).into();
        }
        let bound = if name.starts_with("gradient") { 10.0 * case.bound } else { case.bound };
        compare(&a, &b, bound).map_err(|how| fail(name, how))?;
    }
    Ok(())
}

/// Values below it are held against it: the gradient of a gate that is shut is what rounding leaves of 1 - 1.
const SMALL: f32 = 0.01;

/// Whether `a` is `b` within a bound relative to the largest finite value.
pub(crate) fn compare(a: &[f32], b: &[f32], bound: f32) -> Result<(), String> {
    if a.len() != b.len() {
        return Err(format!("{} values, the CPU has {}", a.len(), b.len()));
    }
    let finite = b.iter().filter(|x| x.is_finite());
    let largest = finite.fold(SMALL, |most, x| most.max(x.abs()));
    let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    let apart = |(&a, &b): (&f32, &f32)| !((a - b).abs() <= bound * largest || same(a, b));
    match a.iter().zip(b).position(apart) {
        None => Ok(()),
        Some(at) => Err(format!("value {at} of {}: {}, on the CPU {}", a.len(), a[at], b[at])),
    }
}

async fn run(device: &Device, case: &Case) -> Result<Values, EngineError> {
    let mut random = Random::new(99);
    let operands = case.lanes.first().map_or(0, |lane| lane.inputs.len());
    let mut inputs = Vec::new();
    for operand in 0..operands {
        inputs.push(lay_out(device, case, operand)?);
    }
    let streams: Vec<u32> = (0..case.lanes.len() as u32).map(|lane| 7 + 3 * lane).collect();
    let indices: Vec<u32> = case.lanes.iter().flat_map(|lane| lane.indices.clone()).collect();
    let mut index_offsets = vec![0];
    for lane in &case.lanes {
        index_offsets.push(index_offsets[index_offsets.len() - 1] + lane.indices.len());
    }
    let call = Call {
        op: &case.op,
        parameters: &case.parameters,
        inputs: &inputs,
        streams: &streams,
        indices: &indices,
        index_offsets: &index_offsets,
        seed: 5,
        keep: case.backward,
        weights_alone: false,
    };
    let forward = device.forward(&call)?;
    let size = |lanes: &Vec<Shape>| lanes.iter().map(|out| out.rows * out.columns).sum();
    let sizes: Vec<usize> = shapes(case)?.iter().map(size).collect();
    let parts: Vec<_> = forward.outputs.iter().cloned().zip(sizes.iter().map(|&size| 0..size)).collect();
    let values = device.read(&parts).await?;
    let mut named: Values = values.into_iter().enumerate().map(|(i, v)| (format!("output {i}"), v)).collect();
    if !case.backward {
        return Ok(named);
    }
    let mut upstream = Vec::new();
    for &size in &sizes {
        upstream.push(Some(device.upload(random.values(size, 1.0))?));
    }
    for Pass { what, without, unwanted } in passes(case, sizes.len(), operands) {
        let given = |(i, gradient): (usize, &Option<Buffer>)| gradient.clone().filter(|_| without != Some(i));
        let upstream: Vec<_> = upstream.iter().enumerate().map(given).collect();
        let wanted: Vec<bool> = (0..operands).map(|i| unwanted != Some(i)).collect();
        let mut slots = vec![None; case.parameters.len()];
        let d_inputs = device.backward(&call, &forward, &upstream, &wanted, &mut slots)?;
        for (i, input) in inputs.iter().enumerate().filter(|&(i, _)| wanted[i]) {
            if let Some(gradient) = d_inputs.get(i).and_then(Option::as_ref) {
                let size = input.total_rows() * input.columns;
                let read = device.read(&[(gradient.clone(), 0..size)]).await?;
                named.push((format!("gradient of operand {i}{what}"), read.concat()));
            }
        }
        for (id, parameter) in case.parameters.iter() {
            if let Some(gradient) = &slots[id.index()] {
                let read = device.read(&[(gradient.clone(), 0..parameter.values.len())]).await?;
                named.push((format!("gradient of parameter {}{what}", id.index()), read.concat()));
            }
        }
    }
    Ok(named)
}

/// A backward pass of a call.
struct Pass {
    /// What is missing, in words.
    what: String,
    /// The output that has no gradient.
    without: Option<usize>,
    /// The operand whose gradient nobody wants.
    unwanted: Option<usize>,
}

/// One with everything; of calls of a few lanes also one without each output's gradient, and one without each operand's.
fn passes(case: &Case, outputs: usize, operands: usize) -> Vec<Pass> {
    let mut passes = vec![Pass { what: String::new(), without: None, unwanted: None }];
    let few = case.lanes.len() <= 5;
    for i in (0..outputs).filter(|_| few && outputs > 1) {
        passes.push(Pass { what: format!(", none of output {i}"), without: Some(i), unwanted: None });
    }
    for i in (0..operands).filter(|_| few && operands > 1) {
        passes.push(Pass { what: format!(", that of {i} unwanted"), without: None, unwanted: Some(i) });
    }
    passes
}

/// Of every output, its shape in every lane.
fn shapes(case: &Case) -> Result<Vec<Vec<Shape>>, EngineError> {
    let mut outputs: Vec<Vec<Shape>> = Vec::new();
    for lane in &case.lanes {
        let shape = |x: &Matrix| Shape { rows: x.rows, columns: x.columns };
        let inputs: Vec<Shape> = lane.inputs.iter().map(shape).collect();
        let lane = case.op.infer(&inputs, &lane.indices, &case.parameters)?;
        outputs.resize(lane.len(), Vec::new());
        outputs.iter_mut().zip(lane).for_each(|(lanes, shape)| lanes.push(shape));
    }
    Ok(outputs)
}

/// An operand of all lanes, three rows into its buffer, since operands are often parts of larger values.
fn lay_out(device: &Device, case: &Case, operand: usize) -> Result<Operand, EngineError> {
    const BEFORE: usize = 3;
    let columns = case.lanes[0].inputs[operand].columns;
    let mut values = vec![9.0; BEFORE * columns];
    let mut offsets = vec![BEFORE];
    for lane in &case.lanes {
        let matrix = &lane.inputs[operand];
        values.extend_from_slice(&matrix.values);
        offsets.push(offsets[offsets.len() - 1] + matrix.rows);
    }
    values.extend(vec![9.0; columns]);
    Ok(Operand { source: device.upload(values)?.into(), columns, offsets })
}
