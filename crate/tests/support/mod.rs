//! Small models and files, for the tests.
#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeMap;

use saccade_rnn::model::{
    CONFIG_KEY, Cell, Characters, Checkpoint, Classification, Config, Dropouts, FORMAT, FreshOptions, Input,
    LayerConfig, Model, Nonlinearity, Parsing, Pool, Prediction, SmallReads, SruConfig, Storage, Tagging,
    Task, Tensor, Training, TreeCell, TreeLabels,
};
use saccade_rnn::text::{Tokenizer, TokenizerKind};

/// A file with this header, whatever it says, and this data.
pub(crate) fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A config with a layer of every type.
pub(crate) fn config() -> Config {
    Config {
        format: FORMAT,
        task: Task::Classify(Classification {
            labels: ["negative", "positive"].map(String::from).to_vec(),
            data_labels: ["0", "1"].map(String::from).to_vec(),
            pool: Pool::Last,
        }),
        tokenizer: Tokenizer::treebank(),
        vocabulary: ["<unk>", "a", "good", "film", "\"", "naïve", "🎬"].map(String::from).to_vec(),
        embedding_size: 3,
        encoder: vec![
            LayerConfig::Elman { hidden_size: 2, nonlinearity: Nonlinearity::Relu, bidirectional: false },
            LayerConfig::Lstm { hidden_size: 2, bidirectional: true },
            LayerConfig::Gru { hidden_size: 3, bidirectional: false },
            LayerConfig::Sru(SruConfig {
                bidirectional: true,
                rescale: true,
                layer_norm: true,
                projection_size: 2,
                ..SruConfig::new(4, 2)
            }),
            LayerConfig::Skim {
                cell: Cell::Lstm,
                hidden_size: 4,
                small_size: 1,
                small_reads: SmallReads::Slice,
            },
        ],
        threshold: Some(0.5),
        training: Training {
            command: Some("saccade train tiny.toml".into()),
            seed: Some(u64::MAX),
            figures: BTreeMap::from([("dev_accuracy".into(), 0.75)]),
            ..Training::default()
        },
    }
}

/// A Skim layer over an LSTM: d = 4, d' = 1.
pub(crate) fn skim() -> LayerConfig {
    LayerConfig::Skim { cell: Cell::Lstm, hidden_size: 4, small_size: 1, small_reads: SmallReads::Slice }
}

/// A runnable model with these layers over the words of [`config`].
pub(crate) fn model(encoder: Vec<LayerConfig>) -> Model {
    model_of(encoder, Pool::Last)
}

/// A runnable model with these layers and this pool over the words of [`config`].
pub(crate) fn model_of(encoder: Vec<LayerConfig>, pool: Pool) -> Model {
    let Task::Classify(task) = config().task else { unreachable!("the config of a classifier") };
    let task = Task::Classify(Classification { pool, ..task });
    let config = Config { encoder, task, threshold: None, ..config() };
    Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).expect("the config is valid")
}

/// A model that predicts the words of [`config`] in bands of 2, 3 and 2, tied.
pub(crate) fn language_model() -> Model {
    let task = Prediction {
        div_value: 2.0,
        input: Input::Tied,
        start: Some("a".into()),
        ..Prediction::new(&[2, 5])
    };
    let encoder = vec![LayerConfig::Gru { hidden_size: 4, bidirectional: false }];
    let config = Config { task: Task::Predict(task), encoder, threshold: None, ..config() };
    Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).expect("the config is valid")
}

/// A tagger of the words of [`config`] with three tags; it spells, or does not.
pub(crate) fn tagger(spells: bool) -> Model {
    let alphabet = ["<unk>", "a", "o", "d", "g", "🎬"].map(String::from).to_vec();
    let characters = spells.then_some(Characters { alphabet, embedding_size: 2, hidden_size: 3 });
    let labels = ["DET", "ADJ", "NOUN"].map(String::from).to_vec();
    let config = Config {
        task: Task::Tag(Tagging { labels, characters, crf: false }),
        tokenizer: Tokenizer::new(TokenizerKind::Universal, true),
        encoder: vec![LayerConfig::Lstm { hidden_size: 4, bidirectional: true }],
        threshold: None,
        ..config()
    };
    Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).expect("the config is valid")
}

/// A parser of the words of [`config`] with the tags of [`tagger`] and two relations.
pub(crate) fn parser() -> Model {
    let config = tagger(true).config().clone();
    let Task::Tag(tag) = config.task else { unreachable!("the config of a tagger") };
    let task = Parsing {
        tag,
        relations: ["det", "amod"].map(String::from).to_vec(),
        tag_size: 2,
        layers: vec![LayerConfig::Lstm { hidden_size: 3, bidirectional: true }],
        hidden_size: 5,
    };
    let config = Config { task: Task::Parse(task), ..config };
    Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).expect("the config is valid")
}

/// A classifier of the nodes of trees, on the word vectors of [`config`] or on a layer in both directions over them.
pub(crate) fn tree_classifier(layered: bool) -> Model {
    let layer = LayerConfig::Lstm { hidden_size: 2, bidirectional: true };
    let encoder = if layered { vec![layer] } else { Vec::new() };
    tree_classifier_with(Config { encoder, ..config() }, 3)
}

/// A classifier of the nodes of trees over these words.
pub(crate) fn tree_classifier_of(embedding_size: usize, hidden_size: usize, words: &[&str]) -> Model {
    let vocabulary = ["<unk>"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    tree_classifier_with(Config { vocabulary, embedding_size, encoder: Vec::new(), ..config() }, hidden_size)
}

/// A classifier of words with what depends on them, on word vectors.
pub(crate) fn child_sum_classifier() -> Model {
    of_cell(Config { encoder: Vec::new(), ..config() }, 3, TreeCell::ChildSum)
}

/// A classifier of words with what depends on them, over these words.
pub(crate) fn child_sum_classifier_of(embedding_size: usize, hidden_size: usize, words: &[&str]) -> Model {
    let vocabulary = ["<unk>"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    let config = Config { vocabulary, embedding_size, encoder: Vec::new(), ..config() };
    of_cell(config, hidden_size, TreeCell::ChildSum)
}

fn tree_classifier_with(config: Config, hidden_size: usize) -> Model {
    of_cell(config, hidden_size, TreeCell::Binary)
}

fn of_cell(config: Config, hidden_size: usize, cell: TreeCell) -> Model {
    let task = TreeLabels {
        labels: ["negative", "positive"].map(String::from).to_vec(),
        data_labels: ["0", "1"].map(String::from).to_vec(),
        cell,
        hidden_size,
    };
    let config = Config { task: Task::Tree(task), threshold: None, ..config };
    Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).expect("the config is valid")
}

/// A checkpoint with that config and numbers enough for it.
pub(crate) fn checkpoint() -> Checkpoint {
    let matrix = |rows: usize, columns: usize| {
        let values = (0..rows * columns).map(|i| (i as f32 * 0.37).sin()).collect();
        Tensor::new("matrix", vec![rows, columns], values).expect("the lengths agree")
    };
    let tensors = BTreeMap::from([
        ("embedding.weight".to_owned(), matrix(7, 3)),
        ("encoder.0.weight_ih_l0".to_owned(), matrix(40, 16)),
        ("head.bias".to_owned(), Tensor::new("bias", vec![2], vec![0.5, -0.5]).expect("the lengths agree")),
    ]);
    let json = config().to_json().expect("the config is valid");
    let metadata =
        BTreeMap::from([(CONFIG_KEY.to_owned(), json), ("note".to_owned(), "made by a test".to_owned())]);
    Checkpoint { tensors, metadata }
}

/// Matrices as int8 rows, the rest as f32.
pub(crate) fn compact(_: &str, tensor: &Tensor) -> Storage {
    if tensor.shape.len() == 2 { Storage::Int8Rows } else { Storage::F32 }
}
