//! A recorded function over the rows of all lanes: products by the kernels of products, and what is between them as launches
//! of generated kernels.

use std::sync::Arc;

use super::affine::{self, Target, View};
use super::elementwise::copy_into;
use super::fused::{Bound, Layout, width};
use super::{Backward, first, size};
use crate::device::cell::{Matrix, Place, Plan, Product, Segment};
use crate::device::gpu::launch::Arg;
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward, Function};

/// The matrices of a call; those that are not needed are missing.
struct Matrices<'a> {
    name: &'static str,
    layout: Layout<'a>,
    rows: usize,
    /// Buffers, and where the first value of each lies.
    buffers: Vec<(Bound, GpuBuffer, u32)>,
    constants: Vec<f32>,
}

impl<'a> Matrices<'a> {
    /// The operands of a call.
    fn new(
        gpu: &Gpu,
        call: &Call<'_, GpuBuffer>,
        function: &Function,
        plan: &'a Plan,
    ) -> Result<Self, EngineError> {
        let apart = Layout { columns: &plan.columns, constants: &plan.constants, packed: false };
        let packed = plan.stages.iter().any(|stage| !apart.fits(&stage.segment));
        let (layout, rows) = (Layout { packed, ..apart }, call.inputs[0].total_rows());
        let (name, constants) = (function.name(), plan.constants.concat());
        let mut matrices = Self { name, layout, rows, buffers: Vec::new(), constants };
        if packed {
            let all =
                matrices.add(gpu, Bound::Inputs, call.inputs.iter().map(|input| input.columns).sum())?;
            for (i, input) in call.inputs.iter().enumerate() {
                let (_, to) = matrices.find(Matrix::Value(Place::Input(i)));
                copy_into(gpu, (&input.source, first(input)), (&all, to), size(input))?;
            }
        } else {
            for (i, input) in call.inputs.iter().enumerate() {
                matrices.buffers.push((Bound::Input(i), input.source.clone(), first(input)));
            }
        }
        Ok(matrices)
    }

    /// Adds a buffer with so many values a row, whatever they are.
    fn add(&mut self, gpu: &Gpu, bound: Bound, columns: usize) -> Result<GpuBuffer, EngineError> {
        let buffer = gpu.allocate(self.rows * columns)?;
        self.buffers.push((bound, buffer.clone(), 0));
        Ok(buffer)
    }

    /// Adds buffers for matrices of a kind: one for all, or one each.
    fn add_all(
        &mut self,
        gpu: &Gpu,
        columns: &[usize],
        matrix: impl Fn(usize) -> Matrix,
    ) -> Result<(), EngineError> {
        if self.layout.packed {
            let (all, _) = self.layout.place(matrix(0));
            return self.add(gpu, all, columns.iter().sum()).map(drop);
        }
        for (i, &columns) in columns.iter().enumerate() {
            let (own, _) = self.layout.place(matrix(i));
            self.add(gpu, own, columns)?;
        }
        Ok(())
    }

    /// The buffer of a matrix, and where its first value lies.
    fn find(&self, matrix: Matrix) -> (&GpuBuffer, u32) {
        let (bound, before) = self.layout.place(matrix);
        let (buffer, first) = self.buffer(bound);
        (buffer, first + (self.rows * before) as u32)
    }

    fn buffer(&self, bound: Bound) -> (&GpuBuffer, u32) {
        let Some((_, buffer, first)) = self.buffers.iter().find(|(known, ..)| *known == bound) else {
            unreachable!("a plan uses the matrices of its call");
        };
        (buffer, *first)
    }

    /// A matrix as a buffer of its own.
    fn alone(&self, gpu: &Gpu, matrix: Matrix, columns: usize) -> Result<GpuBuffer, EngineError> {
        let (buffer, first) = self.find(matrix);
        if !self.layout.packed {
            return Ok(buffer.clone());
        }
        let own = gpu.allocate(self.rows * columns)?;
        copy_into(gpu, (buffer, first), (&own, 0), self.rows * columns)?;
        Ok(own)
    }

    /// Runs the instructions of a segment, in one launch.
    fn run(&self, gpu: &Gpu, segment: &Segment) -> Result<(), EngineError> {
        if segment.lines.is_empty() {
            return Ok(());
        }
        let source = segment.shader.get_or_init(|| Arc::from(self.layout.source(segment)));
        let bindings = self.layout.bindings(segment);
        let mut numbers = vec![self.rows as u32];
        let mut arguments = Vec::with_capacity(1 + bindings.len());
        for &(bound, writes) in &bindings {
            if bound == Bound::Constants {
                numbers.push(0);
                arguments.push(Arg::words(&self.constants));
                continue;
            }
            let (buffer, first) = self.buffer(bound);
            numbers.push(first);
            arguments.push(if writes { Arg::Write(buffer) } else { Arg::Read(buffer) });
        }
        arguments.insert(0, Arg::Uniform(bytemuck::cast_slice(&numbers)));
        let (invocations, lines) = (self.rows * width(segment), segment.lines.iter());
        let most = lines.map(|line| line.instructions().len()).max().unwrap_or(0);
        gpu.launch_generated(self.name, source, &arguments, invocations, invocations * most)
    }

    /// What a product multiplies. An operand is read where it is, packed or not.
    fn view<'b>(&'b self, call: &'b Call<'_, GpuBuffer>, place: Place) -> View<'b> {
        match place {
            Place::Input(i) => {
                View::new(&call.inputs[i].source, first(&call.inputs[i]), call.inputs[i].columns)
            }
            Place::Kept(i) => {
                let (buffer, first) = self.find(Matrix::Value(place));
                View::new(buffer, first, self.layout.columns.kept[i])
            }
            _ => unreachable!("a product multiplies operands and kept values"),
        }
    }
}

/// The outputs; and all products and all kept values, if the call keeps anything.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    function: &Function,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let plan = function.forward();
    let columns = &plan.columns;
    let mut matrices = Matrices::new(gpu, call, function, plan)?;
    let products = matrices.add(gpu, Bound::Products, columns.products.iter().sum())?;
    let kept = matrices.add(gpu, Bound::Kept, columns.kept.iter().sum())?;
    matrices.add_all(gpu, &columns.outputs, |i| Matrix::Value(Place::Output(i)))?;
    for stage in &plan.stages {
        for product in &stage.products {
            multiply(gpu, call, &matrices, product)?;
        }
        matrices.run(gpu, &stage.segment)?;
    }
    let outputs = columns.outputs.iter().enumerate();
    let outputs = outputs.map(|(i, &c)| matrices.alone(gpu, Matrix::Value(Place::Output(i)), c));
    let outputs = outputs.collect::<Result<_, _>>()?;
    Ok(Forward { outputs, saved: if call.keep { vec![products, kept] } else { Vec::new() } })
}

/// A sum of products: each is added to what the one before has left.
fn multiply(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    matrices: &Matrices<'_>,
    product: &Product,
) -> Result<(), EngineError> {
    let (buffer, first) = matrices.find(Matrix::Value(Place::Product(product.number)));
    for (number, term) in product.terms.iter().enumerate() {
        let row = term.weight.outputs as u32;
        let bias = term.bias.map(|bias| gpu.weight(call.parameters, bias)).transpose()?;
        let target = Target { buffer, first, row, accumulate: number > 0, bias: bias.as_ref() };
        let x = matrices.view(call, term.operand);
        affine::product(gpu, call, &term.weight, x, matrices.rows, &target)?;
    }
    Ok(())
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    function: &Function,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let call = back.call;
    let plan = function.backward(back.upstream.iter().map(Option::is_some).collect(), back.wanted);
    let columns = &plan.columns;
    let mut matrices = Matrices::new(gpu, call, function, &plan)?;
    let [products, kept] = &back.forward.saved[..] else {
        unreachable!("a call that is differentiated has kept its products");
    };
    matrices.buffers.push((Bound::Products, products.clone(), 0));
    matrices.buffers.push((Bound::Kept, kept.clone(), 0));
    if matrices.layout.packed {
        let all = matrices.add(gpu, Bound::OutputGradients, columns.outputs.iter().sum())?;
        for (i, upstream) in back.upstream.iter().enumerate() {
            let Some(upstream) = upstream else { continue };
            let (_, to) = matrices.find(Matrix::Gradient(Place::Output(i)));
            copy_into(gpu, (upstream, 0), (&all, to), matrices.rows * columns.outputs[i])?;
        }
    } else {
        for (i, upstream) in back.upstream.iter().enumerate() {
            matrices.buffers.extend(upstream.clone().map(|d| (Bound::OutputGradient(i), d, 0)));
        }
    }
    matrices.add(gpu, Bound::ProductGradients, columns.products.iter().sum())?;
    matrices.add(gpu, Bound::KeptGradients, columns.kept.iter().sum())?;
    matrices.add_all(gpu, &columns.inputs, |i| Matrix::Gradient(Place::Input(i)))?;
    for stage in &plan.stages {
        matrices.run(gpu, &stage.segment)?;
        for product in &stage.products {
            let (dy, first) = matrices.find(Matrix::Gradient(Place::Product(product.number)));
            for term in &product.terms {
                let dy = View::new(dy, first, term.weight.outputs);
                let x = matrices.view(call, term.operand);
                affine::weight_gradients(gpu, back, &term.weight, term.bias, [x, dy], matrices.rows)?;
                let Some(accumulate) = term.add else { continue };
                let (buffer, first) = matrices.find(Matrix::Gradient(term.operand));
                let row = term.weight.inputs as u32;
                let target = Target { buffer, first, row, accumulate, bias: None };
                affine::input_gradient(gpu, call, &term.weight, dy, matrices.rows, &target)?;
            }
        }
    }
    let inputs = columns.inputs.iter().zip(&plan.written).enumerate();
    let gradient = |(i, (&columns, &written)): (usize, (&usize, &bool))| {
        let own = || matrices.alone(gpu, Matrix::Gradient(Place::Input(i)), columns);
        written.then(own).transpose()
    };
    inputs.map(gradient).collect()
}
