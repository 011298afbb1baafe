//! Times of this machine's GPU, held against the CPU first. `bench/gpu/run.sh` runs it and its peers.

mod cases;
mod subject;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use saccade_rnn::device::gpu::{Gpu, KernelTime};
use saccade_rnn::device::{Device, EngineError};
use serde::Serialize;

use crate::cells;
use subject::Subject;

pub use cases::{Work, all};

/// The largest difference from the CPU, over the largest value, that rounding explains.
const TOLERANCE: f32 = 1e-3;
/// Samples of a case, if they do not take longer than a second.
const SAMPLES: usize = 40;
/// Calls in a row without a wait.
const QUEUED: usize = 8;
/// Floating-point operations of a case that a software GPU is given.
const MOST_FLOPS_IN_SOFTWARE: u64 = 400_000_000;

/// What `bench/gpu/peers.py` and `bench/gpu/table.py` read.
#[derive(Serialize)]
struct Record {
    adapter: Adapter,
    cases: Vec<Case>,
}

#[derive(Serialize)]
struct Adapter {
    name: String,
    backend: String,
    software: bool,
}

#[derive(Serialize)]
struct Case {
    name: String,
    group: &'static str,
    #[serde(flatten)]
    sizes: subject::Sizes,
    #[serde(flatten)]
    found: Found,
}

/// What became of a case: figures, or why there are none.
#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    Figures(Box<Figures>),
    Skipped { skipped: String },
    Wrong { wrong: String },
}

#[derive(Serialize)]
struct Figures {
    /// The largest difference from the CPU over the CPU's largest value.
    error: f32,
    /// Wall time of each sample, from an idle queue until the results are there.
    milliseconds: Vec<f64>,
    /// Wall time of a call among several that do not wait for one another.
    queued_milliseconds: Vec<f64>,
    /// Of all kernels, by the GPU's own clock.
    gpu_milliseconds: Option<f64>,
    launches: u64,
    kernels: Vec<KernelTime>,
}

/// Runs all cases whose names contain `only` within so many seconds, writes the figures to `out` and says on standard error
/// how far it is.
///
/// # Errors
/// If there is no GPU, or the file cannot be written. A case that fails is written down as such.
pub fn record(out: &Path, budget: Duration, only: &str) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let device = cells::gpu().ok_or("no GPU: no Vulkan driver answers")?;
    let gpu = device.gpu().ok_or("the device is no GPU")?;
    let adapter = gpu.adapter();
    eprintln!("{adapter}");
    let mut cases = Vec::new();
    for work in all().into_iter().filter(|work| work.name().contains(only)) {
        let subject = Subject::new(&work)?;
        let sizes = subject.sizes();
        let too_large = adapter.software && sizes.flops > MOST_FLOPS_IN_SOFTWARE;
        let found = match () {
            () if begun.elapsed() > budget => Found::Skipped { skipped: "no time was left".into() },
            () if too_large => Found::Skipped { skipped: "too large for a software GPU".into() },
            () => measure(&subject, &device, gpu).unwrap_or_else(|wrong| Found::Wrong { wrong }),
        };
        eprintln!("{:>4} s {:<60} {found}", begun.elapsed().as_secs(), work.name());
        cases.push(Case { name: work.name(), group: work.group(), sizes, found });
        // After each, so that nothing measured is lost.
        let name = adapter.name.clone();
        let adapter = Adapter { name, backend: adapter.backend.clone(), software: adapter.software };
        let record = Record { adapter, cases };
        fs::write(out, serde_json::to_vec_pretty(&record)?)?;
        cases = record.cases;
    }
    Ok(())
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Found::Skipped { skipped } => write!(f, "skipped: {skipped}"),
            Found::Wrong { wrong } => write!(f, "WRONG: {wrong}"),
            Found::Figures(figures) => {
                let Figures { error, launches, gpu_milliseconds, .. } = &**figures;
                let [wall, queued] = [&figures.milliseconds, &figures.queued_milliseconds].map(|m| median(m));
                let on_gpu = gpu_milliseconds.map_or("-".into(), |ms| format!("{ms:.3}"));
                write!(
                    f,
                    "{wall:>9.3} ms, {queued:>9.3} queued, {on_gpu:>9} by timestamps, {launches:>4} launches, error {error:.1e}"
                )
            }
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Holds a case against the CPU and times it; in words if it is wrong.
fn measure(subject: &Subject, device: &Device, gpu: &Gpu) -> Result<Found, String> {
    let told = |error: EngineError| error.to_string();
    let error = subject.error(device).map_err(told)?;
    if error.is_nan() || error > TOLERANCE {
        return Err(format!("{error:.1e} from the CPU"));
    }
    let run = subject.on(device).map_err(told)?;
    let time = |calls: usize| -> Result<f64, String> {
        let begun = Instant::now();
        (1..calls).try_for_each(|_| run.call(false)).map_err(told)?;
        run.call(true).map_err(told)?;
        Ok(begun.elapsed().as_secs_f64() * 1e3 / calls as f64)
    };
    (0..3).try_for_each(|_| time(1).map(drop))?;
    let one = time(1)?;
    let samples = ((1000.0 / one) as usize).clamp(3, SAMPLES);
    let milliseconds = (0..samples).map(|_| time(1)).collect::<Result<_, _>>()?;
    let rounds = (samples / QUEUED).max(1);
    let queued_milliseconds = (0..rounds).map(|_| time(QUEUED)).collect::<Result<_, _>>()?;
    let before = gpu.statistics().dispatches;
    gpu.profile(true);
    time(1)?;
    gpu.profile(false);
    let launches = gpu.statistics().dispatches - before;
    let kernels = gpu.take_profile().ok();
    let nanoseconds = |kernels: &Vec<KernelTime>| kernels.iter().map(|time| time.nanoseconds).sum::<u64>();
    Ok(Found::Figures(Box::new(Figures {
        error,
        milliseconds,
        queued_milliseconds,
        gpu_milliseconds: kernels.as_ref().map(|kernels| nanoseconds(kernels) as f64 / 1e6),
        launches,
        kernels: kernels.unwrap_or_default(),
    })))
}
