//! Weight drop (Merity, Keskar & Socher 2018): of the recurrent weights, some are zero while a batch is learned from, the
//! same at every step of time.

use super::set_aside::SetAside;
use crate::cpu::noise;
use crate::device::{Device, EngineError, ParamId, Parameters};
use crate::graph::Gradients;

/// Recurrent matrices of which a batch sees only a part.
pub(super) struct Dropped {
    rate: f32,
    seed: u32,
    whole: SetAside,
}

impl Dropped {
    /// Drops weights of every recurrent matrix; the others count `1 / (1 - rate)` times as much.
    pub(super) fn begin(parameters: &mut Parameters, rate: f32, seed: u32) -> Self {
        let is_recurrent = |name: &str| rate > 0.0 && name.contains("weight_hh");
        let ids = parameters.iter().filter(|(_, p)| is_recurrent(&p.name)).map(|(id, _)| id);
        let ids: Vec<ParamId> = ids.collect();
        let mut dropped = Self { rate, seed, whole: SetAside::default() };
        for id in ids {
            let values = dropped.whole.keep(parameters, id);
            mask(rate, seed, id, values);
        }
        dropped
    }

    /// Brings the weights back.
    pub(super) fn restore(&mut self, parameters: &mut Parameters) {
        self.whole.restore(parameters);
    }

    /// Makes gradients with regard to what the batch saw ones with regard to the weights.
    pub(super) async fn correct(
        &self,
        device: &Device,
        parameters: &Parameters,
        gradients: &mut Gradients,
    ) -> Result<(), EngineError> {
        for id in self.whole.ids() {
            let Some(gradient) = gradients.get_mut(id) else { continue };
            let size = parameters.get(id).values.len();
            let mut values = device.read(&[(gradient.clone(), 0..size)]).await?.swap_remove(0);
            mask(self.rate, self.seed, id, &mut values);
            *gradient = device.upload(values)?;
        }
        Ok(())
    }
}

fn mask(rate: f32, seed: u32, id: ParamId, values: &mut [f32]) {
    for (i, value) in (0..).zip(values) {
        let is_kept = noise::uniform(seed, id.index() as u32, i) >= rate;
        *value = if is_kept { *value / (1.0 - rate) } else { 0.0 };
    }
}
