//! Where a model runs, and what becomes of a call when the GPU fails.

use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use pollster::block_on;
use saccade_rnn::device::gpu::GpuOptions;
use saccade_rnn::device::{Cpu, CpuOptions, Device};
use saccade_rnn::model::{
    Decision, LabelledToken, LayerConfig, Model, ParsedToken, ReadError, ReadOptions, Reading, Task,
    TreeCell, Watch,
};
use saccade_rnn::runner::{Devices, Preference, Reason, Run, Runner};
use saccade_rnn::text::Tree;

mod support;
use support::{model, skim};

/// Bound of a probability's difference between the devices.
const BOUND: f32 = 1e-4;
/// A skim probability this close to the threshold may fall on either side.
const DOUBT: f32 = 1e-3;

fn options() -> GpuOptions {
    GpuOptions { name: std::env::var("SACCADE_ADAPTER").ok(), ..GpuOptions::default() }
}

fn runner(encoder: Vec<LayerConfig>, options: GpuOptions) -> (Runner, Rc<Devices>) {
    let devices = Rc::new(Devices::new(options));
    (Runner::new(Rc::new(model(encoder)), Device::cpu(), devices.clone()), devices)
}

fn read(runner: &Runner, text: &str, preference: Preference) -> Run {
    let outcome = block_on(runner.read(text, &ReadOptions::default(), preference, &mut ()));
    outcome.expect("a failing GPU is no error")
}

/// Asserts that two readings are the same, up to the first decision that hangs on a rounding.
fn assert_same(what: &str, found: &Reading, expected: &Reading, threshold: f32) {
    assert_eq!(found.tokens.len(), expected.tokens.len(), "{what}");
    for (i, (a, b)) in found.tokens.iter().zip(&expected.tokens).enumerate() {
        let (Some(p), Some(q)) = (a.skim_probability, b.skim_probability) else { continue };
        if (q - threshold).abs() < DOUBT {
            return;
        }
        assert!((p - q).abs() <= BOUND, "{what}: token {i}: {p}, on the CPU {q}");
        assert_eq!(a.decision, b.decision, "{what}: token {i}");
    }
    for (a, b) in found.scores.iter().zip(&expected.scores) {
        let (p, q) = (a.probability, b.probability);
        assert!((p - q).abs() <= BOUND, "{what}: {}: {p}, on the CPU {q}", a.label);
    }
}

const TEXTS: [&str; 5] = [
    "",
    "Charming!",
    "The plot is thin and the ending is silly, but the two leads are so charming that I forgave them everything.",
    "A tedious, overlong lecture that mistakes noise for feeling and never once made me care who lived or died.",
    "Where was the famous bridge built, and who paid for it?",
];

#[test]
fn another_cpu_reads_the_same_and_knows_what_was_measured() {
    let (runner, _) = runner(vec![skim()], options());
    let bare = Cpu::new(CpuOptions { word_cache_bytes: 0, ..CpuOptions::default() });
    let other = runner.with_cpu(bare.into());
    for text in TEXTS {
        let [found, expected] = [&other, &runner].map(|one| read(one, text, Preference::Cpu).reading);
        assert_eq!((found.tokens, found.scores), (expected.tokens, expected.scores), "{text}");
    }
    assert_eq!(other.costs(), None);
    block_on(runner.calibrate(&mut ())).expect("costs");
    assert_eq!(other.costs(), runner.costs());
    assert!(other.costs().is_some());
}

#[test]
fn every_shipped_model_reads_the_same_on_both_devices() {
    let devices = Rc::new(Devices::new(options()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let files = std::fs::read_dir(&folder).expect("the models are beside the crate");
    let (mut models, mut taggers, mut parsers) = (0, Vec::new(), Vec::new());
    let (mut of_trees, mut of_heads) = (Vec::new(), Vec::new());
    for path in files.map(|file| file.expect("an entry").path()) {
        if path.extension().is_none_or(|extension| extension != "safetensors") {
            continue;
        }
        models += 1;
        let bytes = std::fs::read(&path).expect("the model can be read");
        let model = Rc::new(Model::from_bytes(&bytes).expect("a model"));
        let others = match &model.config().task {
            Task::Tag(_) => Some(&mut taggers),
            Task::Parse(_) => Some(&mut parsers),
            Task::Tree(task) if task.cell == TreeCell::ChildSum => Some(&mut of_heads),
            Task::Tree(_) => Some(&mut of_trees),
            Task::Classify(_) | Task::Predict(_) => None,
        };
        if let Some(others) = others {
            others.push(model);
            continue;
        }
        let runner = Runner::new(model, Device::cpu(), devices.clone());
        let name = path.display();
        let long = [TEXTS[2], TEXTS[3]].join(" ").repeat(12);
        let forcings = [None, Some(Decision::Read), Some(Decision::Skim)];
        // A network that does not skim has no use for decisions.
        let forcings = if runner.model().skims() { &forcings[..] } else { &forcings[..1] };
        for text in TEXTS.iter().copied().chain([&*long]) {
            let tokens = runner.model().tokenizer().tokenize(text).len();
            for &forced in forcings {
                let force = forced.map(|decision| (0..tokens).map(|i| (i, decision)).collect());
                let options = ReadOptions { force: force.unwrap_or_default(), ..ReadOptions::default() };
                let on = |preference| block_on(runner.read(text, &options, preference, &mut ()));
                let gpu = on(Preference::WebGpu).expect("it reads");
                let cpu = on(Preference::Cpu).expect("it reads");
                assert_eq!(gpu.reading.timing.device, "webgpu", "{name}: {:?}", gpu.device_reason);
                // Forced decisions are never in doubt.
                let threshold = if forced.is_some() { f32::INFINITY } else { runner.model().threshold() };
                assert_same(
                    &format!("{name}: {tokens} tokens, {forced:?}"),
                    &gpu.reading,
                    &cpu.reading,
                    threshold,
                );
            }
        }
    }
    assert!(models >= 7, "{models} models");
    let gpu = Device::Gpu(devices.ready().expect("the others were read by it"));
    for model in &taggers {
        let [found, expected] = [&gpu, &Device::cpu()]
            .map(|device| block_on(model.tag_all(device, &TEXTS, &mut ())).expect("tags").concat());
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(&expected) {
            assert!((a.probability - b.probability).abs() <= BOUND, "{a:?}, on the CPU {b:?}");
            assert!(a.tag == b.tag || b.probability < 0.5 + DOUBT, "{a:?}, on the CPU {b:?}");
        }
    }
    for model in &parsers {
        let [found, expected] = [&gpu, &Device::cpu()]
            .map(|device| block_on(model.parse_all(device, &TEXTS, &mut ())).expect("trees").concat());
        assert_eq!(found.len(), expected.len());
        // A decision in doubt may fall otherwise, and those after it with it.
        let same = |(a, b): &(&ParsedToken<'_>, &ParsedToken<'_>)| {
            (a.head, a.relation, a.tag) == (b.head, b.relation, b.tag)
                && (a.probability - b.probability).abs() <= BOUND
        };
        let agreeing = found.iter().zip(&expected).filter(same).count();
        assert!(
            agreeing * 100 >= expected.len() * 95,
            "{agreeing} of {}: {found:?} {expected:?}",
            expected.len()
        );
    }
    let trees = ["(_ Charming)", "(_ (_ The) (_ (_ plot) (_ (_ is) (_ (_ (_ so) (_ charming)) (_ -RRB-)))))"]
        .map(|brackets| Tree::parse(brackets).expect("a tree"));
    for model in &of_trees {
        let [found, expected] = [&gpu, &Device::cpu()]
            .map(|device| block_on(model.label_trees(device, &trees, &mut ())).expect("labels").concat());
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(&expected) {
            let difference = a.probabilities.iter().zip(&b.probabilities).map(|(p, q)| (p - q).abs());
            assert!(difference.fold(0.0, f32::max) <= BOUND, "{a:?}, on the CPU {b:?}");
        }
    }
    for model in &of_heads {
        let [found, expected] = [&gpu, &Device::cpu()].map(|device| {
            block_on(model.label_texts(device, &parsers[0], &TEXTS, &mut ())).expect("labels").concat()
        });
        assert_eq!(found.len(), expected.len());
        // As above: another head is another tree.
        let same = |(a, b): &(&LabelledToken<'_>, &LabelledToken<'_>)| {
            let pairs = a.node.probabilities.iter().zip(&b.node.probabilities);
            a.token.head == b.token.head && pairs.map(|(p, q)| (p - q).abs()).fold(0.0, f32::max) <= BOUND
        };
        let agreeing = found.iter().zip(&expected).filter(same).count();
        assert!(agreeing * 100 >= expected.len() * 95, "{agreeing} of {}", expected.len());
    }
    assert!(!taggers.is_empty() && !parsers.is_empty() && !of_trees.is_empty() && !of_heads.is_empty());
}

#[test]
fn a_missing_adapter_leaves_the_cpu_and_says_so() {
    let nowhere = GpuOptions { name: Some("no such adapter".into()), ..GpuOptions::default() };
    let (runner, _) = runner(vec![skim()], nowhere);
    for preference in [Preference::WebGpu, Preference::Auto] {
        let run = read(&runner, "a good film", preference);
        assert_eq!(run.reading.timing.device, "cpu");
    }
    let run = read(&runner, "a good film", Preference::WebGpu);
    assert!(
        matches!(&run.device_reason, Reason::NoGpu { why } if why.contains("no such adapter")),
        "{run:?}"
    );
    let costs = block_on(runner.calibrate(&mut ())).expect("the CPU can be measured");
    assert!(costs.gpu.is_err() && costs.cpu.token_ms >= 0.0);
    let run = read(&runner, "a good film", Preference::Auto);
    assert!(
        matches!(&run.device_reason, Reason::NoGpu { why } if why.contains("no such adapter")),
        "{run:?}"
    );
}

#[test]
fn what_does_not_fit_the_gpu_is_read_by_the_cpu_and_the_gpu_stays() {
    let (runner, devices) = runner(vec![skim()], GpuOptions { max_buffer_bytes: Some(4096), ..options() });
    let long = "good film ".repeat(2000);
    let run = read(&runner, &long, Preference::WebGpu);
    assert_eq!(run.reading.timing.device, "cpu");
    let Reason::GpuFailed { error } = &run.device_reason else { panic!("{run:?}") };
    assert!(error.contains("too large for the GPU"), "{error}");
    assert_same("long", &run.reading, &read(&runner, &long, Preference::Cpu).reading, 0.5);
    assert!(devices.ready().is_some(), "asking for too much breaks nothing");
    assert_eq!(read(&runner, "good film", Preference::WebGpu).reading.timing.device, "webgpu");
}

/// Destroys the GPU after the first piece of a text.
struct Saboteur(Rc<Devices>);

impl Watch for Saboteur {
    async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
        if done < total
            && let Some(gpu) = self.0.ready()
        {
            gpu.destroy();
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn a_gpu_lost_half_way_loses_nothing_and_is_asked_for_once_more() {
    let (runner, devices) = runner(vec![skim()], options());
    let text = "a good film \" naïve ".repeat(400);
    let expected = read(&runner, &text, Preference::Cpu).reading;
    for loss in 0..2 {
        assert_eq!(read(&runner, "good", Preference::WebGpu).reading.timing.device, "webgpu", "loss {loss}");
        let mut saboteur = Saboteur(devices.clone());
        let options = ReadOptions::default();
        let outcome = block_on(runner.read(&text, &options, Preference::WebGpu, &mut saboteur));
        let run = outcome.expect("the CPU goes on");
        assert_eq!(run.reading.timing.device, "cpu");
        assert!(matches!(run.device_reason, Reason::GpuFailed { .. }), "{run:?}");
        assert_same("lost", &run.reading, &expected, 0.5);
    }
    let run = read(&runner, "good", Preference::WebGpu);
    assert_eq!(run.reading.timing.device, "cpu", "once more, not for ever");
    assert!(matches!(run.device_reason, Reason::NoGpu { .. }), "{run:?}");
}

/// Reads a text where the GPU is wanted, each time that it is asked.
struct Meanwhile<'a>(&'a Runner, Vec<Run>);

impl Watch for Meanwhile<'_> {
    async fn progress(&mut self, _: usize, _: usize) -> ControlFlow<()> {
        let outcome = self.0.read("a good film", &ReadOptions::default(), Preference::WebGpu, &mut ()).await;
        self.1.push(outcome.expect("the CPU reads"));
        ControlFlow::Continue(())
    }
}

#[test]
fn the_cpu_answers_while_the_gpu_is_made_ready() {
    let (runner, devices) = runner(vec![skim()], options());
    let mut meanwhile = Meanwhile(&runner, Vec::new());
    block_on(runner.prepare(&mut meanwhile)).expect("nobody stops it");
    assert!(!meanwhile.1.is_empty(), "the watch is asked");
    for run in &meanwhile.1 {
        assert_eq!((run.reading.timing.device.as_str(), &run.device_reason), ("cpu", &Reason::GpuStarting));
    }
    let ready = devices.ready().expect("the GPU is there").statistics();
    assert!(ready.dispatches > 0 && ready.bytes_moved > 0, "{ready:?}");
    let run = read(&runner, "a good film", Preference::WebGpu);
    assert_eq!(run.reading.timing.device, "webgpu", "{:?}", run.device_reason);
    assert_same("ready", &run.reading, &meanwhile.1[0].reading, 0.5);
}

/// Ends a preparation at once.
struct Stop;

impl Watch for Stop {
    async fn progress(&mut self, _: usize, _: usize) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

#[test]
fn a_preparation_that_is_stopped_or_has_no_gpu_is_over() {
    let (found, _) = runner(vec![skim()], options());
    assert!(matches!(block_on(found.prepare(&mut Stop)), Err(ReadError::Cancelled { .. })));
    assert_eq!(read(&found, "good", Preference::WebGpu).reading.timing.device, "webgpu");
    let nowhere = GpuOptions { name: Some("no such adapter".into()), ..GpuOptions::default() };
    let (without, _) = runner(vec![skim()], nowhere);
    block_on(without.prepare(&mut ())).expect("a GPU that is not there is no error");
    let run = read(&without, "good", Preference::WebGpu);
    assert!(matches!(run.device_reason, Reason::NoGpu { .. }), "{run:?}");
}

#[test]
fn auto_goes_by_what_was_measured() {
    let (runner, _) = runner(vec![skim()], options());
    let first = read(&runner, "a good film", Preference::Auto);
    assert_eq!((first.reading.timing.device.as_str(), runner.costs()), ("cpu", None));
    let costs = block_on(runner.calibrate(&mut ())).expect("both can be measured");
    assert!(costs.gpu.is_ok(), "{costs:?}");
    for text in ["a good film".to_string(), "good ".repeat(5000)] {
        let run = read(&runner, &text, Preference::Auto);
        let tokens = run.reading.tokens.len();
        let expected = if costs.prefers_gpu(tokens) { "webgpu" } else { "cpu" };
        assert_eq!(run.reading.timing.device, expected);
        assert_eq!(run.device_reason, costs.reason(tokens));
    }
    for preference in [Preference::Cpu, Preference::WebGpu] {
        let steps = block_on(runner.steps(preference, &mut ())).expect("steps can be measured");
        assert!(steps.clock_us > 0.0 && steps.skim_us.is_some(), "{steps:?}");
        assert!(steps.method.lengths[0] < steps.method.lengths[1] && steps.method.samples > 0, "{steps:?}");
    }
}

#[test]
fn ten_thousand_readings_leave_the_gpus_memory_where_it_was_after_a_hundred() {
    let (runner, devices) = runner(vec![skim()], options());
    let mut early = None;
    for n in 1..=10_000 {
        let run = read(&runner, "a good film", Preference::WebGpu);
        assert_eq!(run.reading.timing.device, "webgpu", "{:?}", run.device_reason);
        if n == 100 {
            early = devices.ready().map(|gpu| gpu.statistics().bytes_allocated);
        }
    }
    let late = devices.ready().map(|gpu| gpu.statistics().bytes_allocated);
    assert!(early.is_some_and(|bytes| bytes > 0) && late == early, "{early:?}, then {late:?}");
}
