//! The simple recurrent unit: both versions, with and without a highway, one and both directions.

use saccade_rnn::device::{Op, ParamId, Parameters, Real, Sru};

use super::lane_shapes;
use crate::{Case, Lane, Random};

/// What a channel's highway carries.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Highway {
    /// Nothing.
    Absent,
    /// The layer's input.
    Input,
    /// The layer's input times a constant.
    Scaled,
    /// A fourth product.
    Product,
}

/// Of one case, beside its lanes.
#[derive(Clone, Copy, Debug)]
struct Options {
    version: u32,
    highway: Highway,
    use_tanh: bool,
    bidirectional: bool,
    initial: bool,
    dropout: f32,
}

const PLAIN: Options = Options {
    version: 2,
    highway: Highway::Product,
    use_tanh: false,
    bidirectional: false,
    initial: false,
    dropout: 0.0,
};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(12);
    let mut cases = Vec::new();
    // Every combination, over lanes of which some are empty.
    for version in [1, 2] {
        for highway in [Highway::Absent, Highway::Input, Highway::Scaled, Highway::Product] {
            for bits in 0..16 {
                let bit = |i: u32| bits >> i & 1 == 1;
                let options = Options {
                    version,
                    highway,
                    use_tanh: bit(0),
                    bidirectional: bit(1),
                    initial: bit(2),
                    dropout: if bit(3) { 0.4 } else { 0.0 },
                };
                cases.push(case(&mut random, options, 6, &[0, 1, 7, 0, 2], 1.0));
            }
        }
    }
    // Every shape, at its odd widths.
    let both = Options { bidirectional: true, highway: Highway::Scaled, initial: true, ..PLAIN };
    for lengths in lane_shapes() {
        let widths: &[usize] = if lengths.len() < 1000 { &[1, 35, 130] } else { &[1, 7] };
        for &channels in widths {
            cases.push(case(&mut random, PLAIN, channels, &lengths, 1.0));
            cases.push(case(&mut random, both, 2 * channels, &lengths, 1.0));
        }
    }
    // Several launches: state and gradients pass from one to the next.
    cases.push(case(&mut random, PLAIN, 3, &[3000], 1.0));
    cases.push(case(&mut random, Options { dropout: 0.2, ..both }, 2, &[5, 3000, 1025], 1.0));
    // 1e4 in front of `exp` and `tanh`.
    for version in [1, 2] {
        let options = Options { version, use_tanh: true, ..PLAIN };
        cases.push(case(&mut random, options, 33, &[9, 4], 1e4));
    }
    cases
}

fn case(random: &mut Random, options: Options, channels: usize, lengths: &[usize], scale: f32) -> Case {
    let Options { version, highway, use_tanh, bidirectional, initial, dropout } = options;
    let mut parameters = Parameters::new();
    let mut vector = |size: usize| -> ParamId { random.parameter(&mut parameters, &[size], 1.0) };
    let weight_c = (version == 2).then(|| vector(2 * channels));
    let bias = vector(2 * channels);
    let scale_x = (highway == Highway::Scaled).then(|| vector(1));
    let skip = matches!(highway, Highway::Input | Highway::Scaled);
    let products = if highway == Highway::Product { 4 } else { 3 };
    let lane = |&rows: &usize| {
        let mut inputs = vec![random.matrix(rows, channels * products, scale)];
        inputs.extend(skip.then(|| random.matrix(rows, channels, scale)));
        inputs.extend(initial.then(|| random.matrix(1, channels, 1.0)));
        Lane { inputs, indices: Vec::new() }
    };
    Case {
        name: format!("sru {channels} of {} lanes, up to {scale}, {options:?}", lengths.len()),
        lanes: lengths.iter().map(lane).collect(),
        op: Op::Sru(Sru {
            weight_c,
            bias,
            scale: scale_x,
            skip,
            initial,
            use_tanh,
            bidirectional,
            dropout: Real(dropout),
            inspect: false,
        }),
        parameters,
        backward: true,
        bound: 1e-5,
    }
}
