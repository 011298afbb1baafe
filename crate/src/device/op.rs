//! The vocabulary of operations: what a graph may record and every device must run.
//!
//! An [`Op`] holds every attribute of an operation and the identity of every parameter it uses, and is compared
//! exactly: two nodes may run together only if their ops are equal and their operands have the same columns.

use super::{CellKind, EngineError, Function, ParamId, Parameters, Pool, Reduce, Semiring, Step};

/// Whether this build runs operations that no layer of a model records. The browser's inference binary does not: see
/// [`graph_only`].
pub(crate) const GRAPH: bool = cfg!(any(feature = "graph", not(feature = "web")));

/// The pattern of the operations that only a user's own graph records. An arm `graph_only!() if !GRAPH`, before all others,
/// keeps their kernels out of a build that cannot run them.
macro_rules! graph_only {
    () => {
        Op::MatMul
            | Op::Binary(Binary::Subtract | Binary::Multiply)
            | Op::ScatterAdd
            | Op::Reduce(_)
            | Op::Semiring(_)
            | Op::Step(_)
            | Op::Cell(_)
            | Op::Unary(Unary::Tanh | Unary::Sigmoid | Unary::Relu | Unary::Exp | Unary::Log)
    };
}
pub(super) use graph_only;

/// Whether this build runs what neither a layer of a classifier, tagger or language model nor its losses record. The browser's
/// binary of training runs does not: see [`program_only`].
pub(crate) const PROGRAMS: bool = GRAPH && !cfg!(all(feature = "runs", target_arch = "wasm32"));

/// The pattern of the operations of [`graph_only`] that only programs of a user's own, parsers and trees record; an arm
/// `program_only!() if !PROGRAMS` stands before all others, as there.
macro_rules! program_only {
    () => {
        Op::MatMul | Op::Reduce(_) | Op::Semiring(_) | Op::Step(_) | Op::Cell(_)
    };
}
pub(super) use program_only;

/// A real attribute, compared by its bits.
#[derive(Clone, Copy, Debug)]
pub struct Real(pub f32);

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Real {}

impl std::hash::Hash for Real {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// Rows and columns of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Time steps, or 1.
    pub rows: usize,
    /// Features.
    pub columns: usize,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {}", self.rows, self.columns)
    }
}

/// Functions of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
    /// `max(x, 0)`.
    Relu,
    /// `s x`.
    Scale(Real),
    /// `exp(x)`.
    Exp,
    /// `ln(x)`: of 0 minus infinity, of less NaN.
    Log,
}

/// Functions of two values of the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a ⊙ b`.
    Multiply,
}

/// A weight, or a range of its input columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeightView {
    /// The parameter.
    pub param: ParamId,
    /// First input used.
    pub first: usize,
    /// How many inputs are used.
    pub inputs: usize,
    /// Outputs.
    pub outputs: usize,
    /// Stored as `[in, out]` (the `sru` package) rather than `[out, in]` (PyTorch).
    pub input_major: bool,
}

impl WeightView {
    /// All of a `[out, in]` weight.
    pub fn whole(parameters: &Parameters, param: ParamId) -> Self {
        let p = parameters.get(param);
        Self { param, first: 0, inputs: p.columns(), outputs: p.rows(), input_major: false }
    }

    /// All of a weight stored as `[in, out]`.
    pub fn input_major(parameters: &Parameters, param: ParamId) -> Self {
        let p = parameters.get(param);
        Self { param, first: 0, inputs: p.rows(), outputs: p.columns(), input_major: true }
    }

    /// The first `inputs` input columns of a `[out, in]` weight.
    pub fn leading(parameters: &Parameters, param: ParamId, inputs: usize) -> Self {
        Self { inputs, ..Self::whole(parameters, param) }
    }

    /// Where its first value lies in the parameter.
    pub fn offset(&self, parameters: &Parameters) -> usize {
        if self.input_major { self.first * parameters.get(self.param).columns() } else { self.first }
    }
}

/// A product of rows and a matrix in a semiring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SemiringProduct {
    /// What sums and products are.
    pub semiring: Semiring,
    /// The matrix, `[in, out]`.
    pub weight: ParamId,
    /// The matrix is `[out, in]`.
    pub transposed: bool,
}

impl SemiringProduct {
    /// Inputs and outputs.
    pub fn sizes(&self, parameters: &Parameters) -> [usize; 2] {
        let weight = parameters.get(self.weight);
        let sizes = [weight.rows(), weight.columns()];
        if self.transposed { [sizes[1], sizes[0]] } else { sizes }
    }
}

/// Attributes of the SRU recurrence (`kernels/src/sru.rs` has the equations).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sru {
    /// `[v_f, v_r]`; none in version 1.
    pub weight_c: Option<ParamId>,
    /// `[b_f, b_r]`.
    pub bias: ParamId,
    /// The factor of the skip input, a parameter of one value.
    pub scale: Option<ParamId>,
    /// Whether the second operand is the skip input (k = 3).
    pub skip: bool,
    /// Whether the last operand is the initial memory.
    pub initial: bool,
    /// Whether g is tanh.
    pub use_tanh: bool,
    /// Both directions.
    pub bidirectional: bool,
    /// Dropout inside the highway.
    pub dropout: Real,
    /// Whether gates and memories of every row are outputs as well.
    pub inspect: bool,
}

/// Attributes that both modes of the Skim recurrence share (`kernels/src/skim.rs` has the equations).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Skim {
    /// The cell, big and small: LSTM or GRU.
    pub cell: CellKind,
    /// Width of the state, d.
    pub hidden: usize,
    /// Width of the part that skimming updates, d'.
    pub small: usize,
    /// Values of the state that the small cell reads: d' or d.
    pub small_reads: usize,
    /// `[gates * d, input]`.
    pub big_weight_ih: ParamId,
    /// `[gates * d]`.
    pub big_bias_ih: ParamId,
    /// `[gates * d, d]`.
    pub big_weight_hh: ParamId,
    /// `[gates * d]`.
    pub big_bias_hh: ParamId,
    /// Weight `[gates * d', small_reads]` and bias `[gates * d']`; none if d' = 0.
    pub small_hh: Option<(ParamId, ParamId)>,
    /// `[2, input + d]`.
    pub decision_weight: ParamId,
    /// Whether the last operands are the initial h and, for a cell with memory, c.
    pub initial: bool,
    /// Decide, or mix.
    pub mode: SkimMode,
    /// Whether gates and memories of every row are outputs as well; hard decisions only.
    pub inspect: bool,
}

/// How a Skim recurrence treats its decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkimMode {
    /// Skim iff the probability exceeds the threshold. First operand: the input itself.
    Hard {
        /// The threshold.
        threshold: Real,
    },
    /// Gumbel-softmax mixture of both branches. First operand: the big cell's hoisted product.
    Soft {
        /// Temperature tau.
        temperature: Real,
        /// Whether the operand after the decision's is the noise (2 columns) rather than drawn from the counter.
        given_noise: bool,
    },
}

/// An operation with all its attributes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A value from outside.
    Input,
    /// A value that an earlier graph left on the device.
    Held,
    /// Rows of a table; the ids are the node's indices.
    Embedding {
        /// `[rows, columns]`.
        table: ParamId,
    },
    /// `x Wᵀ + b`.
    Affine {
        /// The weight.
        weight: WeightView,
        /// `[out]`.
        bias: Option<ParamId>,
    },
    /// `a b`, two values. Nodes that run together and have the same right operand are one lane of the call: the rows of all
    /// their left operands, and that one once.
    MatMul,
    /// Rows times a matrix in a semiring. The maximum has a second output, the rows of the matrix by which it came.
    Semiring(SemiringProduct),
    /// A function of one value.
    Unary(Unary),
    /// A function of two values.
    Binary(Binary),
    /// Operands side by side: the same rows, columns added up.
    ConcatColumns,
    /// Operands end to end: the same columns, rows added up.
    ConcatRows,
    /// A range of columns.
    Columns {
        /// First column.
        start: usize,
        /// How many.
        count: usize,
    },
    /// Rows by number; the numbers are the node's indices.
    Rows,
    /// Rows added up by number. The node's indices are, for every row, the row of the result that it is added to, and last
    /// how many rows the result has.
    ScatterAdd,
    /// One row from all.
    Pool(Pool),
    /// One value from each row. The maximum has a second output, the column where it is.
    Reduce(Reduce),
    /// Inverted dropout.
    Dropout {
        /// Probability of zero.
        rate: Real,
        /// One mask for all rows.
        per_sequence: bool,
    },
    /// Softmax of each row.
    Softmax,
    /// Its logarithm.
    LogSoftmax,
    /// `-log softmax(x)[target]` of each row; the targets are the node's indices.
    CrossEntropy,
    /// Layer normalisation of each row.
    LayerNorm {
        /// `[columns]`.
        weight: ParamId,
        /// `[columns]`.
        bias: ParamId,
    },
    /// Elman, LSTM or GRU over the rows. Outputs: rows, last h, last c; inspected, also gates and memories of every row.
    Recurrence {
        /// Which cell.
        cell: CellKind,
        /// `[gates * hidden, hidden]`.
        weight_hh: ParamId,
        /// `[gates * hidden]`.
        bias_hh: Option<ParamId>,
        /// From the last row to the first.
        reverse: bool,
        /// Whether the last operands are the initial h and, for a cell with memory, c.
        initial: bool,
        /// Whether gates (`saved * hidden` columns) and memories of every row are outputs as well.
        inspect: bool,
    },
    /// Simple recurrent unit over the rows. Outputs: rows, last c; inspected, also the gates (forget, reset) and
    /// memories of every row.
    Sru(Sru),
    /// Skim-RNN over the rows. Operands: input (or its product), small product (if d' > 0), decision product,
    /// noise (if given), initial h and c (if initial). Outputs: rows, last h, last c, logits, decisions; inspected, also
    /// gates and memories of every row.
    Skim(Skim),
    /// A product, and a recurrence over it: of a recurrent layer all that one row needs, as one node. Operands and outputs are
    /// those of the recurrence, but the first operand is multiplied.
    Step(Box<Step>),
    /// A recorded function, row by row.
    Cell(Function),
}

impl Op {
    /// The operation's name in reports and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input => "input",
            Op::Held => "held",
            Op::Embedding { .. } => "embedding",
            Op::Affine { .. } => "affine",
            Op::MatMul => "matmul",
            Op::Semiring(SemiringProduct { semiring: Semiring::Log, .. }) => "log_product",
            Op::Semiring(SemiringProduct { semiring: Semiring::Max, .. }) => "max_product",
            Op::Unary(Unary::Tanh) => "tanh",
            Op::Unary(Unary::Sigmoid) => "sigmoid",
            Op::Unary(Unary::Relu) => "relu",
            Op::Unary(Unary::Scale(_)) => "scale",
            Op::Unary(Unary::Exp) => "exp",
            Op::Unary(Unary::Log) => "log",
            Op::Binary(Binary::Add) => "add",
            Op::Binary(Binary::Subtract) => "subtract",
            Op::Binary(Binary::Multiply) => "multiply",
            Op::ConcatColumns => "concat_columns",
            Op::ConcatRows => "concat_rows",
            Op::Columns { .. } => "columns",
            Op::Rows => "rows",
            Op::ScatterAdd => "scatter_add",
            Op::Pool(_) => "pool",
            Op::Reduce(Reduce::Sum) => "sum_columns",
            Op::Reduce(Reduce::Mean) => "mean_columns",
            Op::Reduce(Reduce::LogSumExp) => "log_sum_exp",
            Op::Reduce(Reduce::Max) => "max_columns",
            Op::Dropout { .. } => "dropout",
            Op::Softmax => "softmax",
            Op::LogSoftmax => "log_softmax",
            Op::CrossEntropy => "cross_entropy",
            Op::LayerNorm { .. } => "layer_norm",
            Op::Recurrence { cell: CellKind::Lstm, .. } => "lstm",
            Op::Recurrence { cell: CellKind::Gru, .. } => "gru",
            Op::Recurrence { .. } => "elman",
            Op::Sru(_) => "sru",
            Op::Skim(_) => "skim",
            Op::Step(step) => match step.recurrence {
                Op::Recurrence { cell: CellKind::Lstm, .. } => "lstm_step",
                Op::Recurrence { cell: CellKind::Gru, .. } => "gru_step",
                Op::Recurrence { .. } => "elman_step",
                _ => "sru_step",
            },
            Op::Cell(function) => function.name(),
        }
    }

    /// Whether a cell can be made of it: it makes each row of its result of the same row of its operands, by a product with
    /// a weight or element by element. (A cell within a cell becomes part of it.)
    pub(crate) fn fits_a_cell(&self) -> bool {
        matches!(
            self,
            Op::Affine { .. }
                | Op::Unary(_)
                | Op::Binary(_)
                | Op::ConcatColumns
                | Op::Columns { .. }
                | Op::Cell(_)
        )
    }

    /// No fewer than it has outputs, whatever its attributes.
    pub(crate) fn most_outputs(&self) -> usize {
        match self {
            Op::Cell(function) => function.outputs(),
            _ => 7,
        }
    }

    /// Why a build without [`GRAPH`] or [`PROGRAMS`] does not run the operation.
    pub(super) fn left_out(&self) -> EngineError {
        let reason = "this build runs what models need, and no other operation (cargo feature `graph`)";
        EngineError::Unsupported { op: self.name(), reason }
    }

    /// Whether the operation puts out gates and memories of every row, which the CPU alone does.
    pub fn is_inspected(&self) -> bool {
        match self {
            Op::Recurrence { inspect, .. } => *inspect,
            Op::Sru(sru) => sru.inspect,
            Op::Skim(skim) => skim.inspect,
            Op::Step(step) => step.recurrence.is_inspected(),
            _ => false,
        }
    }

    /// Whether the operation uses a parameter, so that its value has a gradient even if no operand has one.
    pub fn has_parameters(&self) -> bool {
        match self {
            Op::Embedding { .. }
            | Op::Affine { .. }
            | Op::Semiring(_)
            | Op::LayerNorm { .. }
            | Op::Recurrence { .. }
            | Op::Sru(_)
            | Op::Skim(_)
            | Op::Step(_) => true,
            Op::Cell(function) => function.has_parameters(),
            _ => false,
        }
    }
}
