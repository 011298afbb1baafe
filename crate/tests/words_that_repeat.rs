//! Steps of training that read the same words again and again: each is multiplied once, to the gradients of all rows.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use pollster::block_on;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use saccade_rnn::device::{Device, Parameters, Pool};
use saccade_rnn::graph::{Expr, Gradients, Graph, Strategy};
use saccade_rnn::nn::{
    Builder, Embedding, Layer, Linear, Recurrent, RecurrentConfig, Skim, SkimConfig, SkimControl, SmallReads,
    Sru, SruConfig,
};

const SIZE: usize = 5;
const HIDDEN: usize = 7;

struct Network {
    embedding: Embedding,
    layers: Vec<Layer>,
    linear: Linear,
}

fn network(words: usize) -> (Network, Parameters) {
    let mut builder = Builder::fresh(3);
    let recurrent = RecurrentConfig { bidirectional: true, ..RecurrentConfig::new(SIZE, HIDDEN) };
    let skim = SkimConfig {
        cell: saccade_rnn::device::CellKind::Lstm,
        input_size: SIZE,
        hidden_size: HIDDEN,
        small_size: 2,
        small_reads: SmallReads::Slice,
        forget_bias: 0.0,
    };
    let embedding = Embedding::new(&mut builder, words, SIZE).unwrap();
    let layers = vec![
        Layer::Recurrent(builder.scope("lstm", |b| Recurrent::lstm(b, recurrent, 1.0)).unwrap()),
        Layer::Recurrent(builder.scope("gru", |b| Recurrent::gru(b, recurrent)).unwrap()),
        Layer::Sru(builder.scope("sru", |b| Sru::new(b, SruConfig::new(SIZE, HIDDEN, 2))).unwrap()),
        Layer::Skim(builder.scope("skim", |b| Skim::new(b, skim)).unwrap()),
    ];
    let linear = builder.scope("linear", |b| Linear::new(b, SIZE, HIDDEN)).unwrap();
    (Network { embedding, layers, linear }, builder.finish().unwrap())
}

impl Network {
    /// A loss over all texts, by every layer; the word vectors are read directly as well.
    fn loss<'g>(&self, graph: &'g Graph, texts: &[Vec<u32>]) -> Expr<'g> {
        let control = SkimControl::Mix { temperature: 0.7, noise: None };
        let mut losses = Vec::new();
        for text in texts {
            let words = self.embedding.forward(graph, text);
            // The same words once more, of which some rows are taken and joined.
            let others = graph.concat_rows(&[self.embedding.forward(graph, text), words]);
            let mut rows = vec![words * words, self.linear.forward(others).tanh()];
            rows.extend(
                self.layers.iter().map(|layer| layer.forward(words, &mut std::iter::empty(), control).rows),
            );
            losses.extend(rows.into_iter().map(|rows| (rows * rows).sum_columns().pool(Pool::Sum)));
        }
        graph.concat_rows(&losses).pool(Pool::Sum)
    }
}

fn read(gradients: &Gradients, parameters: &Parameters) -> Vec<(String, Vec<f32>)> {
    let of = |(id, p): (_, &saccade_rnn::device::Parameter)| {
        let values = block_on(gradients.read(&Device::cpu(), parameters, id)).unwrap();
        (p.name.clone(), values.unwrap_or_else(|| vec![0.0; p.values.len()]))
    };
    parameters.iter().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]
    #[test]
    fn weights_have_the_gradients_of_all_rows(
        texts in prop::collection::vec(prop::collection::vec(0u32..6, 0..20), 1..6),
        repeats in 1usize..4,
    ) {
        let texts: Vec<Vec<u32>> = texts.iter().map(|text| text.repeat(repeats)).collect();
        let (network, parameters) = network(6);
        let device = Device::cpu();
        let graph = |strategy| Graph::training(&parameters, &device, strategy, 5);
        let (whole, spent) = (graph(Strategy::Levels), graph(Strategy::Levels));
        let (a, b) = (network.loss(&whole, &texts), network.loss(&spent, &texts));
        let expected = read(&block_on(a.backward()).unwrap(), &parameters);
        let mut gradients = Gradients::zeros(&parameters);
        block_on(b.backward_into(&mut gradients)).unwrap();
        prop_assert_eq!(block_on(a.value()).unwrap(), block_on(b.value()).unwrap(), "the same bits");
        for ((name, expected), (_, found)) in expected.iter().zip(read(&gradients, &parameters)) {
            let scale = expected.iter().fold(1.0f32, |scale, value| scale.max(value.abs()));
            for (expected, found) in expected.iter().zip(found) {
                prop_assert!((expected - found).abs() <= 1e-5 * scale, "{}: {} instead of {}", name, found, expected);
            }
        }
    }
}

#[test]
fn who_asks_for_the_gradients_of_values_has_those_of_each_row() {
    let mut builder = Builder::fresh(1);
    let embedding = Embedding::new(&mut builder, 2, SIZE).unwrap();
    let linear = builder.scope("linear", |b| Linear::new(b, SIZE, 1)).unwrap();
    let parameters = builder.finish().unwrap();
    let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Levels, 0);
    let words = embedding.forward(&graph, &[1, 1, 1, 1]);
    let scores = linear.forward(words);
    let weights = graph.input(4, 1, vec![1.0, 2.0, 3.0, 4.0]);
    block_on((scores * weights).pool(Pool::Sum).backward()).unwrap();
    let weight = parameters.get(parameters.id("linear.weight").unwrap()).values.clone();
    let expected: Vec<f32> = (1..=4).flat_map(|n| weight.iter().map(move |w| n as f32 * w)).collect();
    assert_eq!(block_on(words.gradient()).unwrap(), expected);

    let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Levels, 0);
    let words = embedding.forward(&graph, &[1, 1, 1, 1]);
    let loss = linear.forward(words).pool(Pool::Sum);
    block_on(loss.backward_into(&mut Gradients::zeros(&parameters))).unwrap();
    assert!(block_on(words.gradient()).is_err(), "none was kept");
}
