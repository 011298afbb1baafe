//! Language models: truncated back-propagation with carried state, perplexity, and runs that go on.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use pollster::block_on;
use proptest::prelude::*;
use proptest::sample::select;
use saccade_rnn::device::{Cpu, Device};
use saccade_rnn::model::{
    self, Checkpoint, FreshOptions, Input, LayerConfig, Model, ModelError, Prediction, ReadOptions,
    SruConfig, Storage, Task, Training,
};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{
    Due, Objective, Predict, PredictionScore, Reset, RunConfig, Texts, TrainConfig, TrainError, Trainer,
};

const WORDS: usize = 12;

fn config(task: Prediction, encoder: Vec<LayerConfig>) -> model::Config {
    let words = (1..WORDS).map(|i| format!("w{i}"));
    model::Config {
        format: model::FORMAT,
        task: Task::Predict(task),
        tokenizer: Tokenizer::spaces(),
        vocabulary: std::iter::once("<unk>".to_owned()).chain(words).collect(),
        embedding_size: 8,
        encoder,
        threshold: None,
        training: Training::default(),
    }
}

fn encoder() -> Vec<LayerConfig> {
    vec![
        LayerConfig::Gru { hidden_size: 8, bidirectional: false },
        LayerConfig::Lstm { hidden_size: 8, bidirectional: false },
    ]
}

fn model() -> Model {
    of(Input::Table)
}

fn of(input: Input) -> Model {
    let task = Prediction { div_value: 2.0, head_bias: true, input, ..Prediction::new(&[3, 7]) };
    Model::fresh(config(task, encoder()), Default::default(), FreshOptions::default(), 3).unwrap()
}

/// Documents in which every word but the first of three follows from the ones before it.
fn documents() -> Vec<Vec<u32>> {
    let document = |seed: usize| (0..40).map(|i| ((seed + i * (1 + i % 3)) % WORDS) as u32).collect();
    (0..7).map(document).collect()
}

#[test]
fn pieces_with_carried_state_predict_as_whole_texts_do() {
    let (model, device, texts) = (model(), Device::cpu(), documents());
    for reset in [Reset::Epoch, Reset::Document] {
        let score = |steps, lanes| {
            let task = Predict::new(&TrainConfig::new(lanes, 1, 0.1), steps, reset).unwrap();
            block_on(task.score(&model, &device, &texts, |_| true)).unwrap().unwrap()
        };
        let (whole, pieces) = (score(1000, 1), score(7, 3));
        let tokens = if reset == Reset::Epoch { 7 * 40 - 1 } else { 7 * 39 };
        assert_eq!((whole.tokens, pieces.tokens), (tokens, tokens));
        assert!((whole.loss - pieces.loss).abs() < 1e-6, "{reset:?}: {whole:?}, {pieces:?}");
        assert!((whole.perplexity().ln() - whole.loss).abs() < 1e-9);
        // Words of the head and of both tails, whose mean is the loss.
        let sum: f64 = whole.bands.iter().map(|&(count, loss)| count as f64 * loss).sum();
        assert!(whole.bands.len() == 3 && whole.bands.iter().all(|&(count, _)| count > 0));
        assert!((sum / tokens as f64 - whole.loss).abs() < 1e-9);
    }
    // The state matters: a text whose pieces each begin anew is predicted otherwise.
    let anew: Vec<Vec<u32>> = texts.iter().flat_map(|text| text.chunks(8).map(<[u32]>::to_vec)).collect();
    let task = Predict::new(&TrainConfig::new(1, 1, 0.1), 8, Reset::Document).unwrap();
    let score = |texts: &[Vec<u32>]| block_on(task.score(&model, &device, texts, |_| true)).unwrap().unwrap();
    assert!((score(&texts).loss - score(&anew).loss).abs() > 1e-4);
}

/// One thread goes ahead and another computes the losses; what is wrong with one is told where it is.
#[test]
fn a_mistake_in_the_losses_ends_the_scoring() {
    let device = Cpu::default().with_threads(2.try_into().unwrap()).into();
    let (task, mut texts) = (Predict::scoring(Reset::Document), vec![vec![1, 2]; 16_000]);
    // The model has no such word, which is predicted and not read.
    texts[0][1] = 99;
    let mut heard = 0;
    let go_on = |_| {
        heard += 1;
        std::thread::sleep(std::time::Duration::from_millis(10));
        true
    };
    let error = block_on(task.score(&model(), &device, &texts, go_on)).unwrap_err();
    assert!(error.to_string().contains("99"), "{error}");
    assert!(heard < 1_000, "all is encoded");
}

fn trainer(model: Model, reset: Reset, epochs: usize, threads: usize) -> Trainer<Predict> {
    let train = TrainConfig { dropout_encoder: 0.1, clip: 5.0, ..TrainConfig::new(3, epochs, 0.02) };
    let run = RunConfig { seed: 9, train, output: Default::default() };
    let objective = Predict::new(&run.train, 6, reset).unwrap();
    let texts = Texts { train: documents(), dev: documents(), test: Vec::new() };
    let device = Cpu::default().with_threads(threads.try_into().unwrap()).into();
    Trainer::new(&device, model, objective, texts, run).unwrap()
}

#[test]
fn a_development_loss_that_is_no_number_ends_the_run() {
    // Highways hand on a word's vector: from that of the last word no number comes, and only development texts have it.
    let layer = LayerConfig::Sru(SruConfig::new(8, 1));
    let mut model = Model::fresh(
        config(Prediction::new(&[7]), vec![layer]),
        Default::default(),
        FreshOptions::default(),
        3,
    )
    .unwrap();
    let id = model.parameters().id("embedding.weight").unwrap();
    model.parameters_mut().get_mut(id).values[8 * (WORDS - 1)..].fill(f32::MAX);
    let without = |text: Vec<u32>| text.into_iter().map(|word| word % 11).collect();
    let texts =
        Texts { train: documents().into_iter().map(without).collect(), dev: documents(), test: Vec::new() };
    let run = RunConfig { seed: 9, train: TrainConfig::new(3, 1, 0.02), output: Default::default() };
    let objective = Predict::new(&run.train, 6, Reset::Document).unwrap();
    let mut trainer = Trainer::new(&Device::cpu(), model, objective, texts, run).unwrap();
    while trainer.due() == Due::Step {
        block_on(trainer.step()).unwrap();
    }
    let error = block_on(trainer.evaluate(|_| true)).map(|_| ()).unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { what: "development loss", .. }), "{error}");
    assert!(!trainer.has_kept());
    // It can be interrupted there, too.
    let snapshot = block_on(trainer.snapshot("this")).unwrap();
    trainer.restore(&snapshot, "this").unwrap();
}

#[test]
fn a_perplexity_beyond_all_numbers_is_not_recorded() {
    let mut model = model();
    PredictionScore { tokens: 1, loss: 800.0, bands: Vec::new() }.record("dev", &mut model);
    let figures = &model.config().training.figures;
    assert_eq!((figures.get("dev_loss"), figures.get("dev_perplexity")), (Some(&800.0), None));
    model.to_bytes(|_, _| Storage::F32).unwrap();
}

/// Runs to the end by so many threads; after every `each` steps another trainer goes on.
fn run(input: Input, reset: Reset, epochs: usize, each: usize, threads: usize) -> (Vec<u8>, f64) {
    run_by(|trainer| drop(block_on(trainer.step()).unwrap()), input, reset, epochs, each, threads)
}

fn run_by(
    mut step: impl FnMut(&mut Trainer<Predict>),
    input: Input,
    reset: Reset,
    epochs: usize,
    each: usize,
    threads: usize,
) -> (Vec<u8>, f64) {
    let (mut trainer, mut kept, mut steps) = (trainer(of(input), reset, epochs, threads), Vec::new(), 0);
    loop {
        match trainer.due() {
            Due::Step => step(&mut trainer),
            Due::Evaluation => {
                let evaluated = block_on(trainer.evaluate(|_| true)).unwrap().unwrap();
                kept = evaluated.kept.unwrap_or(kept);
            }
            Due::Finish => {
                let finished = block_on(trainer.finish(&kept, |_| true)).unwrap().unwrap();
                return (finished.model, finished.dev.perplexity());
            }
        }
        steps += 1;
        if steps % each == 0 {
            let snapshot = block_on(trainer.snapshot("this")).unwrap();
            trainer = self::trainer(of(input), reset, epochs, threads);
            trainer.restore(&snapshot, "this").unwrap();
        }
    }
}

#[test]
fn a_run_that_is_resumed_ends_in_the_same_bytes() {
    for (input, reset) in [
        (Input::Table, Reset::Epoch),
        (Input::Table, Reset::Document),
        (Input::Adaptive, Reset::Document),
        (Input::Tied, Reset::Epoch),
    ] {
        for threads in [1, 2] {
            let whole = run(input, reset, 2, usize::MAX, threads);
            // Wherever it is interrupted: between epochs, and among the pieces of a text.
            for each in [1, 5] {
                let pieces = run(input, reset, 2, each, threads);
                assert!(
                    pieces == whole,
                    "{input:?}, {reset:?}, {threads} threads, resumed after every {each}"
                );
            }
        }
    }
}

#[test]
fn a_helper_goes_on_from_what_the_batch_before_left() {
    for (input, reset) in
        [(Input::Table, Reset::Document), (Input::Adaptive, Reset::Epoch), (Input::Tied, Reset::Epoch)]
    {
        let whole = run(input, reset, 2, usize::MAX, 2);
        // The leader of this run changes after five steps; the helper stays.
        let mut helper = trainer(of(input), reset, 2, 1);
        let step = |leader: &mut Trainer<Predict>| {
            let ask = |order: Vec<u32>, parts: usize| {
                let answers = (1..parts).map(|part| Some(helper.help(&order, part, 2).unwrap()));
                std::future::ready(answers.collect())
            };
            block_on(leader.step_helped(2, ask)).unwrap();
        };
        assert!(run_by(step, input, reset, 2, 5, 1) == whole, "{input:?}, {reset:?}");
    }
}

#[test]
fn a_model_learns_what_follows() {
    let (file, perplexity) = run(Input::Table, Reset::Document, 60, usize::MAX, 1);
    assert!(perplexity < 3.0, "{perplexity}");
    let model = Model::from_bytes(&file).unwrap();
    assert_eq!(model.config().task, self::model().config().task);
    let figures = &model.config().training.figures;
    assert!((figures["dev_perplexity"] - perplexity).abs() < 1e-6 && figures["dev_tokens"] == 273.0);
    // A reading of a text says which word is the likeliest next.
    let reading = block_on(model.read(&Device::cpu(), "w1 w2 w6", &ReadOptions::default(), &mut ())).unwrap();
    assert_eq!(reading.scores.len(), WORDS);
    assert!((reading.scores.iter().map(|score| score.probability).sum::<f32>() - 1.0).abs() < 1e-5);
    assert!(reading.scores.iter().any(|score| score.label == reading.label));
}

#[test]
fn word_vectors_may_be_the_softmax_s() {
    let tables = |model: &Model| {
        let names = model.parameters().iter().map(|(_, p)| p.name.clone());
        names.filter(|name| name.starts_with("embedding.")).collect::<Vec<_>>()
    };
    let (table, adaptive) = (of(Input::Table), of(Input::Adaptive));
    let (tied, projections) = (of(Input::Tied), of(Input::TiedProjections));
    assert_eq!(tables(&table), ["embedding.weight"]);
    assert_eq!(tables(&adaptive).len(), 6);
    let projection = |band| format!("embedding.embeddings.{band}.1.weight");
    assert_eq!(tables(&tied), [0, 1, 2].map(projection));
    assert_eq!(tables(&projections), [projection(0)]);
    for model in [table, adaptive, tied, projections] {
        let needed = model.config().least_parameters();
        let matrices = model.parameters().iter().filter(|(_, p)| p.shape.len() == 2);
        assert_eq!(needed, matrices.map(|(_, p)| p.values.len() as u64).sum::<u64>());
        // Stored once; a file that has the other names too, as another program writes it, is the same model.
        let bytes = model.to_bytes(|_, _| Storage::F32).unwrap();
        assert_eq!(Model::from_bytes(&bytes).unwrap().to_bytes(|_, _| Storage::F32).unwrap(), bytes);
        let mut both = Checkpoint::from_bytes(&bytes).unwrap();
        for alias in model.network().encoder.words.aliases() {
            let tensor = alias.tensor(model.parameters());
            assert!(both.tensors.insert(alias.name.clone(), tensor).is_none());
        }
        let both = both.to_bytes(|_, _| Storage::F32).unwrap();
        assert_eq!(Model::from_bytes(&both).unwrap().to_bytes(|_, _| Storage::F32).unwrap(), bytes);
        assert!(matches!(model.with_words(&[1]), Err(ModelError::Config { .. })));
    }
}

#[test]
fn models_with_shared_weights_learn_what_follows() {
    for input in [Input::Adaptive, Input::Tied, Input::TiedProjections] {
        let (_, perplexity) = run(input, Reset::Document, 60, usize::MAX, 1);
        assert!(perplexity < 3.0, "{input:?}: {perplexity}");
    }
}

#[test]
fn a_config_that_cannot_predict_is_refused() {
    let refused = |task: Prediction, encoder| match config(task, encoder).validate() {
        Err(ModelError::Config { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    for cutoffs in [&[0][..], &[5, 5], &[7, 3], &[WORDS], &[usize::MAX]] {
        assert_eq!(refused(Prediction::new(cutoffs), encoder()), "cutoffs", "{cutoffs:?}");
    }
    let beyond = config(Prediction::new(&[3, 50]), encoder()).validate().unwrap_err().to_string();
    let expected = format!("increasing numbers from 1 to below {WORDS}");
    assert_eq!(beyond, format!("config field `cutoffs`: expected {expected}, found [50]"));
    for div_value in [0.0, -1.0, 1e300, f64::NAN] {
        let task = Prediction { div_value, ..Prediction::new(&[3]) };
        assert_eq!(refused(task, encoder()), "div_value", "{div_value}");
    }
    let start = Prediction { start: Some("w99".into()), ..Prediction::new(&[3]) };
    assert_eq!(refused(start, encoder()), "start");
    let narrow = vec![LayerConfig::Gru { hidden_size: 6, bidirectional: false }];
    let projections = Prediction { input: Input::TiedProjections, ..Prediction::new(&[3]) };
    assert_eq!(refused(projections, narrow), "embedding_size");
    let both = vec![LayerConfig::Gru { hidden_size: 4, bidirectional: true }];
    assert_eq!(refused(Prediction::new(&[]), both), "encoder");
    // A sixteenth of 8 columns is none.
    assert_eq!(refused(Prediction::new(&[3, 7]), encoder()), "div_value");
    assert!(config(Prediction::new(&[3]), encoder()).validate().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_config_is_refused_or_makes_a_model_that_is_scored(
        cutoffs in prop::collection::vec(select(&[0, 1, 2, 3, 5, 8, 11, 12, 13, 1 << 32, usize::MAX][..]), 0..5),
        sorted in any::<bool>(),
        div_value in select(&[1.0, 1.5, 2.0, 4.0, 8.0, 9.0, 0.5, 0.0, -2.0, 1e300, f64::NAN, f64::INFINITY][..]),
        input in select(&[Input::Table, Input::Adaptive, Input::Tied, Input::TiedProjections][..]),
    ) {
        let mut cutoffs = cutoffs;
        if sorted {
            cutoffs.sort_unstable();
        }
        let starts = [&[0], &cutoffs[..], &[WORDS]].concat();
        let narrowest = 8.0 / div_value.powi(cutoffs.len() as i32);
        let valid = starts.is_sorted_by(|a, b| a < b) && div_value >= 1.0 && div_value.is_finite() && narrowest >= 1.0;
        let config = config(Prediction { div_value, input, ..Prediction::new(&cutoffs) }, encoder());
        prop_assert_eq!(config.validate().is_ok(), valid, "{:?}", config.validate());
        let fresh = Model::fresh(config, Default::default(), FreshOptions::default(), 3);
        prop_assert_eq!(fresh.is_ok(), valid);
        if let Ok(model) = fresh {
            let task = Predict::scoring(Reset::Epoch);
            let score = block_on(task.score(&model, &Device::cpu(), &documents()[..1], |_| true)).unwrap().unwrap();
            prop_assert!(score.loss.is_finite() && score.tokens == 39 && score.bands.len() == 1 + cutoffs.len());
        }
    }
}

#[test]
fn a_task_is_stored_as_it_was_written() {
    let model = model();
    let json = model.config().to_json().unwrap();
    assert!(
        json.contains(r#""task":{"predict":{"cutoffs":[3,7],"div_value":2.0,"head_bias":true}}"#),
        "{json}"
    );
    assert_eq!(&model::Config::from_json(&json).unwrap(), model.config());
    let tied = Prediction { input: Input::Tied, start: Some("w1".into()), ..Prediction::new(&[3]) };
    let named = config(tied, encoder()).to_json().unwrap();
    assert!(named.contains(r#""head_bias":false,"input":"tied","start":"w1"}"#), "{named}");
    // What is not said has PyTorch's defaults.
    let short = json.replace(r#"{"cutoffs":[3,7],"div_value":2.0,"head_bias":true}"#, "{}");
    assert_eq!(model::Config::from_json(&short).unwrap().task, Task::Predict(Prediction::new(&[])));
}
