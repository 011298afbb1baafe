//! Products of words that are kept change nothing but the time: readings are the same to the last bit.

use std::sync::Arc;

use saccade_rnn::device::{Cpu, CpuOptions, Device, Op, Parameters};
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::model::{
    Cell, Config, Dropouts, FreshOptions, LayerConfig, Method, Model, ReadOptions, Reading, SmallReads,
};

mod support;

/// Words that repeat, an unknown one, and texts of several lengths.
const TEXTS: [&str; 4] = [
    "good film , not good , not a film",
    "zzz a a good zzz",
    "",
    "not a good film . a film , good good good",
];

/// Of some layers more is kept than of others: products of small cells narrower than half a word's vector, and wider.
fn models() -> Vec<Model> {
    let skim =
        |cell, small_size, small_reads| LayerConfig::Skim { cell, hidden_size: 9, small_size, small_reads };
    let encoders = [
        vec![skim(Cell::Lstm, 1, SmallReads::Slice)],
        vec![skim(Cell::Gru, 2, SmallReads::All)],
        vec![skim(Cell::Lstm, 4, SmallReads::Slice), skim(Cell::Gru, 0, SmallReads::Slice)],
    ];
    let model = |encoder| {
        let config = Config { embedding_size: 9, encoder, threshold: None, ..support::config() };
        Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).expect("the config is valid")
    };
    encoders.map(model).into()
}

/// A CPU that keeps so many bytes of products.
fn keeping(word_cache_bytes: usize) -> Device {
    Cpu::new(CpuOptions { word_cache_bytes, ..CpuOptions::default() }).into()
}

fn timeless(mut reading: Reading) -> Reading {
    reading.timing.total_ms = 0.0;
    reading.timing.microseconds_per_token = 0.0;
    reading.timing.method = Method::Mean { runs: 0, elapsed_ms: 0.0 };
    reading
}

/// At thresholds at which tokens are read, skimmed, and both.
fn readings(model: &Model, device: &Device) -> Vec<Reading> {
    let options = [0.0, 0.5, 1.0].map(|t| ReadOptions { threshold: Some(t), ..ReadOptions::default() });
    let read = |options: &ReadOptions, text| pollster::block_on(model.read(device, text, options, &mut ()));
    let all = options.iter().flat_map(|options| TEXTS.map(|text| read(options, text)));
    all.map(|reading| timeless(reading.expect("a reading"))).collect()
}

#[test]
fn kept_products_are_those_that_would_be_computed() {
    for model in models() {
        let expected = readings(&model, &keeping(0));
        // Room for all, and for one product alone.
        for bytes in [1 << 20, 1] {
            let device = keeping(bytes);
            for time in 0..2 {
                assert_eq!(readings(&model, &device), expected, "{bytes} bytes, time {time}");
            }
        }
        assert_eq!(readings(&model, &Device::cpu()), expected, "as it comes");
    }
}

#[test]
fn a_parameter_that_changes_is_seen() {
    for mut model in models() {
        let kept = keeping(1 << 20);
        let ids: Vec<_> = model.parameters().iter().map(|(id, _)| id).collect();
        readings(&model, &kept);
        for id in ids {
            let before = readings(&model, &keeping(0));
            let parameter = model.parameters_mut().get_mut(id);
            parameter.values.iter_mut().for_each(|value| *value = *value * 0.5 + 0.25);
            let name = &model.parameters().get(id).name;
            let after = readings(&model, &kept);
            assert_eq!(after, readings(&model, &keeping(0)), "{name}");
            // What comes later need not show in the few probabilities.
            let shows = name.starts_with("embedding") || name.starts_with("encoder.0");
            assert!(!shows || after != before, "{name} does nothing, so its test is none");
        }
    }
}

#[test]
fn texts_together_and_threads_side_by_side_read_alike() {
    for model in models() {
        let alone = readings(&model, &keeping(0));
        let options = ReadOptions { threshold: Some(0.5), ..ReadOptions::default() };
        let texts: Vec<_> = TEXTS.iter().map(|text| model.tokenizer().tokenize(text)).collect();
        let device = Device::cpu();
        for _ in 0..2 {
            let together = pollster::block_on(model.read_all(&device, texts.clone(), &options, &mut ()));
            let together: Vec<_> = together.expect("readings").into_iter().map(timeless).collect();
            assert_eq!(together, alone[TEXTS.len()..2 * TEXTS.len()]);
        }
        // Threads that share one CPU's caches.
        let cpu = Arc::new(Cpu::default());
        std::thread::scope(|scope| {
            let read = || readings(&model, &Device::Cpu(cpu.clone()));
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
            for thread in threads {
                assert_eq!(thread.join().expect("no panic"), alone);
            }
        });
    }
}

#[test]
fn rows_of_words_are_there_whenever_they_are_asked_for() {
    const WORDS: [&[u32]; 4] = [&[3, 1, 3], &[], &[4], &[0, 3]];
    let mut parameters = Parameters::new();
    let values = |count: usize| (0..count).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>();
    let table = parameters.add("table", &[5, 4], values(20)).expect("a new name");
    // Half as wide as the words: products with it are kept, and need no rows.
    let weight = parameters.add("weight", &[2, 4], values(8)).expect("a new name");
    let rows_of = |ids: &[u32]| -> Vec<f32> {
        ids.iter().flat_map(|&id| values(20)[4 * id as usize..][..4].to_vec()).collect()
    };
    for rows_first in [true, false] {
        for strategy in [Strategy::Levels, Strategy::Unbatched] {
            let graph = Graph::inference(&parameters, &Device::cpu(), strategy);
            let rows = WORDS.map(|ids| graph.record(Op::Embedding { table }, &[], ids.to_vec())[0]);
            let given = WORDS.map(|ids| graph.input(ids.len(), 4, rows_of(ids)));
            let check_rows = || {
                for (ids, rows) in WORDS.iter().zip(rows) {
                    assert_eq!(pollster::block_on(rows.value()).expect("rows"), rows_of(ids));
                }
            };
            if rows_first {
                check_rows();
            }
            for (rows, given) in rows.into_iter().zip(given) {
                let values = [rows, given].map(|x| x.affine(weight, None));
                let values = pollster::block_on(graph.values(&values)).expect("products");
                assert_eq!(values[0], values[1]);
            }
            check_rows();
            // Gathered with others, changed, and taken to another graph.
            let together = graph.concat_rows(&[rows[2], given[1], rows[0]]);
            let together = pollster::block_on(together.value()).expect("rows");
            assert_eq!(together, rows_of(&[4, 3, 1, 3]));
            let held = rows[3].tanh().hold().expect("rows");
            let other = Graph::inference(&parameters, &Device::cpu(), strategy);
            let held = pollster::block_on(other.held(held).value()).expect("rows");
            let tanh = pollster::block_on(given[3].tanh().value()).expect("rows");
            assert_eq!(held, tanh);
        }
    }
    let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
    let rows = graph.record(Op::Embedding { table }, &[], vec![1])[0];
    pollster::block_on(rows.affine(weight, None).value()).expect("a product");
    let ran = || graph.explain().batches().iter().map(|batch| batch.op).collect::<Vec<_>>();
    assert_eq!(ran(), ["affine"], "nobody has asked for the rows");
    pollster::block_on(rows.value()).expect("a row");
    assert_eq!(ran(), ["embedding", "affine"]);

    let held = graph.record(Op::Embedding { table }, &[], vec![2])[0].hold().expect("a row");
    assert_eq!(pollster::block_on(graph.held(held).value()).expect("a row"), rows_of(&[2]));
}
