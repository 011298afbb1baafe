//! Cells: functions of rows, recorded once, each of which is one operation wherever it is called.
//!
//! [`Function`] is what was recorded. `lower.rs` turns it into stages, products and what is between them, each of which a
//! device runs over the rows of all lanes at once; `gradient.rs` does so for its gradient.

mod gradient;
mod lower;
mod plan;

use std::sync::{Arc, Mutex, PoisonError};

use super::infer::Check;
use super::{EngineError, Op, ParamId, Parameters, Real, Shape};
use lower::Lowered;
pub(super) use plan::{Columns, Matrix, Place, Plan, Product, Segment};

/// A function of rows, as it was recorded: what [`Op::Cell`] computes. Cloning shares it.
///
/// Made by [`crate::graph::Cell`]. Two are equal if they have the same name and do the same with the same parameters.
#[derive(Clone)]
pub struct Function(Arc<Recorded>);

struct Recorded {
    body: Body,
    /// The parameters that it uses, and how many rows and columns they have.
    weights: Vec<(ParamId, [usize; 2])>,
    lowered: Lowered,
    forward: Plan,
    /// Plans of gradients by what was asked of them.
    backward: Mutex<Vec<(Asked, Arc<Plan>)>>,
}

/// A recorded function as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// Its name in reports and errors.
    pub(crate) name: &'static str,
    /// Columns of every operand.
    pub(crate) inputs: Vec<usize>,
    /// In an order in which operands come first; each has one output.
    pub(crate) nodes: Vec<Node>,
    /// The nodes whose values are the outputs.
    pub(crate) outputs: Vec<usize>,
}

/// A value within a recorded function: a row of so many `columns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) columns: usize,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An operand of the function.
    Input(usize),
    /// The same row whatever the operands.
    Constant(Vec<Real>),
    /// An operation on earlier values: [`Op::fits_a_cell`].
    Op(Op, Vec<usize>),
}

/// Which outputs have a gradient, and which operands need one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    given: Vec<bool>,
    wanted: Vec<bool>,
}

/// How many pieces of columns a function may fall into; more would be faster apart.
const MOST_PIECES: usize = 4096;

impl Function {
    /// Plans how it runs.
    ///
    /// # Errors
    /// If it takes columns apart into too many pieces.
    pub(crate) fn new(parameters: &Parameters, body: Body) -> Result<Self, EngineError> {
        let reason = "it takes columns apart into too many pieces; make several cells of it, or none";
        let lowered = Lowered::new(&body).ok_or(EngineError::Unsupported { op: body.name, reason })?;
        let mut weights = Vec::new();
        for node in &body.nodes {
            if let Kind::Op(Op::Affine { weight, bias }, _) = &node.kind {
                weights.extend([Some(weight.param), *bias].into_iter().flatten());
            }
        }
        let shape = |id| [parameters.get(id).rows(), parameters.get(id).columns()];
        let weights = weights.into_iter().map(|id| (id, shape(id))).collect();
        let forward = lowered.forward();
        Ok(Self(Arc::new(Recorded { body, weights, lowered, forward, backward: Mutex::default() })))
    }

    /// Its name in reports and errors.
    pub fn name(&self) -> &'static str {
        self.0.body.name
    }

    /// How many operands it takes.
    pub fn inputs(&self) -> usize {
        self.0.body.inputs.len()
    }

    /// How many outputs it has.
    pub fn outputs(&self) -> usize {
        self.0.body.outputs.len()
    }

    /// Whether it uses a parameter.
    pub fn has_parameters(&self) -> bool {
        !self.0.weights.is_empty()
    }

    pub(crate) fn body(&self) -> &Body {
        &self.0.body
    }

    /// How its values are computed.
    pub(super) fn forward(&self) -> &Plan {
        &self.0.forward
    }

    /// How the gradients of operands and parameters are computed.
    pub(super) fn backward(&self, given: Vec<bool>, wanted: &[bool]) -> Arc<Plan> {
        let asked = Asked { given, wanted: wanted.to_vec() };
        // A panic while the lock was held leaves whole entries.
        let mut plans = self.0.backward.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plan)) = plans.iter().find(|(of, _)| *of == asked) {
            return plan.clone();
        }
        let plan = Arc::new(self.0.lowered.backward(&asked));
        plans.push((asked, plan.clone()));
        plan
    }

    pub(super) fn infer(
        &self,
        check: &Check<'_>,
        parameters: &Parameters,
    ) -> Result<Vec<Shape>, EngineError> {
        let Recorded { body, weights, .. } = &*self.0;
        let rows = check.any(0)?.rows;
        for (i, &columns) in body.inputs.iter().enumerate() {
            check.operand(i, columns)?;
            check.rows(i, rows)?;
        }
        for &(id, [rows, columns]) in weights {
            let found = (id.index() < parameters.len()).then(|| parameters.get(id));
            if !found.is_some_and(|p| p.rows() == rows && p.columns() == columns) {
                let found = found.map_or("none".into(), |p| format!("{} x {}", p.rows(), p.columns()));
                let expected = format!("{rows} x {columns}, as when the cell was recorded");
                return Err(check.error(format_args!("parameter {}", id.index()), expected, found));
            }
        }
        let shape = |&node: &usize| Shape { rows, columns: body.nodes[node].columns };
        Ok(body.outputs.iter().map(shape).collect())
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.body == other.0.body
    }
}

impl Eq for Function {}

impl std::hash::Hash for Function {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Body { name, inputs, nodes, outputs } = &self.0.body;
        f.debug_struct("Function")
            .field("name", name)
            .field("inputs", inputs)
            .field("outputs", &outputs.iter().map(|&node| nodes[node].columns).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
