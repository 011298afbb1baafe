use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::text::UNKNOWN;

static GO: AtomicBool = AtomicBool::new(false);

/// Small and quick; no word is left out for being frequent.
fn quick() -> SkipGram {
    SkipGram { size: 20, subsample: 0.0, epochs: 5, learning_rate: 0.05, ..SkipGram::default() }
}

fn train(options: &SkipGram, corpus: Corpus) -> Result<WordVectors, VectorsError> {
    options.train(corpus.vocabulary, &corpus.sentences, &GO, |_, _| ())
}

const KITCHEN: [&str; 6] = ["salt", "pan", "onion", "butter", "stir", "oven"];
const HARBOUR: [&str; 6] = ["mast", "sail", "tide", "anchor", "rope", "gull"];

/// Sentences of eight words, each of one topic, with a word that both topics share.
fn two_topics() -> Corpus {
    let sentence = |i: usize| {
        let topic = if i.is_multiple_of(2) { KITCHEN } else { HARBOUR };
        (0..8).map(move |j| if j == 4 { "the" } else { topic[(i * 7 + i / 3 + j * j) % topic.len()] })
    };
    Corpus::new((0..600).map(sentence), 2)
}

#[test]
fn words_of_a_topic_end_near_each_other() {
    let vectors = train(&quick(), two_topics()).unwrap();
    for topic in [KITCHEN, HARBOUR] {
        for word in topic {
            let nearest = vectors.nearest(word, 5).unwrap();
            let strangers: Vec<_> = nearest.iter().filter(|(near, _)| !topic.contains(near)).collect();
            assert!(strangers.is_empty(), "{word}: {nearest:?}");
            assert!(nearest.is_sorted_by(|(_, a), (_, b)| a >= b));
        }
    }
    assert_eq!(vectors.nearest("train", 5), None);
    assert_eq!(vectors.nearest("salt", 99).unwrap().len(), vectors.vocabulary().len() - 1);
}

#[test]
fn a_seed_fixes_the_vectors() {
    let options = SkipGram { subsample: 1e-2, epochs: 2, ..quick() };
    let first = train(&options, two_topics()).unwrap();
    assert_eq!(first, train(&options, two_topics()).unwrap());
    assert_ne!(first, train(&SkipGram { seed: 2, ..options }, two_topics()).unwrap());
}

#[test]
fn progress_counts_every_word_of_every_epoch() {
    let Corpus { vocabulary, sentences } = two_topics();
    let mut reports = Vec::new();
    quick().train(vocabulary, &sentences, &GO, |done, total| reports.push((done, total))).unwrap();
    assert!(reports.len() > 1 && reports.is_sorted());
    assert_eq!(reports.last(), Some(&(5 * 600 * 8, 5 * 600 * 8)));
}

#[test]
fn the_cancel_flag_stops_it() {
    let Corpus { vocabulary, sentences } = two_topics();
    let cancel = AtomicBool::new(false);
    let result = quick().train(vocabulary, &sentences, &cancel, |_, _| cancel.store(true, Ordering::Relaxed));
    let Err(VectorsError::Cancelled { done, total }) = result else { panic!("{result:?}") };
    assert!((10_000..10_100).contains(&done) && total == 24_000, "{done} of {total}");
}

#[test]
fn text_with_nothing_to_tell_apart_is_refused() {
    let none: [[&str; 0]; 0] = [];
    let cases = [
        (Corpus::new(none, 2), 0),
        (Corpus::new([[""; 0], []], 2), 0),
        (Corpus::new([["echo", "echo", "echo"]], 2), 1),
        // Each word once: all are the unknown word.
        (Corpus::new([["each", "word", "once"]], 2), 1),
    ];
    for (corpus, words) in cases {
        let result = train(&quick(), corpus);
        assert!(matches!(result, Err(VectorsError::TooFewWords { found }) if found == words), "{result:?}");
    }
    // Two words, of which one is the unknown, are enough; a sentence of one word has no pairs.
    let vectors = train(&quick(), Corpus::new([vec!["echo", "echo", "rare"], vec!["echo"]], 2)).unwrap();
    assert_eq!(vectors.vocabulary().words(), [UNKNOWN, "echo"]);
}

#[test]
fn impossible_options_are_refused_by_name() {
    let bad = [
        (SkipGram { size: 0, ..quick() }, "size"),
        (SkipGram { size: usize::MAX, ..quick() }, "size"),
        (SkipGram { window: 0, ..quick() }, "window"),
        (SkipGram { negatives: 0, ..quick() }, "negatives"),
        (SkipGram { epochs: 0, ..quick() }, "epochs"),
        (SkipGram { subsample: -1.0, ..quick() }, "subsample"),
        (SkipGram { learning_rate: f32::NAN, ..quick() }, "learning_rate"),
        (SkipGram { final_learning_rate: f32::INFINITY, ..quick() }, "final_learning_rate"),
    ];
    for (options, name) in bad {
        let result = train(&options, two_topics());
        assert!(matches!(result, Err(VectorsError::Option { option, .. }) if option == name), "{result:?}");
    }
}

#[test]
fn divergence_and_foreign_ids_are_errors() {
    let wild = SkipGram { learning_rate: f32::MAX, ..quick() };
    let result = train(&wild, two_topics());
    assert!(matches!(result, Err(VectorsError::Diverged { epoch: 1, .. })), "{result:?}");

    let Corpus { vocabulary, mut sentences } = two_topics();
    sentences[3][2] = vocabulary.len() as u32;
    let error = quick().train(vocabulary, &sentences, &GO, |_, _| ()).unwrap_err();
    assert_eq!(error.to_string(), "sentence 3, word 2: id 14 is not below 14, the size of the vocabulary");
}

#[test]
fn a_file_holds_the_vectors_exactly() {
    let vectors = train(&SkipGram { epochs: 1, ..quick() }, two_topics()).unwrap();
    assert_eq!(WordVectors::from_bytes(&vectors.to_bytes().unwrap()).unwrap(), vectors);
}

#[test]
fn files_that_are_no_vectors_are_refused() {
    let vocabulary = Vocabulary::build(["a", "b"], 1, None);
    let good = WordVectors::new(vocabulary.clone(), 2, vec![0.5; 6]).unwrap();
    let change = |change: &dyn Fn(&mut Checkpoint)| {
        let mut checkpoint = Checkpoint::from_bytes(&good.to_bytes().unwrap()).unwrap();
        change(&mut checkpoint);
        let file = checkpoint.to_bytes(|_, _| Storage::F32).unwrap();
        WordVectors::from_bytes(&file).unwrap_err().to_string()
    };
    let words = |json: &str| change(&|file| drop(file.metadata.insert(VOCABULARY_KEY.into(), json.into())));
    assert!(change(&|file| file.metadata = Default::default()).contains("lacks the key \"vocabulary\""));
    assert!(words("{}").starts_with("the list of words is malformed"));
    assert!(words(r#"["a"]"#).contains("begins with `<unk>`"));
    assert!(words(r#"["<unk>","a"]"#).contains("expected a matrix of 2 rows"));
    assert!(
        change(&|file| file.tensors = Default::default())
            .contains("\"embedding.weight\" of shape [3, size] is missing")
    );
    let extra =
        change(&|file| drop(file.tensors.insert("w".into(), Tensor { shape: vec![0], values: vec![] })));
    assert!(extra.starts_with("tensor \"w\""), "{extra}");
    assert!(WordVectors::from_bytes(b"").is_err());
    let ragged = WordVectors::new(vocabulary, 2, vec![0.0; 5]).unwrap_err();
    assert_eq!(ragged.to_string(), "3 words with vectors of 2 numbers need 6 numbers; there are 5");
}
