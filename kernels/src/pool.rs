//! One row from the rows of a lane: the last, the sum, the mean or the maximum. A lane without rows gives zeros.
//!
//! WGSL twins: `shaders/pool.wgsl` and `shaders/pool_backward.wgsl`.

use crate::Ragged;

/// Which row a lane becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pool {
    /// The last row.
    Last,
    /// The sum of the rows.
    Sum,
    /// The mean of the rows.
    Mean,
    /// The largest value of each column, NaN before all numbers.
    Max,
}

impl Pool {
    /// What the sum of `rows` rows is multiplied by.
    fn scale(self, rows: usize) -> f32 {
        if self == Pool::Mean { 1.0 / rows.max(1) as f32 } else { 1.0 }
    }
}

/// A row a lane.
pub fn forward(x: Ragged<'_>, pool: Pool) -> Vec<f32> {
    let n = x.columns;
    let mut out = vec![0.0; x.lanes() * n];
    if n == 0 {
        return out;
    }
    for (lane, out) in out.chunks_exact_mut(n).enumerate() {
        let mut rows = x.lane(lane).chunks_exact(n);
        match pool {
            Pool::Last => out.copy_from_slice(rows.next_back().unwrap_or(&vec![0.0; n])),
            Pool::Sum | Pool::Mean => {
                let scale = pool.scale(x.rows(lane));
                rows.for_each(|row| out.iter_mut().zip(row).for_each(|(o, r)| *o += r));
                out.iter_mut().for_each(|o| *o *= scale);
            }
            Pool::Max => {
                if let Some(first) = rows.next() {
                    out.copy_from_slice(first);
                }
                rows.for_each(|row| {
                    out.iter_mut()
                        .zip(row)
                        .for_each(|(o, r)| *o = if *r > *o || r.is_nan() { *r } else { *o })
                });
            }
        }
    }
    out
}

/// The gradient of the rows. A maximum that several rows share counts for the first.
pub fn backward(x: Ragged<'_>, pool: Pool, y: &[f32], dy: &[f32]) -> Vec<f32> {
    let n = x.columns;
    let mut dx = vec![0.0; x.all().len()];
    if n == 0 {
        return dx;
    }
    for lane in 0..x.lanes() {
        let (rows, start) = (x.rows(lane), x.start(lane));
        let (y, dy) = (&y[lane * n..(lane + 1) * n], &dy[lane * n..(lane + 1) * n]);
        let dx = &mut dx[start * n..(start + rows) * n];
        match pool {
            Pool::Last => {
                if let Some(last) = dx.chunks_exact_mut(n).next_back() {
                    last.copy_from_slice(dy);
                }
            }
            Pool::Sum | Pool::Mean => {
                let scale = pool.scale(rows);
                dx.chunks_exact_mut(n)
                    .for_each(|row| row.iter_mut().zip(dy).for_each(|(r, d)| *r = d * scale));
            }
            Pool::Max => {
                for j in 0..n {
                    let is_largest = |x: f32| x == y[j] || x.is_nan();
                    if let Some(row) = (0..rows).find(|row| is_largest(x.lane(lane)[row * n + j])) {
                        dx[row * n + j] = dy[j];
                    }
                }
            }
        }
    }
    dx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_before_all_numbers() {
        for (values, first) in [([f32::NAN, 2.0, 1.0], 0), ([2.0, f32::NAN, f32::NAN], 1), ([f32::NAN; 3], 0)]
        {
            let x = Ragged { values: &values, columns: 1, offsets: &[0, 3] };
            let y = forward(x, Pool::Max);
            assert!(y[0].is_nan(), "{values:?}: {y:?}");
            let mut expected = [0.0; 3];
            expected[first] = 5.0;
            assert_eq!(backward(x, Pool::Max, &y, &[5.0]), expected, "{values:?}");
        }
    }
}
