//! A reading that keeps its state: equal to a reading of the whole text however it was typed, and its gates those that
//! make its states.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use saccade_rnn::device::Device;
use saccade_rnn::model::{
    Cell, Incremental, LayerConfig, Model, Nonlinearity, Pool, ReadOptions, Reading, SmallReads, SruConfig,
};
use saccade_rnn::nn::Trace;

mod support;
use support::model_of;

const WORDS: [&str; 5] = ["good", "film", "not", "a", "zzz"];

fn sru(v1: bool, bidirectional: bool) -> LayerConfig {
    LayerConfig::Sru(SruConfig { bidirectional, v1, rescale: true, use_tanh: !v1, ..SruConfig::new(4, 2) })
}

fn skim(cell: Cell, small_size: usize, small_reads: SmallReads) -> LayerConfig {
    LayerConfig::Skim { cell, hidden_size: 5, small_size, small_reads }
}

fn encoders() -> Vec<Vec<LayerConfig>> {
    let lstm = |bidirectional| LayerConfig::Lstm { hidden_size: 4, bidirectional };
    let gru = |bidirectional| LayerConfig::Gru { hidden_size: 3, bidirectional };
    vec![
        vec![LayerConfig::Elman { hidden_size: 4, nonlinearity: Nonlinearity::Relu, bidirectional: false }],
        vec![lstm(false)],
        vec![gru(false), lstm(false)],
        vec![sru(false, false)],
        vec![sru(true, false), gru(false)],
        vec![skim(Cell::Lstm, 2, SmallReads::Slice), lstm(false)],
        vec![skim(Cell::Lstm, 2, SmallReads::All)],
        vec![skim(Cell::Gru, 2, SmallReads::Slice)],
        vec![skim(Cell::Gru, 0, SmallReads::Slice)],
        vec![lstm(true)],
        vec![gru(true), sru(false, true)],
    ]
}

const POOLS: [Pool; 3] = [Pool::Last, Pool::Mean, Pool::Max];

fn whole(model: &Model, text: &str, options: &ReadOptions) -> Reading {
    pollster::block_on(model.read(&Device::cpu(), text, options, &mut ())).expect("a reading")
}

fn on(incremental: &mut Incremental, model: &Model, text: &str, options: &ReadOptions) -> Reading {
    let tokens = model.tokenizer().tokenize(text);
    pollster::block_on(incremental.read(model, &Device::cpu(), tokens, options, &mut ())).expect("a reading")
}

fn assert_same(a: &Reading, b: &Reading) {
    assert_eq!((&a.label, &a.flops, a.skim_rate), (&b.label, &b.flops, b.skim_rate));
    for (a, b) in a.scores.iter().zip(&b.scores) {
        assert!((a.probability - b.probability).abs() < 1e-5, "{a:?}, {b:?}");
    }
    assert_eq!(a.tokens.len(), b.tokens.len());
    for (a, b) in a.tokens.iter().zip(&b.tokens) {
        assert_eq!(
            (&a.text, a.start, a.end, a.known, a.decision),
            (&b.text, b.start, b.end, b.known, b.decision)
        );
        let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
        assert!(a.skim_probability.zip(b.skim_probability).is_none_or(|(a, b)| near(a, b)));
    }
}

/// Decisions that no rounding changes.
fn forced(tokens: usize) -> ReadOptions {
    use saccade_rnn::model::Decision::{Read, Skim};
    let force = (0..tokens).map(|i| (i, if i % 3 == 0 { Skim } else { Read })).collect();
    ReadOptions { force, ..ReadOptions::default() }
}

#[test]
fn every_network_reads_on_as_it_reads_the_whole() {
    for (i, encoder) in encoders().into_iter().enumerate() {
        for pool in POOLS {
            let model = model_of(encoder.clone(), pool);
            let mut incremental = Incremental::new();
            for text in ["", "good", "good film", "good not", "not a good film", "", "a good zzz film good"] {
                let options = forced(text.split_whitespace().count());
                // Decisions about words that are not typed yet wait for them.
                let typed = on(&mut incremental, &model, text, &forced(9));
                assert_same(&typed, &whole(&model, text, &options));
                let cells = incremental.cells();
                assert!(cells.iter().all(|c| c.rows() == text.split_whitespace().count()), "encoder {i}");
            }
        }
    }
}

#[test]
fn texts_of_several_pieces_are_read_as_the_whole() {
    for pool in POOLS {
        let model = model_of(vec![LayerConfig::Gru { hidden_size: 3, bidirectional: false }], pool);
        let mut incremental = Incremental::new();
        // The first words are what the largest and the mean value are made of.
        for words in [700, 1_400] {
            let text = format!("good film not {}", "zzz ".repeat(words));
            let options = ReadOptions::default();
            assert_same(&on(&mut incremental, &model, &text, &options), &whole(&model, &text, &options));
        }
    }
}

#[test]
fn only_what_changed_is_computed() {
    let model = model_of(vec![LayerConfig::Lstm { hidden_size: 4, bidirectional: false }], Pool::Last);
    let both = model_of(vec![LayerConfig::Lstm { hidden_size: 4, bidirectional: true }], Pool::Last);
    let (mut incremental, mut other) = (Incremental::new(), Incremental::new());
    let options = ReadOptions::default();
    for (text, steps, backwards) in [
        ("good film", 2, 2),
        ("good film not a", 2, 4),
        ("good film not a", 0, 0),
        ("good film not film", 1, 4),
        ("good film", 0, 2),
        ("a film", 2, 2),
    ] {
        on(&mut incremental, &model, text, &options);
        on(&mut other, &both, text, &options);
        assert_eq!((incremental.computed(), other.computed()), (steps, backwards), "{text}");
    }
    on(&mut incremental, &model, "a film", &ReadOptions { threshold: Some(0.25), ..options });
    assert_eq!(incremental.computed(), 2);
}

/// Checks the gates by the cell's equation for its state.
fn assert_gates(cell: &Trace) {
    let gate = |name: &str| &cell.gates.iter().find(|(n, _)| *n == name).expect("the gate").1;
    let (rows, size) = (cell.rows(), cell.size);
    let before = |matrix: &[f32], row: usize, j: usize| {
        let row = if cell.backward { row + 1 } else { row.wrapping_sub(1) };
        if row < rows { matrix[row * size + j] } else { 0.0 }
    };
    for row in 0..rows {
        let skimmed = cell.decisions.get(row).is_some_and(|d| *d > 0.5);
        for j in 0..size {
            let at = row * size + j;
            let (h, carried) = (cell.states[at], skimmed && j >= cell.small_size);
            let expected = match cell.gates.len() {
                _ if carried => before(&cell.states, row, j),
                0 => continue,
                2 => {
                    let (f, c) = (gate("forget")[at], before(&cell.cells, row, j));
                    assert!((0.0..=1.0).contains(&f) && (0.0..=1.0).contains(&gate("reset")[at]));
                    // The candidate is between: without it, only that the memory moves as far as the gate lets it.
                    assert!(f < 1.0 || (cell.cells[at] - c).abs() < 1e-6);
                    continue;
                }
                3 => {
                    let (z, n) = (gate("update")[at], gate("new")[at]);
                    (1.0 - z) * n + z * before(&cell.states, row, j)
                }
                _ => {
                    let c = gate("forget")[at] * before(&cell.cells, row, j)
                        + gate("input")[at] * gate("cell")[at];
                    assert!((c - cell.cells[at]).abs() < 1e-5, "memory {c}, {}", cell.cells[at]);
                    gate("output")[at] * c.tanh()
                }
            };
            assert!((h - expected).abs() < 1e-5, "{} row {row} column {j}: {h}, {expected}", cell.name);
            if carried {
                assert!(cell.gates.iter().all(|(_, gate)| gate[at] == 0.0));
            }
        }
    }
}

#[test]
fn gates_make_the_states_that_the_kernels_computed() {
    let text = "good film not a good zzz film a";
    for encoder in encoders() {
        let model = model_of(encoder, Pool::Last);
        let mut incremental = Incremental::new();
        on(&mut incremental, &model, text, &forced(8));
        incremental.cells()[1..].iter().for_each(assert_gates);
    }
}

#[test]
fn scores_at_a_token_are_those_of_a_text_that_ends_there() {
    let words: Vec<&str> = "good film not a good zzz film a".split(' ').collect();
    for encoder in encoders() {
        for pool in POOLS {
            let model = model_of(encoder.clone(), pool);
            let mut incremental = Incremental::new();
            on(&mut incremental, &model, &words.join(" "), &forced(8));
            let scores = incremental.scores(&model, &Device::cpu()).expect("scores");
            let first = if model.network().is_causal() { 1 } else { 8 };
            assert_eq!(scores.len(), 2 * (9 - first));
            for (row, tokens) in scores.chunks(2).zip(first..) {
                let reading = whole(&model, &words[..tokens].join(" "), &forced(tokens));
                for (a, b) in row.iter().zip(&reading.scores) {
                    assert!((a - b.probability).abs() < 1e-5);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_typing_ends_in_the_reading_of_the_whole(
        encoder in 0..encoders().len(),
        pool in 0..POOLS.len(),
        texts in prop::collection::vec(prop::collection::vec(0..WORDS.len(), 0..12), 1..6),
    ) {
        let model = model_of(encoders()[encoder].clone(), POOLS[pool]);
        let mut incremental = Incremental::new();
        for words in texts {
            let text: Vec<&str> = words.iter().map(|w| WORDS[*w]).collect();
            let options = forced(text.len());
            assert_same(&on(&mut incremental, &model, &text.join(" "), &options), &whole(&model, &text.join(" "), &options));
        }
    }
}
