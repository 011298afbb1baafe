//! Medians of the engine on one thread of the CPU, and what the plain loop reaches beside it:
//! `cargo run --release -p saccade-bench [rounds] [substring of a contestant's name]`; with
//! `texts LSTM SKIM TEST.tsv [every how many-th text] [rounds]`, two models on a test set; with `silence [rounds]`, 10,000
//! silent steps beside the 2,000 loud ones before them, and the gradient of a sequence's last row beside that of all; with
//! `lm [rounds] [substring of a workload's name]`, training steps of language models on drawn texts; with `next MODEL [rounds]`,
//! questions about the next word; with `cells [rounds]`, an LSTM written as a cell beside the library's own step; with
//! `loops [rounds] [substring of a network's name]`, networks recorded one example at a time, under every strategy, and some
//! of them beside the same batched by hand; with
//! `gpu OUT.json [seconds] [substring of a case's name]`, the GPU (`bench/gpu/run.sh`).

use std::hint::black_box;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use saccade_bench::roofline::{self, Plain};
use saccade_bench::silence::{self, Listener};
use saccade_bench::{Contestant, NETWORKS, SHAPES, cells, gpu, lm, loops, next, record, texts};
use saccade_rnn::device::Device;

/// Cache levels by the bytes of weights that the plain loop reads.
const LEVELS: [(&str, usize); 4] =
    [("L1, 16 KB", 16 << 10), ("L2, 160 KB", 160 << 10), ("L2, 640 KB", 640 << 10), ("4 MB", 4 << 20)];

/// Seconds that one sample should take, so that the clock's own cost vanishes.
const SAMPLE: f64 = 0.002;

/// One line of the table.
struct Line {
    name: String,
    flops: u64,
    times: usize,
    seconds: Vec<f64>,
    run: Box<dyn Fn(usize)>,
}

impl Line {
    fn new(name: String, flops: u64, run: impl Fn(usize) + 'static) -> Self {
        let mut times = 1;
        while seconds_of(|| run(times)) < SAMPLE {
            times *= 2;
        }
        Self { name, flops, times, seconds: Vec::new(), run: Box::new(run) }
    }

    fn sample(&mut self) {
        self.seconds.push(seconds_of(|| (self.run)(self.times)) / self.times as f64);
    }

    fn print(mut self) {
        self.seconds.sort_by(f64::total_cmp);
        let median = self.seconds[self.seconds.len() / 2];
        let (name, rate) = (self.name, self.flops as f64 / median / 1e9);
        println!(
            "{name:<24} {:>10.4} ms {:>10.4} least {rate:>8.1} GFLOP/s",
            median * 1e3,
            self.seconds[0] * 1e3
        );
    }
}

fn seconds_of(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if_eq("texts").is_some() {
        let mut file =
            || arguments.next().map(PathBuf::from).ok_or("texts LSTM SKIM TEST.tsv [every] [rounds]");
        let (lstm, skim, data) = (file()?, file()?, file()?);
        let mut number = |otherwise| arguments.next().map_or(Ok(otherwise), |number| number.parse());
        return texts::compare(&lstm, &skim, &data, number(25)?, number(3)?);
    }
    if arguments.next_if_eq("silence").is_some() {
        return silence(arguments.next().map_or(Ok(11), |rounds| rounds.parse())?);
    }
    if arguments.next_if_eq("cells").is_some() {
        return cells(arguments.next().map_or(Ok(21), |rounds| rounds.parse())?);
    }
    if arguments.next_if_eq("lm").is_some() {
        let rounds = arguments.next().map_or(Ok(11), |rounds| rounds.parse())?;
        return Ok(lm::compare(rounds, &arguments.next().unwrap_or_default())?);
    }
    if arguments.next_if_eq("next").is_some() {
        let model = arguments.next().map(PathBuf::from).ok_or("next MODEL [rounds]")?;
        return next::compare(&model, arguments.next().map_or(Ok(11), |rounds| rounds.parse())?);
    }
    if arguments.next_if_eq("lm-turns").is_some() {
        let mut next = || arguments.next().ok_or("lm-turns NAME TEXT WEIGHTS");
        let (name, text, weights) = (next()?, PathBuf::from(next()?), PathBuf::from(next()?));
        return lm::take_turns(&name, &text, &weights);
    }
    if arguments.next_if_eq("loops").is_some() {
        let rounds = arguments.next().map_or(Ok(11), |rounds| rounds.parse())?;
        return loops::compare(rounds, &arguments.next().unwrap_or_default());
    }
    if arguments.next_if_eq("loops-turns").is_some() {
        let mut next = || arguments.next().ok_or("loops-turns NETWORK STRATEGY learn|read EXAMPLES");
        let (name, strategy, training) = (next()?, next()?, next()? == "learn");
        return loops::take_turns(&name, &strategy, training, &PathBuf::from(next()?));
    }
    if arguments.next_if_eq("gpu").is_some() {
        let out =
            arguments.next().map(PathBuf::from).ok_or("gpu OUT.json [seconds] [substring of a name]")?;
        let seconds = arguments.next().map_or(Ok(240), |seconds| seconds.parse())?;
        return gpu::record(&out, Duration::from_secs(seconds), &arguments.next().unwrap_or_default());
    }
    let rounds: usize = arguments.next().map_or(Ok(11), |rounds| rounds.parse())?;
    let only = arguments.next().unwrap_or_default();
    let mut lines = Vec::new();
    for (level, bytes) in LEVELS.into_iter().filter(|_| roofline::is_supported()) {
        let plain = Plain::new(bytes);
        let flops = plain.flops();
        lines.push(Line::new(format!("plain loop {level}"), flops, move |times| {
            black_box(plain.run(times));
        }));
    }
    for shape in SHAPES {
        for network in NETWORKS {
            let name = format!("{} {network:?}", shape.name);
            // The Skim layer has no stack, so the third workload is not its own.
            if !name.contains(&only) || shape.layers > 1 && format!("{network:?}").starts_with("Skim") {
                continue;
            }
            let contestant = Contestant::new(network, shape)?;
            // What a run that fails would fail with, said before anything is timed.
            contestant.run()?;
            let contestant = Rc::new(contestant);
            let flops = contestant.flops();
            if !format!("{network:?}").contains("Skim") {
                let learner = contestant.clone();
                lines.push(Line::new(format!("{name} learn"), 3 * flops, move |times| {
                    (0..times).for_each(|_| drop(black_box(learner.learn())));
                }));
            }
            lines.push(Line::new(name, flops, move |times| {
                (0..times).for_each(|_| drop(black_box(contestant.run())));
            }));
        }
    }
    for nodes in [1, 100, 10_000, 1_000_000] {
        let name = format!("record {nodes} nodes");
        if name.contains(&only) {
            lines.push(Line::new(name, 0, move |times| (0..times).for_each(|_| record(nodes))));
        }
    }
    for _ in 0..rounds.max(1) {
        lines.iter_mut().for_each(Line::sample);
    }
    lines.into_iter().for_each(Line::print);
    Ok(())
}

/// Prints what a cell's steps take over those of the library's own, by turns: the median of the rounds' ratios and its quartiles.
fn cells(rounds: usize) -> Result<(), Box<dyn std::error::Error>> {
    for device in [Some(Device::cpu()), cells::gpu()].into_iter().flatten() {
        let steps = cells::Steps::new(device.clone())?;
        for (batch, training) in cells::BATCHES.into_iter().flat_map(|batch| [(batch, false), (batch, true)])
        {
            let [own, cell] = [false, true].map(|by_cell| steps.run(batch, by_cell, training));
            let (own, cell) = (own?, cell?);
            if (own - cell).abs() > 1e-4 {
                return Err(format!("the cell has {cell}, the layer {own}").into());
            }
            let mut times = 1;
            while seconds_of(|| (0..times).for_each(|_| drop(steps.run(batch, false, training)))) < 0.02 {
                times *= 2;
            }
            let (mut ratios, mut milliseconds) = (Vec::new(), Vec::new());
            for round in 0..rounds.max(1) {
                let mut seconds = [0.0; 2];
                for by_cell in [round % 2 == 0, round % 2 == 1] {
                    let turn =
                        || (0..times).for_each(|_| drop(black_box(steps.run(batch, by_cell, training))));
                    seconds[usize::from(by_cell)] = seconds_of(turn) / times as f64;
                }
                ratios.push(seconds[1] / seconds[0]);
                milliseconds.push(seconds[0] * 1e3);
            }
            ratios.sort_by(f64::total_cmp);
            milliseconds.sort_by(f64::total_cmp);
            let quarter = |part: usize| ratios[(part * ratios.len() / 4).min(ratios.len() - 1)];
            println!(
                "{:<7} batch {batch:>2} {:<9} {:>8.3} ms by the layer, {:.2}x by the cell ({:.2} to {:.2})",
                device.name(),
                if training { "training" } else { "inference" },
                milliseconds[milliseconds.len() / 2],
                quarter(2),
                quarter(1),
                quarter(3),
            );
        }
    }
    Ok(())
}

/// Prints what a loud step takes and a silent one, by the least time of each run of steps.
fn silence(rounds: usize) -> Result<(), Box<dyn std::error::Error>> {
    for network in silence::NETWORKS {
        let [loud_runs, silent_runs] = silence::RUNS;
        let mut least = vec![f64::INFINITY; loud_runs + silent_runs];
        let mut least_learning = [f64::INFINITY; 2];
        let mut denormal = 0;
        for _ in 0..rounds.max(1) {
            let mut listener = Listener::new(network)?;
            for (run, least) in least.iter_mut().enumerate() {
                let mut denormal_now = Ok(0);
                *least = least.min(seconds_of(|| denormal_now = listener.run(run < loud_runs)));
                denormal += denormal_now?;
            }
            for (of_last, least) in [false, true].into_iter().zip(&mut least_learning) {
                let mut result = Ok(());
                *least = least.min(seconds_of(|| result = listener.learn(of_last)));
                result?;
            }
        }
        let micros =
            |seconds: &[f64]| seconds.iter().sum::<f64>() / (seconds.len() * silence::STEPS) as f64 * 1e6;
        let (loud, silent) = (micros(&least[..loud_runs]), micros(&least[loud_runs..]));
        let slowest = least[loud_runs..].iter().copied().fold(0.0, f64::max);
        let [of_all, of_last] = least_learning.map(|least| micros(&[least]));
        println!(
            "{:<16} {loud:>8.2} us a loud step, {silent:>8.2} a silent one, {:.2}x, at worst {:.2}x; \
             {of_all:>8.2} us to learn from all rows, {of_last:>8.2} from the last, {:.2}x; {denormal} denormal",
            format!("{network:?}"),
            silent / loud,
            micros(&[slowest]) / loud,
            of_last / of_all,
        );
    }
    Ok(())
}
