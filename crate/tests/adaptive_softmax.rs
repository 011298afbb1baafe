//! Adaptive softmax and adaptive input on both devices: gradients against central differences, and answers from a few
//! tails against the whole distribution.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/gpu.rs"]
mod gpu;

use pollster::block_on;
use saccade_rnn::cpu::noise::uniform;
use saccade_rnn::device::{Device, EngineError, Parameters};
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::nn::{AdaptiveInput, AdaptiveSoftmax, AdaptiveSoftmaxConfig, Ask, Builder, Word};

/// Words of three lanes: one without any, one with all its words in one tail, and one that leaves the other tail alone.
const LANES: [&[u32]; 3] = [&[], &[5, 6, 9], &[11, 0, 3, 11, 1]];

/// A softmax over 12 words in a head of 4 and tails of 6 and 2, and an input tied to it.
fn tied(projections: bool) -> (AdaptiveInput, AdaptiveSoftmax, Parameters) {
    let mut builder = Builder::fresh(1);
    let config = AdaptiveSoftmaxConfig {
        div_value: 2.0,
        head_bias: true,
        ..AdaptiveSoftmaxConfig::new(8, 12, &[4, 10])
    };
    let softmax = builder.scope("head", |b| AdaptiveSoftmax::new(b, config)).unwrap();
    let input = if projections {
        AdaptiveInput::tied_with_projections(&mut builder, &softmax).unwrap()
    } else {
        AdaptiveInput::tied(&mut builder, &softmax, 8).unwrap()
    };
    let mut parameters = builder.finish().unwrap();
    for (id, parameter) in parameters.iter_mut() {
        let stream = 100 + id.index() as u32;
        let draw = |(i, value): (usize, &mut f32)| *value = uniform(3, stream, i as u32) - 0.5;
        parameter.values.iter_mut().enumerate().for_each(draw);
    }
    (input, softmax, parameters)
}

/// The mean loss of predicting every word from the one before it in its lane, the first from the last.
fn loss<'g>(
    graph: &'g Graph,
    input: &AdaptiveInput,
    softmax: &AdaptiveSoftmax,
    lanes: &[&[u32]],
) -> saccade_rnn::graph::Expr<'g> {
    let losses: Vec<_> = lanes
        .iter()
        .map(|words| {
            let mut before = words.to_vec();
            before.rotate_right(1.min(words.len()));
            softmax.cross_entropy(input.forward(graph, &before).tanh(), words)
        })
        .collect();
    graph.mean(&losses)
}

#[test]
fn gradients_of_tied_layers_are_those_of_differences() {
    // All bands; and batches of which all rows are the head's, or those of one tail, so that clusters are empty.
    let one_band: [&[&[u32]]; 3] = [&[&[3, 0], &[1]], &[&[5, 9, 5]], &[&[11], &[10, 11]]];
    for (projections, lanes) in [false, true]
        .into_iter()
        .flat_map(|tied| [&LANES[..]].into_iter().chain(one_band).map(move |lanes| (tied, lanes)))
    {
        let (input, softmax, parameters) = tied(projections);
        let value = |parameters: &Parameters| {
            let graph = Graph::inference(parameters, &Device::cpu(), Strategy::Levels);
            f64::from(block_on(loss(&graph, &input, &softmax, lanes).value()).unwrap()[0])
        };
        for device in [Device::cpu(), gpu::gpu()] {
            let graph = Graph::training(&parameters, &device, Strategy::Levels, 0);
            let gradients = block_on(loss(&graph, &input, &softmax, lanes).backward()).unwrap();
            for (id, parameter) in parameters.iter() {
                let gradient = block_on(gradients.read(&device, &parameters, id)).unwrap();
                let gradient = gradient.unwrap_or_else(|| vec![0.0; parameter.values.len()]);
                let largest = gradient.iter().fold(0.02f64, |most, d| most.max(f64::from(d.abs())));
                for (i, &found) in gradient.iter().enumerate() {
                    let at = |step: f32| {
                        let mut moved = parameters.clone();
                        moved.get_mut(id).values[i] += step;
                        value(&moved)
                    };
                    let expected = (at(5e-3) - at(-5e-3)) / 1e-2;
                    let error = (f64::from(found) - expected).abs();
                    let what = format!("{} [{i}] on {}: {found}, {expected}", parameter.name, device.name());
                    assert!(error <= 5e-3 * largest, "{lanes:?}: {what}");
                }
            }
        }
    }
}

#[test]
fn strategies_and_devices_agree() {
    let (input, softmax, parameters) = tied(true);
    let of = |device: &Device, strategy| {
        let graph = Graph::training(&parameters, device, strategy, 0);
        block_on(loss(&graph, &input, &softmax, &LANES).value()).unwrap()[0]
    };
    let expected = of(&Device::cpu(), Strategy::Unbatched);
    for device in [Device::cpu(), gpu::gpu()] {
        for strategy in [Strategy::Unbatched, Strategy::Depth, Strategy::Levels] {
            let found = of(&device, strategy);
            assert!((found - expected).abs() < 1e-5, "{}, {strategy:?}: {found}, {expected}", device.name());
        }
    }
}

#[test]
fn answers_are_those_of_the_whole_distribution() {
    // Weights on a grid, so that words share a probability.
    for (grid, seed) in [(0.0, 1), (0.0, 2), (1.0, 3), (4.0, 4)] {
        let mut builder = Builder::fresh(seed);
        let config =
            AdaptiveSoftmaxConfig { div_value: 2.0, ..AdaptiveSoftmaxConfig::new(16, 300, &[20, 90]) };
        let softmax = AdaptiveSoftmax::new(&mut builder, config).unwrap();
        let mut parameters = builder.finish().unwrap();
        let shaped = |x: f32| if grid > 0.0 { (10.0 * x / grid).round() * grid } else { 10.0 * x };
        parameters.iter_mut().for_each(|(_, p)| p.values.iter_mut().for_each(|x| *x = shaped(*x)));
        for device in [Device::cpu(), gpu::gpu()] {
            let graph = Graph::inference(&parameters, &device, Strategy::Levels);
            let x = graph.input(1, 16, (0..16).map(|i| uniform(seed, 7, i) - 0.5).collect());
            let all = block_on(softmax.log_softmax(x).value()).unwrap();
            let mut ordered: Vec<Word> =
                (0..).zip(&all).map(|(id, &log_probability)| Word { id, log_probability }).collect();
            ordered.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability).then(a.id.cmp(&b.id)));
            for count in [1, 5, 50, 300] {
                let mut distribution = block_on(softmax.distribution(x)).unwrap();
                let top = block_on(distribution.top(count)).unwrap();
                assert_eq!(top, ordered[..count], "{count} of grid {grid} on {}", device.name());
            }
            for place in [0, 17, 299] {
                let mut distribution = block_on(softmax.distribution(x)).unwrap();
                assert_eq!(block_on(distribution.rank(ordered[place].id)).unwrap(), place + 1);
            }
            let mass: f64 = ordered[..40].iter().map(Word::probability).sum();
            let mut distribution = block_on(softmax.distribution(x)).unwrap();
            assert_eq!(block_on(distribution.nucleus(mass)).unwrap(), ordered[..40], "on {}", device.name());
        }
    }
}

#[test]
fn one_word_is_certain() {
    let mut builder = Builder::fresh(0);
    let softmax = AdaptiveSoftmax::new(&mut builder, AdaptiveSoftmaxConfig::new(4, 1, &[])).unwrap();
    let parameters = builder.finish().unwrap();
    for device in [Device::cpu(), gpu::gpu()] {
        let graph = Graph::training(&parameters, &device, Strategy::Levels, 0);
        let x = graph.variable(2, 4, vec![0.5; 8]);
        let loss = softmax.cross_entropy(x, &[0, 0]);
        assert_eq!(block_on(loss.value()).unwrap(), [0.0, 0.0]);
        block_on(loss.mean_rows().backward()).unwrap();
        assert_eq!(block_on(x.gradient()).unwrap(), [0.0; 8]);
        assert_eq!(block_on(softmax.log_softmax(x).value()).unwrap(), [0.0, 0.0]);
    }
}

#[test]
fn words_of_a_million_have_their_losses_and_gradients() {
    const WORDS: [u32; 6] = [999_999, 0, 99_999, 100_000, 999, 1_000];
    let mut builder = Builder::fresh(5);
    let config = AdaptiveSoftmaxConfig {
        div_value: 2.0,
        ..AdaptiveSoftmaxConfig::new(4, 1_000_000, &[1_000, 100_000])
    };
    let softmax = AdaptiveSoftmax::new(&mut builder, config).unwrap();
    let input = AdaptiveInput::tied(&mut builder, &softmax, 4).unwrap();
    let parameters = builder.finish().unwrap();
    let of = |device: &Device| {
        let graph = Graph::training(&parameters, device, Strategy::Levels, 0);
        let rows = input.forward(&graph, &WORDS).tanh();
        let losses = softmax.cross_entropy(rows, &WORDS);
        let gradients = block_on(losses.mean_rows().backward()).unwrap();
        let read = |(id, _)| block_on(gradients.read(device, &parameters, id)).unwrap().unwrap();
        let gradients: Vec<Vec<f32>> = parameters.iter().map(read).collect();
        (block_on(losses.value()).unwrap(), gradients, block_on(rows.value()).unwrap())
    };
    let [(losses, gradients, rows), (on_gpu, gradients_on_gpu, _)] =
        [Device::cpu(), gpu::gpu()].map(|device| of(&device));
    // By the definition, in doubles.
    let weight = |name: &str| parameters.values(parameters.id(name).unwrap());
    let product = |weight: &[f32], x: &[f64]| -> Vec<f64> {
        let dot = |row: &[f32]| row.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum();
        weight.chunks(x.len()).map(dot).collect()
    };
    let surprise = |logits: &[f64], at: usize| logits.iter().map(|x| x.exp()).sum::<f64>().ln() - logits[at];
    for (row, &word) in WORDS.iter().enumerate() {
        let x: Vec<f64> = rows[4 * row..4 * row + 4].iter().map(|&x| f64::from(x)).collect();
        let head = product(weight("head.weight"), &x);
        let tail = |number: usize, first: u32| {
            let narrow = product(weight(&format!("tail.{number}.0.weight")), &x);
            let logits = product(weight(&format!("tail.{number}.1.weight")), &narrow);
            surprise(&head, 1_000 + number) + surprise(&logits, (word - first) as usize)
        };
        let expected = match word {
            0..1_000 => surprise(&head, word as usize),
            1_000..100_000 => tail(0, 1_000),
            _ => tail(1, 100_000),
        };
        for found in [losses[row], on_gpu[row]] {
            assert!((f64::from(found) - expected).abs() < 1e-4, "word {word}: {found}, expected {expected}");
        }
    }
    for ((ours, theirs), (_, parameter)) in gradients.iter().zip(&gradients_on_gpu).zip(parameters.iter()) {
        let largest = ours.iter().fold(0f32, |most, d| most.max(d.abs()));
        let far = ours.iter().zip(theirs).position(|(a, b)| (a - b).abs() > 1e-4 * largest);
        assert!(largest > 0.0 && far.is_none(), "{} {far:?}", parameter.name);
    }
}

#[test]
fn a_target_beyond_the_vocabulary_is_a_mistake() {
    let (_, softmax, parameters) = tied(false);
    let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Levels, 0);
    let x = graph.input(2, 8, vec![0.0; 16]);
    let error = block_on(softmax.cross_entropy(x, &[3, 12]).value()).unwrap_err().to_string();
    assert!(error.starts_with("adaptive_softmax: index 12 is not below 12"), "{error}");
    let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Levels, 0);
    let x = graph.input(2, 8, vec![0.0; 16]);
    let error = block_on(softmax.cross_entropy(x, &[3]).value()).unwrap_err().to_string();
    assert!(error.starts_with("cross_entropy: targets: expected 2, found 1"), "{error}");
}

#[test]
fn a_question_about_a_mistake_names_the_mistake() {
    let (_, softmax, parameters) = tied(false);
    let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
    let x = graph.input(2, 8, vec![0.0; 16]);
    let error = block_on(softmax.answers(x.rows(&[2]), &[Ask::All])).unwrap_err().to_string();
    assert!(error.contains("index 2 is not below 2"), "{error}");
    let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
    let x = graph.input(2, 8, vec![0.0; 16]);
    let error = block_on(softmax.answers(x, &[Ask::All])).unwrap_err().to_string();
    assert!(error.contains("rows: expected 1, found 2"), "{error}");
    let error = block_on(softmax.answers(x, &[])).unwrap_err().to_string();
    assert!(error.contains("rows: expected 0, found 2"), "{error}");
    let Err(error) = block_on(softmax.distribution(x)) else { panic!("two rows have no distribution") };
    assert!(error.to_string().contains("rows: expected 1, found 2"), "{error}");
    let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
    let mistaken = graph.input(2, 8, vec![0.0; 16]).rows(&[2]);
    let Err(error) = block_on(softmax.distribution(mistaken)) else { panic!("a mistake has none") };
    assert!(error.to_string().contains("index 2 is not below 2"), "{error}");
}

#[test]
fn rows_that_are_too_large_are_told_from_mistakes() {
    let (_, softmax, parameters) = tied(false);
    for ask in [Ask::All, Ask::Top(3), Ask::Score { word: 11, rank: true }] {
        let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
        // The first row has an answer, the second none.
        let x = graph.input(2, 8, [vec![1.0; 8], vec![f32::MAX; 8]].concat());
        let error = block_on(softmax.answers(x, &[ask, ask])).unwrap_err();
        assert_eq!(error, EngineError::Overflow { op: "adaptive_softmax" });
        assert_eq!(error.code(), "MODEL_OVERFLOW");
    }
}
