//! Starting from another model: rows by what they stand for, all else by name, and what was taken is said.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::BTreeMap;

use pollster::block_on;
use saccade_rnn::device::Device;
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::model::{
    self, Cell, Checkpoint, Classification, FreshOptions, Input, LayerConfig, Model, Parsing, Pool,
    Prediction, SmallReads, SruConfig, Storage, Tagging, Task, Tensor, Training,
};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{Kept, KeptReason, Source, Taken, TransferError, Transferred, transfer};

const LSTM: LayerConfig = LayerConfig::Lstm { hidden_size: 8, bidirectional: false };

fn fresh(task: Task, words: &[&str], embedding_size: usize, layer: LayerConfig, seed: u32) -> Model {
    let config = model::Config {
        format: model::FORMAT,
        task,
        tokenizer: Tokenizer::spaces(),
        vocabulary: words.iter().map(ToString::to_string).collect(),
        embedding_size,
        encoder: vec![layer],
        threshold: None,
        training: Training::default(),
    };
    Model::fresh(config, Default::default(), FreshOptions::default(), seed).unwrap()
}

/// A model that predicts these words, cut in bands.
fn predicts(words: &[&str], cutoffs: &[usize], input: Input, layer: LayerConfig, seed: u32) -> Model {
    let task = Prediction { div_value: 2.0, head_bias: true, input, ..Prediction::new(cutoffs) };
    fresh(Task::Predict(task), words, 8, layer, seed)
}

fn classifies(words: &[&str], labels: &[&str], embedding_size: usize, layer: LayerConfig) -> Model {
    let labels = labels.iter().map(ToString::to_string).collect();
    let task = Classification { labels, data_labels: Vec::new(), pool: Pool::Last };
    fresh(Task::Classify(task), words, embedding_size, layer, 77)
}

fn source(model: &Model) -> Source {
    Source::from_bytes(&model.to_bytes(|_, _| Storage::F32).unwrap()).unwrap()
}

/// A model as it was and as it is after a transfer, and what was said.
fn started(mut model: Model, from: &Source) -> (Model, Model, Transferred) {
    let before = model.clone();
    let told = block_on(transfer(&mut model, from)).unwrap();
    (before, model, told)
}

fn values<'m>(model: &'m Model, name: &str) -> &'m [f32] {
    model.parameters().values(model.parameters().id(name).unwrap_or_else(|| panic!("there is no {name}")))
}

/// A row of a tensor.
fn row<'m>(model: &'m Model, name: &str, row: usize) -> &'m [f32] {
    let parameter = model.parameters().get(model.parameters().id(name).unwrap());
    let size: usize = parameter.shape[1..].iter().product();
    &parameter.values[row * size..(row + 1) * size]
}

fn vector(model: &Model, word: &str) -> Vec<f32> {
    let graph = Graph::inference(model.parameters(), &Device::cpu(), Strategy::Levels);
    let id = model.vocabulary().id(word);
    block_on(model.network().encoder.words.forward(&graph, &[id]).value()).unwrap()
}

fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    let far = found.iter().zip(expected).any(|(a, b)| (a - b).abs() > 1e-6);
    assert!(!far && found.len() == expected.len(), "{what}: {found:?}, expected {expected:?}");
}

fn taken<'t>(told: &'t Transferred, name: &str) -> Option<&'t Taken> {
    told.taken.iter().find(|taken| taken.name == name)
}

/// Ten words each, of which seven are the same, at other places; cut alike. Bands: `<unk>` to `b`, `c` to `f`, the rest.
const OLD: [&str; 10] = ["<unk>", "a", "b", "c", "d", "e", "f", "g", "h", "i"];
const NEW: [&str; 10] = ["<unk>", "b", "x", "e", "d", "a", "y", "z", "g", "i"];
const CUTOFFS: [usize; 2] = [3, 7];

#[test]
fn a_language_model_takes_the_rows_of_its_own_words() {
    let inputs = [Input::Table, Input::Adaptive, Input::Tied, Input::TiedProjections];
    for (from, to) in inputs.into_iter().flat_map(|from| inputs.map(|to| (from, to))) {
        let old = predicts(&OLD, &CUTOFFS, from, LSTM, 1);
        let (before, after, told) = started(predicts(&NEW, &CUTOFFS, to, LSTM, 2), &source(&old));
        let same = [("head.head.weight", 3, [(0, 0), (1, 2)]), ("head.tail.0.1.weight", 4, [(0, 2), (1, 1)])];
        let tail = ("head.tail.1.1.weight", 3, [(1, 0), (2, 2)]);
        for (name, rows, pairs) in same.into_iter().chain([tail]) {
            for new in 0..rows {
                let expected = match pairs.iter().find(|(to, _)| *to == new) {
                    Some(&(_, of)) => row(&old, name, of),
                    None => row(&before, name, new),
                };
                assert_eq!(row(&after, name, new), expected, "{from:?} to {to:?}: row {new} of {name}");
            }
        }
        // The clusters' own rows follow the head's words.
        for cluster in 3..5 {
            for name in ["head.head.weight", "head.head.bias"] {
                assert_eq!(row(&after, name, cluster), row(&old, name, cluster), "{name}");
            }
        }
        assert_eq!(taken(&told, "head.head.weight").unwrap().rows, 4);
        for name in ["head.tail.0.0.weight", "head.tail.1.0.weight", "encoder.0.weight_hh_l0"] {
            assert_eq!(values(&after, name), values(&old, name), "{name}");
        }
        // Words that have a vector of the same kind in both, in the same band.
        let same_band = &["<unk>", "b", "d", "e", "g", "i"][..];
        let shared = match (from, to) {
            (_, Input::Table) => &["<unk>", "a", "b", "d", "e", "g", "i"],
            (Input::Tied, Input::TiedProjections) => &same_band[..2],
            (Input::Adaptive, Input::Tied | Input::TiedProjections) => {
                let is_untied = |kept: &Kept| kept.reason == KeptReason::Untied;
                assert!(told.kept.iter().any(is_untied), "{told:?}");
                &[]
            }
            (Input::Table, _) => &[],
            _ => same_band,
        };
        for word in shared {
            assert_near(&vector(&after, word), &vector(&old, word), &format!("{from:?} to {to:?}: {word}"));
        }
    }
}

#[test]
fn a_band_whose_projection_does_not_fit_keeps_its_rows() {
    // 9 columns: tails of 4 and 2, as those of 8.
    let old = predicts(&OLD, &CUTOFFS, Input::Table, LSTM, 1);
    let wider = LayerConfig::Lstm { hidden_size: 9, bidirectional: false };
    let (before, after, told) = started(predicts(&NEW, &CUTOFFS, Input::Table, wider, 2), &source(&old));
    assert_eq!(values(&after, "head.tail.0.1.weight"), values(&before, "head.tail.0.1.weight"));
    let reason = KeptReason::Projection("head.tail.0.0.weight".into());
    assert!(told.kept.contains(&Kept { name: "head.tail.0.1.weight".into(), reason }), "{told:?}");
    let reason = KeptReason::Shape { expected: vec![5, 9], found: vec![5, 8] };
    assert!(told.kept.contains(&Kept { name: "head.head.weight".into(), reason }), "{told:?}");
    assert_eq!(taken(&told, "embedding.weight").unwrap().rows, 7);
    assert!(told.unused.contains(&"head.tail.0.1.weight".into()), "{told:?}");
}

#[test]
fn a_tail_of_another_cut_keeps_its_own_row() {
    let old = predicts(&OLD, &CUTOFFS, Input::Table, LSTM, 1);
    let (before, after, _) = started(predicts(&NEW, &[7], Input::Table, LSTM, 2), &source(&old));
    // `b`, the second word of ours, is the third of theirs.
    assert_eq!(row(&after, "head.head.weight", 1), row(&old, "head.head.weight", 2));
    // Our tail has the words from 7 on, their first one those from 3 to 6.
    for name in ["head.head.weight", "head.head.bias"] {
        assert_eq!(row(&after, name, 7), row(&before, name, 7), "{name}");
    }
}

#[test]
fn a_classifier_starts_from_the_encoder_of_a_language_model() {
    let sru = LayerConfig::Sru(SruConfig { rescale: true, ..SruConfig::new(8, 2) });
    let skim =
        LayerConfig::Skim { cell: Cell::Lstm, hidden_size: 8, small_size: 2, small_reads: SmallReads::Slice };
    for input in [Input::Table, Input::Adaptive, Input::Tied, Input::TiedProjections] {
        for (of, to) in [(&LSTM, &LSTM), (&sru, &sru), (&LSTM, &skim)] {
            let lm = predicts(&OLD, &CUTOFFS, input, of.clone(), 1);
            let fresh = classifies(&NEW, &["no", "yes"], 8, to.clone());
            let (before, after, told) = started(fresh, &source(&lm));
            for word in NEW {
                let of = if OLD.contains(&word) { &lm } else { &before };
                assert_near(&vector(&after, word), &vector(of, word), word);
            }
            assert_eq!(
                taken(&told, "embedding.weight").unwrap(),
                &Taken { name: "embedding.weight".into(), rows: 7, of: 10 }
            );
            let mut encoder = 0;
            for (_, parameter) in lm.parameters().iter().filter(|(_, p)| p.name.starts_with("encoder.")) {
                let name = match to {
                    LayerConfig::Skim { .. } => {
                        parameter.name.replace("encoder.0.", "encoder.0.big.").replace("_l0", "")
                    }
                    _ => parameter.name.clone(),
                };
                assert_eq!(values(&after, &name), parameter.values, "{name}");
                assert!(taken(&told, &name).is_some_and(|taken| taken.rows == taken.of), "{name}");
                encoder += 1;
            }
            assert_eq!(told.taken.len(), 1 + encoder, "{told:?}");
            let kept: Vec<_> = told.kept.iter().map(|kept| (kept.name.as_str(), &kept.reason)).collect();
            assert!(kept.contains(&("head.weight", &KeptReason::Absent)), "{kept:?}");
            assert_eq!(kept.len() + told.taken.len(), after.parameters().len());
            // Of a tied softmax the tables were read, and of one that ties them too the projections.
            let unused = |name: &str| told.unused.iter().any(|unused| unused == name);
            assert!(unused("head.head.bias") && !unused("encoder.0.weight_ih_l0"), "{told:?}");
            let tied = matches!(input, Input::Tied | Input::TiedProjections);
            assert_eq!(unused("head.tail.1.1.weight"), !tied, "{input:?}: {told:?}");
            assert_eq!(unused("head.tail.1.0.weight"), input != Input::TiedProjections, "{input:?}");
        }
    }
}

#[test]
fn a_classifier_takes_the_rows_of_its_own_labels() {
    let old = classifies(&OLD, &["bad", "good", "odd"], 8, LSTM);
    let (before, after, told) = started(classifies(&NEW, &["good", "fine", "bad"], 8, LSTM), &source(&old));
    for name in ["head.weight", "head.bias"] {
        assert_eq!(row(&after, name, 0), row(&old, name, 1));
        assert_eq!(row(&after, name, 1), row(&before, name, 1));
        assert_eq!(row(&after, name, 2), row(&old, name, 0));
        assert_eq!(taken(&told, name).unwrap(), &Taken { name: name.into(), rows: 2, of: 3 });
    }
    let (before, after, told) = started(classifies(&NEW, &["1", "2", "3"], 8, LSTM), &source(&old));
    assert_eq!(values(&after, "head.weight"), values(&before, "head.weight"));
    assert!(told.kept.contains(&Kept { name: "head.weight".into(), reason: KeptReason::NoRow }), "{told:?}");
}

fn tags(labels: &[&str]) -> Tagging {
    Tagging { labels: labels.iter().map(ToString::to_string).collect(), characters: None, crf: true }
}

#[test]
fn a_tagger_takes_what_it_scores_of_its_own_labels() {
    let model = |labels: &[&str], seed| fresh(Task::Tag(tags(labels)), &OLD, 4, LSTM, seed);
    let old = model(&["ADJ", "NOUN", "VERB"], 1);
    let (before, after, told) = started(model(&["NOUN", "VERB", "X"], 2), &source(&old));
    for name in ["head.weight", "head.bias", "head.crf.start_transitions", "head.crf.end_transitions"] {
        for (new, of) in [(0, row(&old, name, 1)), (1, row(&old, name, 2)), (2, row(&before, name, 2))] {
            assert_eq!(row(&after, name, new), of, "{name}");
        }
        assert_eq!(taken(&told, name).unwrap(), &Taken { name: name.into(), rows: 2, of: 3 });
    }
    // Of two labels each, which are not the same.
    let pairs = "head.crf.transitions";
    assert_eq!(values(&after, pairs), values(&before, pairs));
    assert!(told.kept.contains(&Kept { name: pairs.into(), reason: KeptReason::NoRow }), "{told:?}");
    let (_, after, told) = started(model(&["ADJ", "NOUN", "VERB"], 2), &source(&old));
    assert_eq!((values(&after, pairs), told.kept), (values(&old, pairs), Vec::new()));
}

#[test]
fn a_parser_takes_what_it_scores_of_its_own_labels_and_relations() {
    let sized = |labels: &[&str], relations: &[&str], tag_size, seed| {
        let task = Parsing {
            tag: Tagging { crf: false, ..tags(labels) },
            relations: relations.iter().map(ToString::to_string).collect(),
            tag_size,
            layers: vec![LSTM],
            hidden_size: 5,
        };
        fresh(Task::Parse(task), &OLD, 4, LSTM, seed)
    };
    let model = |labels: &[&str], relations: &[&str], seed| sized(labels, relations, 3, seed);
    let old = model(&["ADJ", "NOUN"], &["amod", "det"], 1);
    let (before, after, told) = started(model(&["NOUN", "X"], &["det", "obj", "amod"], 2), &source(&old));
    for name in ["head.tags.weight", "head.tags.bias"] {
        assert_eq!(row(&after, name, 0), row(&old, name, 1), "{name}");
        assert_eq!(row(&after, name, 1), row(&before, name, 1), "{name}");
    }
    assert_eq!(values(&after, "head.tag_vectors.weight"), values(&before, "head.tag_vectors.weight"));
    for name in ["head.transitions.weight", "head.transitions.bias"] {
        // To shift; to the left by det, obj, amod; to the right by them.
        let places = [Some(0), Some(2), None, Some(1), Some(4), None, Some(3)];
        for (new, of) in places.into_iter().enumerate() {
            let expected = of.map_or_else(|| row(&before, name, new), |of| row(&old, name, of));
            assert_eq!(row(&after, name, new), expected, "{name}[{new}]");
        }
        assert_eq!(taken(&told, name).unwrap(), &Taken { name: name.into(), rows: 5, of: 7 });
    }
    let (_, after, told) = started(model(&["ADJ", "NOUN"], &["amod", "det"], 2), &source(&old));
    assert_eq!(values(&after, "head.tag_vectors.weight"), values(&old, "head.tag_vectors.weight"));
    assert_eq!(told.kept, []);
    // Of vectors of another size none is taken.
    let (before, after, _) = started(sized(&["ADJ", "NOUN"], &["amod", "det"], 2, 2), &source(&old));
    assert_eq!(values(&after, "head.tag_vectors.weight"), values(&before, "head.tag_vectors.weight"));
}

#[test]
fn word_vectors_are_taken_by_word_or_not_at_all() {
    let file = |words: &str, rows: usize| {
        let values: Vec<f32> = (0..rows * 4).map(|i| i as f32).collect();
        let table = Tensor::new("embedding.weight", vec![rows, 4], values).unwrap();
        let checkpoint = Checkpoint {
            tensors: BTreeMap::from([("embedding.weight".into(), table)]),
            metadata: BTreeMap::from([("vocabulary".into(), words.into())]),
        };
        checkpoint.to_bytes(|_, _| Storage::F32).unwrap()
    };
    let vectors = Source::from_bytes(&file(r#"["<unk>", "g", "b"]"#, 3)).unwrap();
    let (before, after, told) = started(classifies(&NEW, &["no", "yes"], 4, LSTM), &vectors);
    assert_eq!((vector(&after, "g"), vector(&after, "a")), (vec![4.0, 5.0, 6.0, 7.0], vector(&before, "a")));
    assert_eq!((told.taken[0].rows, told.unused.len()), (3, 0));
    let both = LayerConfig::Lstm { hidden_size: 8, bidirectional: true };
    let mut other = classifies(&NEW, &["no", "yes"], 5, both);
    let error = block_on(transfer(&mut other, &vectors)).unwrap_err();
    let message = error.to_string();
    let TransferError::Nothing(kept) = error else { panic!("{error}") };
    assert_eq!(kept.len(), 11);
    assert!(message.contains(": embedding.weight ([10, 5] here, [3, 4] there), encoder."), "{message}");
    assert!(message.ends_with(" (absent there) and 3 more"), "{message}");
    let error = Source::from_bytes(&file(r#"["<unk>", "g"]"#, 3)).unwrap_err().to_string();
    assert!(error.contains("embedding.weight") && error.contains("[2, columns]"), "{error}");
    let error = Source::from_bytes(&file(r#"["<unk>", "g", "b", "g"]"#, 4)).unwrap_err().to_string();
    assert!(error.contains("vocabulary[3]") && error.contains("also at [1]"), "{error}");
}
