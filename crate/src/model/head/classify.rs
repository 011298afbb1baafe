//! One label for a text: the rows become one by pooling, and the pooled row becomes logits.

use super::super::{Classification, Pool};
use crate::device;
use crate::graph::Expr;
use crate::nn::{BuildError, Builder, Linear};

/// Pool and linear map: parameters `weight [labels, width]`, `bias [labels]`.
#[derive(Clone, Debug)]
pub struct Classify {
    pool: Pool,
    linear: Linear,
}

impl Classify {
    pub(super) fn new(
        builder: &mut Builder,
        task: &Classification,
        width: usize,
    ) -> Result<Self, BuildError> {
        Ok(Self { pool: task.pool, linear: Linear::new(builder, width, task.labels.len())? })
    }

    /// The last state, the sum or the maximum of the rows so far, `1 x width`.
    pub(super) fn gather<'g>(&self, before: Option<Expr<'g>>, rows: Expr<'g>, last: Expr<'g>) -> Expr<'g> {
        let pool = match self.pool {
            // A piece without rows changes nothing.
            Pool::Last if rows.shape().rows == 0 => return before.unwrap_or(last),
            Pool::Last => return last,
            Pool::Mean => device::Pool::Sum,
            Pool::Max => device::Pool::Max,
        };
        match before {
            Some(before) if rows.shape().rows == 0 => before,
            // Row by row, so that a sum is the same wherever the text is cut.
            Some(before) => rows.graph().concat_rows(&[before, rows]).pool(pool),
            None => rows.pool(pool),
        }
    }

    /// `1 x labels`.
    pub(super) fn logits<'g>(&self, gathered: Expr<'g>, tokens: usize, dropout: f32) -> Expr<'g> {
        self.linear.forward(self.pooled(gathered, tokens).dropout(dropout, false))
    }

    /// The pooled row of a text of `tokens`.
    fn pooled<'g>(&self, gathered: Expr<'g>, tokens: usize) -> Expr<'g> {
        match self.pool {
            Pool::Last | Pool::Max => gathered,
            Pool::Mean => gathered.scale(1.0 / tokens.max(1) as f32),
        }
    }

    pub(super) fn logits_at_every_row<'g>(&self, rows: Expr<'g>) -> Expr<'g> {
        if self.pool == Pool::Last {
            return self.linear.forward(rows);
        }
        let (mut gathered, mut pooled) = (None, Vec::new());
        for row in 0..rows.shape().rows {
            let row_alone = rows.rows(&[row as u32]);
            let next = self.gather(gathered, row_alone, row_alone);
            gathered = Some(next);
            pooled.push(self.pooled(next, row + 1));
        }
        match &pooled[..] {
            [] => self.linear.forward(rows),
            _ => self.linear.forward(rows.graph().concat_rows(&pooled)),
        }
    }
}
