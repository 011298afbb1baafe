//! The optimiser's part of the CPU: the weights are the host's own.

use std::sync::Arc;

use super::Cpu;
use crate::cpu::{adam, norm};
use crate::device::optimize::{AdamStep, Averaged, Change, Part, Rows};
use crate::device::{Buffer, EngineError, ParamId, Parameters};

impl Cpu {
    pub(in crate::device) fn norm(&self, gradients: &[Part<'_>]) -> Result<Buffer, EngineError> {
        let mut squares = 0.0f64;
        for part in gradients {
            let values = part.buffer.on_cpu()?;
            for_runs(part.rows, part.columns, |_, first, size| {
                squares += norm::squares(&values[first..first + size]);
            });
        }
        Ok(Buffer::Cpu(Arc::new(vec![squares.sqrt() as f32])))
    }

    pub(in crate::device) fn adam(
        &self,
        parameters: &mut Parameters,
        changes: Vec<Change<'_>>,
        norm: &Buffer,
    ) -> Result<(), EngineError> {
        let norm = norm.on_cpu()?[0];
        changes.into_iter().try_for_each(|change| change.run(parameters, norm))
    }

    pub(in crate::device) fn average(
        &self,
        parameters: &Parameters,
        averages: Vec<Averaged<'_>>,
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        if let Some(norm) = norm
            && !norm.on_cpu()?[0].is_finite()
        {
            return Ok(());
        }
        for Averaged { id, rows, average, keep } in averages {
            let (values, average) = (parameters.values(id), Arc::make_mut(average.on_cpu_mut()?));
            for_runs(rows, parameters.get(id).columns(), |number, start, size| {
                let range = start..start + size;
                let keep = keep[number.min(keep.len() - 1)];
                adam::average(&mut average[range.clone()], &values[range], keep);
            });
        }
        Ok(())
    }

    pub(in crate::device) fn exchange(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        values: &mut Buffer,
    ) -> Result<(), EngineError> {
        std::mem::swap(&mut parameters.get_mut(id).values, Arc::make_mut(values.on_cpu_mut()?));
        Ok(())
    }
}

impl Change<'_> {
    fn run(self, parameters: &mut Parameters, norm: f32) -> Result<(), EngineError> {
        let Self { id, rows, gradient, moments: [first, second], step } = self;
        let columns = parameters.get(id).columns();
        let values = &mut parameters.get_mut(id).values;
        let gradient = Arc::make_mut(gradient.on_cpu_mut()?);
        let (finite, settings) = (norm.is_finite(), step.settings(norm));
        if finite && step.is_descent() {
            let settings = [settings[0], step.rate / step.epsilon, step.decay];
            for_runs(rows, columns, |_, start, size| {
                let range = start..start + size;
                adam::descend(&mut values[range.clone()], &mut gradient[range], settings);
            });
            return Ok(());
        }
        let (first, second) = (Arc::make_mut(first.on_cpu_mut()?), Arc::make_mut(second.on_cpu_mut()?));
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
    /// Whether it is a step along the gradient alone: the first moment is the gradient and the second stays zero.
    fn is_descent(&self) -> bool {
        self.beta1 == 0.0 && self.beta2 == 1.0
    }

    /// The settings of [`adam::step`], for a gradient of this global norm.
    fn settings(&self, norm: f32) -> [f32; 7] {
        let Self { beta1, beta2, epsilon, rate, correction, decay, clip } = *self;
        // PyTorch's `clip_grad_norm_`, which leaves a margin for rounding.
        let scale = if clip > 0.0 { (clip / (norm + 1e-6)).min(1.0) } else { 1.0 };
        [scale, beta1, beta2, epsilon, rate, correction, decay]
    }
}
