//! One graph, and what is asked of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::Float32Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::super::convert::{answer, end_to_end, to_js};
use super::super::device;
use super::super::error::Failure;
use super::gradients::Gradients;
use super::instructions::{Layer, Made, Port, Recorder};
use super::weights::{Weights, fetched};
use crate::device::{Device, Function, ParamId};
use crate::graph::{self, Graph, Strategy};

/// One graph over weights, with all that it computed, until `free()`.
#[wasm_bindgen]
pub struct Program {
    inner: Rc<Inner>,
}

struct Inner {
    graph: Graph,
    ids: Vec<ParamId>,
    sizes: Rc<[usize]>,
    layers: Rc<Vec<Layer>>,
    cells: RefCell<Vec<Function>>,
    made: RefCell<Made>,
}

impl Inner {
    /// Records instructions.
    fn record(&self, code: &[i32], data: &[f32]) -> Result<(), Failure> {
        let cells = self.cells.borrow();
        let recorder = Recorder { graph: &self.graph, ids: &self.ids, layers: &self.layers, cells: &cells };
        recorder.record(&mut self.made.borrow_mut(), code, data)
    }

    fn port(&self, expression: u32) -> Result<Port, Failure> {
        let made = self.made.borrow();
        made.ports.get(expression as usize).copied().ok_or_else(|| unknown(expression))
    }
}

fn unknown(expression: u32) -> Failure {
    Failure::option(format!("there is no expression {expression}"))
}

#[wasm_bindgen]
impl Program {
    /// A graph over weights, which stay as they are while it is alive.
    #[wasm_bindgen(unchecked_return_type = "Program | Promise<Program>")]
    pub fn open(weights: &Weights, training: bool, seed: u32, strategy: String, device: String) -> JsValue {
        let weights = Rc::clone(&weights.inner);
        answer(async move {
            let strategy = match &strategy[..] {
                "unbatched" => Strategy::Unbatched,
                "depth" => Strategy::Depth,
                "agenda" => Strategy::Agenda,
                "levels" => Strategy::Levels,
                other => {
                    let reason =
                        format!("strategy: expected unbatched, depth, agenda or levels, found {other:?}");
                    return Err(Failure::option(reason).into());
                }
            };
            let cpu = weights.borrow().cpu.clone();
            let device = device::by_name(&device, cpu).await?;
            fetched(&weights, Some(&device)).await?;
            let mut state = weights.borrow_mut();
            let layers = Rc::clone(&state.layers);
            let parameters = state.parameters()?;
            let graph = match training {
                true => Graph::training(parameters, &device, strategy, seed),
                false => Graph::inference(parameters, &device, strategy),
            };
            let (ids, sizes): (_, Vec<usize>) = parameters.iter().map(|(id, p)| (id, p.values.len())).unzip();
            let (cells, made) = Default::default();
            Ok(Self { inner: Rc::new(Inner { graph, ids, sizes: sizes.into(), layers, cells, made }) }.into())
        })
    }

    /// Where it runs: `cpu` or `webgpu`.
    #[wasm_bindgen(getter)]
    pub fn device(&self) -> String {
        match self.inner.graph.device() {
            Device::Cpu(_) => "cpu",
            Device::Gpu(_) => "webgpu",
        }
        .into()
    }

    /// Records instructions, runs all that was recorded, and gives the values of expressions end to end.
    #[wasm_bindgen(unchecked_return_type = "Float32Array | Promise<Float32Array>")]
    pub fn run(&self, code: &[i32], data: &[f32], wanted: &[u32]) -> Result<JsValue, JsValue> {
        self.inner.record(code, data)?;
        let ports = wanted.iter().map(|&number| self.inner.port(number)).collect::<Result<Vec<_>, _>>()?;
        let inner = Rc::clone(&self.inner);
        Ok(answer(async move {
            let wanted: Vec<_> = ports.into_iter().map(|port| inner.graph.at(port)).collect();
            let values = inner.graph.values(&wanted).await.map_err(Failure::from)?;
            let parts: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
            Ok(end_to_end(&parts).into())
        }))
    }

    /// Records a function of rows with so many columns each, which is one node wherever it is called; its number. Its operands
    /// are the first expressions of its code.
    pub fn cell(
        &self,
        name: &str,
        columns: Vec<u32>,
        code: &[i32],
        data: &[f32],
        outputs: &[u32],
    ) -> Result<u32, JsValue> {
        let inner = &self.inner;
        let columns: Vec<usize> = columns.into_iter().map(|columns| columns as usize).collect();
        let name = graph::interned(name);
        let mut failure = None;
        let made = graph::function(name, inner.graph.parameters(), columns, |graph, operands| {
            let cells = inner.cells.borrow();
            let mut made = Made::from(operands.iter().map(|x| x.port()).collect::<Vec<_>>());
            let recorder = Recorder { graph, ids: &inner.ids, layers: &inner.layers, cells: &cells };
            let recorded = recorder.record(&mut made, code, data);
            let output = |&number: &u32| {
                made.ports.get(number as usize).map(|&port| graph.at(port)).ok_or_else(|| unknown(number))
            };
            recorded.and_then(|()| outputs.iter().map(output).collect()).unwrap_or_else(|reason| {
                failure = Some(reason);
                Vec::new()
            })
        });
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        let mut cells = inner.cells.borrow_mut();
        cells.push(made.map_err(Failure::from)?);
        Ok(cells.len() as u32 - 1)
    }

    /// Records instructions, runs them, and gives the gradients of a `1 x 1` expression.
    #[wasm_bindgen(unchecked_return_type = "Gradients | Promise<Gradients>")]
    pub fn backward(&self, code: &[i32], data: &[f32], loss: u32) -> Result<JsValue, JsValue> {
        self.inner.record(code, data)?;
        let (port, inner) = (self.inner.port(loss)?, Rc::clone(&self.inner));
        Ok(answer(async move {
            let gradients = inner.graph.at(port).backward().await.map_err(Failure::from)?;
            let (device, sizes) = (inner.graph.device().clone(), Rc::clone(&inner.sizes));
            Ok(Gradients { gradients, device, sizes }.into())
        }))
    }

    /// The gradient of a variable, after [`Self::backward`].
    #[wasm_bindgen(unchecked_return_type = "Float32Array | Promise<Float32Array>")]
    pub fn gradient(&self, expression: u32) -> Result<JsValue, JsValue> {
        let (port, inner) = (self.inner.port(expression)?, Rc::clone(&self.inner));
        Ok(answer(async move {
            let values = inner.graph.at(port).gradient().await.map_err(Failure::from)?;
            Ok(Float32Array::from(&values[..]).into())
        }))
    }

    /// What ran so far: the kernel calls in their order, how many nodes, and the least calls that any order needs.
    #[wasm_bindgen(unchecked_return_type = "GraphReport")]
    pub fn explain(&self) -> Result<JsValue, JsValue> {
        let report = self.inner.graph.explain();
        let made = self.inner.made.borrow();
        // Of a node with several results, the first.
        let number: BTreeMap<usize, u32> =
            made.ports.iter().enumerate().rev().map(|(number, port)| (port.node, number as u32)).collect();
        let batches = report.batches().iter().map(|batch| Launch {
            op: batch.op,
            lanes: batch.lanes,
            expressions: batch.nodes.iter().filter_map(|node| number.get(node).copied()).collect(),
            rows: batch.rows,
            copied: batch.copied_operands,
            alone: batch.alone.as_ref().map(ToString::to_string),
            split: batch.split.map(|split| split.to_string()),
        });
        Ok(to_js(&Report {
            batches: batches.collect(),
            nodes: report.nodes(),
            lower_bound: report.lower_bound(),
        })?)
    }
}

/// See [`Program::explain`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    batches: Vec<Launch>,
    nodes: usize,
    lower_bound: usize,
}

/// A kernel call.
#[derive(Serialize)]
struct Launch {
    op: &'static str,
    lanes: usize,
    /// Of the nodes those that are expressions, by number.
    expressions: Vec<u32>,
    rows: usize,
    copied: usize,
    /// Of a node that ran by itself, why.
    alone: Option<String>,
    /// Why it did not run with the call before of its kind.
    split: Option<String>,
}
