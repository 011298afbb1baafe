//! The optimiser's part of the GPU: weights are changed where they live, and copied to the host on demand.

use super::Gpu;
use super::kernels::{adam, norm};
use crate::device::{AdamStep, Buffer, EngineError, ParamId, Parameters, Part, Rows};

impl Gpu {
    pub(in crate::device) fn norm(&self, gradients: &[Part<'_>]) -> Result<Buffer, EngineError> {
        let mut parts = Vec::with_capacity(gradients.len());
        for part in gradients {
            parts.push(Part { buffer: part.buffer.on_gpu()?, columns: part.columns, rows: part.rows });
        }
        norm::norm(self, &parts).map(Buffer::Gpu)
    }

    #[allow(clippy::too_many_arguments, reason = "a step of Adam has as many operands")]
    pub(in crate::device) fn adam(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        rows: Rows<'_>,
        gradient: &mut Buffer,
        [first, second]: [&mut Buffer; 2],
        norm: &Buffer,
        step: &AdamStep,
    ) -> Result<(), EngineError> {
        let (gradient, norm) = (gradient.on_gpu_mut()?, norm.on_gpu()?);
        let (first, second) = (first.on_gpu_mut()?, second.on_gpu_mut()?);
        self.make_unique(gradient)?;
        self.make_unique(first)?;
        self.make_unique(second)?;
        let weights = self.weight(parameters, id)?;
        let state = adam::State { gradient, weights: &weights, moments: [first, second] };
        adam::step(self, &state, (rows, parameters.get(id).columns()), norm, step)?;
        self.supersede(parameters, id, weights);
        Ok(())
    }

    pub(in crate::device) fn average(
        &self,
        parameters: &Parameters,
        id: ParamId,
        rows: Rows<'_>,
        average: &mut Buffer,
        keep: &[f32],
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        let (average, norm) = (average.on_gpu_mut()?, norm.map(Buffer::on_gpu).transpose()?);
        self.make_unique(average)?;
        let weights = self.weight(parameters, id)?;
        adam::average(self, &weights, average, (rows, parameters.get(id).columns()), keep, norm)
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
