//! One operation differentiated both ways.
//!
//! A case records one operation on several lanes of unequal length (one without rows). The scalar is the sum of all
//! outputs times fixed random numbers; it is differentiated by every element of every operand and parameter.

use pollster::block_on;
use saccade_rnn::device::{Device, EngineError, Op, ParamId, Parameters, Pool, WeightView};
use saccade_rnn::graph::{Expr, Graph, Strategy};

use crate::common::values;

/// Half the distance between the two points of a difference.
const STEP: f32 = 5e-3;
/// Bound of the error of an element, relative to the largest element of its tensor (or to 0.02 if that is smaller).
const TOLERANCE: f64 = 5e-3;
/// Rows of the lanes.
const LANES: [usize; 4] = [5, 0, 1, 3];

/// An operand of a case.
#[derive(Clone, Copy)]
pub(crate) enum Operand {
    /// As many rows as the lane has, of so many columns.
    Rows(usize),
    /// One row of so many columns.
    One(usize),
    /// So many rows and columns.
    Fixed(usize, usize),
    /// As `Rows`, without a gradient.
    Noise(usize),
    /// As `Rows`, with values at least 0.2 from 0 and from each other within a lane: no kink near.
    Apart(usize),
    /// As `Rows`, with values from 0.5 to 2.
    Positive(usize),
}

/// An operation to differentiate.
pub(crate) struct Case {
    pub(crate) op: Op,
    pub(crate) operands: Vec<Operand>,
    /// Indices of a lane with so many rows.
    pub(crate) indices: fn(usize) -> Vec<u32>,
    /// Parameters that have a gradient.
    pub(crate) wanted: Vec<ParamId>,
}

impl Case {
    pub(crate) fn new(op: Op, operands: &[Operand]) -> Self {
        Self { op, operands: operands.to_vec(), indices: |_| Vec::new(), wanted: Vec::new() }
    }

    pub(crate) fn indices(self, indices: fn(usize) -> Vec<u32>) -> Self {
        Self { indices, ..self }
    }

    pub(crate) fn wanted(self, wanted: impl IntoIterator<Item = ParamId>) -> Self {
        Self { wanted: wanted.into_iter().collect(), ..self }
    }

    /// Values of every operand of every lane: `(rows, columns, values, whether it has a gradient)`.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for rows in LANES {
            for operand in &self.operands {
                let stream = leaves.len() as u32;
                let (rows, columns) = match *operand {
                    Operand::One(columns) => (1, columns),
                    Operand::Fixed(rows, columns) => (rows, columns),
                    Operand::Rows(columns)
                    | Operand::Noise(columns)
                    | Operand::Apart(columns)
                    | Operand::Positive(columns) => (rows, columns),
                };
                let values = match operand {
                    Operand::Apart(_) => apart(stream, rows * columns),
                    Operand::Positive(_) => {
                        values(stream, rows * columns, 0.75).iter().map(|x| 1.25 + x).collect()
                    }
                    _ => values(stream, rows * columns, 1.5),
                };
                let variable = !matches!(operand, Operand::Noise(_));
                leaves.push(Leaf { rows, columns, values, variable });
            }
        }
        leaves
    }
}

/// Distinct values in random order, alternately positive and negative, none near 0.
fn apart(stream: u32, count: usize) -> Vec<f32> {
    let mut order: Vec<usize> = (0..count).collect();
    let keys = values(stream, count, 1.0);
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order.iter().map(|&i| if i % 2 == 0 { 0.2 + 0.2 * i as f32 } else { -0.2 * i as f32 }).collect()
}

#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f32>,
    pub(crate) variable: bool,
}

/// The recorded leaves and outputs of all lanes.
struct Recorded<'g> {
    pub(crate) leaves: Vec<Expr<'g>>,
    pub(crate) outputs: Vec<Expr<'g>>,
}

fn record<'g>(graph: &'g Graph, case: &Case, leaves: &[Leaf]) -> Recorded<'g> {
    let leaf = |l: &Leaf| match l.variable {
        true => graph.variable(l.rows, l.columns, l.values.clone()),
        false => graph.input(l.rows, l.columns, l.values.clone()),
    };
    let leaves: Vec<Expr<'_>> = leaves.iter().map(leaf).collect();
    let arity = case.operands.len();
    let lanes = LANES.iter().enumerate();
    let outputs = lanes.flat_map(|(lane, &rows)| {
        let operands = &leaves[lane * arity..(lane + 1) * arity];
        if case.op == Op::Input {
            return operands.to_vec();
        }
        graph.record(case.op.clone(), operands, (case.indices)(rows))
    });
    let outputs: Vec<Expr<'_>> = outputs.filter(|y| y.shape().rows * y.shape().columns > 0).collect();
    Recorded { leaves, outputs }
}

/// The numbers an output is multiplied by.
fn projection(output: usize, size: usize) -> Vec<f32> {
    values(10_000 + output as u32, size, 1.0)
}

/// The scalar, summed in double precision on the host.
fn scalar(case: &Case, parameters: &Parameters, leaves: &[Leaf]) -> f64 {
    let graph = Graph::training(parameters, &Device::cpu(), Strategy::Levels, 5);
    let recorded = record(&graph, case, leaves);
    let mut sum = 0.0;
    for (i, y) in recorded.outputs.iter().enumerate() {
        let y = block_on(y.value()).expect("the case is well formed");
        sum += y.iter().zip(projection(i, y.len())).map(|(y, p)| f64::from(*y) * f64::from(p)).sum::<f64>();
    }
    sum
}

pub(crate) type Computed = (Vec<Vec<f32>>, Vec<Option<Vec<f32>>>);

/// Gradients of the scalar by every leaf and every parameter.
pub(crate) fn gradients(
    case: &Case,
    parameters: &Parameters,
    leaves: &[Leaf],
) -> Result<Computed, EngineError> {
    // A column of ones sums the columns of a row.
    let mut parameters = parameters.clone();
    let ones = parameters.add("ones", &[1, 64], vec![1.0; 64])?;
    let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Levels, 5);
    let recorded = record(&graph, case, leaves);
    let mut parts = Vec::new();
    for (i, &y) in recorded.outputs.iter().enumerate() {
        let (rows, columns) = (y.shape().rows, y.shape().columns);
        let product = y * graph.input(rows, columns, projection(i, rows * columns));
        parts.push(product.affine_view(WeightView::leading(graph.parameters(), ones, columns), None));
    }
    let by_parameters = block_on(graph.concat_rows(&parts).pool(Pool::Sum).backward())?;
    let by_leaf = |(x, leaf): (&Expr<'_>, &Leaf)| match leaf.variable {
        true => block_on(x.gradient()),
        false => Ok(Vec::new()),
    };
    let by_leaves = recorded.leaves.iter().zip(leaves).map(by_leaf).collect::<Result<_, _>>()?;
    let ids: Vec<ParamId> = parameters.iter().map(|(id, _)| id).filter(|id| *id != ones).collect();
    let read = |id| block_on(by_parameters.read(&Device::cpu(), &parameters, id));
    Ok((by_leaves, ids.into_iter().map(read).collect::<Result<_, _>>()?))
}

/// Central differences of `f` by each of `count` elements.
fn differences(count: usize, mut f: impl FnMut(usize, f32) -> f64) -> Vec<f64> {
    (0..count).map(|i| (f(i, STEP) - f(i, -STEP)) / (2.0 * f64::from(STEP))).collect()
}

/// Compares a gradient with differences; returns the largest element.
fn compare(what: &str, found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        let bound = TOLERANCE * largest.max(0.02);
        assert!(
            error <= bound,
            "{what}: element {i}: gradient {found}, difference {expected}, bound {bound}"
        );
    }
    largest
}

/// Differentiates a case both ways.
pub(crate) fn check(parameters: &Parameters, case: &Case) {
    let name = format!("{:?}", case.op);
    let leaves = case.leaves();
    let (by_leaves, by_parameters) =
        gradients(case, parameters, &leaves).expect("the operation has gradients");

    let mut largest = vec![0.0f64; case.operands.len()];
    for (number, leaf) in leaves.iter().enumerate().filter(|(_, leaf)| leaf.variable) {
        let mut moved = leaves.clone();
        let expected = differences(leaf.values.len(), |i, step| {
            moved[number].values[i] = leaf.values[i] + step;
            let y = scalar(case, parameters, &moved);
            moved[number].values[i] = leaf.values[i];
            y
        });
        let operand = number % case.operands.len();
        let found = compare(&format!("{name}: operand {operand}"), &by_leaves[number], &expected);
        largest[operand] = largest[operand].max(found);
    }
    for (operand, largest) in largest.iter().enumerate() {
        let varies = !matches!(case.operands[operand], Operand::Noise(_));
        assert!(!varies || *largest > 1e-2, "{name}: operand {operand} has no gradient to check");
    }

    let mut moved = parameters.clone();
    for (id, parameter) in parameters.iter() {
        let what = format!("{name}: parameter {}", parameter.name);
        if !case.wanted.contains(&id) {
            assert_eq!(by_parameters[id.index()], None, "{what} is not an operand of this case");
            continue;
        }
        let expected = differences(parameter.values.len(), |i, step| {
            moved.get_mut(id).values[i] = parameter.values[i] + step;
            let y = scalar(case, &moved, &leaves);
            moved.get_mut(id).values[i] = parameter.values[i];
            y
        });
        let found = by_parameters[id.index()].as_ref().expect("the parameter has a gradient");
        assert!(compare(&what, found, &expected) > 1e-2, "{what} has no gradient to check");
    }
}
