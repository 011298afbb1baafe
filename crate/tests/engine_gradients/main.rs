//! Every operation's gradient against central differences, for every combination of its attributes.

mod case;
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod kinds;

use std::collections::BTreeSet;

use case::{check, gradients};
use cases::{affine, cell, elementwise, recurrences, semirings, skim_hard, skim_soft, sru, steps};
use kinds::{KINDS, kind};
use pollster::block_on;
use saccade_rnn::device::{Device, EngineError, Parameters, WeightView};
use saccade_rnn::graph::{Gradients, Graph, Strategy};

#[test]
fn elementwise_operations() {
    let (parameters, cases) = elementwise();
    cases.iter().for_each(|case| check(&parameters, case));
}

#[test]
fn affine_in_both_layouts_whole_and_in_part() {
    let (parameters, cases) = affine();
    cases.iter().for_each(|case| check(&parameters, case));
}

#[test]
fn products_in_semirings_in_both_layouts() {
    let (parameters, cases) = semirings();
    cases.iter().for_each(|case| check(&parameters, case));
}

/// Minus infinity forbids a way: in sums in which it is alone, and beside another.
#[test]
fn forbidden_ways_have_the_gradient_zero() {
    const NO: f32 = f32::NEG_INFINITY;
    let mut p = Parameters::new();
    // The first column has no way to it, the second one.
    let weight = p.add("weight", &[2, 2], vec![NO, 1.0, NO, NO]).unwrap();
    let graph = Graph::training(&p, &Device::cpu(), Strategy::Levels, 5);
    let x = graph.variable(1, 2, vec![NO; 2]);
    let gradients = block_on(
        graph.concat_columns(&[x.log_sum_exp(), graph.input(1, 1, vec![0.0])]).log_sum_exp().backward(),
    );
    gradients.unwrap();
    assert_eq!(block_on(x.gradient()).unwrap(), [0.0; 2]);

    let graph = Graph::training(&p, &Device::cpu(), Strategy::Levels, 5);
    let x = graph.variable(1, 2, vec![3.0, NO]);
    let gradients = block_on(x.log_product(weight, false).log_sum_exp().backward()).unwrap();
    assert_eq!(block_on(x.gradient()).unwrap(), [1.0, 0.0]);
    assert_eq!(block_on(gradients.read(&Device::cpu(), &p, weight)).unwrap().unwrap(), [0.0, 1.0, 0.0, 0.0]);
}

/// Its gradients as one and as the other add up, and to those that there are.
#[test]
fn a_parameter_that_is_weight_and_bias() {
    let mut p = Parameters::new();
    let mut add = |name: &str, shape: &[usize]| p.add(name, shape, vec![0.5, -1.5]).unwrap();
    let [both, weight, bias] = [add("both", &[2, 1]), add("weight", &[2, 1]), add("bias", &[2])];
    let [both_of_norm, scale, shift] = ["both_of_norm", "scale", "shift"].map(|name| add(name, &[2]));
    let mut gradients = Gradients::zeros(&p);
    for round in 1..3 {
        let graph = Graph::training(&p, &Device::cpu(), Strategy::Levels, 0);
        let x = graph.input(3, 1, vec![1.0, -2.0, 0.5]);
        let weigh = graph.input(3, 2, vec![1.0, 2.0, -3.0, 4.0, 5.0, round as f32]);
        let layer = |weight, bias, scale, shift| {
            (x.affine(weight, Some(bias)).layer_norm(scale, shift) * weigh).sum_rows().sum_columns()
        };
        let sum = layer(both, both, both_of_norm, both_of_norm) + layer(weight, bias, scale, shift);
        block_on(sum.backward_into(&mut gradients)).unwrap();
    }
    let read = |id| block_on(gradients.read(&Device::cpu(), &p, id)).unwrap().unwrap();
    for (both, one, other) in [(both, weight, bias), (both_of_norm, scale, shift)] {
        for ((both, one), other) in read(both).iter().zip(read(one)).zip(read(other)) {
            assert!((both - (one + other)).abs() < 1e-5, "{both}, not {one} and {other}");
        }
    }
}

/// A gradient agrees with the values whichever weights a view selects; this says that it selects the right ones.
#[test]
fn a_view_of_a_weight_selects_the_inputs_it_names() {
    let mut p = Parameters::new();
    // W[out][in] = 10 out + in, in both layouts.
    let out_in = p.add("out_in", &[2, 3], vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0]).unwrap();
    let in_out = p.add("in_out", &[3, 2], vec![0.0, 10.0, 1.0, 11.0, 2.0, 12.0]).unwrap();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    for whole in [WeightView::whole(&p, out_in), WeightView::input_major(&p, in_out)] {
        let x = graph.input(1, 2, vec![1.0, 100.0]);
        let y = x.affine_view(WeightView { first: 1, inputs: 2, ..whole }, None);
        assert_eq!(block_on(y.value()).unwrap(), [201.0, 1211.0], "{whole:?}");
    }
}

#[test]
fn recurrences_of_every_cell() {
    let (parameters, cases) = recurrences();
    cases.iter().for_each(|case| check(&parameters, case));
}

#[test]
fn sru_of_every_kind() {
    let (parameters, cases) = sru();
    cases.iter().for_each(|case| check(&parameters, case));
}

#[test]
fn steps_of_every_recurrence() {
    steps().iter().for_each(|(parameters, cases)| cases.iter().for_each(|case| check(parameters, case)));
}

#[test]
fn a_recorded_function() {
    let (parameters, case) = cell();
    check(&parameters, &case);
}

#[test]
fn skim_mixing_of_every_kind() {
    skim_soft().iter().for_each(|(parameters, case)| check(parameters, case));
}

/// Deciding has no gradient, and says so.
#[test]
fn skim_deciding_has_none() {
    let (parameters, case) = skim_hard();
    let error = gradients(&case, &parameters, &case.leaves()).unwrap_err();
    assert!(matches!(error, EngineError::Unsupported { op: "skim", .. }), "{error}");
}

#[test]
fn every_kind_has_a_case() {
    let groups = [elementwise().1, affine().1, semirings().1, recurrences().1, sru().1];
    let mut covered: BTreeSet<&str> = groups.iter().flatten().map(|case| kind(&case.op)).collect();
    covered.extend(skim_soft().iter().map(|(_, case)| kind(&case.op)));
    covered.extend([skim_hard().1.op, cell().1.op].iter().map(kind));
    covered.extend(steps().iter().flat_map(|(_, cases)| cases).map(|case| kind(&case.op)));
    assert_eq!(covered, KINDS.iter().copied().collect());
}
