//! Training runs in a folder.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use saccade_cli::run::{Event, Folders, Job, Outcome, Recipe, train};
use saccade_rnn::device::Device;
use saccade_rnn::model::Model;
use saccade_rnn::train::Objective;

use crate::common::Folder;

type Score<C> = <<C as saccade_cli::config::Settings>::Task as Objective>::Score;

/// Numbers from 0 to below a bound, which follow from the seed.
pub(crate) fn draws(seed: u32) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |bound| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % bound
    }
}

/// Learns from the folder's files until a run is done or has taken so many steps; `hear` hears of everything. How the run
/// ended, and the first loss of each of its steps.
pub(crate) fn run<C: Recipe>(
    folder: &Folder,
    config: &C,
    out: &str,
    resume: bool,
    stop_after: usize,
    mut hear: impl FnMut(&Event<Score<C>>),
) -> (Outcome<Score<C>>, Vec<f32>) {
    let (cancel, mut all) = (AtomicBool::new(false), Vec::new());
    let (out, data) = (folder.path(out), folder.path(""));
    let folders = Folders { data: &data, models: &data };
    let job = Job { config, folders, out: &out, resume, command: "a test" };
    let device = Device::cpu();
    let outcome = train(&device, job, &cancel, |event| {
        hear(&event);
        if let Event::Step { losses, .. } = event {
            all.push(losses[0].value);
            cancel.fetch_or(all.len() == stop_after, Ordering::Relaxed);
        }
    });
    (pollster::block_on(outcome).expect("a run"), all)
}

/// Learns into the file `whole` without and into `pieces` with interruptions, of which the file shows nothing. The figures on
/// the development texts, which are the test texts as well; the first loss of each step; the model.
pub(crate) fn whole_and_in_pieces<C: Recipe>(
    folder: &Folder,
    config: &C,
    mut hear: impl FnMut(&Event<Score<C>>),
) -> (Score<C>, Vec<f32>, Model)
where
    Score<C>: PartialEq + std::fmt::Debug,
{
    let (outcome, losses) = run(folder, config, "whole", false, usize::MAX, &mut hear);
    let Outcome::Done { dev, test: Some(test) } = outcome else { panic!("{outcome:?}") };
    assert_eq!(dev, test, "the same texts give the same figures");
    let mut resume = false;
    for stop_after in [3, 30, 20] {
        let (outcome, _) = run(folder, config, "pieces", resume, stop_after, &mut hear);
        assert!(matches!(outcome, Outcome::Cancelled), "{outcome:?}");
        resume = true;
    }
    run(folder, config, "pieces", true, usize::MAX, &mut hear);
    let [whole, pieces] =
        ["whole", "pieces"].map(|name| fs::read(folder.path(name)).expect("the run wrote it"));
    assert!(whole == pieces, "an interrupted run ends where the whole one does");
    (dev, losses, Model::from_bytes(&whole).expect("a model"))
}
