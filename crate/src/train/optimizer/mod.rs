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
use std::iter::zip;
use std::ops::Range;

use crate::device::{
    AdamStep, Averaged, Buffer, Change, Device, EngineError, ParamId, Parameters, Part, Rows,
};
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
    /// Steps that the parameter has taken: it rests while it is not to learn.
    pub(super) steps: u64,
}

/// Of every parameter the rows whose averages are behind, and what each keeps when it is caught up.
type Late = Vec<(Vec<u32>, Vec<f32>)>;

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
        device.join(parameters)?;
        let sizes: Vec<usize> = parameters.iter().map(|(_, p)| p.values.len()).collect();
        let (first, second) = (device.zeros_all(&sizes)?, device.zeros_all(&sizes)?);
        let averages = if config.averaging.is_on() {
            device.upload_all(parameters.iter().map(|(_, p)| p.values.clone()).collect())?
        } else {
            Vec::new()
        };
        let mut averages = averages.into_iter();
        let moments = zip(parameters.iter(), zip(first, second)).map(|((_, p), (first, second))| Moments {
            first,
            second,
            average: averages.next(),
            caught_up: vec![0; p.rows()],
            steps: 0,
        });
        let moments = moments.collect();
        Ok(Self { config, step: 0, moments })
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
    /// If the device fails; if a graph, or another clone, still holds the parameters; if some were added since
    /// [`Self::new`].
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
        if parameters.len() != self.moments.len() {
            let reason = "parameters were added since the optimiser was made";
            return Err(EngineError::Unsupported { op: "update", reason });
        }
        let parts: Vec<_> = parameters
            .iter()
            .filter_map(|(id, p)| {
                // What stays as it is has no share in the norm.
                let buffer = gradients.get(id).filter(|_| p.trainable && rate(id) > 0.0)?;
                Some(Part { buffer, columns: p.columns(), rows: rows(touched, id, p.rows()) })
            })
            .collect();
        let norm = device.norm(&parts)?;
        self.change(device, parameters, gradients, touched, &rate, &norm)?;
        let mut read = read.to_vec();
        read.push((norm, 0..1));
        let mut values = device.read(&read).await?;
        let norm = values.pop().map_or(f32::NAN, |norm| norm[0]);
        if norm.is_finite() {
            self.step += 1;
            for (moments, gradient) in zip(&mut self.moments, gradients.iter_mut()) {
                moments.steps += u64::from(gradient.is_some());
            }
            for (id, rows) in touched.iter().filter(|_| self.config.averaging.is_on()) {
                let caught_up = &mut self.moments[id.index()].caught_up;
                rows.iter().for_each(|&row| caught_up[row as usize] = self.step);
            }
        }
        Ok((norm, values))
    }

    /// Changes all parameters and their averages, if the norm is finite.
    fn change(
        &mut self,
        device: &Device,
        parameters: &mut Parameters,
        gradients: &mut Gradients,
        touched: &Touched,
        rate: &dyn Fn(ParamId) -> f32,
        norm: &Buffer,
    ) -> Result<(), EngineError> {
        let (step, averaging) = (self.step + 1, self.config.averaging);
        for (id, _) in parameters.iter().filter(|&(id, p)| !(p.trainable && rate(id) > 0.0)) {
            *gradients.get_mut(id) = None;
        }
        // Rows that move are caught up to where they moved last, those that stay to this step.
        let mut late: Late = vec![Default::default(); parameters.len()];
        for (&id, rows) in touched {
            let to = if gradients.get(id).is_some() { step - 1 } else { step };
            late[id.index()] = self.moments[id.index()].rested(rows, averaging, to);
        }
        self.catch_up(device, parameters, late, Some(norm))?;

        let settings: Vec<AdamStep> = zip(parameters.iter(), &self.moments)
            .map(|((id, _), moments)| self.settings(moments.steps + 1, rate(id)))
            .collect();
        let mut changes = Vec::new();
        let all = zip(zip(parameters.iter(), &mut self.moments), zip(gradients.iter_mut(), settings));
        for (((id, p), moments), (gradient, step)) in all {
            let Some(gradient) = gradient else { continue };
            let (rows, moments) = (rows(touched, id, p.rows()), [&mut moments.first, &mut moments.second]);
            changes.push(Change { id, rows, gradient, moments, step });
        }
        device.adam(parameters, changes, norm)?;

        let most = touched.values().map(Vec::len).max().unwrap_or(0);
        let keep = vec![averaging.keep(step - 1, step); most.max(1)];
        let mut averages = Vec::new();
        for ((id, p), moments) in zip(parameters.iter(), &mut self.moments) {
            let rows = rows(touched, id, p.rows());
            let keep = match rows {
                Rows::All(_) => &keep[..1],
                // Caught up above.
                Rows::Listed(_) if gradients.get(id).is_none() => continue,
                Rows::Listed(rows) => &keep[..rows.len()],
            };
            averages.extend(moments.average.as_mut().map(|average| Averaged { id, rows, average, keep }));
        }
        device.average(parameters, averages, Some(norm))
    }

    /// Brings averages of rows to the step of their shares.
    fn catch_up(
        &mut self,
        device: &Device,
        parameters: &Parameters,
        late: Late,
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        let mut averages = Vec::new();
        for (((id, _), moments), (rows, keep)) in zip(zip(parameters.iter(), &mut self.moments), &late) {
            if let Some(average) = moments.average.as_mut().filter(|_| !rows.is_empty()) {
                averages.push(Averaged { id, rows: Rows::Listed(rows), average, keep });
            }
        }
        device.average(parameters, averages, norm)
    }

    fn settings(&self, step: u64, rate: f32) -> AdamStep {
        let OptimizerConfig { rule, weight_decay, clip, .. } = self.config;
        let moves = match rule {
            Rule::Adam(adam) => adam.step(step, rate),
            Rule::Sgd(sgd) => sgd.step(rate),
        };
        AdamStep { decay: 1.0 - rate * weight_decay, clip, ..moves }
    }

    /// Begins an average of all weights from the next step on ([`Averaging::Mean`]), unless nothing is averaged.
    pub fn average_from_here(&mut self) {
        if self.config.averaging.is_on() {
            self.config.averaging = Averaging::Mean { since: Some(self.step) };
        }
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
        let mut late = Late::new();
        for moments in &mut self.moments {
            let lazy = |&row: &u32| moments.caught_up[row as usize] > 0;
            let rows: Vec<u32> = (0..moments.caught_up.len() as u32).filter(lazy).collect();
            late.push(moments.rested(&rows, averaging, step));
            rows.iter().for_each(|&row| moments.caught_up[row as usize] = step);
        }
        self.catch_up(device, parameters, late, None)?;
        let ids: Vec<ParamId> = parameters.iter().map(|(id, _)| id).collect();
        for (id, moments) in zip(ids, &mut self.moments) {
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
                steps: m.steps,
            });
        }
        Ok(snapshot)
    }

    /// Takes over what [`Self::snapshot`] gave after so many steps.
    pub(super) fn restore(
        &mut self,
        device: &Device,
        parameters: &Parameters,
        step: u64,
        averaging: Averaging,
        snapshot: Snapshot,
    ) -> Result<(), EngineError> {
        device.join(parameters)?;
        let (mut first, mut second, mut averages) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = Vec::new();
        for moments in snapshot {
            first.push(moments.first);
            second.push(moments.second);
            averages.extend(moments.average);
            rest.push((moments.caught_up, moments.steps));
        }
        let mut averages = device.upload_all(averages)?.into_iter();
        let moments = zip(device.upload_all(first)?, device.upload_all(second)?);
        let moments = zip(moments, rest).map(|((first, second), (caught_up, steps))| Moments {
            first,
            second,
            average: averages.next(),
            caught_up,
            steps,
        });
        self.moments = moments.collect();
        (self.step, self.config.averaging) = (step, averaging);
        Ok(())
    }
}

impl Moments<Buffer> {
    /// Which of some rows have an average that is behind `step`, and what it keeps of the distance to them until then.
    fn rested(&self, rows: &[u32], averaging: Averaging, step: u64) -> (Vec<u32>, Vec<f32>) {
        if self.average.is_none() {
            return Default::default();
        }
        let caught_up = |row: u32| self.caught_up[row as usize];
        let late = rows.iter().copied().filter(|&row| caught_up(row) < step);
        late.map(|row| (row, averaging.keep(caught_up(row), step))).unzip()
    }
}

/// The rows of a parameter that may have a gradient other than zero.
fn rows(touched: &Touched, id: ParamId, all: usize) -> Rows<'_> {
    touched.get(&id).map_or(Rows::All(all), |rows| Rows::Listed(rows))
}
