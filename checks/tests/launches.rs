//! How many launches a step of training takes: as many for long texts as for short ones, and for many as for few.

mod common;

use pollster::block_on;
use saccade_rnn::device::Device;
use saccade_rnn::model::{
    self, FreshOptions, LayerConfig, Model, Nonlinearity, Prediction, SruConfig, Task, Training,
};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{Due, OutputConfig, Predict, Reset, RunConfig, Texts, TrainConfig, Trainer};

use common::{device, gpu};

/// What a step of a language model of one layer may take.
const MOST: u64 = 25;
const UNITS: usize = 128;
const CHARACTERS: u32 = 65;

fn good<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// A run over a text in so many lanes, of which a step reads so many characters.
fn trainer(device: &Device, layer: LayerConfig, lanes: usize, characters: usize) -> Trainer<Predict> {
    let train = TrainConfig { clip: 1.0, evaluations: 1, ..TrainConfig::new(lanes, 1, 0.003) };
    let config = model::Config {
        format: model::FORMAT,
        task: Task::Predict(Prediction::new(&[])),
        tokenizer: Tokenizer::spaces(),
        vocabulary: std::iter::once("<unk>".into()).chain((1..CHARACTERS).map(|i| i.to_string())).collect(),
        embedding_size: UNITS,
        encoder: vec![layer],
        threshold: None,
        training: Training::default(),
    };
    let model = good(Model::fresh(config, train.dropouts(), FreshOptions::default(), 1));
    let text: Vec<u32> = (0..(lanes * characters * 4) as u32 + 1).map(|i| i * i % CHARACTERS).collect();
    let objective = good(Predict::new(&train, characters, Reset::Epoch));
    let config = RunConfig { seed: 1, train, output: OutputConfig::default() };
    let texts = Texts { train: vec![text.clone()], dev: vec![text], test: Vec::new() };
    good(Trainer::new(device, model, objective, texts, config))
}

/// The launches of a step that begins with what the one before left.
fn launches(device: &Device, layer: &LayerConfig, lanes: usize, characters: usize) -> u64 {
    let mut trainer = trainer(device, layer.clone(), lanes, characters);
    let mut last = 0;
    for _ in 0..3 {
        assert_eq!(trainer.due(), Due::Step);
        let before = gpu(device).statistics().dispatches;
        good(block_on(trainer.step()));
        last = gpu(device).statistics().dispatches - before;
    }
    last
}

#[test]
fn a_step_takes_few_launches_whatever_it_reads() {
    let device = device();
    let layers = [
        LayerConfig::Lstm { hidden_size: UNITS, bidirectional: false },
        LayerConfig::Gru { hidden_size: UNITS, bidirectional: false },
        LayerConfig::Sru(SruConfig::new(UNITS, 1)),
        LayerConfig::Elman { hidden_size: UNITS, nonlinearity: Nonlinearity::Tanh, bidirectional: false },
    ];
    for layer in layers {
        let counts = [(8, 16), (8, 64), (24, 16)]
            .map(|(lanes, characters)| launches(&device, &layer, lanes, characters));
        println!("{layer:?}: {} launches", counts[0]);
        assert!(counts.iter().all(|&count| count == counts[0] && count <= MOST), "{layer:?}: {counts:?}");
    }
}
