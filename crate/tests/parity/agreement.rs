//! A family of fixtures against our layer.

use std::collections::BTreeSet;

use saccade_rnn::device::Device;
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::nn::{BuildError, Builder};
use serde::de::DeserializeOwned;

use crate::fixture::Fixture;
use crate::gpu;
use crate::recording::{Recording, Results};

/// |a - b| <= bound * max(1, max|b|), for outputs.
pub(crate) const OUTPUTS: f32 = 1e-5;
/// The same for gradients.
pub(crate) const GRADIENTS: f32 = 1e-4;

/// Every way of batching.
pub(crate) const STRATEGIES: [Strategy; 3] = [Strategy::Unbatched, Strategy::Depth, Strategy::Levels];

/// The description of a case: how to build our layer, and how to run it.
pub(crate) trait Case: DeserializeOwned {
    /// What is built.
    type Layer;

    /// Takes the layer's parameters under the reference's own names.
    fn build(&self, builder: &mut Builder) -> Result<Self::Layer, BuildError>;

    /// Runs every sequence and emits every output.
    fn record(&self, layer: &Self::Layer, recording: &mut Recording<'_>);
}

/// Builds and compares every case of a family (or the part of it whose names begin with `prefix`), of which there are
/// at least `least`.
pub(crate) fn check<C: Case>(family: &str, prefix: &str, least: usize) {
    let gpu = gpu::gpu();
    for fixture in Fixture::all(family, prefix, least) {
        let case = fixture.config::<C>();
        pollster::block_on(check_case(&Device::cpu(), &fixture, &case));
        pollster::block_on(check_case(&gpu, &fixture, &case));
    }
}

async fn check_case<C: Case>(device: &Device, fixture: &Fixture, case: &C) {
    let mut builder = Builder::stored(fixture.state_dict());
    let built = case.build(&mut builder);
    let layer = built.unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
    let parameters = builder.finish().unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
    for strategy in STRATEGIES {
        let what = format!("{}, {}, {strategy:?}", fixture.name, device.name());
        let inference = Graph::inference(&parameters, device, strategy);
        let mut recording = Recording::new(&inference, fixture);
        case.record(&layer, &mut recording);
        compare(&what, fixture, "output.", &recording.outputs().await, OUTPUTS);
        if fixture.names("weight.").next().is_none() {
            continue;
        }
        let training = Graph::training(&parameters, device, strategy, 0);
        let mut recording = Recording::new(&training, fixture);
        case.record(&layer, &mut recording);
        compare(&format!("{what}, training"), fixture, "output.", &recording.outputs().await, OUTPUTS);
        compare(&what, fixture, "grad.", &recording.gradients().await, GRADIENTS);
    }
}

/// Both sides have the same results, and each is close.
fn compare(what: &str, fixture: &Fixture, prefix: &str, ours: &Results, bound: f32) {
    let theirs: BTreeSet<_> = fixture.names(prefix).collect();
    let names: BTreeSet<_> = ours.keys().map(String::as_str).collect();
    assert_eq!(names, theirs, "{what}: {prefix}*, ours and the reference's");
    for (name, values) in ours {
        let name = format!("{prefix}{name}");
        assert_close(&format!("{what}: {name}"), values, &fixture.expected(&name), bound);
    }
}

/// |a - b| <= bound * max(1, max|b|), for every element; what is not finite is never close.
pub(crate) fn assert_close(what: &str, ours: &[f32], theirs: &[f32], bound: f32) {
    assert_eq!(ours.len(), theirs.len(), "{what}: how many values");
    let allowed = bound * theirs.iter().fold(1.0, |largest: f32, b| largest.max(b.abs()));
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= allowed, "{what}[{i}]: {a}, the reference has {b} (within {allowed})");
    }
}
