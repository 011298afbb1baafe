//! Adam (Kingma & Ba 2015) as PyTorch computes it, with decoupled weight decay (Loshchilov & Hutter 2019), clipping by
//! the global norm and an average of the weights over time.
//!
//! Word vectors are updated lazily: only rows that occur in the batch, with the moments of those rows alone. That
//! differs from dense Adam, in which rows keep moving after their last gradient, and costs what the batch costs
//! rather than what the vocabulary does. The average of a row that has rested for k steps is caught up in one:
//! `average = w + (average - w) decay^k`, exact since the row did not move.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::device::{AdamStep, Buffer, Device, EngineError, ParamId, Parameters, Part, Rows};
use crate::graph::Gradients;

/// Settings of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamConfig {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decoupled decay a step, times the step size.
    pub weight_decay: f32,
    /// The largest global norm of the gradient; 0 for none.
    pub clip: f32,
    /// Decay of the averaged weights; 0 for none.
    pub average: f32,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0, clip: 0.0, average: 0.0 }
    }
}

/// Parameters of which only some rows have a gradient, with those rows in increasing order.
pub type Touched = BTreeMap<ParamId, Vec<u32>>;

/// The optimiser, its state in the memory of a device.
pub struct Adam {
    config: AdamConfig,
    step: u64,
    moments: Vec<Moments<Buffer>>,
}

/// State of one parameter, on a device or, as a file keeps it, on the host.
#[derive(Clone, Debug)]
pub(super) struct Moments<B> {
    pub(super) first: B,
    pub(super) second: B,
    /// The averaged weights, if there is averaging.
    pub(super) average: Option<B>,
    /// Steps for which the average of each lazily updated row is caught up.
    pub(super) caught_up: Vec<u64>,
}

/// The state of every parameter, on the host.
pub(super) type Snapshot = Vec<Moments<Vec<f32>>>;

impl Adam {
    /// A fresh optimiser for parameters.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(config: AdamConfig, device: &Device, parameters: &Parameters) -> Result<Self, EngineError> {
        let moments = parameters.iter().map(|(_, p)| {
            Ok(Moments {
                first: device.zeros(p.values.len())?,
                second: device.zeros(p.values.len())?,
                average: (config.average > 0.0).then(|| device.upload(p.values.clone())).transpose()?,
                caught_up: vec![0; p.rows()],
            })
        });
        Ok(Self { config, step: 0, moments: moments.collect::<Result<_, EngineError>>()? })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Changes parameters by their gradients and sets the gradients to zero. Returns the gradient's global norm before
    /// clipping, and, read in the same exchange with the device, the elements of buffers asked for by `read`.
    /// `rate` is the step size of a parameter; where it is 0 the parameter stays. If the norm is not finite nothing
    /// changes but the gradients.
    ///
    /// # Errors
    /// If the device fails; if a graph, or another clone, still holds the parameters.
    pub async fn update(
        &mut self,
        device: &Device,
        parameters: &mut Parameters,
        gradients: &mut Gradients,
        touched: &Touched,
        rate: impl Fn(ParamId) -> f32,
        read: &[(Buffer, Range<usize>)],
    ) -> Result<(f32, Vec<Vec<f32>>), EngineError> {
        parameters.check_unshared()?;
        let parts: Vec<_> = parameters
            .iter()
            .filter_map(|(id, p)| {
                let buffer = gradients.get(id)?;
                Some(Part { buffer, columns: p.columns(), rows: rows(touched, id, p.rows()) })
            })
            .collect();
        let norm = device.norm(&parts)?;
        let ids: Vec<ParamId> = parameters.iter().map(|(id, _)| id).collect();
        for id in ids {
            self.change(device, parameters, id, gradients.get_mut(id), touched, rate(id), &norm)?;
        }
        let mut read = read.to_vec();
        read.push((norm, 0..1));
        let mut values = device.read(&read).await?;
        let norm = values.pop().map_or(f32::NAN, |norm| norm[0]);
        if norm.is_finite() {
            self.step += 1;
            for (id, rows) in touched.iter().filter(|_| self.config.average > 0.0) {
                let caught_up = &mut self.moments[id.index()].caught_up;
                rows.iter().for_each(|&row| caught_up[row as usize] = self.step);
            }
        }
        Ok((norm, values))
    }

    /// Changes one parameter and its average, if the norm is finite.
    #[allow(clippy::too_many_arguments, reason = "a step of Adam has as many operands")]
    fn change(
        &mut self,
        device: &Device,
        parameters: &mut Parameters,
        id: ParamId,
        gradient: &mut Option<Buffer>,
        touched: &Touched,
        rate: f32,
        norm: &Buffer,
    ) -> Result<(), EngineError> {
        let (step, decay) = (self.step + 1, self.config.average);
        let settings = self.settings(step, rate);
        let moments = &mut self.moments[id.index()];
        let rows = rows(touched, id, parameters.get(id).rows());
        let moves = parameters.get(id).trainable && rate > 0.0;
        if let Some(gradient) = gradient.as_mut().filter(|_| moves) {
            if let Rows::Listed(rows) = rows {
                moments.catch_up(device, parameters, id, rows, decay, step - 1, Some(norm))?;
            }
            let state = [&mut moments.first, &mut moments.second];
            device.adam(parameters, id, rows, gradient, state, norm, &settings)?;
        } else {
            *gradient = None;
            if let Rows::Listed(rows) = rows {
                return moments.catch_up(device, parameters, id, rows, decay, step, Some(norm));
            }
        }
        match &mut moments.average {
            Some(average) => device.average(parameters, id, rows, average, &[decay], Some(norm)),
            None => Ok(()),
        }
    }

    /// PyTorch's form: bias corrections in the step size and in the denominator.
    fn settings(&self, step: u64, rate: f32) -> AdamStep {
        let AdamConfig { beta1, beta2, epsilon, weight_decay, clip, .. } = self.config;
        let correction1 = 1.0 - f64::from(beta1).powf(step as f64);
        let correction2 = 1.0 - f64::from(beta2).powf(step as f64);
        AdamStep {
            beta1,
            beta2,
            epsilon,
            rate: (f64::from(rate) / correction1) as f32,
            correction: (1.0 / correction2.sqrt()) as f32,
            decay: 1.0 - rate * weight_decay,
            clip,
        }
    }

    /// Exchanges the weights with their averages (and back, when called again). Without averaging nothing happens.
    ///
    /// # Errors
    /// If the device fails.
    pub fn swap_average(&mut self, device: &Device, parameters: &mut Parameters) -> Result<(), EngineError> {
        parameters.check_unshared()?;
        let (step, decay) = (self.step, self.config.average);
        let ids: Vec<ParamId> = parameters.iter().map(|(id, _)| id).collect();
        for id in ids {
            let moments = &mut self.moments[id.index()];
            let lazy = |&row: &u32| moments.caught_up[row as usize] > 0;
            let rows: Vec<u32> = (0..moments.caught_up.len() as u32).filter(lazy).collect();
            moments.catch_up(device, parameters, id, &rows, decay, step, None)?;
            rows.iter().for_each(|&row| moments.caught_up[row as usize] = step);
            if let Some(average) = &mut moments.average {
                device.exchange(parameters, id, average)?;
            }
        }
        Ok(())
    }

    /// A copy of its state.
    pub(super) async fn snapshot(
        &self,
        device: &Device,
        parameters: &Parameters,
    ) -> Result<Snapshot, EngineError> {
        let mut snapshot = Snapshot::new();
        for ((_, p), m) in parameters.iter().zip(&self.moments) {
            let all = |buffer: &Buffer| (buffer.clone(), 0..p.values.len());
            let parts: Vec<_> = [&m.first, &m.second].into_iter().chain(&m.average).map(all).collect();
            let mut values = device.read(&parts).await?.into_iter();
            snapshot.push(Moments {
                first: values.next().unwrap_or_default(),
                second: values.next().unwrap_or_default(),
                average: values.next(),
                caught_up: m.caught_up.clone(),
            });
        }
        Ok(snapshot)
    }

    /// Takes over what [`Self::snapshot`] gave after so many steps.
    pub(super) fn restore(
        &mut self,
        device: &Device,
        step: u64,
        snapshot: Snapshot,
    ) -> Result<(), EngineError> {
        let upload = |m: Moments<Vec<f32>>| {
            Ok(Moments {
                first: device.upload(m.first)?,
                second: device.upload(m.second)?,
                average: m.average.map(|average| device.upload(average)).transpose()?,
                caught_up: m.caught_up,
            })
        };
        self.moments = snapshot.into_iter().map(upload).collect::<Result<_, EngineError>>()?;
        self.step = step;
        Ok(())
    }
}

impl Moments<Buffer> {
    /// Brings the averages of rows to `step`, over steps in which the rows did not move.
    #[allow(clippy::too_many_arguments, reason = "what an average depends on")]
    fn catch_up(
        &mut self,
        device: &Device,
        parameters: &Parameters,
        id: ParamId,
        rows: &[u32],
        decay: f32,
        step: u64,
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        let Some(average) = &mut self.average else { return Ok(()) };
        let rested = |row: u32| step - self.caught_up[row as usize];
        let rows: Vec<u32> = rows.iter().copied().filter(|&row| rested(row) > 0).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let keep = |&row: &u32| f64::from(decay).powf(rested(row) as f64) as f32;
        let keep: Vec<f32> = rows.iter().map(keep).collect();
        device.average(parameters, id, Rows::Listed(&rows), average, &keep, norm)
    }
}

/// The rows of a parameter that may have a gradient other than zero.
fn rows(touched: &Touched, id: ParamId, all: usize) -> Rows<'_> {
    touched.get(&id).map_or(Rows::All(all), |rows| Rows::Listed(rows))
}
