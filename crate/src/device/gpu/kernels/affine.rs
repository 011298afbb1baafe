//! Matrix products, and affine layers made of them.

use saccade_shaders::shared::product::{ACCUMULATE, Arguments, BIAS};
use saccade_shaders::{self as shaders, Kernel, matmul_block as block, matmul_few as few};

use super::column_sums::add_columns;
use super::{Backward, first};
use crate::device::gpu::launch::{Arg, Grid, flag};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, ParamId, WeightView};

/// A matrix in a buffer: its first value, and the distances between its rows and columns.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) buffer: &'a GpuBuffer,
    pub(super) first: u32,
    pub(super) row: u32,
    pub(super) column: u32,
}

impl<'a> View<'a> {
    /// Rows of `columns` values end to end.
    pub(super) fn new(buffer: &'a GpuBuffer, first: u32, columns: usize) -> Self {
        Self { buffer, first, row: columns as u32, column: 1 }
    }

    /// The matrix without its first `count` columns.
    pub(super) fn skip_columns(self, count: usize) -> Self {
        Self { first: self.first + count as u32 * self.column, ..self }
    }

    /// The transposed matrix.
    pub(super) fn t(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }
}

/// Where a product is stored, and what is added to it.
pub(super) struct Target<'a> {
    pub(super) buffer: &'a GpuBuffer,
    pub(super) first: u32,
    /// Distance between rows.
    pub(super) row: u32,
    /// Whether the product is added to the values of the buffer.
    pub(super) accumulate: bool,
    /// The bias, one value a column.
    pub(super) bias: Option<&'a GpuBuffer>,
}

/// Up to this many rows fill at most half of a tile.
const FEW: u32 = 32;

/// The most terms that a launch sums. Some drivers silently end a shader's loop after 65,535 iterations (Mesa's
/// llvmpipe), and others take a long loop for a hang.
pub(super) const MOST_INNER: usize = 1 << 15;

/// `out (+)= a b (+ bias)`, `rows x inner` by `inner x columns`.
pub(super) fn matmul(
    gpu: &Gpu,
    [rows, inner, columns]: [usize; 3],
    mut a: View<'_>,
    mut b: View<'_>,
    out: &Target<'_>,
) -> Result<(), EngineError> {
    let first = inner.min(MOST_INNER);
    launch(gpu, [rows, first, columns], a, b, out)?;
    for start in (first..inner).step_by(MOST_INNER) {
        a.first += a.column * MOST_INNER as u32;
        b.first += b.row * MOST_INNER as u32;
        let size = [rows, MOST_INNER.min(inner - start), columns];
        launch(gpu, size, a, b, &Target { accumulate: true, bias: None, ..*out })?;
    }
    Ok(())
}

fn launch(
    gpu: &Gpu,
    [rows, inner, columns]: [usize; 3],
    a: View<'_>,
    b: View<'_>,
    out: &Target<'_>,
) -> Result<(), EngineError> {
    let arguments = Arguments {
        rows: rows as u32,
        columns: columns as u32,
        inner: inner as u32,
        a_first: a.first,
        a_row: a.row,
        a_column: a.column,
        b_first: b.first,
        b_row: b.row,
        b_column: b.column,
        out_first: out.first,
        out_row: out.row,
        bias_first: 0,
        flags: flag(out.accumulate, ACCUMULATE) | flag(out.bias.is_some(), BIAS),
    };
    let (kernel, tile) = kernel(gpu, rows as u32, columns as u32);
    gpu.launch(
        kernel,
        &[
            Arg::uniform(&arguments),
            Arg::Read(a.buffer),
            Arg::Read(b.buffer),
            out.bias.map_or(Arg::Nothing, Arg::Read),
            Arg::Write(out.buffer),
        ],
        Grid::Groups(rows.div_ceil(tile[0] as usize) * columns.div_ceil(tile[1] as usize)),
        rows * columns * inner.max(1),
    )
}

/// The kernel for a product of `rows x columns` values, and the rows and columns that one of its workgroups computes.
fn kernel(gpu: &Gpu, rows: u32, columns: u32) -> (&'static Kernel, [u32; 2]) {
    use saccade_shaders::matmul::{ROWS, c8, c32, c64};
    match (rows, columns) {
        (..=few::one::ROWS, _) => (&shaders::MATMUL_FEW_ONE, [few::one::ROWS, few::COLUMNS]),
        (..=few::two::ROWS, _) => (&shaders::MATMUL_FEW_TWO, [few::two::ROWS, few::COLUMNS]),
        (..=few::four::ROWS, _) => (&shaders::MATMUL_FEW_FOUR, [few::four::ROWS, few::COLUMNS]),
        (..=few::eight::ROWS, _) => (&shaders::MATMUL_FEW_EIGHT, [few::eight::ROWS, few::COLUMNS]),
        (rows, _) if rows <= FEW || gpu.adapter().software => {
            (&shaders::MATMUL_BLOCK, [block::ROWS, block::COLUMNS])
        }
        (_, ..=c8::COLUMNS) => (&shaders::MATMUL_C8, [ROWS, c8::COLUMNS]),
        (_, ..=c32::COLUMNS) => (&shaders::MATMUL_C32, [ROWS, c32::COLUMNS]),
        _ => (&shaders::MATMUL_C64, [ROWS, c64::COLUMNS]),
    }
}

/// `x Wᵀ + b`.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    weight: &WeightView,
    bias: Option<ParamId>,
) -> Result<GpuBuffer, EngineError> {
    let x = &call.inputs[0];
    let rows = x.total_rows();
    let out = gpu.allocate(rows * weight.outputs)?;
    let bias = bias.map(|bias| gpu.weight(call.parameters, bias)).transpose()?;
    let row = weight.outputs as u32;
    let target = Target { buffer: &out, first: 0, row, accumulate: false, bias: bias.as_ref() };
    product(gpu, call, weight, View::new(&x.source, first(x), x.columns), rows, &target)?;
    Ok(out)
}

/// `x Wᵀ` of so many rows.
pub(super) fn product(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    weight: &WeightView,
    x: View<'_>,
    rows: usize,
    target: &Target<'_>,
) -> Result<(), EngineError> {
    let values = gpu.weight(call.parameters, weight.param)?;
    let size = [rows, weight.inputs, weight.outputs];
    matmul(gpu, size, x, input_by_output(call, weight, &values), target)
}

/// A weight as a matrix `inputs x outputs`.
fn input_by_output<'a>(call: &Call<'_, GpuBuffer>, weight: &WeightView, values: &'a GpuBuffer) -> View<'a> {
    let columns = call.parameters.get(weight.param).columns();
    let view = View::new(values, weight.offset(call.parameters) as u32, columns);
    if weight.input_major { view } else { view.t() }
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    weight: &WeightView,
    bias: Option<ParamId>,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let (call, dy) = (back.call, back.upstream());
    let x = &call.inputs[0];
    let rows = x.total_rows();
    let dy = View::new(dy, 0, weight.outputs);
    let x = View::new(&x.source, first(x), weight.inputs);
    weight_gradients(gpu, back, weight, bias, [x, dy], rows)?;
    if !back.wanted[0] {
        return Ok(vec![None]);
    }
    let dx = gpu.allocate(rows * weight.inputs)?;
    let target = Target { buffer: &dx, first: 0, row: weight.inputs as u32, accumulate: false, bias: None };
    input_gradient(gpu, call, weight, dy, rows, &target)?;
    Ok(vec![Some(dx)])
}

/// Adds the gradients of a weight and a bias, `dy` being that of their product with `x`.
pub(super) fn weight_gradients(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    weight: &WeightView,
    bias: Option<ParamId>,
    [x, dy]: [View<'_>; 2],
    rows: usize,
) -> Result<(), EngineError> {
    let parameters = back.call.parameters;
    let d_weight = back.parameter(gpu, weight.param)?;
    let target = Target {
        buffer: &d_weight,
        first: weight.offset(parameters) as u32,
        row: parameters.get(weight.param).columns() as u32,
        accumulate: true,
        bias: None,
    };
    if weight.input_major {
        matmul(gpu, [weight.inputs, rows, weight.outputs], x.t(), dy, &target)?;
    } else {
        matmul(gpu, [weight.outputs, rows, weight.inputs], dy.t(), x, &target)?;
    }
    if let Some(bias) = bias {
        let d_bias = back.parameter(gpu, bias)?;
        add_columns(gpu, [rows, weight.outputs], dy, (&d_bias, 0))?;
    }
    Ok(())
}

/// `dy W`: the gradient of what a weight is multiplied with, by that of the product.
pub(super) fn input_gradient(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    weight: &WeightView,
    dy: View<'_>,
    rows: usize,
    target: &Target<'_>,
) -> Result<(), EngineError> {
    let values = gpu.weight(call.parameters, weight.param)?;
    let output_by_input = input_by_output(call, weight, &values).t();
    matmul(gpu, [rows, weight.outputs, weight.inputs], dy, output_by_input, target)
}
