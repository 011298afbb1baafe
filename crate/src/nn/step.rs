//! What a recurrent layer takes for one step: a row, to be read in one direction.

use crate::device::EngineError;
use crate::graph::Expr;

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
