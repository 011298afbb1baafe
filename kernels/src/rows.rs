//! Rows and columns moved: concatenation, a range of columns, rows by number, and their gradients.
//!
//! WGSL twin: `shaders/rows.wgsl`.

use crate::elementwise::add;
use crate::{BufferPool, Ragged};

/// Operands side by side; all have the same rows.
pub fn concat_columns(inputs: &[Ragged<'_>]) -> Vec<f32> {
    let rows = inputs[0].total_rows();
    let mut out = Vec::with_capacity(rows * inputs.iter().map(|x| x.columns).sum::<usize>());
    for row in 0..rows {
        inputs.iter().for_each(|x| out.extend_from_slice(x.row(row)));
    }
    out
}

/// The gradient of each operand of [`concat_columns`].
pub fn concat_columns_backward(inputs: &[Ragged<'_>], dy: &[f32]) -> Vec<Vec<f32>> {
    let width: usize = inputs.iter().map(|x| x.columns).sum();
    let mut first = 0;
    let part = |x: &Ragged<'_>| {
        let range = first..first + x.columns;
        first += x.columns;
        dy.chunks_exact(width.max(1)).flat_map(|row| &row[range.clone()]).copied().collect()
    };
    inputs.iter().map(part).collect()
}

/// `count` columns from `start` on.
pub fn columns(x: Ragged<'_>, start: usize, count: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(x.total_rows() * count);
    for row in x.all().chunks_exact(x.columns.max(1)) {
        out.extend_from_slice(&row[start..start + count]);
    }
    out
}

/// The gradient of the operand of [`columns`].
pub fn columns_backward(x: Ragged<'_>, start: usize, count: usize, dy: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; x.all().len()];
    if count > 0 {
        for (row, d) in dx.chunks_exact_mut(x.columns).zip(dy.chunks_exact(count)) {
            row[start..start + count].copy_from_slice(d);
        }
    }
    dx
}

/// Rows that lanes take of their own: lane `i` those with the numbers `numbers[offsets[i]..offsets[i + 1]]`, counted
/// from its first row and below how many it has.
#[derive(Clone, Copy)]
pub struct Chosen<'a> {
    /// Row numbers of all lanes end to end.
    pub numbers: &'a [u32],
    /// `lanes + 1` positions in `numbers`.
    pub offsets: &'a [usize],
}

impl Chosen<'_> {
    /// The chosen rows, counted over all lanes of `x`.
    fn rows(self, x: Ragged<'_>) -> Vec<usize> {
        let mut rows = Vec::with_capacity(self.numbers.len());
        for (lane, range) in self.offsets.windows(2).enumerate() {
            let numbers = &self.numbers[range[0]..range[1]];
            rows.extend(numbers.iter().map(|&number| x.start(lane) + number as usize));
        }
        rows
    }
}

/// The chosen rows.
pub fn select(buffers: &BufferPool, x: Ragged<'_>, chosen: Chosen<'_>) -> Vec<f32> {
    let mut out = buffers.take(chosen.numbers.len() * x.columns);
    for (out, row) in out.chunks_exact_mut(x.columns.max(1)).zip(chosen.rows(x)) {
        out.copy_from_slice(x.row(row));
    }
    out
}

/// The gradient of the operand of [`select`]: a row chosen several times sums what each occurrence got.
pub fn select_backward(buffers: &BufferPool, x: Ragged<'_>, chosen: Chosen<'_>, dy: &[f32]) -> Vec<f32> {
    let n = x.columns;
    let mut dx = buffers.zeros(x.all().len());
    for (row, d) in chosen.rows(x).into_iter().zip(dy.chunks_exact(n.max(1))) {
        add(&mut dx[row * n..(row + 1) * n], d);
    }
    dx
}
