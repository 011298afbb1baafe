//! Adam (Kingma & Ba 2015) as PyTorch computes it, with decoupled weight decay (Loshchilov & Hutter 2019), clipping by
//! the global norm and an average of the weights over time.
//!
//! Word vectors are updated lazily: only rows that occur in the batch, with the moments of those rows alone. That
//! differs from dense Adam, in which rows keep moving after their last gradient, and costs what the batch costs
//! rather than what the vocabulary does. The average of a row that has rested for k steps is caught up in one:
//! `average = w + (average - w) decay^k`, exact since the row did not move.

use std::collections::BTreeMap;

use crate::cpu::adam;
use crate::device::{Cpu, ParamId, Parameters};
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

/// The optimiser's state.
#[derive(Clone, Debug)]
pub struct Adam {
    config: AdamConfig,
    /// Steps taken.
    pub(super) step: u64,
    /// First and second moments and averaged weights of each parameter.
    pub(super) moments: Vec<Moments>,
}

/// State of one parameter.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
    /// Empty without averaging.
    pub(super) average: Vec<f32>,
    /// Steps for which the average of each lazily updated row is caught up.
    pub(super) caught_up: Vec<u64>,
}

impl Adam {
    /// A fresh optimiser for parameters.
    pub fn new(config: AdamConfig, parameters: &Parameters) -> Self {
        let moments = parameters.iter().map(|(_, p)| Moments {
            first: vec![0.0; p.values.len()],
            second: vec![0.0; p.values.len()],
            average: if config.average > 0.0 { p.values.clone() } else { Vec::new() },
            caught_up: vec![0; p.rows()],
        });
        Self { config, step: 0, moments: moments.collect() }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Changes parameters by their gradients and sets the gradients to zero; returns the gradient's global norm before
    /// clipping. `rate` is the step size of a parameter; where it is 0 the parameter stays. If the norm is not finite
    /// nothing changes but the gradients.
    pub fn update(
        &mut self,
        parameters: &mut Parameters,
        gradients: &mut Gradients<Cpu>,
        touched: &Touched,
        rate: impl Fn(ParamId) -> f32,
    ) -> f32 {
        let ids: Vec<ParamId> = parameters.iter().map(|(id, _)| id).collect();
        let mut squares = 0.0f64;
        for &id in &ids {
            let columns = parameters.get(id).columns();
            for_rows(gradients, touched, id, columns, |_, g| {
                squares += g.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
            });
        }
        let norm = squares.sqrt() as f32;
        let finite = norm.is_finite();
        // PyTorch's `clip_grad_norm_`, which leaves a margin for rounding.
        let scale = if self.config.clip > 0.0 { (self.config.clip / (norm + 1e-6)).min(1.0) } else { 1.0 };
        if finite {
            self.step += 1;
        }
        for &id in &ids {
            let (columns, trainable) = (parameters.get(id).columns(), parameters.get(id).trainable);
            let rate = rate(id);
            let lazy = touched.contains_key(&id);
            let (config, step, moments) = (self.config, self.step, &mut self.moments[id.index()]);
            let values = &mut parameters.get_mut(id).values;
            for_rows(gradients, touched, id, columns, |first, g| {
                let range = first..first + g.len();
                if finite && trainable && rate > 0.0 {
                    if lazy {
                        moments.catch_up(first / columns.max(1), columns, values, config.average, step - 1);
                    }
                    moments.apply(&mut values[range], first, g, config, step, rate, scale);
                }
                g.fill(0.0);
            });
            if finite && !lazy {
                moments.average_all(values, config.average);
            } else if finite {
                for &row in touched.get(&id).into_iter().flatten() {
                    moments.catch_up(row as usize, columns, values, config.average, step);
                }
            }
        }
        norm
    }

    /// Exchanges the weights with their averages (and back, when called again). Without averaging nothing happens.
    pub fn swap_average(&mut self, parameters: &mut Parameters) {
        if self.config.average == 0.0 {
            return;
        }
        let step = self.step;
        for (id, p) in parameters.iter_mut() {
            let columns = p.columns();
            let moments = &mut self.moments[id.index()];
            for row in 0..p.rows() {
                if moments.caught_up[row] > 0 {
                    moments.catch_up(row, columns, &p.values, self.config.average, step);
                }
            }
            std::mem::swap(&mut p.values, &mut moments.average);
        }
    }
}

impl Moments {
    #[allow(clippy::too_many_arguments, reason = "one step of Adam has as many operands")]
    fn apply(
        &mut self,
        values: &mut [f32],
        first: usize,
        gradient: &[f32],
        config: AdamConfig,
        step: u64,
        rate: f32,
        scale: f32,
    ) {
        let range = first..first + gradient.len();
        // PyTorch's form: bias corrections in the step size and in the denominator.
        let correction1 = 1.0 - f64::from(config.beta1).powf(step as f64);
        let correction2 = 1.0 - f64::from(config.beta2).powf(step as f64);
        adam::step(
            values,
            gradient,
            &mut self.first[range.clone()],
            &mut self.second[range],
            [
                scale,
                config.beta1,
                config.beta2,
                config.epsilon,
                (f64::from(rate) / correction1) as f32,
                (1.0 / correction2.sqrt()) as f32,
                1.0 - rate * config.weight_decay,
            ],
        );
    }

    /// Brings the average of a row to `step`, over steps in which the row did not move.
    fn catch_up(&mut self, row: usize, columns: usize, values: &[f32], decay: f32, step: u64) {
        let rested = step - self.caught_up[row];
        if decay == 0.0 || rested == 0 {
            return;
        }
        self.caught_up[row] = step;
        let keep = f64::from(decay).powf(rested as f64) as f32;
        let range = row * columns..(row + 1) * columns;
        for (a, w) in self.average[range.clone()].iter_mut().zip(&values[range]) {
            *a = w + (*a - w) * keep;
        }
    }

    fn average_all(&mut self, values: &[f32], decay: f32) {
        if decay > 0.0 {
            for (a, w) in self.average.iter_mut().zip(values) {
                *a = w + (*a - w) * decay;
            }
        }
    }
}

/// Calls `f` with every row of a parameter's gradient that may be other than zero, and the place of its first value;
/// once with all of it if the parameter is not updated row by row.
fn for_rows(
    gradients: &mut Gradients<Cpu>,
    touched: &Touched,
    id: ParamId,
    columns: usize,
    mut f: impl FnMut(usize, &mut [f32]),
) {
    let Some(gradient) = gradients.get_mut(id) else { return };
    let gradient = std::sync::Arc::make_mut(gradient);
    match touched.get(&id) {
        None => f(0, gradient),
        Some(rows) => {
            for &row in rows {
                let first = row as usize * columns;
                f(first, &mut gradient[first..first + columns]);
            }
        }
    }
}
