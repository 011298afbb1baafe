//! Shapes of an operation's outputs, and whether its operands, indices and parameters fit.

use super::op::{
    Binary, GRAPH, Op, PROGRAMS, Shape, Skim, SkimMode, Unary, WeightView, graph_only, program_only,
};
use super::{CellKind, EngineError, Parameters, Reduce, Semiring};

impl Op {
    /// How many operands it takes; `None` is any number from 1.
    fn operands(&self) -> Option<usize> {
        match *self {
            Op::ConcatColumns | Op::ConcatRows => None,
            Op::Input | Op::Held | Op::Embedding { .. } => Some(0),
            Op::MatMul | Op::Binary(_) => Some(2),
            Op::Affine { .. }
            | Op::Semiring(_)
            | Op::Unary(_)
            | Op::Columns { .. }
            | Op::Rows
            | Op::ScatterAdd
            | Op::Pool(_)
            | Op::Reduce(_)
            | Op::Dropout { .. }
            | Op::Softmax
            | Op::LogSoftmax
            | Op::CrossEntropy
            | Op::LayerNorm { .. } => Some(1),
            Op::Recurrence { cell, initial, .. } => Some(1 + cell.states(initial)),
            Op::Step(ref step) => step.recurrence.operands(),
            Op::Cell(ref function) => Some(function.inputs()),
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
        let outputs = match *self {
            graph_only!() if !GRAPH => return Err(self.left_out()),
            program_only!() if !PROGRAMS => return Err(self.left_out()),
            Op::Input | Op::Held => {
                let reason = "values come from `Graph::input`, `Graph::variable` and `Graph::held`";
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
            Op::MatMul => {
                let (a, b) = (check.any(0)?, check.any(1)?);
                check.rows(1, a.columns)?;
                vec![shape(a.rows, b.columns)]
            }
            Op::Semiring(product) => {
                let [inputs, outputs] = product.sizes(parameters);
                check.not_empty("rows of the matrix", inputs)?;
                check.not_empty("columns of the matrix", outputs)?;
                let made = shape(check.operand(0, inputs)?.rows, outputs);
                vec![made; if product.semiring == Semiring::Max { 2 } else { 1 }]
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
                vec![shape(rows, inputs.iter().fold(0, |sum, x| sum.saturating_add(x.columns)))]
            }
            Op::ConcatRows => {
                let columns = check.any(0)?.columns;
                (0..inputs.len()).try_for_each(|i| check.operand(i, columns).map(drop))?;
                vec![shape(inputs.iter().fold(0, |sum, x| sum.saturating_add(x.rows)), columns)]
            }
            Op::Columns { start, count } => {
                let x = check.any(0)?;
                let end = start.wrapping_add(count);
                if end < start || end > x.columns {
                    let found = format!("{start}..{end}");
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
            Op::ScatterAdd => {
                let x = check.any(0)?;
                let (rows, numbers) = scattered(indices);
                check.length("numbers", x.rows, numbers.len())?;
                check.indices(numbers, rows)?;
                vec![shape(rows, x.columns)]
            }
            Op::Pool(_) => vec![shape(1, check.any(0)?.columns)],
            Op::Reduce(Reduce::Max) => {
                let x = check.any(0)?;
                check.not_empty("columns of operand 0", x.columns)?;
                vec![shape(x.rows, 1); 2]
            }
            Op::Reduce(_) => vec![shape(check.any(0)?.rows, 1)],
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
            Op::Recurrence { cell, weight_hh, bias_hh, initial, inspect, .. } => {
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
                let mut outputs = vec![shape(x.rows, hidden), shape(1, hidden), shape(1, memory)];
                if inspect {
                    outputs.extend([shape(x.rows, cell.saved() * hidden), shape(x.rows, memory)]);
                }
                outputs
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
                let mut outputs = vec![shape(x.rows, n), shape(1, n)];
                if sru.inspect {
                    outputs.extend([shape(x.rows, 2 * n), shape(x.rows, n)]);
                }
                outputs
            }
            Op::Skim(skim) => skim.infer(&check, indices, parameters)?,
            Op::Step(ref step) => step.infer(inputs, parameters)?,
            Op::Cell(ref function) => function.infer(&check, parameters)?,
        };
        outputs.iter().try_for_each(|&made| check_size(self.name(), "result", made))?;
        Ok(outputs)
    }
}

/// Whether an address can tell the bytes of so many values, however little memory there is; of a value without rows those of
/// a row, and without columns those of a column, so that no sum of sizes that saturates passes.
pub(crate) fn check_size(op: &'static str, what: &str, made: Shape) -> Result<(), EngineError> {
    const MOST: usize = isize::MAX as usize / size_of::<f32>();
    match made.rows.max(1).checked_mul(made.columns.max(1)) {
        Some(..=MOST) => Ok(()),
        _ => {
            let expected = format!("at most {MOST} values");
            Err(EngineError::Shape { op, what: what.into(), expected, found: made.to_string() })
        }
    }
}

/// The indices of [`Op::ScatterAdd`]: how many rows the result has, and the row that each row is added to.
pub(super) fn scattered(indices: &[u32]) -> (usize, &[u32]) {
    indices.split_last().map_or((0, indices), |(&rows, numbers)| (rows as usize, numbers))
}

impl WeightView {
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
        let mut outputs =
            vec![shape(x.rows, d), shape(1, d), shape(1, memory), shape(x.rows, 2), shape(x.rows, 1)];
        if self.inspect {
            if let SkimMode::Soft { .. } = self.mode {
                return Err(EngineError::Unsupported { op: "skim", reason: "a mixture is not inspected" });
            }
            outputs.extend([shape(x.rows, self.cell.saved() * d), shape(x.rows, memory)]);
        }
        Ok(outputs)
    }
}

/// Checks operands, counted from 0, against what an operation expects.
pub(super) struct Check<'a> {
    op: &'static str,
    inputs: &'a [Shape],
}

impl Check<'_> {
    pub(super) fn error(&self, what: impl std::fmt::Display, expected: String, found: String) -> EngineError {
        EngineError::Shape { op: self.op, what: what.to_string(), expected, found }
    }

    fn not_empty(&self, what: &'static str, size: usize) -> Result<(), EngineError> {
        if size > 0 { Ok(()) } else { Err(self.error(what, "at least 1".into(), "0".into())) }
    }

    pub(super) fn any(&self, i: usize) -> Result<Shape, EngineError> {
        let missing = || self.error("operands", format!("at least {}", i + 1), self.inputs.len().to_string());
        self.inputs.get(i).copied().ok_or_else(missing)
    }

    pub(super) fn operand(&self, i: usize, columns: usize) -> Result<Shape, EngineError> {
        let x = self.any(i)?;
        self.length(format_args!("columns of operand {i}"), columns, x.columns)?;
        Ok(x)
    }

    pub(super) fn rows(&self, i: usize, rows: usize) -> Result<(), EngineError> {
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
