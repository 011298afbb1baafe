//! Optimisers: a rule ([`Adam`], [`Sgd`]), decoupled weight decay (Loshchilov & Hutter 2019), clipping by the global norm
//! and an average of the weights over time ([`Averaging`]).
//!
//! Word vectors are updated lazily: only rows that occur in the batch, with the moments of those rows alone. That
//! differs from dense Adam, in which rows keep moving after their last gradient, and costs what the batch costs
//! rather than what the vocabulary does. The average of a row that has rested for some steps is caught up in one, exact
//! since the row did not move.

mod adam;
mod average;
mod sgd;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::device::{AdamStep, Buffer, Device, EngineError, ParamId, Parameters, Part, Rows};
use crate::graph::Gradients;

pub use adam::Adam;
pub use average::Averaging;
pub use sgd::Sgd;

/// How a gradient becomes a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// By moments of the gradient.
    Adam(Adam),
    /// Along the gradient.
    Sgd(Sgd),
}

/// Settings of an [`Optimizer`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizerConfig {
    /// How a gradient becomes a step.
    pub rule: Rule,
    /// Decoupled decay a step, times the step size.
    pub weight_decay: f32,
    /// The largest global norm of the gradient; 0 for none.
    pub clip: f32,
    /// Which weights are averaged.
    pub averaging: Averaging,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        let averaging = Averaging::default();
        Self { rule: Rule::Adam(Adam::default()), weight_decay: 0.0, clip: 0.0, averaging }
    }
}

/// Parameters of which only some rows have a gradient, with those rows in increasing order.
pub type Touched = BTreeMap<ParamId, Vec<u32>>;

/// The optimiser, its state in the memory of a device.
pub struct Optimizer {
    config: OptimizerConfig,
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

impl Optimizer {
    /// A fresh optimiser for parameters.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(
        config: OptimizerConfig,
        device: &Device,
        parameters: &Parameters,
    ) -> Result<Self, EngineError> {
        let moments = parameters.iter().map(|(_, p)| {
            Ok(Moments {
                first: device.zeros(p.values.len())?,
                second: device.zeros(p.values.len())?,
                average: config.averaging.is_on().then(|| device.upload(p.values.clone())).transpose()?,
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
                // What stays as it is has no share in the norm.
                let buffer = gradients.get(id).filter(|_| rate(id) > 0.0)?;
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
            for (id, rows) in touched.iter().filter(|_| self.config.averaging.is_on()) {
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
        let (step, averaging) = (self.step + 1, self.config.averaging);
        let settings = self.settings(step, rate);
        let moments = &mut self.moments[id.index()];
        let rows = rows(touched, id, parameters.get(id).rows());
        let moves = parameters.get(id).trainable && rate > 0.0;
        if let Some(gradient) = gradient.as_mut().filter(|_| moves) {
            if let Rows::Listed(rows) = rows {
                moments.catch_up(device, parameters, id, rows, averaging, step - 1, Some(norm))?;
            }
            let state = [&mut moments.first, &mut moments.second];
            device.adam(parameters, id, rows, gradient, state, norm, &settings)?;
        } else {
            *gradient = None;
            if let Rows::Listed(rows) = rows {
                return moments.catch_up(device, parameters, id, rows, averaging, step, Some(norm));
            }
        }
        match &mut moments.average {
            Some(average) => {
                let keep = averaging.keep(step - 1, step);
                device.average(parameters, id, rows, average, &[keep], Some(norm))
            }
            None => Ok(()),
        }
    }

    fn settings(&self, step: u64, rate: f32) -> AdamStep {
        let OptimizerConfig { rule, weight_decay, clip, .. } = self.config;
        let moves = match rule {
            Rule::Adam(adam) => adam.step(step, rate),
            Rule::Sgd(sgd) => sgd.step(rate),
        };
        AdamStep { decay: 1.0 - rate * weight_decay, clip, ..moves }
    }

    /// Begins an average of all weights from the next step on ([`Averaging::Mean`]).
    pub fn average_from_here(&mut self) {
        self.config.averaging = Averaging::Mean { since: Some(self.step) };
    }

    /// Which weights are averaged.
    pub fn averaging(&self) -> Averaging {
        self.config.averaging
    }

    /// Exchanges the weights with their averages (and back, when called again). Without averaging nothing happens.
    ///
    /// # Errors
    /// If the device fails.
    pub fn swap_average(&mut self, device: &Device, parameters: &mut Parameters) -> Result<(), EngineError> {
        parameters.check_unshared()?;
        let (step, averaging) = (self.step, self.config.averaging);
        let ids: Vec<ParamId> = parameters.iter().map(|(id, _)| id).collect();
        for id in ids {
            let moments = &mut self.moments[id.index()];
            let lazy = |&row: &u32| moments.caught_up[row as usize] > 0;
            let rows: Vec<u32> = (0..moments.caught_up.len() as u32).filter(lazy).collect();
            moments.catch_up(device, parameters, id, &rows, averaging, step, None)?;
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
        averaging: Averaging,
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
        (self.step, self.config.averaging) = (step, averaging);
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
        averaging: Averaging,
        step: u64,
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        let Some(average) = &mut self.average else { return Ok(()) };
        let caught_up = |row: u32| self.caught_up[row as usize];
        let rows: Vec<u32> = rows.iter().copied().filter(|&row| caught_up(row) < step).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let keep = |&row: &u32| averaging.keep(caught_up(row), step);
        let keep: Vec<f32> = rows.iter().map(keep).collect();
        device.average(parameters, id, Rows::Listed(&rows), average, &keep, norm)
    }
}

/// The rows of a parameter that may have a gradient other than zero.
fn rows(touched: &Touched, id: ParamId, all: usize) -> Rows<'_> {
    touched.get(&id).map_or(Rows::All(all), |rows| Rows::Listed(rows))
}
