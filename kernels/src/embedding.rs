//! Rows by number, and the sums by number that are the gradient: of a table by id, and of rows that are added up.
//!
//! WGSL twins: `shaders/embedding.wgsl` and `shaders/embedding_backward.wgsl`.

use crate::BufferPool;
use crate::recurrence::block;

/// `out[i] = table[ids[i]]`; `ids` are below the table's rows.
pub fn forward(buffers: &BufferPool, table: &[f32], columns: usize, ids: &[u32]) -> Vec<f32> {
    let mut out = buffers.take(ids.len() * columns);
    for (out, &id) in out.chunks_exact_mut(columns.max(1)).zip(ids) {
        out.copy_from_slice(block(table, id as usize, columns));
    }
    out
}

/// `d_table[ids[i]] += d_out[i]`.
pub fn backward(d_table: &mut [f32], columns: usize, ids: &[u32], d_out: &[f32]) {
    for (id, d) in ids.iter().zip(d_out.chunks_exact(columns.max(1))) {
        let row = &mut d_table[*id as usize * columns..(*id as usize + 1) * columns];
        row.iter_mut().zip(d).for_each(|(r, d)| *r += d);
    }
}
