//! The losses of a training run's first steps on the CPU and on the GPU, how far apart they are, and what a step takes:
//! `cargo run --release -p saccade-cli --example loss_curves -- CONFIG.toml DATA [STEPS [INIT]]`.

use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pollster::block_on;
use saccade_cli::config::Config;
use saccade_cli::run::{Event, Folders, Job, train};
use saccade_rnn::device::Device;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};

type Failure = Box<dyn std::error::Error>;

/// Loss and duration of every step.
fn steps(
    device: &Device,
    config: &Config,
    folders: Folders<'_>,
    count: usize,
) -> Result<Vec<(f32, Duration)>, Failure> {
    let folder = tempfile::tempdir()?;
    let (cancel, mut steps, mut begun) = (AtomicBool::new(false), Vec::new(), Instant::now());
    let out = folder.path().join("model");
    let job = Job { config, folders, out: &out, resume: false, command: "loss curves" };
    block_on(train(device, job, &cancel, |event| {
        if let Event::Step { losses, .. } = event {
            steps.push((losses[0].value, begun.elapsed()));
            cancel.fetch_or(steps.len() == count, Ordering::Relaxed);
        }
        begun = Instant::now();
    }))?;
    Ok(steps)
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, data, rest @ ..] = &arguments[..] else {
        return Err("which config, and which folder of data?".into());
    };
    let mut config: Config = toml::from_str(&std::fs::read_to_string(path)?)?;
    let count = rest.first().map_or(Ok(50), |count| count.parse())?;
    if let Some(init) = rest.get(1) {
        config.train.init = Some(std::path::absolute(init)?.to_string_lossy().into_owned());
    }
    let folders =
        Folders { data: Path::new(data), models: Path::new(path).parent().unwrap_or(Path::new("")) };
    let name = std::env::var("SACCADE_ADAPTER").ok();
    let gpu = Rc::new(block_on(Gpu::request(&GpuOptions { name, ..GpuOptions::default() }))?);
    let on_cpu = steps(&Device::cpu(), &config, folders, count)?;
    let on_gpu = steps(&Device::Gpu(gpu.clone()), &config, folders, count)?;
    let mut furthest = 0.0f32;
    for (step, ((cpu, _), (gpu, _))) in on_cpu.iter().zip(&on_gpu).enumerate() {
        println!("{step:4}  {cpu:.6}  {gpu:.6}  {:+.1e}", gpu - cpu);
        furthest = furthest.max((gpu - cpu).abs());
    }
    println!("largest difference {furthest:.1e}");
    for (name, steps) in [("CPU", &on_cpu), (&*gpu.adapter().to_string(), &on_gpu)] {
        let mut times: Vec<Duration> = steps.iter().map(|(_, time)| *time).collect();
        times.sort_unstable();
        println!("{name}: {:.1?} a step (median of {})", times[times.len() / 2], times.len());
    }
    Ok(())
}
