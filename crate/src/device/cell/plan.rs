//! What a device runs for a cell: products with weights, and between them elementwise instructions over several matrices.

use crate::cpu::fused::Line;
use crate::device::{ParamId, WeightView};

/// A matrix of a call: so many rows as all lanes have together, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::device) enum Place {
    /// An operand.
    Input(usize),
    /// The same row for all.
    Constant(usize),
    /// A product, or a sum of products.
    Product(usize),
    /// A value between the first instructions and the last: what a product multiplies, or later instructions read.
    Kept(usize),
    /// An output.
    Output(usize),
}

/// The values of a matrix, or their gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::device) enum Matrix {
    Value(Place),
    Gradient(Place),
}

/// A summand of a product: `x Wᵀ + b`.
#[derive(Clone, Debug)]
pub(in crate::device) struct Term {
    /// x: an input or a kept value.
    pub(in crate::device) operand: Place,
    pub(in crate::device) weight: WeightView,
    pub(in crate::device) bias: Option<ParamId>,
    /// In a gradient: whether that of x is wanted and, if so, whether it is added to what is there.
    pub(in crate::device) add: Option<bool>,
}

/// A sum of products with weights: [`Place::Product`].
#[derive(Clone, Debug)]
pub(in crate::device) struct Product {
    pub(in crate::device) number: usize,
    pub(in crate::device) terms: Vec<Term>,
}

/// Elementwise instructions, a line for each number of columns. Matrices are numbered as they stand here.
#[derive(Debug, Default)]
pub(in crate::device) struct Segment {
    pub(in crate::device) reads: Vec<Matrix>,
    pub(in crate::device) writes: Vec<Matrix>,
    pub(in crate::device) lines: Vec<Line>,
    /// What a GPU runs, once it has been asked for.
    #[cfg(feature = "gpu")]
    pub(in crate::device) shader: std::sync::OnceLock<std::sync::Arc<str>>,
}

/// Products and instructions in turn: forward the products of a stage come first, backward its instructions.
#[derive(Debug, Default)]
pub(in crate::device) struct Stage {
    pub(in crate::device) products: Vec<Product>,
    pub(in crate::device) segment: Segment,
}

/// All that a device does for a call, or for its gradient.
#[derive(Debug, Default)]
pub(in crate::device) struct Plan {
    pub(in crate::device) stages: Vec<Stage>,
    /// Columns of all products, kept values, inputs and outputs.
    pub(in crate::device) columns: Columns,
    pub(in crate::device) constants: Vec<Vec<f32>>,
    /// Backward: which inputs have a gradient in the end.
    pub(in crate::device) written: Vec<bool>,
}

/// Columns of the matrices of a call by their numbers.
#[derive(Clone, Debug, Default)]
pub(in crate::device) struct Columns {
    pub(in crate::device) inputs: Vec<usize>,
    pub(in crate::device) products: Vec<usize>,
    pub(in crate::device) kept: Vec<usize>,
    pub(in crate::device) outputs: Vec<usize>,
}
