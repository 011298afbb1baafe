//! The checks for JavaScript.

use std::rc::Rc;

use js_sys::{Array, Function};
use saccade_rnn::device::Device;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};
use wasm_bindgen::prelude::*;

use crate::{agree, cases, optimizers_agree};

/// Prints the message and place of a panic on the console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// The adapter, the number of cases, and what disagrees.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Report {
    /// Which adapter ran them.
    pub adapter: String,
    /// Shader variants compiled.
    pub kernels: usize,
    /// Calls compared.
    pub cases: usize,
    /// What disagrees, or does not compile, as text.
    pub wrong: Array,
}

/// Runs every case, or one of each kind if `few` says so, and compiles the kernels that none of them launches; `progress` is
/// told how many cases are done and how many there are.
///
/// # Errors
/// If there is no adapter.
#[wasm_bindgen]
pub async fn check(progress: Function, few: bool) -> Result<Report, JsError> {
    let gpu = Gpu::request(&GpuOptions::default()).await?;
    let wrong = Array::new();
    let other = GpuOptions { software: Some(!gpu.adapter().software), ..GpuOptions::default() };
    let other = Gpu::request(&other).await?;
    let adapter = gpu.adapter().to_string();
    let gpu = Rc::new(gpu);
    let (device, other) = (Device::Gpu(gpu.clone()), Device::from(other));
    let runs = [(&device, cases::all()), (&other, cases::by_adapter())];
    let runs = runs.map(|(device, cases)| (device, if few { cases::one_of_each(cases) } else { cases }));
    let cases: Vec<_> =
        runs.iter().flat_map(|(device, cases)| cases.iter().map(move |case| (*device, case))).collect();
    for (done, &(device, case)) in cases.iter().enumerate() {
        if let Err(disagreement) = agree(device, case).await {
            wrong.push(&disagreement.to_string().into());
        }
        let _ = progress.call2(&JsValue::NULL, &(done + 1).into(), &cases.len().into());
    }
    let runs = match optimizers_agree(&device).await {
        Ok(runs) => runs,
        Err(disagreement) => {
            wrong.push(&disagreement.to_string().into());
            0
        }
    };
    // Last: the values of workgroup memory that a kernel has by itself take software GPUs a minute and more to compile.
    for kernel in saccade_shaders::ALL {
        if let Err(error) = gpu.compile(kernel).await {
            wrong.push(&error.to_string().into());
        }
    }
    Ok(Report { adapter, kernels: saccade_shaders::ALL.len(), cases: cases.len() + runs, wrong })
}
