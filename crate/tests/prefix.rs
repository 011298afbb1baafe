//! Texts as a language model reads them on: every score against the whole distribution, whatever was read before, on both
//! devices; words that are drawn; an adaptive softmax by itself.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/gpu.rs"]
mod gpu;
#[path = "common/language.rs"]
mod language;

use std::rc::Rc;

use language::{WORDS, all, model};
use pollster::block_on;
use saccade_rnn::device::Device;
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::model::{self, Model, Prefix, ReadError, Scores};
use saccade_rnn::nn::{Ask, Sampling};
use saccade_rnn::runner::{Cursor, Devices, Preference, Runner};

/// As many ids, of words in all bands.
fn ids(count: usize) -> Vec<u32> {
    (0..count).map(|i| ((i * i * 7 + i / 3) % WORDS) as u32).collect()
}

fn read(prefix: &mut Prefix, model: &Model, device: &Device, ids: &[u32]) {
    block_on(prefix.read(model, device, ids, &mut ())).unwrap();
}

#[test]
fn every_score_is_that_of_the_whole_distribution() {
    for (start, device) in [(None, Device::cpu()), (Some("<eos>"), Device::cpu()), (Some("w3"), gpu::gpu())] {
        let (model, ids) = (model(start), ids(100));
        let first = model.first_word();
        let before: Vec<u32> = first.into_iter().chain(ids.iter().copied()).collect();
        let expected = all(&model, &before);
        let mut prefix = Prefix::new(Scores::All, false);
        read(&mut prefix, &model, &device, &ids);
        assert_eq!(prefix.scores().len(), ids.len());
        assert_eq!(prefix.scores()[0].is_some(), start.is_some());
        let (mut sum, mut count) = (0.0, 0);
        let skipped = usize::from(first.is_none());
        for (i, (&word, score)) in ids.iter().zip(prefix.scores()).enumerate().skip(skipped) {
            let (of_all, score) = (&expected[i - skipped], score.unwrap());
            let log_p = of_all[word as usize];
            assert!((score.log_probability - log_p).abs() < 2e-5, "{i}: {score:?}, {log_p}");
            let surely = of_all.iter().filter(|p| **p > log_p + 4e-5).count() + 1;
            let perhaps = of_all.iter().filter(|p| **p >= log_p - 4e-5).count();
            assert!((surely..=perhaps).contains(&score.rank), "{i}: {score:?}, {surely}..={perhaps}");
            assert!(score.rows >= 10 && score.rows <= WORDS + 2);
            (sum, count) = (sum + f64::from(log_p), count + 1);
        }
        let rows = prefix.scores().iter().flatten().map(|score| score.rows).sum::<usize>();
        assert!(rows < count * (WORDS + 2), "no tail was ever shut");
        let total = prefix.total();
        assert_eq!(total.words, count);
        assert!((total.log_probability - sum).abs() < 1e-3);
        assert!((total.perplexity() - (-sum / count as f64).exp()).abs() < 1e-3);
        let mut sums = Prefix::new(Scores::Total, false);
        read(&mut sums, &model, &device, &ids);
        assert!(sums.scores().is_empty() && sums.total().words == count);
        assert!((sums.total().log_probability - total.log_probability).abs() < 1e-3);
    }
}

#[test]
fn a_text_that_changes_is_read_from_there() {
    let (model, device, ids) = (model(None), Device::cpu(), ids(200));
    for asks in [Scores::All, Scores::Total] {
        let mut kept = Prefix::new(asks, true);
        let mut typed = |text: &[u32], most: usize| {
            read(&mut kept, &model, &device, text);
            assert!(kept.computed() <= most, "{} words were read", kept.computed());
            let mut anew = Prefix::new(asks, false);
            read(&mut anew, &model, &device, text);
            assert_eq!(kept.scores().len(), anew.scores().len());
            for (a, b) in kept.scores().iter().zip(anew.scores()) {
                let (a, b) = (a.map(|a| (a.log_probability, a.rank)), b.map(|b| (b.log_probability, b.rank)));
                assert_eq!(a.is_some(), b.is_some());
                if let (Some(a), Some(b)) = (a, b) {
                    assert!((a.0 - b.0).abs() < 1e-4 && a.1.abs_diff(b.1) <= 1, "{a:?}, {b:?}");
                }
            }
            let (a, b) = (kept.total(), anew.total());
            assert_eq!((a.words, b.words), (text.len().saturating_sub(1), text.len().saturating_sub(1)));
            assert!((a.log_probability - b.log_probability).abs() < 1e-2, "{asks:?}: {a:?}, {b:?}");
        };
        typed(&[], 0);
        typed(&ids[..100], 100);
        // Word by word, and the last one letter by letter.
        for end in 101..120 {
            typed(&ids[..end], 2);
            typed(&[&ids[..end - 1], &[5]].concat(), 1);
        }
        typed(&ids[..120], 2);
        typed(&[&ids[..50], &[1, 2, 3], &ids[50..]].concat(), 153 + 16);
        typed(&ids[..51], 17);
        typed(&[], 0);
    }
}

#[test]
fn a_row_is_asked_one_question() {
    let model = model(None);
    let softmax = model.network().head.softmax().unwrap();
    let graph = Graph::inference(model.parameters(), &Device::cpu(), Strategy::Levels);
    let x = graph.input(2, 16, vec![0.1; 32]);
    for asks in [1, 3] {
        let error = block_on(softmax.answers(x, &vec![Ask::Top(1); asks])).unwrap_err().to_string();
        assert!(error.contains(&format!("rows: expected {asks}, found 2")), "{error}");
    }
    assert_eq!(block_on(softmax.answers(x, &[Ask::Top(1), Ask::Top(2)])).unwrap().len(), 2);
}

#[test]
fn the_next_words_are_those_of_the_whole_distribution() {
    for device in [Device::cpu(), gpu::gpu()] {
        let (model, ids) = (model(None), ids(40));
        let expected = all(&model, &ids);
        let mut prefix = Prefix::new(Scores::None, false);
        for (end, of_all) in expected.iter().enumerate().map(|(i, of_all)| (i + 1, of_all)) {
            read(&mut prefix, &model, &device, &ids[..end]);
            assert_eq!(prefix.computed(), 1);
            let next = block_on(prefix.next(&model, &device, Ask::Top(5))).unwrap();
            let mut order: Vec<usize> = (0..WORDS).collect();
            order.sort_by(|&a, &b| of_all[b].total_cmp(&of_all[a]));
            for (word, &best) in next.words.iter().zip(&order) {
                let found = of_all[word.id as usize];
                assert!((found - of_all[best]).abs() < 4e-5, "{word:?}, {best}");
                assert!((found - word.log_probability).abs() < 2e-5);
            }
        }
    }
    // Before any word all is drawn from a row of zeros: from the bias alone.
    let nothing = block_on(Prefix::default().next(&model(None), &Device::cpu(), Ask::Top(WORDS))).unwrap();
    let sum: f64 = nothing.words.iter().map(saccade_rnn::nn::Word::probability).sum();
    assert!(nothing.words.len() == WORDS && (sum - 1.0).abs() < 1e-5);
}

#[test]
fn what_is_drawn_follows_from_seed_and_text_on_every_device() {
    let model = Rc::new(model(Some("<eos>")));
    let devices = Rc::new(Devices::default());
    let sampling = Sampling { temperature: 0.8, top: None, nucleus: Some(0.95) };
    let text = |preference, seed| {
        let runner = Rc::new(Runner::new(model.clone(), Device::cpu(), devices.clone()));
        let mut cursor = Cursor::new(runner, preference, Scores::None, false);
        block_on(cursor.ask(Some(vec![3, 1]), None, &mut ())).unwrap();
        let draw = Some(Ask::Draw { sampling, seed, stream: 0 });
        let mut next = || block_on(cursor.ask(None, draw, &mut ())).unwrap().unwrap().words[0].id;
        (0..30).map(|_| next()).collect::<Vec<_>>()
    };
    let drawn = text(Preference::Cpu, 7);
    assert_eq!(drawn, text(Preference::WebGpu, 7));
    assert_ne!(drawn, text(Preference::Cpu, 8));
    // The text decides, not how it came about: the rest of what was drawn follows it again.
    let runner = Rc::new(Runner::new(model.clone(), Device::cpu(), devices));
    let mut cursor = Cursor::new(runner, Preference::Cpu, Scores::None, false);
    let draw = Some(Ask::Draw { sampling, seed: 7, stream: 0 });
    let text = [&[3, 1], &drawn[..10]].concat();
    let next = block_on(cursor.ask(Some(text), draw, &mut ())).unwrap().unwrap();
    assert_eq!(next.words[0].id, drawn[10]);
    assert_eq!(cursor.device().0, "cpu");
}

/// Destroys the GPU on the way, and hears how far a reading is.
struct Saboteur {
    devices: Rc<Devices>,
    heard: Vec<usize>,
}

impl model::Watch for Saboteur {
    async fn progress(&mut self, done: usize, total: usize) -> std::ops::ControlFlow<()> {
        self.heard.push(done);
        if (100..total).contains(&done)
            && let Some(gpu) = self.devices.ready()
        {
            gpu.destroy();
        }
        std::ops::ControlFlow::Continue(())
    }
}

#[test]
fn progress_does_not_fall_when_the_cpu_takes_over() {
    let (model, ids) = (Rc::new(model(None)), ids(400));
    let devices = Rc::new(Devices::default());
    let runner = Rc::new(Runner::new(model.clone(), Device::cpu(), devices.clone()));
    let mut cursor = Cursor::new(runner, Preference::WebGpu, Scores::Total, false);
    let mut watch = Saboteur { devices, heard: Vec::new() };
    block_on(cursor.ask(Some(ids.clone()), None, &mut watch)).unwrap();
    assert_eq!(cursor.device().0, "cpu");
    assert!(watch.heard.is_sorted() && watch.heard.last() == Some(&400), "{:?}", watch.heard);
    assert!(
        watch.heard.windows(2).any(|pair| pair[0] == pair[1]),
        "nothing was read again: {:?}",
        watch.heard
    );
    assert_eq!((cursor.prefix().computed(), cursor.prefix().total().words), (400, 399));
}

#[test]
fn what_cannot_be_is_an_error() {
    let device = Device::cpu();
    let prefix = Prefix::default();
    let hot = Sampling { temperature: -1.0, ..Sampling::default() };
    let error = block_on(prefix.next(&model(None), &device, Ask::Draw { sampling: hot, seed: 0, stream: 0 }))
        .unwrap_err();
    assert!(error.to_string().contains("temperature"), "{error}");
    struct Stop;
    impl model::Watch for Stop {
        async fn progress(&mut self, done: usize, _: usize) -> std::ops::ControlFlow<()> {
            if done > 100 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
        }
    }
    let mut prefix = Prefix::new(Scores::All, false);
    let error = block_on(prefix.read(&model(None), &device, &ids(5000), &mut Stop)).unwrap_err();
    assert!(matches!(error, ReadError::Cancelled { done, total: 5000 } if done > 100), "{error}");
    let ReadError::Cancelled { done, .. } = error else { panic!("{error}") };
    assert_eq!((prefix.computed(), prefix.scores().len()), (done, done), "what was read, and no more");
    // It goes on from where it was.
    let (model, read_before) = (model(None), prefix.scores().len());
    block_on(prefix.read(&model, &device, &ids(5000), &mut ())).unwrap();
    assert_eq!((prefix.scores().len(), prefix.computed()), (5000, 5000 - read_before));
}
