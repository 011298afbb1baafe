//! Products with rows of a table among which the same come again and again, as letters and common words do in a minibatch: each
//! is multiplied once, and gradients are added up by word before they are multiplied. (Feature `train`; [`super::word_cache`]
//! keeps products while weights stay as they are.)
//!
//! No WGSL twin: the GPU multiplies every row.

use super::backward::Gradients;
use super::packed_weights::Side;
use super::{Cpu, ids, table_rows};
use crate::cpu::{affine, embedding};
use crate::device::{Call, ParamId, WeightView};

/// The words of a call, each once.
struct Words {
    table: ParamId,
    ids: Vec<u32>,
    /// Of every row, the number of its word in `ids`.
    numbers: Vec<u32>,
    /// Of every word, the first row that is its.
    firsts: Vec<usize>,
}

impl Words {
    /// Those of the first operand, if it is rows of a table and has each word twice or more, in the mean.
    fn of(call: &Call<'_>) -> Option<Self> {
        let rows = table_rows(call)?;
        let all = ids(call, rows);
        let mut words = Self { table: rows.table, ids: Vec::new(), numbers: Vec::new(), firsts: Vec::new() };
        // Of every row of the table one more than the number of its word; 0 if it has none.
        let mut known = vec![0; call.parameters.get(rows.table).rows()];
        for (row, &id) in all.iter().enumerate() {
            let known = &mut known[id as usize];
            if *known == 0 {
                words.ids.push(id);
                words.firsts.push(row);
                if 2 * words.ids.len() > all.len() {
                    return None;
                }
                *known = words.ids.len() as u32;
            }
            words.numbers.push(*known - 1);
        }
        Some(words)
    }
}

impl Cpu {
    /// The product of the first operand with a weight, where a step of training asks for it and words repeat. The product of a
    /// row has the same bits in any product ([`crate::cpu::packed`]).
    pub(super) fn product_by_word(
        &self,
        call: &Call<'_>,
        view: WeightView,
        bias: Option<ParamId>,
    ) -> Option<Vec<f32>> {
        let words = call.keep.then(|| Words::of(call))??;
        let (p, buffers) = (call.parameters, &self.buffers);
        let weight = self.packed(p, view, Side::Forward);
        let x = embedding::forward(buffers, p.values(words.table), weight.inputs(), &words.ids);
        let products = affine::forward(buffers, &x, words.ids.len(), &weight, bias.map(|b| p.values(b)));
        let rows = embedding::forward(buffers, &products, weight.outputs(), &words.numbers);
        buffers.give_back(x);
        buffers.give_back(products);
        Some(rows)
    }

    /// Adds the gradients of a weight and a bias, `dy` being that of their product with the first operand; that operand's own, if
    /// it is `wanted`. Of each word it stands at the word's first row: whoever sums it up by word has the same.
    pub(super) fn gradients_by_word(
        &self,
        call: &Call<'_>,
        view: &WeightView,
        bias: Option<ParamId>,
        dy: &[f32],
        wanted: bool,
        gradients: &mut Gradients<'_>,
    ) -> Option<Option<Vec<f32>>> {
        let words = Words::of(call)?;
        let (p, buffers, count) = (call.parameters, &self.buffers, words.ids.len());
        let mut sums = buffers.zeros(count * view.outputs);
        embedding::backward(&mut sums, view.outputs, &words.numbers, dy);
        let x = embedding::forward(buffers, p.values(words.table), view.inputs, &words.ids);
        self.affine_gradients(call, view, bias, (&x, count), &sums, gradients);
        let dx = wanted.then(|| {
            let of_words =
                affine::backward_input(buffers, &sums, count, &self.packed(p, *view, Side::Backward));
            let mut dx = buffers.zeros(words.numbers.len() * view.inputs);
            for (&row, d) in words.firsts.iter().zip(of_words.chunks_exact(view.inputs.max(1))) {
                dx[row * view.inputs..][..view.inputs].copy_from_slice(d);
            }
            buffers.give_back(of_words);
            dx
        });
        buffers.give_back(sums);
        buffers.give_back(x);
        Some(dx)
    }
}
