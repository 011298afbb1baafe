//! Adam against `torch.optim.Adam` and `AdamW`, gradient descent against `SGD`: five steps from given gradients, with and without clipping.

use std::collections::BTreeMap;

use saccade_rnn::device::{Device, ParamId, Parameters};
use saccade_rnn::graph::{Gradients, Graph, Strategy};
use saccade_rnn::train::{Adam, Optimizer, OptimizerConfig, Rule, Sgd, Touched};
use serde::Deserialize;

use crate::fixture::Fixture;
use crate::gpu;

#[derive(Deserialize)]
struct Case {
    lr: f32,
    max_norm: Option<f32>,
    steps: usize,
    #[serde(flatten)]
    rule: Options,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Options {
    Adam(Moments),
    Adamw(Moments),
    Sgd { momentum: f32 },
}

#[derive(Deserialize)]
struct Moments {
    betas: [f32; 2],
    eps: f32,
    weight_decay: f32,
}

impl Case {
    fn optimizer(&self) -> OptimizerConfig {
        let (rule, weight_decay) = match &self.rule {
            Options::Adam(Moments { betas: [beta1, beta2], eps, weight_decay })
            | Options::Adamw(Moments { betas: [beta1, beta2], eps, weight_decay }) => {
                (Rule::Adam(Adam { beta1: *beta1, beta2: *beta2, epsilon: *eps }), *weight_decay)
            }
            Options::Sgd { momentum } => (Rule::Sgd(Sgd { momentum: *momentum }), 0.0),
        };
        let clip = self.max_norm.unwrap_or(0.0);
        OptimizerConfig { rule, weight_decay, clip, ..OptimizerConfig::default() }
    }
}

#[test]
fn adam_moves_as_pytorch_does() {
    moves_as_pytorch_does("adam", 7);
}

#[test]
fn gradient_descent_moves_as_pytorch_does() {
    moves_as_pytorch_does("sgd", 3);
}

fn moves_as_pytorch_does(prefix: &str, least: usize) {
    let gpu = gpu::gpu();
    for fixture in Fixture::all("train", prefix, least) {
        let case: Case = fixture.config();
        if matches!(&case.rule, Options::Adam(Moments { weight_decay, .. }) if *weight_decay > 0.0) {
            // Decay added to the gradient, which ours (decoupled, as AdamW) does not offer.
            assert!(["train/adam_weight_decay", "train/adam_clip_weight_decay"].contains(&&*fixture.name));
            continue;
        }
        for lazy in [false, true] {
            pollster::block_on(check(&Device::cpu(), &fixture, &case, lazy));
            pollster::block_on(check(&gpu, &fixture, &case, lazy));
        }
    }
}

/// With `lazy` every row is named as touched, one by one: the same steps.
async fn check(device: &Device, fixture: &Fixture, case: &Case, lazy: bool) {
    let mut parameters = Parameters::new();
    let ids: BTreeMap<String, ParamId> = fixture
        .state_dict()
        .into_iter()
        .map(|(name, t)| (name.clone(), parameters.add(name, &t.shape, t.values).unwrap()))
        .collect();
    let mut optimizer = Optimizer::new(case.optimizer(), device, &parameters).unwrap();
    let mut gradients = Gradients::zeros(&parameters);
    let rows = |id: ParamId| (0..parameters.get(id).rows() as u32).collect();
    let touched: Touched = ids.values().filter(|_| lazy).map(|&id| (id, rows(id))).collect();
    for step in 0..case.steps {
        given_gradients(device, fixture, &parameters, &ids, step, &mut gradients).await;
        let rate = |_| case.lr;
        let update = optimizer.update(device, &mut parameters, &mut gradients, &touched, rate, &[]);
        let (norm, _) = update.await.unwrap();
        device.fetch(&mut parameters).await.unwrap();
        near(norm, fixture.expected("output.grad_norm")[step], &fixture.name);
        for (name, &id) in &ids {
            let found = parameters.values(id);
            let expected = &fixture.expected(&format!("output.{name}"))[step * found.len()..];
            for (f, e) in found.iter().zip(expected) {
                near(*f, *e, &format!("{} {name} after step {step}", fixture.name));
            }
        }
    }
}

/// PyTorch clips the parameters that it is given; one that stays as it is is not among them.
#[test]
fn what_stays_as_it_is_has_no_share_in_the_norm() {
    let device = Device::cpu();
    let mut parameters = Parameters::new();
    let moving = parameters.add("moving", &[1, 2], vec![1.0, 1.0]).unwrap();
    let frozen = parameters.add("frozen", &[1, 2], vec![1.0, 1.0]).unwrap();
    parameters.get_mut(frozen).trainable = false;
    let mut gradients = Gradients::zeros(&parameters);
    let graph = Graph::training(&parameters, &device, Strategy::Levels, 0);
    let of = |id, by: [f32; 2]| graph.embedding(id, &[0]) * graph.input(1, 2, by.to_vec());
    let sum = (of(moving, [3.0, 4.0]) + of(frozen, [30.0, 40.0])).sum_columns();
    pollster::block_on(sum.backward_into(&mut gradients)).unwrap();
    drop(graph);
    let config =
        OptimizerConfig { rule: Rule::Sgd(Sgd { momentum: 0.0 }), clip: 1.0, ..OptimizerConfig::default() };
    let mut optimizer = Optimizer::new(config, &device, &parameters).unwrap();
    let (touched, rate) = (Touched::default(), |_| 1.0);
    let update = optimizer.update(&device, &mut parameters, &mut gradients, &touched, rate, &[]);
    near(pollster::block_on(update).unwrap().0, 5.0, "norm");
    for (found, expected) in parameters.values(moving).iter().zip([0.4, 0.2]) {
        near(*found, expected, "moving");
    }
    assert_eq!(parameters.values(frozen), [1.0, 1.0]);
}

#[test]
fn parameters_that_came_later_are_refused() {
    let device = Device::cpu();
    let mut parameters = Parameters::new();
    let first = parameters.add("first", &[1, 1], vec![1.0]).unwrap();
    let mut optimizer = Optimizer::new(OptimizerConfig::default(), &device, &parameters).unwrap();
    parameters.add("second", &[1, 1], vec![1.0]).unwrap();
    let mut gradients = Gradients::zeros(&parameters);
    *gradients.get_mut(first) = Some(device.upload(vec![1.0]).unwrap());
    let (touched, rate) = (Touched::default(), |_| 1.0);
    let update = optimizer.update(&device, &mut parameters, &mut gradients, &touched, rate, &[]);
    let error = pollster::block_on(update).unwrap_err().to_string();
    assert_eq!(error, "update: parameters were added since the optimiser was made");
    assert_eq!(parameters.values(first), [1.0]);
}

fn near(found: f32, expected: f32, what: &str) {
    assert!(
        (found - expected).abs() <= 1e-5 * expected.abs().max(1.0),
        "{what}: {found}, expected {expected}"
    );
}

/// Σ parameter ⊙ g has the gradient g.
async fn given_gradients(
    device: &Device,
    fixture: &Fixture,
    parameters: &Parameters,
    ids: &BTreeMap<String, ParamId>,
    step: usize,
    gradients: &mut Gradients,
) {
    let graph = Graph::training(parameters, device, Strategy::Levels, 0);
    let mut terms = Vec::new();
    for (name, &id) in ids {
        let (rows, columns) = (parameters.get(id).rows(), parameters.get(id).columns());
        let all = fixture.expected(&format!("input.grad.{name}"));
        let g = all[step * rows * columns..(step + 1) * rows * columns].to_vec();
        let rows_of_it: Vec<u32> = (0..rows as u32).collect();
        let product = graph.embedding(id, &rows_of_it) * graph.input(rows, columns, g);
        terms.extend((0..columns).map(|j| product.columns(j..j + 1)));
    }
    let sum = graph.concat_rows(&terms).pool(saccade_rnn::device::Pool::Sum);
    sum.backward_into(gradients).await.unwrap();
}
