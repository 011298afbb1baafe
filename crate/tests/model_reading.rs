//! Reading texts with small models: what every reading must hold, whatever the weights.

use std::collections::BTreeMap;

use saccade_rnn::device::Device;
use saccade_rnn::model::{
    Cell, Decision, FileSummary, LayerConfig, Method, Model, Nonlinearity, ReadError, ReadOptions, Reading,
    SmallReads, SruConfig, Storage,
};

mod support;
use support::{compact, model, skim};

const TEXT: &str = "A good film, \u{201c}naïve\u{201d} 🎬 don't!";

fn try_read(model: &Model, text: &str, options: &ReadOptions) -> Result<Reading, ReadError> {
    pollster::block_on(model.read(&Device::cpu(), text, options, &mut ()))
}

fn read(model: &Model, text: &str, options: &ReadOptions) -> Reading {
    try_read(model, text, options).expect("the options are valid")
}

fn threshold(threshold: f32) -> ReadOptions {
    ReadOptions { threshold: Some(threshold), ..ReadOptions::default() }
}

fn force(decisions: impl IntoIterator<Item = (usize, Decision)>) -> ReadOptions {
    ReadOptions { force: BTreeMap::from_iter(decisions), ..ReadOptions::default() }
}

fn decisions(reading: &Reading) -> Vec<Decision> {
    reading.tokens.iter().map(|token| token.decision).collect()
}

/// Without the time, which differs from call to call.
fn timeless(reading: &Reading) -> Reading {
    let mut reading = reading.clone();
    reading.timing.total_ms = 0.0;
    reading.timing.microseconds_per_token = 0.0;
    reading.timing.method = Method::Mean { runs: 0, elapsed_ms: 0.0 };
    reading
}

fn skim_gru() -> LayerConfig {
    LayerConfig::Skim { cell: Cell::Gru, hidden_size: 5, small_size: 0, small_reads: SmallReads::All }
}

/// Models of every kind, with their names.
fn models() -> Vec<(&'static str, Model)> {
    let lstm = |bidirectional| LayerConfig::Lstm { hidden_size: 3, bidirectional };
    let sru = |bidirectional, v1| {
        LayerConfig::Sru(SruConfig { bidirectional, v1, rescale: true, ..SruConfig::new(4, 2) })
    };
    let elman = LayerConfig::Elman { hidden_size: 3, nonlinearity: Nonlinearity::Tanh, bidirectional: false };
    vec![
        ("elman", model(vec![elman])),
        ("lstm", model(vec![lstm(false)])),
        ("bidirectional lstm", model(vec![lstm(true)])),
        ("gru", model(vec![LayerConfig::Gru { hidden_size: 3, bidirectional: false }])),
        ("bidirectional gru", model(vec![LayerConfig::Gru { hidden_size: 3, bidirectional: true }])),
        ("sru v1", model(vec![sru(false, true)])),
        ("bidirectional sru", model(vec![sru(true, false)])),
        ("skim lstm", model(vec![skim()])),
        ("skim gru over lstm", model(vec![lstm(false), skim_gru()])),
        ("two skim layers", model(vec![skim(), skim_gru()])),
    ]
}

/// What holds for every reading of `text`.
fn check(name: &str, model: &Model, text: &str, reading: &Reading) {
    let labels: Vec<&str> = reading.scores.iter().map(|score| score.label.as_str()).collect();
    assert_eq!(labels, model.config().task.labels(), "{name}");
    let sum: f32 = reading.scores.iter().map(|score| score.probability).sum();
    assert!((sum - 1.0).abs() < 1e-6, "{name}: the scores sum to {sum}");
    let best = reading.scores.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
    assert_eq!(best.map(|score| &score.label), Some(&reading.label), "{name}");

    let units: Vec<u16> = text.encode_utf16().collect();
    let mut end = 0;
    for token in &reading.tokens {
        assert!(
            end <= token.start && token.start < token.end && token.end <= units.len(),
            "{name}: {token:?}"
        );
        let between = String::from_utf16(&units[end..token.start]).expect("spans end between characters");
        assert!(between.chars().all(char::is_whitespace), "{name}: {between:?} belongs to no token");
        end = token.end;
        assert_eq!(token.known, model.vocabulary().contains(&token.text), "{name}: {token:?}");
        assert_eq!(token.skim_probability.is_some(), model.skims(), "{name}: {token:?}");
        assert!(token.skim_probability.is_none_or(|p| (0.0..=1.0).contains(&p)), "{name}: {token:?}");
    }
    assert!((0.0..=1.0).contains(&reading.skim_rate), "{name}");
    let flops = reading.flops;
    if !model.skims() {
        assert_eq!((flops.spent, reading.skim_rate), (flops.full, 0.0), "{name}");
    }
    let reduction = if flops.spent == 0 { 1.0 } else { flops.full as f64 / flops.spent as f64 };
    assert_eq!(flops.reduction, reduction, "{name}");
    let per_token = 1e3 * reading.timing.total_ms / reading.tokens.len().max(1) as f64;
    let expected = if reading.tokens.is_empty() { 0.0 } else { per_token };
    assert!((reading.timing.microseconds_per_token - expected).abs() <= 1e-9 * expected, "{name}");
}

#[test]
fn every_model_reads_every_text() {
    let texts = [
        TEXT,
        "",
        "  \n\t ",
        "a",
        "סרט נפלא, really",
        "before\0after",
        "<b>&amp;</b>",
        "👩‍👩‍👧 ❤️",
        "odd \u{fffd} film",
    ];
    for (name, model) in models() {
        for text in texts {
            let reading = read(&model, text, &ReadOptions::default());
            check(name, &model, text, &reading);
            assert_eq!(reading.tokens.is_empty(), text.trim().is_empty(), "{name}: {text:?}");
            let again = read(&model, text, &ReadOptions { measure_ms: 0.5, ..ReadOptions::default() });
            assert_eq!(timeless(&again), timeless(&reading), "{name}: {text:?}");
        }
    }
}

#[test]
fn spans_are_those_of_the_original_string() {
    let reading = read(&model(vec![skim()]), TEXT, &ReadOptions::default());
    let units: Vec<u16> = TEXT.encode_utf16().collect();
    let source = |start, end| String::from_utf16(&units[start..end]).expect("spans end between characters");
    let sources: Vec<_> = reading.tokens.iter().map(|token| source(token.start, token.end)).collect();
    let expected = ["A", "good", "film", ",", "\u{201c}", "naïve", "\u{201d}", "🎬", "do", "n't", "!"];
    assert_eq!(sources, expected);
}

#[test]
fn the_extremes_of_the_threshold_skim_all_and_read_all() {
    for (name, model) in models().into_iter().filter(|(_, model)| model.skims()) {
        let (all, none) = (read(&model, TEXT, &threshold(0.0)), read(&model, TEXT, &threshold(1.0)));
        assert!(decisions(&all).iter().all(|d| *d == Decision::Skim), "{name}");
        assert!(decisions(&none).iter().all(|d| *d == Decision::Read), "{name}");
        assert_eq!((all.skim_rate, none.skim_rate), (1.0, 0.0), "{name}");
        assert!(all.flops.spent < none.flops.spent && all.flops.full == none.flops.full, "{name}");
    }
}

#[test]
fn a_threshold_parts_the_probabilities() {
    let model = model(vec![skim()]);
    for t in [0.4, 0.45, 0.5, 0.55, 0.6] {
        for token in read(&model, TEXT, &threshold(t)).tokens {
            let skim = token.skim_probability.expect("the model skims") > t;
            assert_eq!(token.decision == Decision::Skim, skim, "{token:?} at {t}");
        }
    }
    assert_eq!(
        timeless(&read(&model, TEXT, &threshold(0.5))),
        timeless(&read(&model, TEXT, &ReadOptions::default()))
    );
}

#[test]
fn a_model_has_its_own_threshold() {
    let mut model = model(vec![skim()]);
    model.config_mut().threshold = Some(0.0);
    assert_eq!(read(&model, TEXT, &ReadOptions::default()).skim_rate, 1.0);
}

#[test]
fn forced_decisions_are_taken_and_the_rest_stays_free() {
    let model = model(vec![skim()]);
    let count = read(&model, TEXT, &ReadOptions::default()).tokens.len();
    let pattern = |i| if i % 3 == 0 { Decision::Read } else { Decision::Skim };
    for t in [0.0, 1.0] {
        let options = ReadOptions { threshold: Some(t), ..force((0..count).map(|i| (i, pattern(i)))) };
        assert_eq!(decisions(&read(&model, TEXT, &options)), (0..count).map(pattern).collect::<Vec<_>>());
    }
    let one = ReadOptions { threshold: Some(1.0), ..force([(2, Decision::Skim)]) };
    let skimmed =
        decisions(&read(&model, TEXT, &one)).iter().map(|d| *d == Decision::Skim).collect::<Vec<_>>();
    assert_eq!(skimmed, (0..count).map(|i| i == 2).collect::<Vec<_>>());
}

#[test]
fn forcing_what_was_decided_changes_nothing() {
    let model = model(vec![skim()]);
    let free = read(&model, TEXT, &threshold(0.5));
    let forced = read(&model, TEXT, &force(decisions(&free).into_iter().enumerate()));
    assert_eq!(timeless(&forced), timeless(&free));
}

#[test]
fn flops_follow_from_the_counts() {
    let model = model(vec![skim()]);
    let (input, d, small, gates) = (3, 4, 1, 4);
    let tokens = read(&model, TEXT, &ReadOptions::default()).tokens.len();
    for skims in [0, 1, 4, tokens] {
        let pattern = |i| if i < skims { Decision::Skim } else { Decision::Read };
        let reading = read(&model, TEXT, &force((0..tokens).map(|i| (i, pattern(i)))));
        let (t, s) = (tokens as u64, skims as u64);
        let every_token = 2 * (input + d) + gates * small * input;
        let spent = 2 * (t * every_token + (t - s) * gates * d * (input + d) + s * gates * small * small);
        assert_eq!((reading.flops.spent, reading.flops.full), (spent, 2 * t * gates * d * (input + d)));
        assert_eq!(reading.skim_rate, skims as f64 / tokens as f64);
    }
}

#[test]
fn a_hundred_thousand_tokens() {
    let text = "a good film ".repeat(33_334);
    for (name, model) in models() {
        let reading = read(&model, &text, &ReadOptions::default());
        assert_eq!(reading.tokens.len(), 100_002, "{name}");
        check(name, &model, &text, &reading);
    }
}

#[test]
fn options_out_of_range_are_named() {
    let model = model(vec![skim()]);
    let error = |options: &ReadOptions| {
        let error = try_read(&model, "a good film", options).expect_err("the options are not valid");
        assert_eq!(error.code(), "OPTION_INVALID");
        error.to_string()
    };
    for t in [f32::NAN, -0.1, 1.1, f32::INFINITY] {
        assert_eq!(error(&threshold(t)), format!("threshold: expected a number from 0 to 1, found {t}"));
    }
    for measure_ms in [f64::NAN, -1.0, f64::INFINITY] {
        let message = error(&ReadOptions { measure_ms, ..ReadOptions::default() });
        assert_eq!(message, format!("measureMs: expected milliseconds from 0 to 60000, found {measure_ms}"));
    }
    assert_eq!(error(&force([(3, Decision::Read)])), "force: there is no token 3; the text has 3");
    assert_eq!(
        error(&force([(usize::MAX, Decision::Skim)])),
        format!("force: there is no token {}; the text has 3", usize::MAX)
    );
}

#[test]
fn a_computation_that_overflows_is_an_error() {
    let mut model = model(vec![skim()]);
    let bias = model.parameters().id("head.bias").expect("a model has a head");
    model.parameters_mut().get_mut(bias).values.fill(f32::INFINITY);
    let error = try_read(&model, TEXT, &ReadOptions::default()).expect_err("there is no result");
    assert_eq!(error, ReadError::Overflow("a score"));
    assert_eq!(error.code(), "MODEL_OVERFLOW");
}

#[test]
fn a_model_comes_back_from_its_file() {
    for (name, model) in models() {
        let exact = model.to_bytes(|_, _| Storage::F32).expect("the weights are finite");
        let same = Model::from_bytes(&exact).expect("what was written can be read");
        assert_eq!(same.config(), model.config(), "{name}");
        let (was, is) = (read(&model, TEXT, &threshold(0.5)), read(&same, TEXT, &threshold(0.5)));
        assert_eq!(timeless(&is), timeless(&was), "{name}");
        assert_eq!(same.to_bytes(|_, _| Storage::F32), Ok(exact), "{name}");

        let small = model.to_bytes(compact).expect("matrices have int8 rows");
        let small = Model::from_bytes(&small).expect("what was written can be read");
        let options = force((0..11).map(|i| (i, Decision::Read)));
        let (was, is) = (read(&model, TEXT, &options), read(&small, TEXT, &options));
        for (was, is) in was.scores.iter().zip(&is.scores) {
            assert!((was.probability - is.probability).abs() < 0.02, "{name}: {was:?} and {is:?}");
        }
    }
}

#[test]
fn a_model_with_fewer_words_reads_those_as_before() {
    let full = model(vec![skim()]);
    let id = |word| full.vocabulary().id(word);
    let small = full.with_words(&[id("film"), id("a"), id("film"), 0]).expect("the words are known");
    assert_eq!(small.config().vocabulary, ["<unk>", "a", "film"]);
    let read = |model, text| timeless(&read(model, text, &ReadOptions::default()));
    assert_eq!(read(&small, "a film a"), read(&full, "a film a"));
    let unknown = read(&small, "a good film");
    assert_eq!(unknown.tokens.iter().map(|token| token.known).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(unknown.scores, read(&full, "a stranger film").scores);
    let bytes = small.to_bytes(|_, _| Storage::F32).expect("the weights are finite");
    assert_eq!(
        read(&Model::from_bytes(&bytes).expect("it can be read"), "a film a"),
        read(&full, "a film a")
    );

    let error = full.with_words(&[1, 99]).expect_err("there are 7 words");
    assert_eq!(error.code(), "MODEL_CONFIG");
    assert!(error.to_string().contains("99"), "{error}");
}

#[test]
fn a_file_is_summed_up() {
    let model = model(vec![skim()]);
    let bytes = model.to_bytes(compact).expect("matrices have int8 rows");
    let summary = FileSummary::from_bytes(&bytes).expect("it is a model");
    assert_eq!((summary.bytes, &summary.problem), (bytes.len(), &None));
    let stored: usize = model.parameters().iter().map(|(_, p)| p.values.len()).sum();
    assert_eq!(summary.parameters, stored as u64);
    let embedding = summary.tensors.iter().find(|tensor| tensor.name == "embedding.weight");
    let embedding = embedding.expect("a model has an embedding");
    assert_eq!(
        (embedding.dtype.as_str(), embedding.shape.as_slice(), embedding.bytes),
        ("I8", &[7, 3][..], 21 + 28)
    );
    assert!(embedding.min < embedding.max);
    let config = summary.config.expect("a model has a config");
    assert_eq!((config.skims, config.threshold, config.vocabulary_size), (true, 0.5, 7));

    let broken = support::checkpoint().to_bytes(|_, _| Storage::F32).expect("its numbers are finite");
    let summary = FileSummary::from_bytes(&broken).expect("its tensors can be read");
    assert_eq!(summary.problem.map(|problem| problem.code), Some("MODEL_TENSORS"));
}

#[test]
fn texts_read_together_are_read_as_each_alone() {
    let texts: Vec<String> = ["", TEXT, "good", "a a a a good film", "film "]
        .into_iter()
        .map(String::from)
        .chain((0..400).map(|i| "a good film ".repeat(i % 40)))
        .collect();
    for (name, model) in models() {
        let tokens = texts.iter().map(|text| model.tokenizer().tokenize(text)).collect();
        let options = threshold(0.5);
        let together =
            pollster::block_on(model.read_all(&Device::cpu(), tokens, &options, &mut ())).expect("readings");
        assert_eq!(together.len(), texts.len());
        for (text, together) in texts.iter().zip(&together) {
            let alone = read(&model, text, &options);
            assert_eq!(together.tokens.len(), alone.tokens.len(), "{name}");
            for (a, b) in together.scores.iter().zip(&alone.scores) {
                assert!((a.probability - b.probability).abs() < 1e-4, "{name}: {text:?}: {a:?}, {b:?}");
            }
        }
    }
}
