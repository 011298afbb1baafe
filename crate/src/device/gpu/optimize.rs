//! The optimiser's part of the GPU: weights are changed where they live, and copied to the host on demand.

use std::iter::zip;

use super::kernels::ranges::Matrices;
use super::kernels::{adam, norm};
use super::{Gpu, GpuBuffer};
use crate::device::{Averaged, Buffer, Change, EngineError, ParamId, Parameters, Part};

impl Gpu {
    pub(in crate::device) fn upload_all(&self, matrices: &[Vec<f32>]) -> Result<Vec<GpuBuffer>, EngineError> {
        let sizes: Vec<usize> = matrices.iter().map(Vec::len).collect();
        let buffers = self.pool.end_to_end(&sizes)?;
        let mut recorder = self.recorder.borrow_mut();
        for (buffer, values) in zip(&buffers, matrices) {
            recorder.write(&self.context, buffer, bytemuck::cast_slice(values));
        }
        Ok(buffers)
    }

    pub(in crate::device) fn zeros_all(&self, sizes: &[usize]) -> Result<Vec<GpuBuffer>, EngineError> {
        let buffers = self.pool.end_to_end(sizes)?;
        let mut recorder = self.recorder.borrow_mut();
        buffers.iter().for_each(|buffer| recorder.clear(&self.context, buffer));
        Ok(buffers)
    }

    pub(in crate::device) fn norm(&self, gradients: &[Part<'_>]) -> Result<Buffer, EngineError> {
        let mut parts = Vec::with_capacity(gradients.len());
        for &Part { buffer, columns, rows } in gradients {
            parts.push(Matrices { buffers: vec![buffer.on_gpu()?], rows, columns });
        }
        norm::norm(self, &parts).map(Buffer::Gpu)
    }

    pub(in crate::device) fn adam(
        &self,
        parameters: &mut Parameters,
        mut changes: Vec<Change<'_>>,
        norm: &Buffer,
    ) -> Result<(), EngineError> {
        let mut weights = Vec::with_capacity(changes.len());
        for Change { id, gradient, moments: [first, second], .. } in &mut changes {
            for matrix in [gradient, first, second] {
                self.make_unique(matrix.on_gpu_mut()?)?;
            }
            weights.push(self.weight(parameters, *id)?);
        }
        let (mut matrices, mut steps) = (Vec::new(), Vec::new());
        for (Change { id, rows, gradient, moments: [first, second], step }, weight) in zip(&changes, &weights)
        {
            let buffers = vec![gradient.on_gpu()?, weight, first.on_gpu()?, second.on_gpu()?];
            matrices.push(Matrices { buffers, rows: *rows, columns: parameters.get(*id).columns() });
            steps.push(*step);
        }
        adam::step(self, &matrices, &steps, norm.on_gpu()?)?;
        for (change, weight) in zip(&changes, weights) {
            self.supersede(parameters, change.id, weight);
        }
        Ok(())
    }

    pub(in crate::device) fn average(
        &self,
        parameters: &Parameters,
        mut averages: Vec<Averaged<'_>>,
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        let mut weights = Vec::with_capacity(averages.len());
        for Averaged { id, average, .. } in &mut averages {
            self.make_unique(average.on_gpu_mut()?)?;
            weights.push(self.weight(parameters, *id)?);
        }
        let (mut matrices, mut shares): (Vec<_>, Vec<&[f32]>) = Default::default();
        for (Averaged { id, rows, average, keep }, weight) in zip(&averages, &weights) {
            let buffers = vec![weight, average.on_gpu()?];
            matrices.push(Matrices { buffers, rows: *rows, columns: parameters.get(*id).columns() });
            shares.push(keep);
        }
        adam::average(self, &matrices, &shares, norm.map(Buffer::on_gpu).transpose()?)
    }

    pub(in crate::device) fn exchange(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        values: &mut Buffer,
    ) -> Result<(), EngineError> {
        let values = values.on_gpu_mut()?;
        let weights = self.weight(parameters, id)?;
        self.supersede(parameters, id, std::mem::replace(values, weights));
        Ok(())
    }

    pub(in crate::device) async fn fetch(&self, parameters: &mut Parameters) -> Result<(), EngineError> {
        let ids: Vec<ParamId> =
            parameters.iter().map(|(id, _)| id).filter(|&id| self.is_ahead(parameters, id)).collect();
        let mut parts = Vec::new();
        for &id in &ids {
            parts.push((self.weight(parameters, id)?, 0..parameters.values(id).len()));
        }
        let values = self.read(&parts).await?;
        for (id, values) in ids.into_iter().zip(values) {
            self.catch_up(parameters, id, values);
        }
        Ok(())
    }
}
