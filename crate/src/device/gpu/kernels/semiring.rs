//! Products of rows and a matrix in a semiring.

use saccade_shaders::{Kernel, semiring as shader, semiring_backward};

use super::affine::MOST_INNER;
use super::{Backward, first, size};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Semiring, SemiringProduct};

/// Rows, inputs and outputs of a call, and the distances between rows and columns of its matrix.
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
    weight_row: u32,
    weight_column: u32,
}

impl Sizes {
    fn new(call: &Call<'_, GpuBuffer>, product: SemiringProduct) -> Self {
        let [inputs, outputs] = product.sizes(call.parameters);
        let (weight_row, weight_column) =
            if product.transposed { (1, inputs as u32) } else { (outputs as u32, 1) };
        Self { rows: call.inputs[0].total_rows(), inputs, outputs, weight_row, weight_column }
    }
}

/// The product; for the maximum the rows of the matrix that it came by too.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    product: SemiringProduct,
) -> Result<Vec<GpuBuffer>, EngineError> {
    let Sizes { rows, inputs, outputs, weight_row, weight_column } = Sizes::new(call, product);
    let (kernel, count) = match product.semiring {
        Semiring::Log => (&saccade_shaders::SEMIRING_LOG, 1),
        Semiring::Max => (&saccade_shaders::SEMIRING_MAX, 2),
    };
    let made: Vec<_> = (0..count).map(|_| gpu.allocate(rows * outputs)).collect::<Result<_, _>>()?;
    let x = &call.inputs[0];
    let arguments = shader::Arguments {
        rows: rows as u32,
        inputs: inputs as u32,
        outputs: outputs as u32,
        x_first: first(x),
        weight_row,
        weight_column,
    };
    let weight = gpu.weight(call.parameters, product.weight)?;
    let mut bindings = vec![Arg::uniform(&arguments), Arg::Read(&x.source), Arg::Read(&weight)];
    bindings.extend(made.iter().map(Arg::Write));
    gpu.launch(kernel, &bindings, Grid::Invocations(rows * outputs), rows * outputs * inputs)?;
    Ok(made)
}

/// The gradient of the rows; adds to that of the matrix.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    product: SemiringProduct,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let Some(Some(dy)) = back.upstream.first() else {
        // The rows that maxima came by have no gradient.
        return Ok(vec![None]);
    };
    let Sizes { rows, inputs, outputs, weight_row, weight_column } = Sizes::new(back.call, product);
    let (x, made) = (&back.call.inputs[0], &back.forward.outputs);
    let weight = gpu.weight(back.call.parameters, product.weight)?;
    let ([of_rows, of_matrix], y): ([&'static Kernel; 2], _) = match product.semiring {
        Semiring::Log => {
            let kernels = [
                &saccade_shaders::SEMIRING_BACKWARD_LOG_ROWS,
                &saccade_shaders::SEMIRING_BACKWARD_LOG_MATRIX,
            ];
            (kernels, &made[0])
        }
        Semiring::Max => {
            let kernels = [
                &saccade_shaders::SEMIRING_BACKWARD_MAX_ROWS,
                &saccade_shaders::SEMIRING_BACKWARD_MAX_MATRIX,
            ];
            (kernels, &made[1])
        }
    };
    let launch = |kernel, out: &GpuBuffer, values: usize, start: usize, end: usize| {
        let arguments = semiring_backward::Arguments {
            rows: rows as u32,
            inputs: inputs as u32,
            outputs: outputs as u32,
            x_first: first(x),
            weight_row,
            weight_column,
            start: start as u32,
            end: end as u32,
        };
        let mut bindings = vec![Arg::uniform(&arguments), Arg::Read(dy), Arg::Read(y), Arg::Write(out)];
        if product.semiring == Semiring::Log {
            bindings.extend([Arg::Read(&x.source), Arg::Read(&weight)]);
        }
        gpu.launch(kernel, &bindings, Grid::Invocations(values), values * outputs.max(end - start))
    };
    let gradient = back.parameter(gpu, product.weight)?;
    for start in (0..rows).step_by(MOST_INNER) {
        launch(of_matrix, &gradient, inputs * outputs, start, rows.min(start + MOST_INNER))?;
    }
    if !back.wanted[0] {
        return Ok(vec![None]);
    }
    let dx = gpu.allocate(size(x))?;
    launch(of_rows, &dx, size(x), 0, 0)?;
    Ok(vec![Some(dx)])
}
