//! What skimming saves on a GPU in a batch: a Skim-LSTM made to skim nine tokens of ten, against an LSTM of the same
//! size, both through a graph with their hoisted products, in turn until each has run for a second. Then the GPU time of
//! their kernels, where the adapter has timestamps.
//!
//! `cargo run --release -p saccade-checks --example skim`, with `SACCADE_ADAPTER` set to a part of the adapter's name

use std::rc::Rc;
use std::time::{Duration, Instant};

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};
use saccade_rnn::device::{CellKind, Device, EngineError, Parameters};
use saccade_rnn::graph::{Expr, Graph, Held, Strategy};
use saccade_rnn::nn::{Builder, Recurrent, RecurrentConfig, Skim, SkimConfig, SkimControl, SmallReads};

const BATCH: usize = 64;
const TOKENS: usize = 100;
const SIZE: usize = 128;
const SMALL: usize = 8;
/// One token in so many is read.
const READ: usize = 10;
const LEAST: Duration = Duration::from_secs(1);
const PROFILED: u64 = 20;

/// Runs all sequences on a graph of their own.
struct Bench<'a> {
    device: &'a Device,
    parameters: &'a Parameters,
    sequences: &'a [Held],
}

impl Bench<'_> {
    fn run(&self, layer: &dyn for<'g> Fn(Expr<'g>, usize) -> Expr<'g>) -> Result<Duration, EngineError> {
        let begin = Instant::now();
        let graph = Graph::inference(self.parameters, self.device, Strategy::Levels);
        let each = self.sequences.iter().enumerate();
        let last: Vec<_> = each.map(|(i, x)| layer(graph.held(x.clone()), i)).collect();
        block_on(graph.values(&last))?;
        Ok(begin.elapsed())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::var("SACCADE_ADAPTER").ok();
    let gpu = Rc::new(block_on(Gpu::request(&GpuOptions { name, ..Default::default() }))?);
    let device = Device::Gpu(gpu.clone());
    println!("{}: {BATCH} sequences of {TOKENS} tokens, d = {SIZE}, d' = {SMALL}", gpu.adapter());

    let mut builder = Builder::fresh(1);
    let lstm = Recurrent::lstm(&mut builder, RecurrentConfig::new(SIZE, SIZE), 1.0)?;
    let config = SkimConfig {
        cell: CellKind::Lstm,
        input_size: SIZE,
        hidden_size: SIZE,
        small_size: SMALL,
        small_reads: SmallReads::Slice,
        forget_bias: 1.0,
    };
    let skim = builder.scope("skim", |b| Skim::new(b, config))?;
    let parameters = builder.finish()?;

    let mut random = Random::new(1);
    let upload = Graph::inference(&parameters, &device, Strategy::Levels);
    let inputs: Vec<_> =
        (0..BATCH).map(|_| upload.input(TOKENS, SIZE, random.values(TOKENS * SIZE, 1.0))).collect();
    let sequences = inputs.into_iter().map(Expr::hold).collect::<Result<Vec<_>, _>>()?;

    // Sequences read at different steps, as texts are.
    let force =
        |i: usize| (0..TOKENS).map(|t| if (t + i).is_multiple_of(READ) { 1 } else { 2 }).collect::<Vec<_>>();
    let forced: Vec<Vec<u32>> = (0..BATCH).map(force).collect();
    let bench = Bench { device: &device, parameters: &parameters, sequences: &sequences };
    let by_lstm = || bench.run(&|x, _| lstm.forward(x, None).states.h[0]);
    let by_skim = || {
        bench.run(&|x, i| skim.forward(x, None, SkimControl::Decide { threshold: 0.5, force: &forced[i] }).h)
    };

    // The first runs make pipelines and send the weights.
    by_lstm()?;
    by_skim()?;
    let (mut runs, mut lstm_wall, mut skim_wall) = (0, Duration::ZERO, Duration::ZERO);
    while lstm_wall < LEAST || skim_wall < LEAST {
        lstm_wall += by_lstm()?;
        skim_wall += by_skim()?;
        runs += 1;
    }
    let milliseconds = |wall: Duration| wall.as_secs_f64() * 1e3 / f64::from(runs);
    let ratio = lstm_wall.as_secs_f64() / skim_wall.as_secs_f64();
    println!(
        "wall, mean of {runs}: LSTM {:.3} ms, Skim {:.3} ms, {ratio:.2} times as fast",
        milliseconds(lstm_wall),
        milliseconds(skim_wall)
    );

    let mut kernels = Vec::new();
    for run in [&by_lstm as &dyn Fn() -> Result<Duration, EngineError>, &by_skim] {
        gpu.profile(true);
        for _ in 0..PROFILED {
            run()?;
        }
        gpu.profile(false);
        let times = match gpu.take_profile() {
            Ok(times) => times,
            Err(error) => {
                println!("no GPU times: {error}");
                return Ok(());
            }
        };
        for time in &times {
            println!("  {:8.1} us  {}", time.nanoseconds as f64 / 1e3 / PROFILED as f64, time.kernel);
        }
        kernels.push(times.iter().map(|time| time.nanoseconds as f64).sum::<f64>());
        println!("  {:8.1} us  in all", kernels[kernels.len() - 1] / 1e3 / PROFILED as f64);
    }
    println!("kernels: {:.2} times as fast", kernels[0] / kernels[1]);
    Ok(())
}
