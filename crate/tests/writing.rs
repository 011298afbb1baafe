//! Texts that a language model writes: each as by itself, all in the batches of one, none read twice; and the most probable ones
//! against all that there are.

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
use saccade_rnn::model::{Model, Scores, Writing, Written};
use saccade_rnn::nn::{Ask, Sampling};
use saccade_rnn::runner::{Cursor, Devices, Preference, Runner};

const BEGINNINGS: [&str; 6] = ["w3 w1", "", "w9 w9 w58 w20 w33 w2 w2", "w40\nw41", "w3", "unheard of"];

fn graph(model: &Model, device: &Device) -> Graph {
    Graph::inference(model.parameters(), device, Strategy::Levels)
}

fn writing(seed: u32, most_words: usize) -> Writing {
    Writing { sampling: Sampling { temperature: 0.8, top: None, nucleus: Some(0.95) }, seed, most_words }
}

/// A text from each of the beginnings, again and again with other seeds.
fn write(model: &Model, graph: &Graph, texts: usize, most_words: usize) -> Vec<Written> {
    let programs = BEGINNINGS.iter().cycle().take(texts).zip(0..);
    let programs = programs.map(|(text, seed)| model.write(graph, text, writing(seed, most_words)));
    block_on(graph.join(programs)).into_iter().map(Result::unwrap).collect()
}

#[test]
fn together_each_is_written_as_alone() {
    let devices = Rc::new(Devices::default());
    for start in [None, Some("<eos>")] {
        let model = Rc::new(model(start));
        for device in [Device::cpu(), gpu::gpu()] {
            let together = write(&model, &graph(&model, &device), 18, 25);
            let seeds = BEGINNINGS.iter().cycle().zip(0..).zip(together);
            for ((text, seed), written) in seeds {
                let own = graph(&model, &Device::cpu());
                let alone = block_on(model.write(&own, text, writing(seed, 25))).unwrap();
                assert_eq!((&alone.ids, alone.ended), (&written.ids, written.ended), "{text:?} {seed}");
                assert!((alone.log_probability - written.log_probability).abs() < 1e-3);
                // And as a text that is read on draws its words.
                let runner = Rc::new(Runner::new(model.clone(), Device::cpu(), devices.clone()));
                let mut cursor = Cursor::new(runner, Preference::Cpu, Scores::None, false);
                let tokens = model.tokenizer().tokenize(text);
                let ids = tokens.iter().map(|token| model.vocabulary().id(&token.text)).collect();
                block_on(cursor.ask(Some(ids), None, &mut ())).unwrap();
                let draw = Some(Ask::Draw { sampling: writing(seed, 25).sampling, seed, stream: 0 });
                let mut next = || block_on(cursor.ask(None, draw, &mut ())).unwrap().unwrap().words[0].id;
                assert_eq!(written.ids, written.ids.iter().map(|_| next()).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn as_many_batches_as_the_longest_text_needs_and_no_word_twice() {
    let model = model(Some("<eos>"));
    let run = |texts, most_words| {
        let graph = graph(&model, &Device::cpu());
        let written = write(&model, &graph, texts, most_words);
        let report = graph.explain();
        let lstm = report.batches().iter().filter(|batch| batch.op.contains("lstm"));
        let read: usize = lstm.map(|batch| batch.rows).sum();
        // The word in front of all, those that were there, and those written but for the last, which nothing comes after.
        let words = BEGINNINGS.iter().cycle().zip(&written);
        let words = words.map(|(text, written)| model.tokenizer().tokenize(text).len() + written.ids.len());
        assert_eq!(read, words.sum::<usize>());
        (report.batches().len(), written.iter().map(|written| written.ids.len()).max().unwrap())
    };
    // A word costs at most a step of two layers, the head, and two tails.
    for texts in [1, 6, 60, 600] {
        let (batches, longest) = run(texts, 30);
        assert!(batches <= 20 * (longest + 1), "{texts} texts took {batches} batches for {longest} words");
    }
}

/// What comes before a text takes no more room than some of it: the graph keeps all that it has read.
#[test]
fn a_long_beginning_is_read_in_pieces() {
    for start in [None, Some("<eos>")] {
        let model = model(start);
        for words in [1023, 1024, 1025, 2048, 5000] {
            let text = (0..words).map(|i| format!("w{}", i * i % 57 + 1)).collect::<Vec<_>>().join(" ");
            for device in [Device::cpu(), gpu::gpu()] {
                let graph = graph(&model, &device);
                let writes = graph.join([model.write(&graph, &text, writing(3, 2))]);
                let written = block_on(writes).remove(0).unwrap();
                let report = graph.explain();
                let read = report.batches().iter().filter(|batch| batch.op.contains("lstm"));
                let read: usize = read.map(|batch| batch.rows).sum();
                assert!(read <= 1024 + written.ids.len(), "{read} words of {words} are on the graph");
                let ids: Vec<u32> = model
                    .first_word()
                    .into_iter()
                    .chain(
                        model
                            .tokenizer()
                            .tokenize(&text)
                            .iter()
                            .map(|token| model.vocabulary().id(&token.text)),
                    )
                    .collect();
                let expected = all(&model, &[&ids[..], &written.ids[..1]].concat());
                let places = expected[expected.len() - 2..].iter().zip(&written.ids);
                let log_p: f64 = places.map(|(of_all, &word)| f64::from(of_all[word as usize])).sum();
                assert!((written.log_probability - log_p).abs() < 1e-3, "{written:?}, expected {log_p}");
            }
        }
    }
}

#[test]
fn a_search_that_keeps_all_finds_the_most_probable_texts() {
    let (model, before) = (model(Some("<eos>")), [WORDS as u32 - 1, 3, 1]);
    let end = before[0];
    let mut texts: Vec<(f64, Vec<u32>)> = Vec::new();
    let first = &all(&model, &before)[2];
    for word in 0..WORDS as u32 {
        let log_p = f64::from(first[word as usize]);
        if word == end {
            texts.push((log_p, vec![end]));
            continue;
        }
        let second = &all(&model, &[&before[..], &[word]].concat())[3];
        texts.extend(
            (0..WORDS as u32).map(|next| (log_p + f64::from(second[next as usize]), vec![word, next])),
        );
    }
    texts.sort_by(|a, b| b.0.total_cmp(&a.0));
    for device in [Device::cpu(), gpu::gpu()] {
        let found = block_on(model.search(&graph(&model, &device), "w3 w1", WORDS * WORDS, 2)).unwrap();
        assert_eq!(found.len(), texts.len());
        for (found, (log_p, _)) in found.iter().zip(&texts) {
            assert!((found.log_probability - log_p).abs() < 1e-4, "{found:?} {log_p}");
            assert_eq!(found.ended, found.ids.last() == Some(&end));
        }
        assert_eq!(found[0].ids, texts[0].1);
        assert_eq!(found.iter().filter(|found| found.ids == [end]).count(), 1);
    }
}

#[test]
fn a_search_for_one_takes_the_most_probable_word_and_programs_search_together() {
    let model = model(None);
    let greedy = Writing { sampling: Sampling { temperature: 0.0, ..Sampling::default() }, ..writing(0, 12) };
    let graph = graph(&model, &Device::cpu());
    let searches = |width| block_on(graph.join(BEGINNINGS.map(|text| model.search(&graph, text, width, 12))));
    for (text, found) in BEGINNINGS.iter().zip(searches(1)) {
        let [found] = &found.unwrap()[..] else { panic!("one") };
        let written = block_on(model.write(&graph, text, greedy)).unwrap();
        assert_eq!((&found.ids, found.ended), (&written.ids, written.ended));
    }
    for (text, found) in BEGINNINGS.iter().zip(searches(5)) {
        let (found, alone) = (found.unwrap(), block_on(model.search(&graph, text, 5, 12)).unwrap());
        assert_eq!(found.len(), 5);
        assert!(found.is_sorted_by(|a, b| a.log_probability >= b.log_probability));
        let ids = |all: &[Written]| all.iter().map(|written| written.ids.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&found), ids(&alone));
    }
}

#[test]
fn nothing_wanted_is_nothing_and_what_cannot_be_is_an_error() {
    let model = model(None);
    let graph = graph(&model, &Device::cpu());
    assert_eq!(block_on(model.write(&graph, "w1", writing(0, 0))).unwrap(), Written::default());
    assert_eq!(block_on(model.search(&graph, "w1", 0, 9)).unwrap(), []);
    assert_eq!(block_on(model.search(&graph, "w1", 3, 0)).unwrap(), [Written::default()]);
    let cold = Sampling { temperature: f64::NAN, ..Sampling::default() };
    let error = block_on(model.write(&graph, "w1", Writing { sampling: cold, ..writing(0, 3) })).unwrap_err();
    assert!(error.to_string().contains("temperature"), "{error}");
    let classifier =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/trec-skim-lstm.safetensors"));
    let classifier = Model::from_bytes(&classifier.unwrap()).unwrap();
    let graph = Graph::inference(classifier.parameters(), &Device::cpu(), Strategy::Levels);
    let error = block_on(classifier.search(&graph, "what", 3, 3)).unwrap_err();
    assert!(error.to_string().contains("task"), "{error}");
}
