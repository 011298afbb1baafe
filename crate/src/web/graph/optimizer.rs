//! Steps of an optimiser.

use std::rc::Rc;

use js_sys::Number;
use wasm_bindgen::prelude::*;

use super::super::convert::answer;
use super::super::device;
use super::super::error::Failure;
use super::gradients::Gradients;
use super::weights::Weights;
use crate::device::Device;
use crate::train::{self, Adam, Averaging, OptimizerConfig, Rule, Sgd, Touched};

/// An optimiser, its state on a device until `free()`.
#[wasm_bindgen]
pub struct Optimizer {
    /// None while it steps.
    inner: Rc<std::cell::RefCell<Option<(train::Optimizer, Device)>>>,
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
            Ok(Self { inner: Rc::new(std::cell::RefCell::new(Some((optimizer, device)))) }.into())
        })
    }

    /// Changes weights by their gradients, which are spent; gives the gradients' global norm before clipping.
    #[wasm_bindgen(unchecked_return_type = "number | Promise<number>")]
    pub fn step(&self, weights: &Weights, gradients: Gradients, rate: f32) -> JsValue {
        let (inner, weights) = (Rc::clone(&self.inner), Rc::clone(&weights.inner));
        answer(async move {
            let mut parameters = {
                let mut state = weights.borrow_mut();
                state.parameters()?;
                state.parameters.take().ok_or_else(|| Failure::internal("weights are there"))?
            };
            let Some((mut optimizer, device)) = inner.take() else {
                weights.borrow_mut().parameters = Some(parameters);
                return Err(Failure::option("this optimiser is still busy").into());
            };
            let mut gradients = gradients.gradients;
            let norm = optimizer
                .update(&device, &mut parameters, &mut gradients, &Touched::new(), |_| rate, &[])
                .await;
            weights.borrow_mut().parameters = Some(parameters);
            weights.borrow_mut().changed_on = Some(device.clone());
            inner.replace(Some((optimizer, device)));
            Ok(Number::from(f64::from(norm.map_err(Failure::from)?.0)).into())
        })
    }
}
