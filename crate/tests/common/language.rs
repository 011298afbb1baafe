//! The language model of the tests.

use pollster::block_on;
use saccade_rnn::device::Device;
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::model::{self, FreshOptions, Input, LayerConfig, Model, Prediction, Task, Training};
use saccade_rnn::nn::SkimControl;
use saccade_rnn::text::{Ends, Tokenizer, TokenizerKind};

pub(crate) const WORDS: usize = 60;

/// A network of two layers, far from uniform, that ends lines; `start` stands before every text.
pub(crate) fn model(start: Option<&str>) -> Model {
    let words = (1..WORDS - 1).map(|i| format!("w{i}")).chain(["<eos>".to_owned()]);
    let task = Prediction {
        div_value: 2.0,
        head_bias: true,
        input: Input::Tied,
        start: start.map(str::to_owned),
        ..Prediction::new(&[8, 30])
    };
    let config = model::Config {
        format: model::FORMAT,
        task: Task::Predict(task),
        tokenizer: Tokenizer::new(TokenizerKind::Spaces, false).with_ends(Some(Ends::Line)),
        vocabulary: std::iter::once("<unk>".to_owned()).chain(words).collect(),
        embedding_size: 8,
        encoder: vec![
            LayerConfig::Lstm { hidden_size: 12, bidirectional: false },
            LayerConfig::Gru { hidden_size: 16, bidirectional: false },
        ],
        threshold: None,
        training: Training::default(),
    };
    let mut model = Model::fresh(config, Default::default(), FreshOptions::default(), 5).unwrap();
    // Far from uniform, so that most tails stay shut.
    let scale = |parameters: &mut saccade_rnn::device::Parameters| {
        parameters.iter_mut().for_each(|(_, p)| p.values.iter_mut().for_each(|value| *value *= 4.0));
    };
    scale(model.parameters_mut());
    model
}

/// `ln p` of every word after each of these, by the whole softmax.
pub(crate) fn all(model: &Model, ids: &[u32]) -> Vec<Vec<f32>> {
    let graph = Graph::inference(model.parameters(), &Device::cpu(), Strategy::Levels);
    let control = SkimControl::Decide { threshold: 0.5, force: &[] };
    let rows = model.network().encoder.encode(&graph, ids, Vec::new(), control, Default::default()).rows;
    let all = block_on(model.network().head.logits_at_every_row(rows).value()).unwrap();
    all.chunks(WORDS).map(<[f32]>::to_vec).collect()
}
