//! A reading that keeps its state.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::convert::{answer, packed};
use super::error::Failure;
use super::reading;
use super::watch::Callback;
use crate::model::{Incremental, ReadOptions};
use crate::nn::Trace;
use crate::runner::{Reason, Run, Runner};

/// Reads a text that is still being written, on the CPU; one call at a time.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Reader {
    runner: Rc<Runner>,
    options: Rc<ReadOptions>,
    /// None while a call has it.
    incremental: Rc<RefCell<Option<Incremental>>>,
}

/// What the matrices of `hidden` are, in their order: of each cell its states, memories, gates and logits, as far as it
/// has them, and the scores.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contents<'a> {
    rows: usize,
    cells: Vec<CellContents<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CellContents<'a> {
    name: &'a str,
    kind: &'a str,
    size: usize,
    small_size: usize,
    backward: bool,
    cells: bool,
    gates: Vec<&'a str>,
    logits: bool,
}

impl<'a> From<&'a Trace> for CellContents<'a> {
    fn from(trace: &'a Trace) -> Self {
        Self {
            name: &trace.name,
            kind: trace.kind,
            size: trace.size,
            small_size: trace.small_size,
            backward: trace.backward,
            cells: trace.kind == "sru" || trace.gates.len() == 4,
            gates: trace.gates.iter().map(|(name, _)| *name).collect(),
            logits: trace.small_size > 0 || trace.kind == "skim",
        }
    }
}

impl Reader {
    pub(super) fn new(runner: Rc<Runner>, options: ReadOptions) -> Self {
        let incremental = Rc::new(RefCell::new(Some(Incremental::new())));
        Self { runner, options: Rc::new(options), incremental }
    }
}

#[wasm_bindgen]
impl Reader {
    /// Reads a text from the first token that changed. Rejects as `Model.read` does.
    #[wasm_bindgen(unchecked_return_type = "PackedReading | Promise<PackedReading>")]
    pub fn update(
        &self,
        text: String,
        #[wasm_bindgen(unchecked_optional_param_type = "Watch")] watch: Option<Function>,
    ) -> JsValue {
        let (runner, options, home) =
            (Rc::clone(&self.runner), Rc::clone(&self.options), Rc::clone(&self.incremental));
        answer(async move {
            let mut incremental = home.take().ok_or_else(busy)?;
            let tokens = runner.model().tokenizer().tokenize(&text);
            let mut watch = Callback::new(watch);
            let read = incremental.read(runner.model(), runner.cpu(), tokens, &options, &mut watch).await;
            home.replace(Some(incremental));
            watch.thrown()?;
            let device_reason = Reason::Incremental;
            Ok(reading::packed(&Run { reading: read.map_err(Failure::from)?, device_reason })?)
        })
    }

    /// How many tokens the last `update` computed.
    #[wasm_bindgen(getter)]
    pub fn computed(&self) -> usize {
        self.incremental.borrow().as_ref().map_or(0, Incremental::computed)
    }

    /// What every cell did at every token of the text read last.
    #[wasm_bindgen(unchecked_return_type = "HiddenValues | Promise<HiddenValues>")]
    pub fn hidden(&self) -> JsValue {
        let (runner, home) = (Rc::clone(&self.runner), Rc::clone(&self.incremental));
        answer(async move {
            // Nothing here waits, so that the incremental stays where it is.
            let incremental = home.borrow();
            let incremental = incremental.as_ref().ok_or_else(busy)?;
            let scores = incremental.scores(runner.model(), runner.cpu());
            let scores = scores.map_err(|error| Failure::from(crate::model::ReadError::from(error)))?;
            let cells = incremental.cells();
            let mut matrices: Vec<&[f32]> = Vec::new();
            for cell in cells {
                let gates = cell.gates.iter().map(|(_, gate)| gate);
                let of_cell = [&cell.states, &cell.cells].into_iter().chain(gates).chain([&cell.logits]);
                matrices.extend(of_cell.map(Vec::as_slice));
            }
            matrices.push(&scores);
            let rows = cells.first().map_or(0, Trace::rows);
            let contents = Contents { rows, cells: cells.iter().map(CellContents::from).collect() };
            Ok(packed(&contents, &matrices)?)
        })
    }
}

fn busy() -> Failure {
    Failure::option("this reader is still busy")
}
