//! Training on the GPU goes as it goes on the CPU: the same losses from the same seed, in memory that does not grow.

mod common;

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::Device;
use saccade_rnn::model::{
    self, Cell, Classification, FreshOptions, LayerConfig, Model, Pool, SmallReads, SruConfig, Task,
};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{
    Classify, Due, Item, OutputConfig, RunConfig, SkimLoss, Texts, TrainConfig, Trainer,
};

use common::{device, gpu};

const STEPS: usize = 50;
const WORDS: [&str; 8] = ["<unk>", "warm", "cold", "the", "soup", "is", "a", "day"];

/// Texts of as many words as `length` says; a text is positive iff it holds more of `warm` than of `cold`.
fn corpus(texts: usize, length: impl Fn(&mut Random) -> usize) -> Texts<Item> {
    let mut random = Random::new(3);
    let mut some = |texts| {
        let text = |_| {
            let count = length(&mut random);
            let ids: Vec<u32> = (0..count).map(|_| 1 + random.below(WORDS.len() - 1) as u32).collect();
            let warmth: i32 = ids.iter().map(|id| i32::from(*id == 1) - i32::from(*id == 2)).sum();
            Item { ids, label: u32::from(warmth > 0), teacher: None }
        };
        (0..texts).map(text).collect()
    };
    Texts { train: some(texts), dev: some(40), test: Vec::new() }
}

/// A run at its beginning.
fn trainer(
    device: &Device,
    encoder: LayerConfig,
    skim: Option<SkimLoss>,
    texts: &Texts<Item>,
) -> Trainer<Classify> {
    let is_sru = matches!(encoder, LayerConfig::Sru(_));
    let train = TrainConfig {
        embedding_rate: 0.5,
        weight_decay: 0.01,
        clip: 1.0,
        average: 0.9,
        dropout_embedding: 0.2,
        dropout_encoder: if is_sru { 0.1 } else { 0.0 },
        dropout_head: 0.1,
        adversarial: if is_sru { 0.02 } else { 0.0 },
        skim,
        ..TrainConfig::new(16, 9, 0.01)
    };
    let model = model::Config {
        format: model::FORMAT,
        task: Task::Classify(Classification {
            labels: ["cold", "warm"].map(String::from).to_vec(),
            data_labels: Vec::new(),
            pool: Pool::Last,
        }),
        tokenizer: Tokenizer::spaces(),
        vocabulary: WORDS.map(String::from).to_vec(),
        embedding_size: 7,
        encoder: vec![encoder],
        threshold: None,
        training: model::Training::default(),
    };
    let fresh = FreshOptions { forget_bias: 1.0, ..FreshOptions::default() };
    let begun = Model::fresh(model, train.dropouts(), fresh, 5).map_err(|error| error.to_string());
    let begun = begun.and_then(|model| {
        let objective = Classify::new(&train, 0, None).map_err(|error| error.to_string())?;
        let config = RunConfig { seed: 5, train, output: OutputConfig::default() };
        Trainer::new(device, model, objective, texts.clone(), config).map_err(|error| error.to_string())
    });
    begun.unwrap_or_else(|error| panic!("{error}"))
}

/// Takes a run `steps` steps further; the losses of every step.
fn advance(trainer: &mut Trainer<Classify>, steps: usize, mut each: impl FnMut()) -> Vec<[f32; 2]> {
    let mut losses = Vec::new();
    while losses.len() < steps {
        match trainer.due() {
            Due::Step => {
                let step = block_on(trainer.step()).unwrap_or_else(|error| panic!("{error}"));
                losses.push([step[0].value, step.get(1).map_or(0.0, |skim| skim.value)]);
                each();
            }
            Due::Evaluation => {
                block_on(trainer.evaluate(|_| true)).unwrap_or_else(|error| panic!("{error}"));
            }
            Due::Finish => panic!("the run is long enough"),
        }
    }
    losses
}

/// Fifty steps on both devices; the GPU's run is interrupted half way and another trainer goes on from its snapshot.
fn curves_agree(encoder: LayerConfig, skim: Option<SkimLoss>) {
    let (device, texts) = (device(), corpus(480, |random| 1 + random.below(12)));
    let on_cpu = advance(&mut trainer(&Device::cpu(), encoder.clone(), skim, &texts), STEPS, || ());
    let mut first_half = trainer(&device, encoder.clone(), skim, &texts);
    let mut on_gpu = advance(&mut first_half, STEPS / 2, || ());
    let snapshot = block_on(first_half.snapshot("a test")).unwrap_or_else(|error| panic!("{error}"));
    let mut second_half = trainer(&device, encoder.clone(), skim, &texts);
    second_half.restore(&snapshot, "a test").unwrap_or_else(|error| panic!("{error}"));
    on_gpu.extend(advance(&mut second_half, STEPS - STEPS / 2, || ()));
    assert_eq!((on_cpu.len(), on_gpu.len()), (STEPS, STEPS));
    for (step, (a, b)) in on_gpu.iter().flatten().zip(on_cpu.iter().flatten()).enumerate() {
        assert!((a - b).abs() <= 1e-3, "{encoder:?}, step {}: {a}, on the CPU {b}", step / 2);
    }
    let mean = |losses: &[[f32; 2]]| losses.iter().map(|[loss, _]| loss).sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&on_gpu[..10]), mean(&on_gpu[STEPS - 10..]));
    assert!(last < first, "{encoder:?} learns: {first} at first, {last} at last");
}

#[test]
fn an_lstm_learns_as_on_the_cpu() {
    curves_agree(LayerConfig::Lstm { hidden_size: 9, bidirectional: true }, None);
}

#[test]
fn an_sru_learns_as_on_the_cpu_from_moved_word_vectors_too() {
    let encoder = SruConfig::new(9, 2);
    curves_agree(LayerConfig::Sru(encoder), None);
}

#[test]
fn a_skim_lstm_learns_as_on_the_cpu() {
    let encoder =
        LayerConfig::Skim { cell: Cell::Lstm, hidden_size: 9, small_size: 3, small_reads: SmallReads::Slice };
    curves_agree(encoder, Some(SkimLoss { gamma: 0.05, temperature_rate: 1e-2, rise: 0, min_rate: 0.0 }));
}

#[test]
fn memory_does_not_grow_from_step_to_step() {
    let device = device();
    // Steps alike, and one evaluation before the first look.
    let texts = corpus(16 * 8, |_| 6);
    let mut run = trainer(&device, LayerConfig::Lstm { hidden_size: 9, bidirectional: false }, None, &texts);
    let mut bytes = Vec::new();
    advance(&mut run, STEPS, || bytes.push(gpu(&device).statistics().bytes_allocated));
    assert_eq!(bytes[10], bytes[40], "{bytes:?}");
}

#[test]
fn what_was_read_leaves_little_behind() {
    let device = device();
    for million in 12..19 {
        let size = million << 20;
        let values = device.upload(vec![1.0; size]).expect("a buffer of 72 MiB");
        let read = block_on(device.read(&[(values, 0..size)])).expect("it is there");
        assert_eq!(read[0].len(), size);
    }
    let statistics = gpu(&device).statistics();
    assert!(statistics.bytes_allocated <= 256 << 20, "{statistics:?}");
}
