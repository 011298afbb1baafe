//! Steps of an optimiser.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Number;
use wasm_bindgen::prelude::*;

use super::super::convert::answer;
use super::super::device;
use super::super::error::Failure;
use super::gradients::Gradients;
use super::weights::{State, Weights, fetched};
use crate::device::Device;
use crate::train::{self, Adam, Averaging, OptimizerConfig, Rule, Sgd, Touched};

/// An optimiser, its state on a device until `free()`.
#[wasm_bindgen]
pub struct Optimizer {
    /// None while it steps.
    inner: Rc<RefCell<Option<(train::Optimizer, Device)>>>,
}

#[wasm_bindgen]
impl Optimizer {
    /// Adam (Kingma & Ba 2015), with decoupled weight decay and clipping by the global norm (0 for none).
    #[allow(clippy::too_many_arguments, reason = "JavaScript gives every option of a call by itself")]
    #[wasm_bindgen(unchecked_return_type = "Optimizer | Promise<Optimizer>")]
    pub fn adam(
        weights: &Weights,
        beta1: f32,
        beta2: f32,
        epsilon: f32,
        weight_decay: f32,
        clip: f32,
        device: String,
    ) -> JsValue {
        Self::made(weights, Rule::Adam(Adam { beta1, beta2, epsilon }), weight_decay, clip, device)
    }

    /// Gradient descent with momentum.
    #[wasm_bindgen(unchecked_return_type = "Optimizer | Promise<Optimizer>")]
    pub fn sgd(weights: &Weights, momentum: f32, weight_decay: f32, clip: f32, device: String) -> JsValue {
        Self::made(weights, Rule::Sgd(Sgd { momentum }), weight_decay, clip, device)
    }

    fn made(weights: &Weights, rule: Rule, weight_decay: f32, clip: f32, device: String) -> JsValue {
        let weights = Rc::clone(&weights.inner);
        answer(async move {
            let cpu = weights.borrow().cpu.clone();
            let device = device::by_name(&device, cpu).await?;
            let config = OptimizerConfig { rule, weight_decay, clip, averaging: Averaging::default() };
            let optimizer = {
                let mut state = weights.borrow_mut();
                train::Optimizer::new(config, &device, state.parameters()?).map_err(Failure::from)?
            };
            Ok(Self { inner: Rc::new(RefCell::new(Some((optimizer, device)))) }.into())
        })
    }

    /// Changes weights by their gradients, which are spent; gives the gradients' global norm before clipping.
    #[wasm_bindgen(unchecked_return_type = "number | Promise<number>")]
    pub fn step(&self, weights: &Weights, gradients: Gradients, rate: f32) -> JsValue {
        let (inner, weights) = (Rc::clone(&self.inner), Rc::clone(&weights.inner));
        answer(async move {
            let taken = inner.take().ok_or_else(|| Failure::option("this optimiser is still busy"));
            let (mut optimizer, device) = taken?;
            let stepped = step(&mut optimizer, &device, &weights, gradients, rate).await;
            inner.replace(Some((optimizer, device)));
            Ok(Number::from(f64::from(stepped?)).into())
        })
    }
}

async fn step(
    optimizer: &mut train::Optimizer,
    device: &Device,
    weights: &RefCell<State>,
    Gradients { mut gradients, .. }: Gradients,
    rate: f32,
) -> Result<f32, Failure> {
    fetched(weights, Some(device)).await?;
    let mut parameters = {
        let mut state = weights.borrow_mut();
        state.parameters()?;
        state.parameters.take().ok_or_else(|| Failure::internal("weights are there"))?
    };
    let norm =
        optimizer.update(device, &mut parameters, &mut gradients, &Touched::new(), |_| rate, &[]).await;
    let mut state = weights.borrow_mut();
    (state.parameters, state.changed_on) = (Some(parameters), Some(device.clone()));
    Ok(norm?.0)
}
