//! The optimiser's part of the GPU: weights are changed where they live, and copied to the host on demand.

use super::kernels::{adam, norm};
use super::{Gpu, GpuBuffer};
use crate::device::{AdamStep, Device, EngineError, Optimize, ParamId, Parameters, Part, Rows};

impl Optimize for Gpu {
    fn norm(&self, gradients: &[Part<'_, GpuBuffer>]) -> Result<GpuBuffer, EngineError> {
        norm::norm(self, gradients)
    }

    fn adam(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        rows: Rows<'_>,
        gradient: &mut GpuBuffer,
        moments: [&mut GpuBuffer; 2],
        norm: &GpuBuffer,
        step: &AdamStep,
    ) -> Result<(), EngineError> {
        self.make_unique(gradient)?;
        let [first, second] = moments;
        self.make_unique(first)?;
        self.make_unique(second)?;
        let weights = self.weight(parameters, id)?;
        let state = adam::State { gradient, weights: &weights, moments: [first, second] };
        adam::step(self, &state, (rows, parameters.get(id).columns()), norm, step)?;
        self.supersede(parameters, id, weights);
        Ok(())
    }

    fn average(
        &self,
        parameters: &Parameters,
        id: ParamId,
        rows: Rows<'_>,
        average: &mut GpuBuffer,
        keep: &[f32],
        norm: Option<&GpuBuffer>,
    ) -> Result<(), EngineError> {
        self.make_unique(average)?;
        let weights = self.weight(parameters, id)?;
        adam::average(self, &weights, average, (rows, parameters.get(id).columns()), keep, norm)
    }

    fn exchange(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        values: &mut GpuBuffer,
    ) -> Result<(), EngineError> {
        let weights = self.weight(parameters, id)?;
        self.supersede(parameters, id, std::mem::replace(values, weights));
        Ok(())
    }

    async fn fetch(&self, parameters: &mut Parameters) -> Result<(), EngineError> {
        let ids: Vec<ParamId> =
            parameters.iter().map(|(id, _)| id).filter(|&id| self.is_ahead(parameters, id)).collect();
        let mut parts = Vec::new();
        for &id in &ids {
            parts.push((self.weight(parameters, id)?, 0..parameters.values(id).len()));
        }
        let values = self.read(&parts).await?;
        for (id, values) in ids.into_iter().zip(values) {
            parameters.catch_up(id, values);
            self.caught_up(parameters, id);
        }
        Ok(())
    }
}
