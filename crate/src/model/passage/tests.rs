use proptest::prelude::*;

use super::*;
use crate::device::Device;
use crate::model::{
    Cell, Classification, Config, Dropouts, FORMAT, FreshOptions, LayerConfig, Model, Nonlinearity, Pool,
    ReadOptions, SmallReads, SruConfig, Task, Training,
};
use crate::text::{Span, Token, Tokenizer};

const WORDS: [&str; 5] = ["<unk>", "a", "good", "film", "not"];

fn model(encoder: Vec<LayerConfig>, pool: Pool) -> Model {
    let config = Config {
        format: FORMAT,
        task: Task::Classify(Classification {
            labels: ["negative", "positive"].map(String::from).to_vec(),
            data_labels: ["0", "1"].map(String::from).to_vec(),
            pool,
        }),
        tokenizer: Tokenizer::treebank(),
        vocabulary: WORDS.map(String::from).to_vec(),
        embedding_size: 4,
        encoder,
        threshold: None,
        training: Training::default(),
    };
    let fresh = FreshOptions { forget_bias: 1.0, highway_bias: -1.0 };
    Model::fresh(config, Dropouts::default(), fresh, 3).expect("the config is valid")
}

fn sru(v1: bool, layer_norm: bool, bidirectional: bool) -> LayerConfig {
    LayerConfig::Sru(SruConfig {
        bidirectional,
        v1,
        rescale: true,
        use_tanh: !v1,
        layer_norm,
        ..SruConfig::new(4, 2)
    })
}

fn elman(nonlinearity: Nonlinearity) -> LayerConfig {
    LayerConfig::Elman { hidden_size: 4, nonlinearity, bidirectional: false }
}

fn lstm(bidirectional: bool) -> LayerConfig {
    LayerConfig::Lstm { hidden_size: 4, bidirectional }
}

fn gru() -> LayerConfig {
    LayerConfig::Gru { hidden_size: 4, bidirectional: false }
}

fn skim(cell: Cell, small_size: usize) -> LayerConfig {
    LayerConfig::Skim { cell, hidden_size: 5, small_size, small_reads: SmallReads::Slice }
}

/// One of each layer that can be carried, and piles of them.
fn encoders() -> Vec<Vec<LayerConfig>> {
    vec![
        vec![elman(Nonlinearity::Tanh)],
        vec![elman(Nonlinearity::Relu)],
        vec![lstm(false)],
        vec![gru()],
        vec![sru(false, false, false)],
        vec![sru(true, true, false)],
        vec![skim(Cell::Lstm, 2)],
        vec![skim(Cell::Lstm, 0)],
        vec![skim(Cell::Gru, 2)],
        vec![elman(Nonlinearity::Tanh), lstm(false), gru(), sru(false, false, false), skim(Cell::Lstm, 1)],
        vec![skim(Cell::Gru, 0), skim(Cell::Lstm, 1)],
    ]
}

const POOLS: [Pool; 3] = [Pool::Last, Pool::Mean, Pool::Max];

/// Notes what it is told, and stops the reading when it has been told often enough.
#[derive(Default)]
struct Notes {
    heard: Vec<(usize, usize)>,
    patience: Option<usize>,
}

impl Watch for Notes {
    async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
        self.heard.push((done, total));
        if Some(self.heard.len()) == self.patience {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Reads once in pieces of `tokens`.
fn read(
    model: &Model,
    (ids, threshold, force): (&[u32], f32, &[u32]),
    tokens: usize,
    watch: &mut impl Watch,
) -> Result<Found, ReadError> {
    let device = Device::cpu();
    let session = Session { model, device: &device, threshold };
    let mut passage = Passage::new(session, Text { ids, force }, watch);
    passage.pace = Pace { bounds: tokens..=tokens, tokens };
    Ok(pollster::block_on(passage.read_for(0.0))?.found)
}

/// How far apart two readings of a text may lie: matrix products sum in an order that depends on their size.
const ROUNDING: f32 = 1e-5;

fn assert_same(piecewise: &Found, whole: &Found) {
    let close = |a: &[f32], b: &[f32]| {
        assert!(
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= ROUNDING),
            "{a:?}, {b:?}"
        );
    };
    close(&piecewise.logits, &whole.logits);
    assert_eq!(piecewise.layers.len(), whole.layers.len());
    for ((decisions, probabilities), whole) in piecewise.layers.iter().zip(&whole.layers) {
        assert_eq!(decisions, &whole.0);
        close(probabilities, &whole.1);
    }
}

/// Whether a decision hangs on rounding.
fn undecided(found: &Found, threshold: f32) -> bool {
    found.layers.iter().flat_map(|(_, p)| p).any(|p| (p - threshold).abs() < 10.0 * ROUNDING)
}

#[test]
fn every_network_reads_the_same_however_the_text_is_cut() {
    let ids: Vec<u32> = (0..23).map(|i| i * i % 5).collect();
    // Forced, so that none hangs on rounding.
    let force: Vec<u32> = (0..23).map(|i| 1 + i % 3 % 2).collect();
    for (i, encoder) in encoders().into_iter().enumerate() {
        for pool in POOLS {
            let model = model(encoder.clone(), pool);
            let text = (&ids[..], 0.5, &force[..]);
            let whole = read(&model, text, usize::MAX, &mut ()).expect("a reading");
            assert_eq!((whole.logits.len(), whole.layers.is_empty()), (2, !model.skims()), "encoder {i}");
            for tokens in [1, 2, 7, 22, 23] {
                assert_same(&read(&model, text, tokens, &mut ()).expect("a reading"), &whole);
            }
        }
    }
}

proptest! {
    #[test]
    fn pieces_are_the_whole(
        encoder in 0..encoders().len(),
        pool in 0..POOLS.len(),
        text in prop::collection::vec((0..5u32, 1..3u32), 0..70),
        forced in any::<bool>(),
        threshold in 0.4f32..0.6,
        tokens in 1usize..80,
    ) {
        let model = model(encoders()[encoder].clone(), POOLS[pool]);
        let (ids, mut force): (Vec<u32>, Vec<u32>) = text.into_iter().unzip();
        if !forced {
            force.clear();
        }
        let text = (&ids[..], threshold, &force[..]);
        let whole = read(&model, text, usize::MAX, &mut ()).expect("a reading");
        prop_assume!(forced || !undecided(&whole, threshold));
        let mut notes = Notes::default();
        assert_same(&read(&model, text, tokens, &mut notes).expect("a reading"), &whole);
        for (decisions, _) in &whole.layers {
            let kept = |(force, decision): (&u32, &f32)| (*force == 2) == (*decision == 1.0);
            prop_assert!(force.iter().zip(decisions).all(kept));
        }

        let total = ids.len();
        let mut expected: Vec<_> = (1..).map(|i| i * tokens).take_while(|&done| done < total).collect();
        expected.push(total);
        prop_assert_eq!(notes.heard, expected.into_iter().map(|done| (done, total)).collect::<Vec<_>>());
    }
}

/// On the CPU, where a row of a product does not depend on how many there are.
#[test]
fn where_a_text_is_cut_changes_no_bit() {
    let ids: Vec<u32> = (0..200).map(|i| i * i % 5).collect();
    for pool in POOLS {
        let model = model(vec![gru()], pool);
        let bits = |tokens| {
            let found = read(&model, (&ids, 0.5, &[]), tokens, &mut ()).expect("a reading");
            found.logits.iter().map(|logit| logit.to_bits()).collect::<Vec<_>>()
        };
        for tokens in [1, 2, 3, 7, 16, 50, 64, 199] {
            assert_eq!(bits(tokens), bits(200), "{pool:?} in pieces of {tokens}");
        }
    }
}

#[test]
fn a_reading_stops_after_any_piece() {
    let model = model(vec![skim(Cell::Lstm, 1)], Pool::Last);
    let text = (&[1; 20][..], 0.5, &[][..]);
    for k in 1..=4 {
        let mut notes = Notes { patience: Some(k), ..Notes::default() };
        let error = read(&model, text, 6, &mut notes).expect_err("it was stopped");
        assert_eq!(error, ReadError::Cancelled { done: (6 * k).min(20), total: 20 });
        assert_eq!((error.code(), notes.heard.len()), ("ABORTED", k));
    }
    read(&model, text, 6, &mut Notes { patience: Some(5), ..Notes::default() }).expect("it had ended");
}

#[test]
fn a_reading_that_is_repeated_stops_between_its_runs() {
    let model = model(vec![gru()], Pool::Last);
    let options = ReadOptions { measure_ms: 60_000.0, ..ReadOptions::default() };
    let mut notes = Notes { patience: Some(3), ..Notes::default() };
    let read = pollster::block_on(model.read(&Device::cpu(), "a good film", &options, &mut notes));
    assert_eq!(read, Err(ReadError::Cancelled { done: 3, total: 3 }));
    assert_eq!(notes.heard, [(3, 3); 3]);
}

#[test]
fn a_row_that_depends_on_later_ones_is_read_with_them() {
    let causal = |encoder| model(encoder, Pool::Last).network().is_causal();
    assert!(encoders().into_iter().all(causal));
    for encoder in [vec![lstm(true)], vec![gru(), lstm(true)], vec![sru(false, false, true)]] {
        let model = model(encoder, Pool::Mean);
        assert!(!model.network().is_causal());
        let mut notes = Notes::default();
        let device = Device::cpu();
        let session = Session { model: &model, device: &device, threshold: 0.5 };
        let text = Text { ids: &[2; 20_000], force: &[] };
        pollster::block_on(Passage::new(session, text, &mut notes).read_for(0.0)).expect("a reading");
        assert_eq!(notes.heard, [(20_000, 20_000)]);
    }
}

#[test]
fn pieces_grow_to_what_fits_and_shrink_at_once() {
    let mut pace = Pace::of_text(model(vec![gru()], Pool::Last).network());
    let mut lengths = Vec::new();
    // 0.05 ms a token: 1,000 tokens in 50 ms; then a hundredfold; then none at all.
    for per_token in [0.05, 0.05, 0.05, 0.05, 5.0, 50.0, 0.0, 0.0] {
        pace.took(pace.tokens, pace.tokens as f64 * per_token);
        lengths.push(pace.tokens);
    }
    assert_eq!(lengths, [512, 1000, 1000, 1000, 16, 16, 32, 64]);
    (0..20).for_each(|_| pace.took(pace.tokens, 0.0));
    assert_eq!(pace.tokens, 8192);
}

#[test]
fn a_million_tokens() {
    let model = model(vec![skim(Cell::Lstm, 1)], Pool::Mean);
    let total = 1_000_000;
    let token =
        |i: usize| Token { text: WORDS[1 + i % 4].into(), span: Span { bytes: i..i + 1, utf16: i..i + 1 } };
    let mut notes = Notes::default();
    let options = ReadOptions::default();
    let tokens = (0..total).map(token).collect();
    let reading = pollster::block_on(model.read_tokens(&Device::cpu(), tokens, &options, &mut notes));
    assert_eq!(reading.expect("a reading").tokens.len(), total);
    assert!(notes.heard.is_sorted() && notes.heard.len() > total / 8192);
    assert_eq!(notes.heard.last(), Some(&(total, total)));
}
