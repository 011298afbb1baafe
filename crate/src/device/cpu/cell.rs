//! A recorded function over the rows of all lanes: products by the kernel of products, and what is between them as fused
//! instructions.

use std::borrow::Cow;

use super::packed_weights::Side;
use super::{Cpu, Values};
use crate::cpu::fused::{self, Read, Write};
use crate::cpu::packed::{Rows, Start, multiply};
use crate::device::cell::{Columns, Matrix, Place, Product, Segment};
use crate::device::{Call, Function, Parameters};

/// The matrices of a call. Those that are not there yet are empty.
pub(super) struct Matrices<'a> {
    pub(super) rows: usize,
    pub(super) columns: &'a Columns,
    pub(super) constants: &'a [Vec<f32>],
    pub(super) inputs: Vec<&'a [f32]>,
    pub(super) products: Vec<Cow<'a, [f32]>>,
    pub(super) kept: Vec<Cow<'a, [f32]>>,
    pub(super) outputs: Vec<Vec<f32>>,
    /// Gradients of the outputs.
    pub(super) given: Vec<&'a [f32]>,
    pub(super) input_gradients: Vec<Vec<f32>>,
    pub(super) product_gradients: Vec<Vec<f32>>,
    pub(super) kept_gradients: Vec<Vec<f32>>,
}

impl<'a> Matrices<'a> {
    /// The operands of a call.
    pub(super) fn new(call: &'a Call<'_>, columns: &'a Columns, constants: &'a [Vec<f32>]) -> Self {
        Self {
            rows: call.inputs[0].total_rows(),
            columns,
            constants,
            inputs: call.inputs.iter().map(|input| input.all()).collect(),
            products: vec![Cow::default(); columns.products.len()],
            kept: vec![Cow::default(); columns.kept.len()],
            outputs: vec![Vec::new(); columns.outputs.len()],
            given: Vec::new(),
            input_gradients: vec![Vec::new(); columns.inputs.len()],
            product_gradients: vec![Vec::new(); columns.products.len()],
            kept_gradients: vec![Vec::new(); columns.kept.len()],
        }
    }

    pub(super) fn values(&self, matrix: Matrix) -> &[f32] {
        match matrix {
            Matrix::Value(Place::Input(i)) => self.inputs[i],
            Matrix::Value(Place::Constant(i)) => &self.constants[i],
            Matrix::Value(Place::Product(i)) => &self.products[i],
            Matrix::Value(Place::Kept(i)) => &self.kept[i],
            Matrix::Value(Place::Output(i)) => &self.outputs[i],
            Matrix::Gradient(Place::Input(i)) => &self.input_gradients[i],
            Matrix::Gradient(Place::Product(i)) => &self.product_gradients[i],
            Matrix::Gradient(Place::Kept(i)) => &self.kept_gradients[i],
            Matrix::Gradient(Place::Output(i)) => self.given[i],
            Matrix::Gradient(Place::Constant(_)) => &[],
        }
    }

    fn columns(&self, matrix: Matrix) -> usize {
        let (Matrix::Value(place) | Matrix::Gradient(place)) = matrix;
        match place {
            Place::Input(i) => self.columns.inputs[i],
            // All rows are the same.
            Place::Constant(_) => 0,
            Place::Product(i) => self.columns.products[i],
            Place::Kept(i) => self.columns.kept[i],
            Place::Output(i) => self.columns.outputs[i],
        }
    }

    /// Takes a matrix out, to write to; one that is not there yet is as large as it has to be, and holds anything.
    pub(super) fn take(&mut self, cpu: &Cpu, matrix: Matrix) -> Vec<f32> {
        let size = self.rows * self.columns(matrix);
        let taken = match self.slot(matrix) {
            Slot::Own(values) => std::mem::take(values),
            Slot::Shared(values) => std::mem::take(values).into_owned(),
        };
        if taken.is_empty() { cpu.buffers.take(size) } else { taken }
    }

    pub(super) fn put(&mut self, matrix: Matrix, values: Vec<f32>) {
        match self.slot(matrix) {
            Slot::Own(slot) => *slot = values,
            Slot::Shared(slot) => *slot = Cow::Owned(values),
        }
    }

    fn slot(&mut self, matrix: Matrix) -> Slot<'_, 'a> {
        match matrix {
            Matrix::Value(Place::Product(i)) => Slot::Shared(&mut self.products[i]),
            Matrix::Value(Place::Kept(i)) => Slot::Shared(&mut self.kept[i]),
            Matrix::Value(Place::Output(i)) => Slot::Own(&mut self.outputs[i]),
            Matrix::Gradient(Place::Input(i)) => Slot::Own(&mut self.input_gradients[i]),
            Matrix::Gradient(Place::Product(i)) => Slot::Own(&mut self.product_gradients[i]),
            Matrix::Gradient(Place::Kept(i)) => Slot::Own(&mut self.kept_gradients[i]),
            _ => unreachable!("nothing writes operands, constants or what is given"),
        }
    }
}

/// Where a matrix is that a call makes.
enum Slot<'s, 'a> {
    Own(&'s mut Vec<f32>),
    Shared(&'s mut Cow<'a, [f32]>),
}

impl Cpu {
    /// Outputs; and products and kept values, if the call keeps anything.
    pub(super) fn cell(&self, call: &Call<'_>, function: &Function) -> Values {
        let plan = function.forward();
        let mut matrices = Matrices::new(call, &plan.columns, &plan.constants);
        for stage in &plan.stages {
            stage
                .products
                .iter()
                .for_each(|product| self.cell_product(call.parameters, &mut matrices, product));
            self.cell_segment(&mut matrices, &stage.segment);
        }
        let Matrices { products, kept, outputs, .. } = matrices;
        let between = products.into_iter().chain(kept).map(Cow::into_owned);
        if call.keep {
            return (outputs, between.collect());
        }
        between.for_each(|values| self.buffers.give_back(values));
        (outputs, Vec::new())
    }

    /// A sum of products: each begins with what the one before has left, and the first with all biases.
    fn cell_product(&self, p: &Parameters, matrices: &mut Matrices<'_>, product: &Product) {
        let place = Matrix::Value(Place::Product(product.number));
        let mut out = matrices.take(self, place);
        let mut biases = product.terms.iter().filter_map(|term| term.bias).map(|id| p.values(id));
        let mut bias = biases.next().map(Cow::Borrowed);
        if let Some(bias) = &mut bias {
            for other in biases {
                bias.to_mut().iter_mut().zip(other).for_each(|(sum, b)| *sum += b);
            }
        }
        for (number, term) in product.terms.iter().enumerate() {
            let weight = self.packed(p, term.weight, Side::Forward);
            let start = if number == 0 { Start::bias(bias.as_deref()) } else { Start::Out };
            let x = matrices.values(Matrix::Value(term.operand));
            multiply(&mut out, start, Rows::new(x, matrices.rows, term.weight.inputs), &weight);
        }
        matrices.put(place, out);
    }

    pub(super) fn cell_segment(&self, matrices: &mut Matrices<'_>, segment: &Segment) {
        let mut written: Vec<Vec<f32>> =
            segment.writes.iter().map(|&matrix| matrices.take(self, matrix)).collect();
        let read =
            |&matrix: &Matrix| Read { values: matrices.values(matrix), stride: matrices.columns(matrix) };
        let reads: Vec<Read<'_>> = segment.reads.iter().map(read).collect();
        let to = written.iter_mut().zip(&segment.writes);
        let to = to.map(|(values, &matrix)| Write { values, stride: matrices.columns(matrix) });
        let mut writes: Vec<Write<'_>> = to.collect();
        segment.lines.iter().for_each(|line| fused::run(line, matrices.rows, &reads, &mut writes));
        drop((reads, writes));
        segment.writes.iter().zip(written).for_each(|(&matrix, values)| matrices.put(matrix, values));
    }
}
