//! Optimisers on two devices.

use std::collections::BTreeSet;

use saccade_rnn::device::{Device, EngineError, ParamId, Parameters};
use saccade_rnn::graph::Gradients;
use saccade_rnn::train::{Adam, Averaging, Optimizer, OptimizerConfig, Rule, Sgd, Touched};

use crate::Random;
use crate::kernel::{Disagreement, Values, compare};

/// Some steps of an optimiser.
struct Run {
    name: &'static str,
    config: OptimizerConfig,
    /// Sizes of the parameters.
    shapes: &'static [[usize; 2]],
    /// Whether the first parameter is updated row by row.
    lazy: bool,
    /// The step size of the last parameter; that of the others is 0.01.
    last_rate: f32,
    /// The step whose gradient holds this value.
    wild: Option<(usize, f32)>,
}

const PLAIN: OptimizerConfig = OptimizerConfig {
    rule: Rule::Adam(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
    weight_decay: 0.0,
    clip: 0.0,
    averaging: Averaging::Off,
};
const STEPS: usize = 6;
/// A step moves a weight by its rate, whatever the gradient; what is compared are a few such steps.
const BOUND: f32 = 1e-5;

fn runs() -> Vec<Run> {
    let plain = Run {
        name: "dense",
        config: PLAIN,
        shapes: &[[3, 5], [1, 1], [130, 70]],
        lazy: false,
        last_rate: 0.01,
        wild: None,
    };
    let averaged = OptimizerConfig { averaging: Averaging::Decay(0.9), ..PLAIN };
    let all = OptimizerConfig { weight_decay: 0.1, clip: 2.0, ..averaged };
    vec![
        Run { name: "two of the largest", shapes: &[[130, 70], [3, 5], [130, 70]], ..plain },
        Run { name: "weight decay", config: OptimizerConfig { weight_decay: 0.3, ..PLAIN }, ..plain },
        Run { name: "clipping", config: OptimizerConfig { clip: 0.5, ..PLAIN }, ..plain },
        Run { name: "a norm below the clip", config: OptimizerConfig { clip: 1e4, ..PLAIN }, ..plain },
        Run { name: "averaging", config: averaged, ..plain },
        Run { name: "lazy rows", lazy: true, ..plain },
        Run { name: "lazy rows, averaged", config: averaged, lazy: true, ..plain },
        Run { name: "one row of many", shapes: &[[999, 3]], config: all, lazy: true, ..plain },
        Run { name: "a frozen parameter", config: averaged, last_rate: 0.0, ..plain },
        Run {
            name: "frozen lazy rows",
            shapes: &[[40, 9]],
            config: all,
            lazy: true,
            last_rate: 0.0,
            ..plain
        },
        Run {
            name: "gradient descent",
            config: OptimizerConfig { rule: Rule::Sgd(Sgd { momentum: 0.9 }), ..all },
            lazy: true,
            ..plain
        },
        Run {
            name: "a mean from the first step on",
            config: OptimizerConfig { averaging: Averaging::Mean { since: Some(0) }, ..PLAIN },
            lazy: true,
            ..plain
        },
        Run { name: "a NaN", config: all, lazy: true, wild: Some((2, f32::NAN)), ..plain },
        Run { name: "an infinity", config: all, wild: Some((3, f32::NEG_INFINITY)), ..plain },
        plain,
    ]
}

/// Runs optimisers on the CPU and on another device and compares norms, gradients, weights and averages; how many runs.
///
/// # Errors
/// The first disagreement, or the error of either device.
pub async fn optimizers_agree(device: &Device) -> Result<usize, Disagreement> {
    let runs = runs();
    for run in &runs {
        let fail =
            |what: &str, how: String| Disagreement { what: format!("optimiser, {}: {what}", run.name), how };
        let on_cpu =
            values(&Device::cpu(), run).await.map_err(|error| fail("on the CPU", error.to_string()))?;
        let on_device =
            values(device, run).await.map_err(|error| fail("on the device", error.to_string()))?;
        for ((name, a), (_, b)) in on_device.iter().zip(&on_cpu) {
            compare(a, b, BOUND).map_err(|how| fail(name, how))?;
        }
    }
    Ok(runs.len())
}

async fn values(device: &Device, run: &Run) -> Result<Values, EngineError> {
    let (mut random, mut parameters) = (Random::new(17), Parameters::new());
    let ids: Vec<ParamId> =
        run.shapes.iter().map(|shape| random.parameter(&mut parameters, shape, 1.0)).collect();
    let mut optimizer = Optimizer::new(run.config, device, &parameters)?;
    let mut gradients = Gradients::zeros(&parameters);
    let mut named = Values::new();
    for step in 0..STEPS {
        let mut touched = Touched::new();
        for (&id, &[rows, columns]) in ids.iter().zip(run.shapes) {
            let lazy = run.lazy && id == ids[0];
            let mut values = random.values(rows * columns, 1.0);
            if lazy {
                let some: BTreeSet<u32> = (0..rows.div_ceil(3)).map(|_| random.below(rows) as u32).collect();
                for (row, values) in (0..).zip(values.chunks_mut(columns)) {
                    if !some.contains(&row) {
                        values.fill(0.0);
                    }
                }
                touched.insert(id, some.into_iter().collect());
            }
            if let Some((_, value)) = run.wild.filter(|&(at, _)| at == step && !lazy) {
                values[rows * columns / 2] = value;
            }
            *gradients.get_mut(id) = Some(device.upload(values)?);
        }
        let rate = |id: ParamId| if id.index() + 1 == ids.len() { run.last_rate } else { 0.01 };
        let update = optimizer.update(device, &mut parameters, &mut gradients, &touched, rate, &[]);
        let (norm, _) = update.await?;
        let norm = if norm.is_finite() { norm } else { -1.0 };
        named.push((format!("norm of step {step}"), vec![norm]));
        for &id in &ids {
            let left = gradients.read(device, &parameters, id).await?;
            let zeros = || vec![0.0; parameters.values(id).len()];
            named.push((format!("gradient {} after step {step}", id.index()), left.unwrap_or_else(zeros)));
        }
        // Averages, and that weights survive the exchange with them.
        for what in ["average", "weight"] {
            optimizer.swap_average(device, &mut parameters)?;
            device.fetch(&mut parameters).await?;
            for &id in &ids {
                let values = parameters.values(id).to_vec();
                named.push((format!("{what} {} after step {step}", id.index()), values));
            }
        }
    }
    named.push(("steps".into(), vec![optimizer.steps() as f32]));
    Ok(named)
}
