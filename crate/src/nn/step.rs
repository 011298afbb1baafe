//! How a recurrent layer records a product and the recurrence over it: over all rows of a sequence, or for one step.

use crate::device::{EngineError, Op, PROGRAMS, Step};
use crate::graph::Expr;

/// What is asked of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Its rows and last states.
    Rows,
    /// Beside these what its cells do at every row.
    Inspect,
    /// Its rows and last states, of one row.
    Step,
}

impl Ask {
    /// Whether cells are inspected.
    pub(super) fn inspects(self) -> bool {
        self == Ask::Inspect
    }
}

/// The outputs of a recurrence over `product` of the first operand. Of a step both are one node; a build that leaves that
/// operation out ([`PROGRAMS`]) records two.
pub(super) fn record<'g>(
    ask: Ask,
    mut operands: Vec<Expr<'g>>,
    product: Op,
    recurrence: Op,
) -> Vec<Expr<'g>> {
    let x = operands[0];
    if PROGRAMS && ask == Ask::Step {
        return x.graph().record(Op::Step(Box::new(Step { product, recurrence })), &operands, Vec::new());
    }
    operands[0] = x.then(product);
    x.graph().record(recurrence, &operands, Vec::new())
}

/// The row of a step; a mistake if there is not exactly one, or if the layer reads the last row first.
#[track_caller]
pub(super) fn row(x: Expr<'_>, is_causal: bool) -> Expr<'_> {
    if !is_causal {
        let reason = "a layer in both directions needs the whole sequence";
        return x.graph().mistaken(EngineError::Unsupported { op: "step", reason });
    }
    let rows = x.shape().rows;
    if rows != 1 {
        let (what, found) = ("rows".to_string(), rows.to_string());
        return x.graph().mistaken(EngineError::Shape { op: "step", what, expected: "1".into(), found });
    }
    x
}
