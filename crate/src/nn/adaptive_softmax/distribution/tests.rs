//! Answers from as few tails as they need are those of the whole distribution.

use pollster::block_on;
use proptest::prelude::*;

use super::super::known::{Ranked, numbered, reaching};
use super::*;
use crate::cpu::noise;
use crate::device::{Device, Parameters};
use crate::graph::{Graph, Strategy as Batching};
use crate::nn::{AdaptiveSoftmaxConfig, Builder};

/// A layer over 16 columns whose weights are multiples of `grain`, so that words share a probability, or are not if it
/// is 0; and a row.
fn layer(
    words: usize,
    cutoffs: &[usize],
    (scale, grain): (f32, f32),
    seed: u32,
) -> (AdaptiveSoftmax, Parameters, Vec<f32>) {
    let mut builder = Builder::fresh(seed);
    let config = AdaptiveSoftmaxConfig {
        div_value: 2.0,
        head_bias: true,
        ..AdaptiveSoftmaxConfig::new(16, words, cutoffs)
    };
    let layer = AdaptiveSoftmax::new(&mut builder, config).unwrap();
    let mut parameters = builder.finish().unwrap();
    let shaped =
        |value: f32| if grain > 0.0 { (value * scale / grain).round() * grain } else { value * scale };
    parameters.iter_mut().for_each(|(_, p)| p.values.iter_mut().for_each(|value| *value = shaped(*value)));
    let row = (0..16).map(|i| noise::uniform(seed, 77, i) - 0.5).collect();
    (layer, parameters, row)
}

/// All words from the most probable on, by the distribution with every tail opened.
fn in_order(layer: &AdaptiveSoftmax, all: &[f32]) -> Vec<Word> {
    assert_eq!(all.len(), layer.words());
    let mut words: Vec<Word> = numbered(all, 0).collect();
    words.sort_by_key(|word| Ranked(*word));
    words
}

/// Random numbers from 0 to below 1 with 53 bits.
fn uniform(seed: u32) -> impl FnMut() -> f64 {
    let mut count = 0;
    move || {
        let bits = [0, 1].map(|half| u64::from(noise::bits(seed, half, count)));
        count += 1;
        (((bits[0] << 32) | bits[1]) >> 11) as f64 / (1u64 << 53) as f64
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_whole_distribution(
        sizes in prop::collection::vec(1usize..40, 1..5),
        scale in prop::sample::select(vec![0.0f32, 1.0, 6.0, 40.0]),
        grain in prop::sample::select(vec![0.0f32, 0.5, 2.0]),
        seed: u32,
        count in 0usize..200,
        mass in 0.01f64..=1.0,
    ) {
        let words = sizes.iter().sum();
        let mut cutoffs: Vec<usize> = sizes.iter().scan(0, |end, size| { *end += size; Some(*end) }).collect();
        cutoffs.pop();
        let (layer, parameters, row) = layer(words, &cutoffs, (scale, grain), seed);
        let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
        let x = graph.input(1, 16, row);
        let all = block_on(layer.log_softmax(x).value()).unwrap();
        let ordered = in_order(&layer, &all);
        let fresh = || block_on(layer.distribution(x)).unwrap();

        let top = block_on(fresh().top(count)).unwrap();
        prop_assert_eq!(&top[..], &ordered[..count.min(words)]);

        let nucleus = block_on(fresh().nucleus(mass)).unwrap();
        let whole = reaching(&ordered, mass).unwrap_or(words);
        prop_assert_eq!(&nucleus[..], &ordered[..whole]);

        for place in [0, words / 2, words - 1] {
            let Word { id, log_probability } = ordered[place];
            let mut one = fresh();
            prop_assert_eq!(block_on(one.log_probability(id)).unwrap(), log_probability);
            prop_assert_eq!(one.opened(), &layer.cluster_of(id).into_iter().collect::<Vec<_>>()[..]);
            prop_assert_eq!(block_on(fresh().rank(id)).unwrap(), place + 1);
        }

        let mut first = fresh();
        let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
        prop_assert_eq!(block_on(first.sample(&sampling, || panic!("nothing to draw"))).unwrap(), ordered[0]);
        prop_assert_eq!(block_on(fresh().top(1)).unwrap(), &ordered[..1]);
    }
}

/// Draws a million words and compares how often each came with how often it should.
fn check_law(sampling: Sampling, cutoffs: &[usize], expected: impl Fn(&[Word]) -> Vec<f64>) {
    let (layer, parameters, row) = layer(60, cutoffs, (8.0, 0.0), 5);
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
    let x = graph.input(1, 16, row);
    let ordered = in_order(&layer, &block_on(layer.log_softmax(x).value()).unwrap());
    let weights = expected(&ordered);
    let draws = 1_000_000;
    let (mut counts, mut random) = (vec![0u32; 60], uniform(9));
    let head = block_on(layer.head(x).value()).unwrap();
    let tail = |tail| block_on(layer.tail(x, tail).value()).unwrap();
    let tails: Vec<Vec<f32>> = (0..layer.clusters()).map(tail).collect();
    let mut opened = 0;
    for _ in 0..draws {
        // Tails are closed; their values need not be computed again.
        let mut known = Known::new(&layer, head.clone()).unwrap();
        let word = loop {
            match known.sample(&sampling, &mut random) {
                Ok(word) => break word,
                Err(tail) => known.open(tail, tails[tail].clone()).unwrap(),
            }
        };
        counts[word.id as usize] += 1;
        opened += known.opened().len();
    }
    if sampling.top.is_none() && sampling.nucleus.is_none() {
        assert!(opened < draws * layer.clusters(), "{sampling:?}: no tail ever stayed closed");
    }
    let total: f64 = weights.iter().sum();
    let (mut chi_square, mut cells, mut rare) = (0.0, 0, (0.0, 0.0));
    let add = |(observed, expected): (f64, f64)| (observed - expected).powi(2) / expected;
    for (word, weight) in ordered.iter().zip(&weights) {
        let (observed, expected) =
            (f64::from(counts[word.id as usize]), weight / total * f64::from(draws as u32));
        if *weight == 0.0 {
            assert_eq!(observed, 0.0, "{sampling:?}: word {}", word.id);
        } else if expected < 10.0 {
            rare = (rare.0 + observed, rare.1 + expected);
        } else {
            chi_square += add((observed, expected));
            cells += 1;
        }
    }
    if rare.1 > 0.0 {
        chi_square += add((rare.0, rare.1.max(1e-9)));
        cells += 1;
    }
    let freedom = f64::from(cells - 1);
    // Four standard deviations above the mean of a chi-square.
    let bound = freedom + 4.0 * (2.0 * freedom).sqrt();
    assert!(
        chi_square < bound,
        "{sampling:?}: {chi_square} over {freedom} degrees of freedom, bound {bound}"
    );
}

#[test]
fn words_are_drawn_by_their_tempered_probabilities() {
    for temperature in [0.3, 0.7, 1.0, 1.5] {
        let sampling = Sampling { temperature, ..Sampling::default() };
        let tempered =
            |words: &[Word]| words.iter().map(|w| w.probability().powf(1.0 / temperature)).collect();
        check_law(sampling, &[10, 25, 40], tempered);
    }
}

#[test]
fn words_are_drawn_from_the_most_probable_alone() {
    let of_first = |count: usize, temperature: f64| {
        move |words: &[Word]| {
            let weight = |(place, w): (usize, &Word)| {
                if place < count { w.probability().powf(1.0 / temperature) } else { 0.0 }
            };
            words.iter().enumerate().map(weight).collect()
        }
    };
    let top = Sampling { temperature: 0.8, top: Some(7), nucleus: None };
    check_law(top, &[10, 25], of_first(7, 0.8));
    let nucleus = Sampling { temperature: 1.2, top: None, nucleus: Some(0.8) };
    check_law(nucleus, &[10, 25], |words: &[Word]| of_first(reaching(words, 0.8).unwrap(), 1.2)(words));
    let both = Sampling { temperature: 1.0, top: Some(20), nucleus: Some(0.5) };
    check_law(both, &[10, 25], |words: &[Word]| {
        let mass: f64 = words[..20].iter().map(Word::probability).sum();
        of_first(reaching(words, 0.5 * mass).unwrap(), 1.0)(words)
    });
}

#[test]
fn extreme_temperatures_draw_the_first_or_any() {
    let (layer, parameters, row) = layer(60, &[10, 25], (40.0, 0.0), 3);
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
    let x = graph.input(1, 16, row);
    let first = block_on(block_on(layer.distribution(x)).unwrap().top(1)).unwrap()[0];
    let mut random = uniform(1);
    for temperature in [f64::MIN_POSITIVE / 8.0, 1e-300, 1e-3] {
        let mut distribution = block_on(layer.distribution(x)).unwrap();
        let sampling = Sampling { temperature, ..Sampling::default() };
        assert_eq!(block_on(distribution.sample(&sampling, &mut random)).unwrap(), first, "{temperature}");
    }
    let mut seen = [false; 60];
    let mut distribution = block_on(layer.distribution(x)).unwrap();
    let sampling = Sampling { temperature: 1e300, ..Sampling::default() };
    for _ in 0..2000 {
        seen[block_on(distribution.sample(&sampling, &mut random)).unwrap().id as usize] = true;
    }
    assert_eq!(seen, [true; 60]);
}

#[test]
fn a_question_opens_the_tails_that_matter_and_no_other() {
    // Probabilities: 0.6 and 0.25; ten words of 0.01 in a tail, twenty of 0.0025 in another.
    let (layer, mut parameters, row) = layer(32, &[2, 12], (0.0, 0.0), 0);
    let bias = parameters.id("head.bias").unwrap();
    parameters.get_mut(bias).values = [0.6f32, 0.25, 0.1, 0.05].map(f32::ln).to_vec();
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
    let x = graph.input(1, 16, row);
    let opened = |ask: &dyn Fn(&mut Distribution<'_, '_>)| {
        let mut distribution = block_on(layer.distribution(x)).unwrap();
        ask(&mut distribution);
        let tails = distribution.opened().to_vec();
        let rows = 4 + tails.iter().map(|&tail| [10, 20][tail]).sum::<usize>();
        assert_eq!(distribution.rows_computed(), rows);
        tails
    };
    // Less probable than the second word, a tail cannot hold one of the best two; to know the third needs both.
    assert!(opened(&|d| assert_eq!(block_on(d.top(2)).unwrap()[1].id, 1)).is_empty());
    assert_eq!(opened(&|d| assert_eq!(block_on(d.top(3)).unwrap()[2].id, 2)), [0, 1]);
    assert!(opened(&|d| assert_eq!(block_on(d.nucleus(0.84)).unwrap().len(), 2)).is_empty());
    assert_eq!(opened(&|d| assert_eq!(block_on(d.nucleus(0.875)).unwrap().len(), 5)), [0, 1]);
    assert!(opened(&|d| assert_eq!(block_on(d.rank(1)).unwrap(), 2)).is_empty());
    assert_eq!(opened(&|d| assert_eq!(block_on(d.rank(31)).unwrap(), 32)), [1, 0]);
    // A draw opens at most the tail that it falls on.
    let draw = |d: &mut Distribution<'_, '_>, point: f64| {
        block_on(d.sample(&Sampling::default(), || point)).unwrap().id
    };
    assert!(opened(&|d| assert_eq!(draw(d, 0.7), 1)).is_empty());
    assert_eq!(opened(&|d| assert_eq!(draw(d, 0.999), 31)), [1]);
    // A source that is none ends all the same, in the last word or where the sums are no numbers.
    assert_eq!(opened(&|d| assert_eq!([draw(d, 1.0), draw(d, 1.0)], [31, 31])), [1]);
    assert_eq!(opened(&|d| assert_eq!(draw(d, f64::NAN), 11)), [0]);
}

#[test]
fn a_draw_that_nobody_waited_for_leaves_nothing_to_the_next() {
    let (layer, mut parameters, row) = layer(32, &[2, 12], (0.0, 0.0), 0);
    let bias = parameters.id("head.bias").unwrap();
    parameters.get_mut(bias).values = [0.6f32, 0.25, 0.1, 0.05].map(f32::ln).to_vec();
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
    let mut distribution = block_on(layer.distribution(graph.input(1, 16, row))).unwrap();
    let sampling = Sampling::default();
    assert!(distribution.known.sample(&sampling, &mut || 0.999).is_err(), "it waits for a tail");
    assert_eq!(block_on(distribution.sample(&sampling, || 0.1)).unwrap().id, 0);
    assert!(distribution.opened().is_empty());
}

#[test]
fn what_cannot_be_answered_is_an_error() {
    let (layer, mut parameters, row) = layer(60, &[10, 25], (1.0, 0.0), 3);
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
    let x = graph.input(1, 16, row.clone());
    let mut distribution = block_on(layer.distribution(x)).unwrap();
    let beyond = block_on(distribution.log_probability(60)).unwrap_err();
    assert_eq!(beyond, EngineError::Index { op: "adaptive_softmax", index: 60, bound: 60 });
    for sampling in [
        Sampling { temperature: -1.0, ..Sampling::default() },
        Sampling { temperature: f64::NAN, ..Sampling::default() },
        Sampling { top: Some(0), ..Sampling::default() },
        Sampling { nucleus: Some(0.0), ..Sampling::default() },
        Sampling { nucleus: Some(1.5), ..Sampling::default() },
    ] {
        let error = block_on(distribution.sample(&sampling, || 0.0)).unwrap_err();
        assert!(matches!(error, EngineError::Shape { op: "sample", .. }), "{error}");
    }
    let two = graph.concat_rows(&[x, x]);
    assert!(matches!(block_on(layer.distribution(two)).err(), Some(EngineError::Shape { .. })));
    // Weights so large that a logit is infinite.
    let tail = parameters.id("tail.1.1.weight").unwrap();
    parameters.get_mut(tail).values.fill(f32::MAX);
    let narrow = parameters.id("tail.1.0.weight").unwrap();
    parameters.get_mut(narrow).values.fill(f32::MAX);
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
    let mut distribution = block_on(layer.distribution(graph.input(1, 16, row))).unwrap();
    let error = block_on(distribution.log_probability(59)).unwrap_err();
    assert_eq!(error, EngineError::Overflow { op: "adaptive_softmax" });
}

#[test]
fn distributions_of_many_rows_are_computed_together() {
    let (layer, parameters, _) = layer(60, &[10, 25], (8.0, 0.0), 4);
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::Levels);
    let row = |seed| (0..16).map(|i| noise::uniform(seed, 78, i) - 0.5).collect();
    let rows: Vec<_> = (0..50).map(|seed| graph.input(1, 16, row(seed))).collect();
    let layer = &layer;
    let programs = rows.iter().map(|&x| async move {
        let mut distribution = layer.distribution(x).await?;
        Ok::<_, EngineError>((distribution.top(3).await?, distribution.opened().len()))
    });
    let answers = block_on(graph.join(programs));
    // The head, and two products for a tail; both tails may be asked for in either of two rounds.
    let products: Vec<usize> = graph
        .explain()
        .batches()
        .iter()
        .filter(|batch| batch.op == "affine")
        .map(|batch| batch.lanes)
        .collect();
    assert!(products[0] == 50 && products.len() <= 1 + 2 * 2 * 2, "{}", graph.explain());
    for (answer, &x) in answers.into_iter().zip(&rows) {
        let ordered = in_order(layer, &block_on(layer.log_softmax(x).value()).unwrap());
        assert_eq!(answer.unwrap().0, ordered[..3]);
    }
}
