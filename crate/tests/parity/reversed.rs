//! The bidirectional wrapper and the stack: PyTorch's two-directional layers, taken apart into single layers in one
//! direction each, joined by [`Bidirectional`] and piled up by [`Stack`].

use std::collections::BTreeMap;

use saccade_rnn::device::{Device, Parameters, Pool};
use saccade_rnn::graph::{Expr, Graph};
use saccade_rnn::nn::{Bidirectional, BuildError, Builder, Layer, Recurrent, SkimControl, SkimOutput, Stack};

use crate::agreement::{Case, GRADIENTS, OUTPUTS, STRATEGIES, assert_close};
use crate::fixture::Fixture;
use crate::recording::{Recording, Results, sum};
use crate::recurrent::RecurrentCase;
use crate::skim::SkimCase;

/// Where a tensor of `nn.LSTM(bidirectional=True)` lies in a stack of wrapped layers:
/// `weight_ih_l1_reverse` is `1.backward.weight_ih_l0`.
fn place(name: &str) -> String {
    let (name, side) = match name.strip_suffix("_reverse") {
        Some(name) => (name, "backward"),
        None => (name, "forward"),
    };
    let (tensor, layer) = name.rsplit_once("_l").expect("a layer's number");
    format!("{layer}.{side}.{tensor}_l0")
}

/// The case's layers, each direction by itself.
fn stack(case: &RecurrentCase, builder: &mut Builder) -> Result<Stack, BuildError> {
    let wrapped = |builder: &mut Builder, number: usize| {
        let inputs = if number == 0 { case.input_size } else { 2 * case.hidden_size };
        let single = case.single(inputs);
        let mut side = |name: &str| {
            builder.scope(name, |b| Ok(Box::new(Layer::Recurrent(Recurrent::new(b, case.cell(), single)?))))
        };
        Ok(Layer::Bidirectional(Bidirectional { forward: side("forward")?, backward: side("backward")? }))
    };
    let layers: Result<_, BuildError> = (0..case.num_layers)
        .map(|number| builder.scope(&number.to_string(), |b| wrapped(b, number)))
        .collect();
    Ok(Stack { layers: layers?, dropout: 0.0, dropout_per_sequence: false })
}

/// Gradients of every parameter for a loss over rows and last states: the file's weights of y, and `j + 1` for
/// column j of a last state.
async fn gradients<'g>(graph: &'g Graph, fixture: &Fixture, rows: &[Expr<'g>], last: &[Expr<'g>]) -> Results {
    let (shape, weights) = fixture.reals("weight.y").unwrap();
    let y = graph.concat_rows(rows) * graph.input(shape[0], shape[1], weights.to_vec());
    let last = graph.concat_rows(last);
    let columns = last.shape().columns;
    let ramp = (0..last.shape().rows * columns).map(|i| (i % columns + 1) as f32).collect();
    let last = last * graph.input(last.shape().rows, columns, ramp);
    let gradients = (sum(y) + sum(last)).pool(Pool::Sum).backward().await.unwrap();
    let mut results = BTreeMap::new();
    for (id, parameter) in graph.parameters().iter() {
        let gradient = gradients.read(&Device::cpu(), graph.parameters(), id).await.unwrap();
        results.insert(parameter.name.clone(), gradient.expect("the loss depends on every parameter"));
    }
    results
}

async fn check_case(fixture: &Fixture, case: &RecurrentCase) {
    let mut builder = Builder::stored(fixture.state_dict());
    let whole = case.build(&mut builder).unwrap();
    let whole_parameters: Parameters = builder.finish().unwrap();
    let renamed = fixture.state_dict().into_iter().map(|(name, tensor)| (place(&name), tensor)).collect();
    let mut builder = Builder::stored(renamed);
    let apart = stack(case, &mut builder).unwrap();
    let apart_parameters = builder.finish().unwrap();
    assert_eq!(apart.output_size(), Some(whole.output_size()));
    for strategy in STRATEGIES {
        let what = format!("{}, {strategy:?}", fixture.name);
        let graph = Graph::training(&apart_parameters, &Device::cpu(), strategy, 0);
        let mut recording = Recording::new(&graph, fixture);
        let lengths = recording.lengths();
        let control = SkimControl::Decide { threshold: 0.5, force: &[] };
        let forward = |x| apart.forward(x, [], control);
        let outputs: Vec<_> = recording.sequences("x", &lengths).into_iter().map(forward).collect();
        let (rows, last): (Vec<_>, Vec<_>) = outputs.iter().map(|out| (out.rows, out.last)).unzip();

        let values = graph.concat_rows(&rows).value().await.unwrap();
        assert_close(&format!("{what}: y"), &values, &fixture.expected("output.y"), OUTPUTS);
        let values = graph.concat_rows(&last).value().await.unwrap();
        assert_close(&format!("{what}: last"), &values, &last_states(fixture), OUTPUTS);

        // PyTorch's loss also weighs states that the wrapper does not show. The gradients of this one are those of
        // our own two-directional layer, which agrees with PyTorch's.
        let ours = gradients(&graph, fixture, &rows, &last).await;
        let graph = Graph::training(&whole_parameters, &Device::cpu(), strategy, 0);
        let mut recording = Recording::new(&graph, fixture);
        let outputs: Vec<_> =
            recording.sequences("x", &lengths).into_iter().map(|x| whole.forward(x, None)).collect();
        let rows: Vec<_> = outputs.iter().map(|out| out.rows).collect();
        let last: Vec<_> = outputs.iter().map(|out| whole.last(out)).collect();
        let theirs = gradients(&graph, fixture, &rows, &last).await;
        assert_eq!(ours.len(), theirs.len());
        for (name, theirs) in theirs {
            assert_close(&format!("{what}: grad.{name}"), &ours[&place(&name)], &theirs, GRADIENTS);
        }
    }
}

/// The last layer's `h_n` of both directions side by side, a row per sequence.
fn last_states(fixture: &Fixture) -> Vec<f32> {
    let (shape, h_n) = fixture.reals("output.h_n").unwrap();
    let &[states, sequences, hidden] = shape else { panic!("{}: h_n has shape {shape:?}", fixture.name) };
    let row = |state: usize, b: usize| &h_n[(state * sequences + b) * hidden..][..hidden];
    (0..sequences).flat_map(|b| [row(states - 2, b), row(states - 1, b)].concat()).collect()
}

#[test]
fn wrapped_and_stacked_layers_agree_with_pytorch() {
    for (family, prefix, count) in
        [("elman", "tanh_", 2), ("elman", "relu_", 2), ("lstm", "", 2), ("gru", "", 2)]
    {
        let mut checked = 0;
        for fixture in Fixture::all(family, prefix, 1) {
            let case: RecurrentCase = fixture.config();
            let from_zeros = fixture.reals("input.h0").is_none();
            // A projected LSTM is not trained.
            let has_loss = fixture.reals("weight.y").is_some();
            if case.bidirectional && from_zeros && has_loss {
                pollster::block_on(check_case(&fixture, &case));
                checked += 1;
            }
        }
        assert!(checked >= count, "{family}/{prefix}*: one and two layers in both directions");
    }
}

/// Rows of an output in the opposite order.
async fn backwards(x: Expr<'_>) -> Vec<f32> {
    let columns = x.shape().columns;
    x.value().await.unwrap().chunks(columns).rev().flatten().copied().collect()
}

/// Both directions of a Skim layer against two separate runs, the second over the rows in opposite order.
async fn check_skim<'g>(
    two: &Bidirectional,
    x: Expr<'g>,
    reversed: Expr<'g>,
    controls: [SkimControl<'_, 'g>; 2],
) -> Vec<SkimOutput<'g>> {
    let Layer::Skim(skim) = &*two.forward else { panic!("a Skim layer") };
    let d = skim.config().hidden_size;
    let out = two.forward(x, controls[0]);
    let [first, second] = [skim.forward(x, None, controls[0]), skim.forward(reversed, None, controls[1])];
    let close = |what: &str, ours: Vec<f32>, theirs: Vec<f32>| assert_close(what, &ours, &theirs, OUTPUTS);
    close("rows", out.rows.columns(0..d).value().await.unwrap(), first.rows.value().await.unwrap());
    close("rows", out.rows.columns(d..2 * d).value().await.unwrap(), backwards(second.rows).await);
    close("last", out.last.columns(0..d).value().await.unwrap(), first.h.value().await.unwrap());
    close("last", out.last.columns(d..2 * d).value().await.unwrap(), second.h.value().await.unwrap());
    close("logits", out.skims[0].logits.value().await.unwrap(), first.logits.value().await.unwrap());
    close("logits", out.skims[1].logits.value().await.unwrap(), backwards(second.logits).await);
    close("decisions", out.skims[1].decisions.value().await.unwrap(), backwards(second.decisions).await);
    out.skims
}

#[test]
fn a_wrapped_skim_layer_reads_from_both_ends() {
    let fixture = &Fixture::all("skim", "lstm_d2_slice_hard", 1)[0];
    let mut builder = Builder::stored(fixture.state_dict());
    let skim = fixture.config::<SkimCase>().build(&mut builder).unwrap();
    let parameters = builder.finish().unwrap();
    // The same weights serve both directions; only the order of the rows differs.
    let two = Bidirectional { forward: Box::new(Layer::Skim(skim)), backward: Box::new(Layer::Skim(skim)) };
    let (shape, values) = fixture.reals("input.x").unwrap();
    let mirror = |values: &[f32], columns: usize| values.chunks(columns).rev().flatten().copied().collect();
    let mirrored: Vec<f32> = mirror(values, shape[1]);
    let force: Vec<u32> = (0..shape[0] as u32).map(|t| [1, 2, 0, 2, 2][t as usize % 5]).collect();
    let force_mirrored: Vec<u32> = force.iter().rev().copied().collect();
    let noise: Vec<f32> = (0..2 * shape[0]).map(|i| (i as f32 * 1.7).sin()).collect();
    for strategy in STRATEGIES {
        let graph = Graph::inference(&parameters, &Device::cpu(), strategy);
        let input = |values: &[f32], columns: usize| graph.input(shape[0], columns, values.to_vec());
        let (x, reversed) = (input(values, shape[1]), input(&mirrored, shape[1]));
        let decide = |force| SkimControl::Decide { threshold: 0.5, force };
        let controls = [decide(&force[..]), decide(&force_mirrored[..])];
        let skims = pollster::block_on(check_skim(&two, x, reversed, controls));
        for skim in skims {
            let decisions = pollster::block_on(skim.decisions.value()).unwrap();
            let obeyed = |(d, &f): (&f32, &u32)| f == 0 || *d == (f - 1) as f32;
            assert!(decisions.iter().zip(&force).all(obeyed), "{decisions:?} under {force:?}");
        }
        let mix = |noise: &[f32]| SkimControl::Mix { temperature: 0.7, noise: Some(input(noise, 2)) };
        let controls = [mix(&noise), mix(&mirror(&noise, 2))];
        pollster::block_on(check_skim(&two, x, reversed, controls));
    }
}
