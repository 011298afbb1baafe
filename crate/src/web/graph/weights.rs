//! Weights: parameters and layers under names.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Float32Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::super::convert::answer;
use super::super::error::Failure;
use super::instructions::Layer;
use crate::device::{Device, ParamId, Parameters};
use crate::model::{Checkpoint, Storage};
use crate::nn::{
    BuildError, Builder, Embedding, Init, Linear, Recurrent, RecurrentConfig, Sru, SruConfig, Tensor,
};

/// Parameters, in wasm memory until `free()`. They grow until a program, or an optimiser, is made for them.
#[wasm_bindgen]
pub struct Weights {
    pub(super) inner: Rc<RefCell<State>>,
}

/// What is shared with programs and steps under way.
pub(super) struct State {
    builder: Option<Builder>,
    /// None while a step changes them.
    pub(super) parameters: Option<Parameters>,
    pub(super) layers: Rc<Vec<Layer>>,
    /// It keeps packed weights from program to program.
    pub(super) cpu: Device,
    /// Where they were changed last: their values on the host may lie behind.
    pub(super) changed_on: Option<Device>,
}

impl State {
    /// The parameters, which grow no more.
    pub(super) fn parameters(&mut self) -> Result<&mut Parameters, Failure> {
        if let Some(builder) = self.builder.take() {
            self.parameters = Some(builder.finish().map_err(built)?);
        }
        self.parameters.as_mut().ok_or_else(|| Failure::option("a step is changing these weights"))
    }

    fn builder(&mut self) -> Result<&mut Builder, Failure> {
        let fixed = || Failure::option("these weights are in use and grow no more");
        self.builder.as_mut().ok_or_else(fixed)
    }

    fn list(&self) -> Result<&Parameters, Failure> {
        let built = self.builder.as_ref().map(Builder::parameters);
        built.or(self.parameters.as_ref()).ok_or_else(|| Failure::option("a step is changing these weights"))
    }

    /// The parameter of a number.
    fn id(&self, number: u32) -> Result<ParamId, Failure> {
        let id = self.list()?.iter().nth(number as usize).map(|(id, _)| id);
        id.ok_or_else(|| Weights::unknown(number))
    }
}

fn built(error: BuildError) -> Failure {
    Failure::option(error)
}

#[wasm_bindgen]
impl Weights {
    /// Nothing yet; what is added is drawn from the seed.
    #[wasm_bindgen(constructor)]
    pub fn new(seed: u32) -> Self {
        let state = State {
            builder: Some(Builder::fresh(seed)),
            parameters: None,
            layers: Rc::default(),
            cpu: Device::cpu(),
            changed_on: None,
        };
        Self { inner: Rc::new(RefCell::new(state)) }
    }

    /// A parameter `[rows, columns]`, or a vector of `rows` if `columns` is 0, drawn uniformly within ±`bound`; its number.
    pub fn parameter(&self, name: &str, rows: usize, columns: usize, bound: f32) -> Result<u32, JsValue> {
        let mut state = self.inner.borrow_mut();
        let matrix = [rows, columns];
        let shape = if columns == 0 { &matrix[..1] } else { &matrix[..] };
        let init = if bound == 0.0 { Init::Constant(0.0) } else { Init::Uniform(bound) };
        let id = state.builder()?.parameter(name, shape, init).map_err(built)?;
        Ok(id.index() as u32)
    }

    /// A layer of a kind, whose parameters have PyTorch's names behind `name` and a dot; its number.
    pub fn layer(
        &self,
        kind: &str,
        name: &str,
        input: usize,
        output: usize,
        bidirectional: bool,
    ) -> Result<u32, JsValue> {
        let mut state = self.inner.borrow_mut();
        let recurrent = RecurrentConfig { bidirectional, ..RecurrentConfig::new(input, output) };
        let layer = state.builder()?.scope(name, |builder| {
            Ok(Some(match kind {
                "embedding" => Embedding::new(builder, input, output).map(|_| Layer::Plain)?,
                "linear" => Linear::new(builder, input, output).map(|_| Layer::Plain)?,
                "elman" => Layer::Recurrent(Recurrent::elman(builder, recurrent, false)?),
                "lstm" => Layer::Recurrent(Recurrent::lstm(builder, recurrent, 0.0)?),
                "gru" => Layer::Recurrent(Recurrent::gru(builder, recurrent)?),
                "sru" => {
                    let config = SruConfig { bidirectional, ..SruConfig::new(input, output, 1) };
                    Layer::Sru(Sru::new(builder, config)?)
                }
                _ => return Ok(None),
            }))
        });
        let layers = Rc::make_mut(&mut state.layers);
        let unknown = || {
            let expected = "embedding, linear, elman, lstm, gru or sru";
            Failure::option(format!("the kind of a layer: expected {expected}, found {kind:?}"))
        };
        layers.push(layer.map_err(built)?.ok_or_else(unknown)?);
        Ok(layers.len() as u32 - 1)
    }

    /// The names of all parameters in the order of their numbers.
    pub fn names(&self) -> Result<Vec<String>, JsValue> {
        Ok(self.inner.borrow().list()?.iter().map(|(_, parameter)| parameter.name.clone()).collect())
    }

    /// Rows and columns of each parameter, end to end; a vector has 0 columns.
    pub fn shapes(&self) -> Result<Vec<u32>, JsValue> {
        let state = self.inner.borrow();
        let sides = |shape: &[usize]| {
            let rows = shape.first().copied().unwrap_or(1);
            [rows as u32, shape[1..].iter().product::<usize>() as u32 * u32::from(shape.len() > 1)]
        };
        Ok(state.list()?.iter().flat_map(|(_, parameter)| sides(&parameter.shape)).collect())
    }

    /// The values of a parameter.
    #[wasm_bindgen(unchecked_return_type = "Float32Array | Promise<Float32Array>")]
    pub fn values(&self, parameter: u32) -> JsValue {
        let inner = Rc::clone(&self.inner);
        answer(async move {
            fetched(&inner, None).await?;
            let state = inner.borrow();
            let id = state.id(parameter)?;
            Ok(Float32Array::from(state.list()?.values(id)).into())
        })
    }

    /// Puts values in the place of a parameter's.
    pub fn set(&self, parameter: u32, values: Vec<f32>) -> Result<(), JsValue> {
        let mut state = self.inner.borrow_mut();
        let id = state.id(parameter)?;
        let parameters = state.parameters()?;
        let parameter = parameters.get(id);
        if parameter.values.len() != values.len() {
            let (name, expected, found) = (&parameter.name, parameter.values.len(), values.len());
            return Err(Failure::option(format!("{name} has {expected} values, found {found}")).into());
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let reason = format!("{}: value {at} is not a finite number", parameter.name);
            return Err(Failure::option(reason).into());
        }
        parameters.get_mut(id).values = values;
        Ok(())
    }

    /// All of them, as a safetensors file.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array | Promise<Uint8Array>")]
    pub fn bytes(&self) -> JsValue {
        let inner = Rc::clone(&self.inner);
        answer(async move {
            fetched(&inner, None).await?;
            let state = inner.borrow();
            let tensor = |parameter: &crate::device::Parameter| Tensor {
                shape: parameter.shape.clone(),
                values: parameter.values.clone(),
            };
            let all = state.list()?.iter();
            let tensors = all.map(|(_, parameter)| (parameter.name.clone(), tensor(parameter))).collect();
            let file = Checkpoint { tensors, ..Checkpoint::default() }.to_bytes(|_, _| Storage::F32);
            Ok(Uint8Array::from(&file.map_err(Failure::from)?[..]).into())
        })
    }

    /// Puts the values of a safetensors file, which has the same names and shapes, in the place of all of them.
    pub fn load(&self, bytes: &[u8]) -> Result<(), JsValue> {
        let mut file = Checkpoint::from_bytes(bytes).map_err(Failure::from)?;
        let mut state = self.inner.borrow_mut();
        let parameters = state.parameters()?;
        let mut all = Vec::new();
        for (id, parameter) in parameters.iter() {
            all.push((id, file.take(&parameter.name, &parameter.shape).map_err(Failure::from)?.values));
        }
        file.finish().map_err(Failure::from)?;
        for (id, values) in all {
            parameters.get_mut(id).values = values;
        }
        state.changed_on = None;
        Ok(())
    }

    pub(super) fn unknown(parameter: u32) -> Failure {
        Failure::option(format!("there is no parameter {parameter}"))
    }
}

/// Brings the host's values up to date with those of the GPU that has changed them, unless they are used next on that GPU, where
/// they are. What a lost GPU has changed is gone: until other weights are loaded the error is told again.
pub(super) async fn fetched(inner: &RefCell<State>, next: Option<&Device>) -> Result<(), Failure> {
    let (device, mut parameters) = {
        let mut state = inner.borrow_mut();
        let Some(device) = state.changed_on.clone() else { return Ok(()) };
        if let (Device::Gpu(here), Some(Device::Gpu(next))) = (&device, next)
            && Rc::ptr_eq(here, next)
        {
            return Ok(());
        }
        state.parameters()?;
        let Some(parameters) = state.parameters.take() else { return Ok(()) };
        (device, parameters)
    };
    let done = device.fetch(&mut parameters).await;
    let mut state = inner.borrow_mut();
    state.parameters = Some(parameters);
    if done.is_ok() {
        state.changed_on = None;
    }
    Ok(done?)
}
