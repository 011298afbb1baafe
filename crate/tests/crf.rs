//! Conditional random fields: every figure against all ways to tag a sentence (`fixtures/crf.py`), and what holds of any shape.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[allow(dead_code, reason = "some of it is for other tests")]
#[path = "common/mod.rs"]
mod common;
#[path = "common/gpu.rs"]
mod gpu;

use common::values;
use pollster::block_on;
use proptest::prelude::*;
use saccade_rnn::cpu::softmax::log_softmax;
use saccade_rnn::device::{Device, Parameters};
use saccade_rnn::graph::{Expr, Graph, Strategy as Batching};
use saccade_rnn::nn::{BuildError, Builder, Crf, Tensor};
use serde::Deserialize;

/// `|a - b| <= BOUND * max(1, |b|)`.
const BOUND: f64 = 1e-5;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    tags: usize,
    parameters: Transitions,
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Transitions {
    start_transitions: Vec<f64>,
    end_transitions: Vec<f64>,
    transitions: Vec<Vec<f64>>,
}

/// A part of them.
type Part = fn(&Transitions) -> Vec<f64>;

#[derive(Deserialize)]
struct Sentence {
    words: Vec<Vec<f64>>,
    tags: Vec<u32>,
    score: f64,
    partition: f64,
    best: Vec<usize>,
    marginals: Vec<Vec<f64>>,
    gradients: Gradients,
}

#[derive(Deserialize)]
struct Gradients {
    words: Vec<Vec<f64>>,
    #[serde(flatten)]
    of: Transitions,
}

fn floats(values: &[f64]) -> Vec<f32> {
    values.iter().map(|x| *x as f32).collect()
}

fn close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert!((f64::from(*a) - b).abs() <= BOUND * b.abs().max(1.0), "{what}: {a}, not {b}");
    }
}

fn crf(tags: usize, [start, end, transitions]: [Vec<f32>; 3]) -> (Crf, Parameters) {
    let tensor = |shape: &[usize], values| Tensor { shape: shape.to_vec(), values };
    let mut builder = Builder::stored(
        [
            ("start_transitions".to_string(), tensor(&[tags], start)),
            ("end_transitions".to_string(), tensor(&[tags], end)),
            ("transitions".to_string(), tensor(&[tags, tags], transitions)),
        ]
        .into(),
    );
    let crf = Crf::new(&mut builder, tags).unwrap();
    (crf, builder.finish().unwrap())
}

/// A field of one case: values, the best path and the gradient of all sentences' losses, which are on one graph.
fn follows_its_definition(case: &Case, device: &Device, batching: Batching) {
    let of = &case.parameters;
    let (start, end) = (floats(&of.start_transitions), floats(&of.end_transitions));
    let (crf, parameters) = crf(case.tags, [start, end, floats(&of.transitions.concat())]);
    let graph = Graph::training(&parameters, device, batching, 0);
    let scores: Vec<Expr<'_>> = case
        .sentences
        .iter()
        .map(|sentence| graph.variable(sentence.words.len(), case.tags, floats(&sentence.words.concat())))
        .collect();
    let mut losses = Vec::new();
    for (sentence, &scores) in case.sentences.iter().zip(&scores) {
        let value = |x: Expr<'_>| block_on(x.value()).unwrap();
        close("score", &value(crf.score(scores, &sentence.tags)), &[sentence.score]);
        close("partition", &value(crf.partition(scores)), &[sentence.partition]);
        assert_eq!(block_on(crf.best(scores).path()).unwrap(), sentence.best);
        let mut marginals = value(crf.marginals(scores));
        log_softmax(&mut marginals, case.tags);
        let marginals: Vec<f32> = marginals.into_iter().map(f32::exp).collect();
        close("marginals", &marginals, &sentence.marginals.concat());
        losses.push(crf.loss(scores, &sentence.tags));
    }
    let gradients = block_on(graph.concat_rows(&losses).sum_rows().backward()).unwrap();
    for (sentence, scores) in case.sentences.iter().zip(scores) {
        close("scores' gradient", &block_on(scores.gradient()).unwrap(), &sentence.gradients.words.concat());
    }
    let parts: [(&str, Part); 3] = [
        ("start_transitions", |of| of.start_transitions.clone()),
        ("end_transitions", |of| of.end_transitions.clone()),
        ("transitions", |of| of.transitions.concat()),
    ];
    for (name, part) in parts {
        let id = parameters.id(name).unwrap();
        let found = block_on(gradients.read(device, &parameters, id)).unwrap();
        let all = case.sentences.iter().map(|sentence| part(&sentence.gradients.of));
        let sum = all.reduce(|a, b| a.iter().zip(b).map(|(a, b)| a + b).collect()).unwrap();
        close(name, &found.unwrap_or_else(|| vec![0.0; sum.len()]), &sum);
    }
}

#[test]
fn a_field_is_what_all_ways_to_tag_a_sentence_make_it() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/crf.json")).unwrap();
    let devices = [Device::cpu(), gpu::gpu()];
    for case in &fixture.cases {
        for device in &devices {
            for batching in [Batching::Unbatched, Batching::Depth, Batching::Agenda, Batching::Levels] {
                follows_its_definition(case, device, batching);
            }
        }
    }
}

#[test]
fn minus_infinity_forbids_neighbours() {
    const NO: f32 = f32::NEG_INFINITY;
    // A sentence begins with the first tag, which the second may not follow, and ends with the third.
    let (start, end, transitions) =
        ([0.5, NO, NO], [NO, NO, -0.25], [0.25, NO, 1.0, 0.5, 0.0, -1.0, -0.5, 2.0, 0.75]);
    let words = [0.1, 9.0, 9.0, 0.2, 9.0, -0.3, 0.4, 0.6, -0.1, 9.0, 9.0, 0.3];
    let of = |[a, b]: [usize; 2]| {
        let tags = [0, a, b, 2];
        let steps: f32 = tags.windows(2).map(|pair| transitions[3 * pair[0] + pair[1]]).sum();
        start[0]
            + end[2]
            + steps
            + tags.iter().enumerate().map(|(word, tag)| words[3 * word + tag]).sum::<f32>()
    };
    let ways = (0..9).map(|way| f64::from(of([way / 3, way % 3])));
    let partition = ways.map(f64::exp).sum::<f64>().ln();
    for device in [Device::cpu(), gpu::gpu()] {
        let (crf, parameters) = crf(3, [start.to_vec(), end.to_vec(), transitions.to_vec()]);
        let graph = Graph::training(&parameters, &device, Batching::Levels, 0);
        let scores = graph.variable(4, 3, words.to_vec());
        let value = |x: Expr<'_>| block_on(x.value()).unwrap();
        close("partition", &value(crf.partition(scores)), &[partition]);
        close("score", &value(crf.score(scores, &[0, 2, 1, 2])), &[f64::from(of([2, 1]))]);
        assert_eq!(value(crf.score(scores, &[0, 1, 1, 2])), [NO]);
        assert_eq!(value(crf.score(scores, &[1, 1, 1, 2])), [NO]);
        let loss = crf.loss(scores, &[0, 2, 1, 2]);
        close("loss", &value(loss), &[partition - f64::from(of([2, 1]))]);
        let gradients = block_on(loss.backward()).unwrap();
        let of_parameters = ["start_transitions", "end_transitions", "transitions"].map(|name| {
            let id = parameters.id(name).unwrap();
            block_on(gradients.read(&device, &parameters, id)).unwrap().unwrap()
        });
        let of_scores = block_on(scores.gradient()).unwrap();
        let all = of_parameters.iter().flatten().chain(&of_scores);
        assert!(all.clone().all(|gradient| gradient.is_finite()), "{of_parameters:?}, {of_scores:?}");
        // How likely each tag is, less one for the right one: all of a word add up to nothing.
        for word in of_scores.chunks_exact(3) {
            assert!(word.iter().sum::<f32>().abs() < 1e-5, "{word:?}");
        }
        assert_eq!([of_scores[1], of_scores[2], of_parameters[2][1]], [0.0; 3]);
    }
}

#[test]
fn batches_grow_with_the_longest_sentence_and_not_with_how_many_there_are() {
    let mut builder = Builder::fresh(1);
    let crf = Crf::new(&mut builder, 4).unwrap();
    let parameters = builder.finish().unwrap();
    let batches = |lengths: &[usize]| {
        let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
        let scores = lengths.iter().map(|&length| graph.input(length, 4, values(1, 4 * length, 1.0)));
        let partitions: Vec<_> = scores.map(|scores| crf.partition(scores)).collect();
        block_on(graph.values(&partitions)).unwrap();
        graph.explain().batches().iter().filter(|batch| batch.op == "log_product").count()
    };
    assert_eq!(batches(&[7]), 8);
    assert_eq!(batches(&[3, 7, 1, 5, 7, 2]), batches(&[7]));
}

#[test]
fn what_cannot_be_scored_is_said() {
    let mut builder = Builder::fresh(0);
    assert!(matches!(Crf::new(&mut builder, 0), Err(BuildError::Size { what: "tags", .. })));
    let crf = Crf::new(&mut builder, 2).unwrap();
    let parameters = builder.finish().unwrap();
    let error = |tags: &[u32]| {
        let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
        let scores = graph.input(2, 2, vec![0.0; 4]);
        block_on(crf.score(scores, tags).value()).unwrap_err().to_string()
    };
    assert!(error(&[0, 2]).contains("crf: index 2 is not below 2"), "{}", error(&[0, 2]));
    assert!(error(&[0]).contains("expected 2 x 2"), "{}", error(&[0]));
    assert!(error(&[]).contains("crf: tags: expected 2, found 0"), "{}", error(&[]));
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
    let mistaken = graph.input(2, 2, vec![0.0; 4]).rows(&[2]);
    let error = block_on(crf.best(mistaken).path()).unwrap_err().to_string();
    assert!(error.contains("index 2 is not below 2"), "{error}");
    // Inside of a program others' mistakes are told of what depends on them alone.
    let depending = block_on(graph.join([async { crf.loss(mistaken, &[]).value().await }])).remove(0);
    assert!(depending.is_err(), "{depending:?}");
}

/// Lengths of sentences, how many tags there are, and a number that values depend on.
fn any_shape() -> impl Strategy<Value = (Vec<usize>, usize, u32)> {
    let length = prop_oneof![Just(0usize), Just(1), 2..12usize];
    (prop::collection::vec(length, 1..12), prop_oneof![Just(1usize), Just(2), 3..24usize], any::<u32>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_transitions_every_word_is_for_itself((lengths, tags, seed) in any_shape()) {
        let (crf, parameters) = crf(tags, [vec![0.0; tags], vec![0.0; tags], vec![0.0; tags * tags]]);
        let graph = Graph::training(&parameters, &Device::cpu(), Batching::Levels, 0);
        for (number, length) in lengths.into_iter().enumerate() {
            let given = values(seed ^ number as u32, length * tags, 3.0);
            let gold: Vec<u32> = (0..length as u32).map(|word| (word * 7 + seed % 5) % tags as u32).collect();
            let scores = graph.variable(length, tags, given.clone());
            let loss = block_on(crf.loss(scores, &gold).value()).unwrap()[0];
            let expected = block_on(scores.cross_entropy(&gold).sum_rows().value()).unwrap()[0];
            prop_assert!((loss - expected).abs() <= 1e-4 * expected.max(1.0), "{loss}, not {expected}");
            let mut marginals = block_on(crf.marginals(scores).value()).unwrap();
            let mut alone = given.clone();
            log_softmax(&mut marginals, tags);
            log_softmax(&mut alone, tags);
            for (a, b) in marginals.iter().zip(&alone) {
                prop_assert!((a - b).abs() < 1e-4, "{a}, not {b}");
            }
            let best: Vec<usize> = given.chunks_exact(tags).map(|row| {
                (0..tags).rev().max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap()
            }).collect();
            prop_assert_eq!(block_on(crf.best(scores).path()).unwrap(), best);
        }
    }

    #[test]
    fn no_way_is_better_than_the_best_nor_likelier_than_all((lengths, tags, seed) in any_shape()) {
        let draw = |stream: u32, count| values(seed ^ stream, count, 4.0);
        let (crf, parameters) = crf(tags, [draw(1, tags), draw(2, tags), draw(3, tags * tags)]);
        let graph = Graph::training(&parameters, &Device::cpu(), Batching::Levels, 0);
        let value = |x: Expr<'_>| block_on(x.value()).unwrap()[0];
        for (number, length) in lengths.into_iter().enumerate() {
            let scores = graph.input(length, tags, draw(4 + number as u32, length * tags));
            let path: Vec<u32> = block_on(crf.best(scores).path()).unwrap().iter().map(|tag| *tag as u32).collect();
            let (best, all) = (value(crf.score(scores, &path)), value(crf.partition(scores)));
            prop_assert!(best <= all + 1e-4 * all.abs().max(1.0), "{best} of {all}");
            for word in 0..length {
                for tag in 0..tags as u32 {
                    let mut other = path.clone();
                    other[word] = tag;
                    prop_assert!(value(crf.score(scores, &other)) <= best + 1e-4 * best.abs().max(1.0));
                }
            }
        }
    }
}
