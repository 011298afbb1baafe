//! The vocabulary of operations: what a graph may record and every device must run.
//!
//! An [`Op`] holds every attribute of an operation and the identity of every parameter it uses, and is compared
//! exactly: two nodes may run together only if their ops are equal and their operands have the same columns.

use super::{EngineError, ParamId, Parameters, Pool};

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

/// The cells a recurrence can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// Elman with tanh (PyTorch `nn.RNN`).
    ElmanTanh,
    /// Elman with ReLU.
    ElmanRelu,
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
}

impl CellKind {
    /// Blocks of `hidden` rows in the weight matrices.
    pub fn gates(self) -> usize {
        match self {
            CellKind::ElmanTanh | CellKind::ElmanRelu => 1,
            CellKind::Gru => 3,
            CellKind::Lstm => 4,
        }
    }

    /// Whether the cell carries a memory c beside its state h.
    pub fn has_memory(self) -> bool {
        self == CellKind::Lstm
    }

    fn memory(self, hidden: usize) -> usize {
        if self.has_memory() { hidden } else { 0 }
    }

    /// How many operands its initial state takes, if there is one.
    fn states(self, initial: bool) -> usize {
        if initial { 1 + usize::from(self.has_memory()) } else { 0 }
    }
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

    fn check(&self, check: &Check<'_>, parameters: &Parameters) -> Result<(), EngineError> {
        let p = parameters.get(self.param);
        let (inputs, outputs) =
            if self.input_major { (p.rows(), p.columns()) } else { (p.columns(), p.rows()) };
        if self.first.checked_add(self.inputs).is_none_or(|end| end > inputs) {
            let found = format!("{} from input {}", self.inputs, self.first);
            return Err(check.error("weight", format!("within {inputs} inputs"), found));
        }
        check.length("outputs of the weight", outputs, self.outputs)
    }
}

/// Attributes of the SRU recurrence (`crate/src/cpu/sru.rs` has the equations).
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
}

/// Attributes that both modes of the Skim recurrence share (`crate/src/cpu/skim.rs` has the equations).
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
    /// One row from all.
    Pool(Pool),
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
    /// Elman, LSTM or GRU over the rows. Outputs: rows, last h, last c.
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
    },
    /// Simple recurrent unit over the rows. Outputs: rows, last c.
    Sru(Sru),
    /// Skim-RNN over the rows. Operands: input (or its product), small product (if d' > 0), decision product,
    /// noise (if given), initial h and c (if initial). Outputs: rows, last h, last c, logits, decisions.
    Skim(Skim),
}

impl Op {
    /// The operation's name in reports and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input => "input",
            Op::Embedding { .. } => "embedding",
            Op::Affine { .. } => "affine",
            Op::Unary(Unary::Tanh) => "tanh",
            Op::Unary(Unary::Sigmoid) => "sigmoid",
            Op::Unary(Unary::Relu) => "relu",
            Op::Unary(Unary::Scale(_)) => "scale",
            Op::Binary(Binary::Add) => "add",
            Op::Binary(Binary::Subtract) => "subtract",
            Op::Binary(Binary::Multiply) => "multiply",
            Op::ConcatColumns => "concat_columns",
            Op::ConcatRows => "concat_rows",
            Op::Columns { .. } => "columns",
            Op::Rows => "rows",
            Op::Pool(_) => "pool",
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
        }
    }

    /// Whether the operation uses a parameter, so that its value has a gradient even if no operand has one.
    pub fn has_parameters(&self) -> bool {
        matches!(
            self,
            Op::Embedding { .. }
                | Op::Affine { .. }
                | Op::LayerNorm { .. }
                | Op::Recurrence { .. }
                | Op::Sru(_)
                | Op::Skim(_)
        )
    }

    /// How many operands it takes; `None` is any number from 1.
    fn operands(&self) -> Option<usize> {
        match *self {
            Op::ConcatColumns | Op::ConcatRows => None,
            Op::Input | Op::Embedding { .. } => Some(0),
            Op::Binary(_) => Some(2),
            Op::Affine { .. }
            | Op::Unary(_)
            | Op::Columns { .. }
            | Op::Rows
            | Op::Pool(_)
            | Op::Dropout { .. }
            | Op::Softmax
            | Op::LogSoftmax
            | Op::CrossEntropy
            | Op::LayerNorm { .. } => Some(1),
            Op::Recurrence { cell, initial, .. } => Some(1 + cell.states(initial)),
            Op::Sru(sru) => Some(1 + usize::from(sru.skip) + usize::from(sru.initial)),
            Op::Skim(skim) => {
                let noise = matches!(skim.mode, SkimMode::Soft { given_noise: true, .. });
                let extra = usize::from(skim.small > 0) + usize::from(noise);
                Some(2 + extra + skim.cell.states(skim.initial))
            }
        }
    }

    /// Shapes of the outputs for operands of the given shapes.
    ///
    /// # Errors
    /// If an operand, index or parameter does not fit.
    pub fn infer(
        &self,
        inputs: &[Shape],
        indices: &[u32],
        parameters: &Parameters,
    ) -> Result<Vec<Shape>, EngineError> {
        let check = Check { op: self.name(), inputs };
        let shape = |rows, columns| Shape { rows, columns };
        if let Some(operands) = self.operands() {
            check.length("operands", operands, inputs.len())?;
        }
        Ok(match *self {
            Op::Input => {
                let reason = "values come from `Graph::input` and `Graph::variable`";
                return Err(EngineError::Unsupported { op: self.name(), reason });
            }
            Op::Embedding { table } => {
                let table = parameters.get(table);
                check.indices(indices, table.rows())?;
                vec![shape(indices.len(), table.columns())]
            }
            Op::Affine { weight, bias } => {
                weight.check(&check, parameters)?;
                let x = check.operand(0, weight.inputs)?;
                if let Some(bias) = bias {
                    check.length("bias", weight.outputs, parameters.values(bias).len())?;
                }
                vec![shape(x.rows, weight.outputs)]
            }
            Op::Unary(_) | Op::Dropout { .. } | Op::Softmax | Op::LogSoftmax => vec![check.any(0)?],
            Op::Binary(_) => {
                let (a, b) = (check.any(0)?, check.any(1)?);
                if a != b {
                    return Err(check.error("operand 1", a.to_string(), b.to_string()));
                }
                vec![a]
            }
            Op::ConcatColumns => {
                let rows = check.any(0)?.rows;
                (0..inputs.len()).try_for_each(|i| check.rows(i, rows))?;
                vec![shape(rows, inputs.iter().map(|x| x.columns).sum())]
            }
            Op::ConcatRows => {
                let columns = check.any(0)?.columns;
                (0..inputs.len()).try_for_each(|i| check.operand(i, columns).map(drop))?;
                vec![shape(inputs.iter().map(|x| x.rows).sum(), columns)]
            }
            Op::Columns { start, count } => {
                let x = check.any(0)?;
                if start.checked_add(count).is_none_or(|end| end > x.columns) {
                    let found = format!("{count} from column {start}");
                    return Err(check.error(
                        "range",
                        format!("within the {} columns of operand 0", x.columns),
                        found,
                    ));
                }
                vec![shape(x.rows, count)]
            }
            Op::Rows => {
                let x = check.any(0)?;
                check.indices(indices, x.rows)?;
                vec![shape(indices.len(), x.columns)]
            }
            Op::Pool(_) => vec![shape(1, check.any(0)?.columns)],
            Op::CrossEntropy => {
                let x = check.any(0)?;
                check.length("targets", x.rows, indices.len())?;
                check.indices(indices, x.columns)?;
                vec![shape(x.rows, 1)]
            }
            Op::LayerNorm { weight, bias } => {
                let n = parameters.values(weight).len();
                check.length("bias", n, parameters.values(bias).len())?;
                vec![check.operand(0, n)?]
            }
            Op::Recurrence { cell, weight_hh, bias_hh, initial, .. } => {
                let hidden = parameters.get(weight_hh).columns();
                check.not_empty("hidden size", hidden)?;
                let memory = cell.memory(hidden);
                check.length("weight_hh rows", cell.gates() * hidden, parameters.get(weight_hh).rows())?;
                if let Some(bias) = bias_hh {
                    check.length("bias_hh", cell.gates() * hidden, parameters.values(bias).len())?;
                }
                let x = check.operand(0, cell.gates() * hidden)?;
                if initial {
                    check.state(1, hidden, memory)?;
                }
                vec![shape(x.rows, hidden), shape(1, hidden), shape(1, memory)]
            }
            Op::Sru(sru) => {
                let n = parameters.values(sru.bias).len() / 2;
                check.not_empty("hidden size", n)?;
                check.length("bias", 2 * n, parameters.values(sru.bias).len())?;
                if sru.bidirectional && n % 2 == 1 {
                    return Err(check.error(
                        "channels of two directions",
                        "an even number".into(),
                        n.to_string(),
                    ));
                }
                if let Some(scale) = sru.scale {
                    check.length("scale", 1, parameters.values(scale).len())?;
                }
                let x = check.any(0)?;
                if x.columns != 3 * n && x.columns != 4 * n {
                    let found = x.columns.to_string();
                    return Err(check.error(
                        "columns of operand 0",
                        format!("{} or {}", 3 * n, 4 * n),
                        found,
                    ));
                }
                if let Some(v) = sru.weight_c {
                    check.length("weight_c", 2 * n, parameters.values(v).len())?;
                }
                if sru.skip {
                    check.operand(1, n)?;
                    check.rows(1, x.rows)?;
                }
                if sru.initial {
                    check.state(1 + usize::from(sru.skip), n, 0)?;
                }
                vec![shape(x.rows, n), shape(1, n)]
            }
            Op::Skim(skim) => skim.infer(&check, indices, parameters)?,
        })
    }
}

impl Skim {
    fn infer(
        &self,
        check: &Check<'_>,
        force: &[u32],
        parameters: &Parameters,
    ) -> Result<Vec<Shape>, EngineError> {
        let (d, gates) = (self.hidden, self.cell.gates());
        if !matches!(self.cell, CellKind::Lstm | CellKind::Gru) {
            return Err(EngineError::Unsupported { op: "skim", reason: "the cell must be an LSTM or a GRU" });
        }
        check.not_empty("hidden size", d)?;
        if self.small >= d {
            return Err(check.error("small size", format!("below {d}"), self.small.to_string()));
        }
        if self.small_reads != self.small && self.small_reads != d {
            let expected = format!("{} or {d}", self.small);
            return Err(check.error("state the small cell reads", expected, self.small_reads.to_string()));
        }
        let input = parameters.get(self.big_weight_ih).columns();
        check.length("big weight_ih rows", gates * d, parameters.get(self.big_weight_ih).rows())?;
        check.length("big bias_ih", gates * d, parameters.values(self.big_bias_ih).len())?;
        check.length("big weight_hh", gates * d * d, parameters.values(self.big_weight_hh).len())?;
        check.length("big bias_hh", gates * d, parameters.values(self.big_bias_hh).len())?;
        check.length("decision weight", 2 * (input + d), parameters.values(self.decision_weight).len())?;
        let first = match self.mode {
            SkimMode::Hard { .. } => input,
            SkimMode::Soft { .. } => gates * d,
        };
        let x = check.operand(0, first)?;
        let mut next = 1;
        let mut rows = |columns: usize| -> Result<(), EngineError> {
            check.operand(next, columns)?;
            check.rows(next, x.rows)?;
            next += 1;
            Ok(())
        };
        match self.small_hh {
            Some((weight, bias)) if self.small > 0 => {
                rows(gates * self.small)?;
                let size = gates * self.small * self.small_reads;
                check.length("small weight_hh", size, parameters.values(weight).len())?;
                check.length("small bias_hh", gates * self.small, parameters.values(bias).len())?;
            }
            None if self.small == 0 => {}
            _ => return Err(check.error("small cell", "weights iff d' > 0".into(), "otherwise".into())),
        }
        rows(2)?;
        if let SkimMode::Soft { given_noise: true, .. } = self.mode {
            rows(2)?;
        }
        if self.initial {
            check.state(next, d, self.cell.memory(d))?;
        }
        if !force.is_empty() {
            check.length("forced decisions", x.rows, force.len())?;
            check.indices(force, 3)?;
        }
        let shape = |rows, columns| Shape { rows, columns };
        let memory = self.cell.memory(d);
        Ok(vec![shape(x.rows, d), shape(1, d), shape(1, memory), shape(x.rows, 2), shape(x.rows, 1)])
    }
}

/// Checks operands, counted from 0, against what an operation expects.
struct Check<'a> {
    op: &'static str,
    inputs: &'a [Shape],
}

impl Check<'_> {
    fn error(&self, what: impl std::fmt::Display, expected: String, found: String) -> EngineError {
        EngineError::Shape { op: self.op, what: what.to_string(), expected, found }
    }

    fn not_empty(&self, what: &'static str, size: usize) -> Result<(), EngineError> {
        if size > 0 { Ok(()) } else { Err(self.error(what, "at least 1".into(), "0".into())) }
    }

    fn any(&self, i: usize) -> Result<Shape, EngineError> {
        let missing = || self.error("operands", format!("at least {}", i + 1), self.inputs.len().to_string());
        self.inputs.get(i).copied().ok_or_else(missing)
    }

    fn operand(&self, i: usize, columns: usize) -> Result<Shape, EngineError> {
        let x = self.any(i)?;
        self.length(format_args!("columns of operand {i}"), columns, x.columns)?;
        Ok(x)
    }

    fn rows(&self, i: usize, rows: usize) -> Result<(), EngineError> {
        self.length(format_args!("rows of operand {i}"), rows, self.any(i)?.rows)
    }

    fn length(&self, what: impl std::fmt::Display, expected: usize, found: usize) -> Result<(), EngineError> {
        if expected == found {
            return Ok(());
        }
        Err(self.error(what, expected.to_string(), found.to_string()))
    }

    /// An initial h, and c if `memory` is not 0, of one row each.
    fn state(&self, first: usize, hidden: usize, memory: usize) -> Result<(), EngineError> {
        self.operand(first, hidden)?;
        self.rows(first, 1)?;
        if memory > 0 {
            self.operand(first + 1, memory)?;
            self.rows(first + 1, 1)?;
        }
        Ok(())
    }

    fn indices(&self, indices: &[u32], bound: usize) -> Result<(), EngineError> {
        match indices.iter().find(|&&i| i as usize >= bound) {
            Some(&index) => Err(EngineError::Index { op: self.op, index, bound }),
            None => Ok(()),
        }
    }
}
