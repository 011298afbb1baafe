//! The optimiser's part of the CPU: the weights are the host's own.

use std::sync::Arc;

use super::{Buffer, Cpu};
use crate::cpu::{adam, norm};
use crate::device::optimize::{AdamStep, Optimize, Part, Rows};
use crate::device::{EngineError, ParamId, Parameters};

impl Optimize for Cpu {
    fn norm(&self, gradients: &[Part<'_, Buffer>]) -> Result<Buffer, EngineError> {
        let mut squares = 0.0f64;
        for part in gradients {
            for_runs(part.rows, part.columns, |_, first, size| {
                squares += norm::squares(&part.buffer[first..first + size]);
            });
        }
        Ok(Arc::new(vec![squares.sqrt() as f32]))
    }

    fn adam(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        rows: Rows<'_>,
        gradient: &mut Buffer,
        [first, second]: [&mut Buffer; 2],
        norm: &Buffer,
        step: &AdamStep,
    ) -> Result<(), EngineError> {
        let columns = parameters.get(id).columns();
        let values = &mut parameters.get_mut(id).values;
        let [gradient, first, second] = [gradient, first, second].map(Arc::make_mut);
        let (finite, settings) = (norm[0].is_finite(), step.settings(norm[0]));
        for_runs(rows, columns, |_, start, size| {
            let range = start..start + size;
            if finite {
                let (m, v) = (&mut first[range.clone()], &mut second[range.clone()]);
                adam::step(&mut values[range.clone()], &gradient[range.clone()], m, v, settings);
            }
            gradient[range].fill(0.0);
        });
        Ok(())
    }

    fn average(
        &self,
        parameters: &Parameters,
        id: ParamId,
        rows: Rows<'_>,
        average: &mut Buffer,
        keep: &[f32],
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        if norm.is_some_and(|norm| !norm[0].is_finite()) {
            return Ok(());
        }
        let (values, average) = (parameters.values(id), Arc::make_mut(average));
        for_runs(rows, parameters.get(id).columns(), |number, start, size| {
            let range = start..start + size;
            adam::average(&mut average[range.clone()], &values[range], keep[number.min(keep.len() - 1)]);
        });
        Ok(())
    }

    fn exchange(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        values: &mut Buffer,
    ) -> Result<(), EngineError> {
        std::mem::swap(&mut parameters.get_mut(id).values, Arc::make_mut(values));
        Ok(())
    }

    async fn fetch(&self, _: &mut Parameters) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Calls `f` with the number, the first value and the size of every run of values: one a listed row, one for all.
fn for_runs(rows: Rows<'_>, columns: usize, mut f: impl FnMut(usize, usize, usize)) {
    match rows {
        Rows::All(rows) => f(0, 0, rows * columns),
        Rows::Listed(numbers) => {
            for (i, &row) in numbers.iter().enumerate() {
                f(i, row as usize * columns, columns);
            }
        }
    }
}

impl AdamStep {
    /// As [`adam::step`] takes them, for a gradient of this global norm.
    fn settings(&self, norm: f32) -> [f32; 7] {
        let Self { beta1, beta2, epsilon, rate, correction, decay, clip } = *self;
        // PyTorch's `clip_grad_norm_`, which leaves a margin for rounding.
        let scale = if clip > 0.0 { (clip / (norm + 1e-6)).min(1.0) } else { 1.0 };
        [scale, beta1, beta2, epsilon, rate, correction, decay]
    }
}
