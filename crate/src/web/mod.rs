//! The surface for JavaScript, by wasm-bindgen: thin, no arithmetic. `js/src` makes the package of it.

mod convert;
mod error;
#[cfg(target_arch = "wasm32")]
mod memory;
mod types;

/// Graphs of a page's own have a binary to themselves, which holds gradients.
#[cfg(all(feature = "train", not(feature = "runs")))]
mod graph;
/// Taggers, parsers and tree classifiers have one too, which holds none.
#[cfg(all(feature = "graph", not(feature = "train")))]
mod structure;
/// So have training runs.
#[cfg(feature = "runs")]
mod train;

#[cfg(feature = "graph")]
mod device;
#[cfg(not(feature = "train"))]
mod made;
#[cfg(not(feature = "train"))]
mod watch;

#[cfg(not(feature = "graph"))]
mod cursor;
#[cfg(not(feature = "graph"))]
mod layer;
#[cfg(not(feature = "graph"))]
mod model;
#[cfg(not(feature = "graph"))]
mod reader;
#[cfg(not(feature = "graph"))]
mod reading;
#[cfg(not(feature = "graph"))]
mod softmax;

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::device::gpu::Statistics;
use crate::runner::Devices;
use convert::{answer, to_js};
#[cfg(not(feature = "graph"))]
pub use cursor::Cursor;
#[cfg(all(feature = "train", not(feature = "runs")))]
pub use graph::{Gradients, Optimizer, Program, Weights};
#[cfg(not(feature = "graph"))]
pub use layer::Layer;
#[cfg(not(feature = "graph"))]
pub use model::Model;
#[cfg(not(feature = "graph"))]
pub use reader::Reader;
#[cfg(not(feature = "graph"))]
pub use softmax::Softmax;
#[cfg(all(feature = "graph", not(feature = "train")))]
pub use structure::Structured;
#[cfg(feature = "runs")]
pub use train::{TrainingRun, TrainingTexts};

thread_local! {
    /// Shared by all models: they have one GPU between them.
    static DEVICES: Rc<Devices> = Rc::default();
    /// Who is to hear that the module failed.
    static FAILED: Cell<Option<Function>> = const { Cell::new(None) };
}

/// Calls `failed` with the reason after a panic, and when memory is full. Nothing of this module may be used from then
/// on: calls that wait get no answer.
#[wasm_bindgen(js_name = onFailure)]
pub fn on_failure(#[wasm_bindgen(unchecked_param_type = "(reason: string) => void")] told: Function) {
    FAILED.set(Some(told));
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        failed(&panic.to_string());
    }));
}

/// Tells whoever asked, once.
fn failed(reason: &str) {
    if let Some(told) = FAILED.take() {
        // Nobody is left to tell if it throws.
        let _ = told.call1(&JsValue::UNDEFINED, &reason.into());
    }
}

/// What the GPU was asked to do so far and the memory it holds; null if it was not asked for, or is not there.
#[wasm_bindgen(js_name = gpuStatistics, unchecked_return_type = "GpuStatistics | null")]
pub fn gpu_statistics() -> Result<JsValue, JsValue> {
    let statistics: Option<Statistics> = DEVICES.with(|devices| devices.ready()).map(|gpu| gpu.statistics());
    Ok(to_js(&statistics)?)
}

/// The GPU, or why there is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    Gpu { name: String, software: bool, timestamps: bool },
    None { reason: String },
}

/// Has no GPU asked for, and says why.
#[wasm_bindgen(js_name = forbidGpu)]
pub fn forbid_gpu(reason: String) {
    DEVICES.with(|devices| devices.forbid_gpu(reason));
}

/// Asks for the GPU.
#[wasm_bindgen(js_name = findGpu, unchecked_return_type = "FoundGpu | Promise<FoundGpu>")]
pub fn find_gpu() -> JsValue {
    let devices = DEVICES.with(Rc::clone);
    answer(async move {
        let found = match devices.gpu().await {
            Ok(gpu) => {
                let adapter = gpu.adapter();
                Found::Gpu {
                    name: adapter.name.clone(),
                    software: adapter.software,
                    timestamps: adapter.timestamps,
                }
            }
            Err(reason) => Found::None { reason },
        };
        Ok(to_js(&found)?)
    })
}
