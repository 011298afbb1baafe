//! Parsing texts: what must hold whatever the weights.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::ops::ControlFlow;

use pollster::block_on;
use proptest::prelude::*;
use saccade_rnn::device::Device;
use saccade_rnn::graph::{Graph, Strategy as Schedule};
use saccade_rnn::model::{
    Configuration, Dropouts, Model, ParsedToken, ReadError, ReadOptions, Spelled, Storage, Transition, Watch,
};

mod support;
use support::{parser, tagger};

fn parse<'m>(model: &'m Model, texts: &[&str]) -> Vec<Vec<ParsedToken<'m>>> {
    block_on(model.parse_all(&Device::cpu(), texts, &mut ())).unwrap()
}

fn spell(model: &Model, words: usize) -> Spelled {
    model.spell((0..words).map(|word| ["a", "good", "dog", "film"][word * 7 % 4]))
}

/// Whether heads make a tree with one root: from every word the way up ends there.
fn is_tree(heads: &[Option<usize>]) -> bool {
    let climbs = |word: usize| {
        let mut at = Some(word);
        (0..heads.len()).for_each(|_| at = at.and_then(|word| heads[word]));
        at.is_none()
    };
    (0..heads.len()).all(climbs) && heads.iter().filter(|head| head.is_none()).count() == 1
}

/// Equal but for what other products round otherwise.
fn agree(a: &[ParsedToken<'_>], b: &[ParsedToken<'_>]) -> bool {
    let near = |(a, b): (&ParsedToken<'_>, &ParsedToken<'_>)| {
        (&a.span, a.tag, a.head, a.relation) == (&b.span, b.tag, b.head, b.relation)
            && (a.probability - b.probability).abs() < 1e-5
    };
    a.len() == b.len() && a.iter().zip(b).all(near)
}

#[test]
fn tokens_are_slices_of_the_text_and_a_batch_is_its_texts() {
    let texts = ["A good film, “naïve” 🎬 don't!", "", "  \n", "dog", "a a a a. Good? (film) good\n\nfilm"];
    let model = parser();
    let together = parse(&model, &texts);
    for (text, parsed) in texts.iter().zip(&together) {
        assert!(agree(&block_on(model.parse(&Device::cpu(), text)).unwrap(), parsed), "{text:?}");
        let units: Vec<u16> = text.encode_utf16().collect();
        for token in parsed {
            let slice = String::from_utf16(&units[token.span.utf16.clone()]).unwrap();
            assert_eq!(slice, text[token.span.bytes.clone()]);
            assert_eq!(token.head.is_none(), token.relation == "root");
        }
    }
    assert_eq!(together.iter().map(Vec::len).collect::<Vec<_>>(), [11, 0, 0, 1, 11]);
    let [only] = &together[3][..] else { panic!("one word") };
    assert_eq!((only.head, only.relation, only.probability), (None, "root", 1.0));
    // Three sentences (`a.` is a word), each with a root; a head is in its word's own.
    let sentences = [0..6, 6..10, 10..11];
    for sentence in sentences {
        let heads: Vec<_> = together[4][sentence.clone()].iter().map(|token| token.head).collect();
        assert!(heads.iter().flatten().all(|head| sentence.contains(head)), "{sentence:?}: {heads:?}");
        let own: Vec<_> = heads.iter().map(|head| head.map(|head| head - sentence.start)).collect();
        assert!(is_tree(&own), "{sentence:?}: {heads:?}");
    }
}

#[test]
fn sentences_of_no_word_one_and_a_thousand() {
    let model = parser();
    let sentences = [0, 1, 1000, 2].map(|words| spell(&model, words));
    let trees = block_on(model.parse_words(&Device::cpu(), &sentences, &mut ())).unwrap();
    for (sentence, tree) in sentences.iter().zip(&trees) {
        let words = sentence.ids.len();
        assert_eq!((tree.relations.len(), tree.tags.len()), (words, 3 * words));
        let heads: Vec<_> =
            tree.heads.iter().map(|&head| Some(head as usize).filter(|&head| head < words)).collect();
        assert!(words == 0 || is_tree(&heads), "{words}");
        assert!(tree.probabilities.iter().all(|p| *p > 0.0 && *p <= 1.0));
    }
}

/// The launches of a batch are those of its longest sentence, however many others are beside it.
#[test]
fn batches_grow_with_the_longest_sentence_alone() {
    let model = parser();
    let launches = |lengths: &[usize]| {
        let graph = Graph::inference(model.parameters(), &Device::cpu(), Schedule::Levels);
        let read = |&words: &usize| {
            model.network().parse(&graph, &spell(&model, words), Dropouts::default()).expect("a parser")
        };
        let reads: Vec<_> = lengths.iter().map(read).collect();
        // SHIFT as long as there are words, then everything to the right: two transitions a word, whatever the scores.
        let choose = |at: &Configuration, _: &[f32]| match at.allows(Transition::Shift) {
            true => Transition::Shift,
            false => Transition::Right(0),
        };
        let programs = reads.iter().map(|(head, read)| head.walk(read, choose));
        let ends = block_on(graph.join(programs));
        assert!(ends.into_iter().all(|end| end.unwrap().is_done()));
        graph.explain().batches().len()
    };
    let [ten, twenty, forty] = [10, 20, 40].map(|words| launches(&[words]));
    assert_eq!(forty - twenty, 2 * (twenty - ten), "so many for each word");
    let many: Vec<usize> = (1..=40).chain(1..=40).collect();
    // The words' layers run as a whole; only what differs between one sentence and several comes on top.
    let together = launches(&many);
    assert!(together < forty + forty / 10, "{together} for 80 sentences, {forty} for the longest");
}

#[test]
fn a_file_holds_the_parser() {
    let model = parser();
    let again = Model::from_bytes(&model.to_bytes(|_, _| Storage::F32).unwrap()).unwrap();
    let names: Vec<_> = again.parameters().iter().map(|(_, p)| p.name.clone()).collect();
    for name in [
        "characters.embedding.weight",
        "encoder.0.weight_ih_l0",
        "head.tags.weight",
        "head.tag_vectors.weight",
        "head.layers.0.weight_hh_l0_reverse",
        "head.edges.weight",
        "head.slots.3.weight",
        "head.transitions.bias",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    assert_eq!(parse(&again, &["a good dog"]), parse(&model, &["a good dog"]));
    let small = model.with_words(&[2]).unwrap();
    assert_eq!((small.vocabulary().len(), parse(&small, &["a good film"])[0].len()), (2, 3));
}

#[test]
fn another_task_is_refused_and_so_is_reading_or_tagging_with_a_parser() {
    let (cpu, said) = (Device::cpu(), |error: ReadError| error.to_string());
    assert!(said(block_on(tagger(true).parse(&cpu, "a")).unwrap_err()).contains("task"));
    assert!(said(block_on(parser().tag(&cpu, "a")).unwrap_err()).contains("task"));
    let read = block_on(parser().read(&cpu, "a", &ReadOptions::default(), &mut ()));
    assert!(said(read.unwrap_err()).contains("parse sentences"));
}

#[test]
fn a_watcher_hears_of_all_words_and_may_stop() {
    struct Stop(usize, Vec<(usize, usize)>);
    impl Watch for Stop {
        async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
            self.1.push((done, total));
            if done >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let model = parser();
    let text = "a good film . ".repeat(400);
    let mut watch = Stop(usize::MAX, Vec::new());
    block_on(model.parse_all(&Device::cpu(), &[&text, "dog"], &mut watch)).unwrap();
    assert_eq!(watch.1.last(), Some(&(1601, 1601)));
    let mut watch = Stop(1, Vec::new());
    let stopped = block_on(model.parse_all(&Device::cpu(), &[&text], &mut watch));
    assert!(matches!(stopped, Err(ReadError::Cancelled { total: 1600, .. })), "{stopped:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_trees(text in "[ a-zäA-Z.!?\"'()\n🎬\u{ad}-]{0,80}") {
        let mut end = 0;
        let model = parser();
        for token in parse(&model, &[&text]).remove(0) {
            let bytes = token.span.bytes;
            prop_assert!(end <= bytes.start && bytes.start < bytes.end && token.probability > 0.0);
            end = bytes.end;
        }
    }

    /// Whatever is done, a tree with one root comes of it, in two transitions a word.
    #[test]
    fn transitions_end_in_a_tree(words in 0..40usize, draws in proptest::collection::vec(0..1000usize, 80)) {
        let (relations, mut steps) = (3, 0);
        let mut at = Configuration::new(words, relations);
        while !at.is_done() {
            let possible: Vec<_> = match at.forced() {
                Some(forced) => vec![forced],
                None => at.numbered().filter(|&transition| at.allows(transition)).collect(),
            };
            // What is not possible changes nothing.
            let before = at.clone();
            for transition in at.numbered().filter(|transition| !possible.contains(transition)) {
                at.apply(transition);
                prop_assert_eq!(&at, &before);
            }
            at.apply(possible[draws[steps] % possible.len()]);
            steps += 1;
        }
        prop_assert_eq!(steps, 2 * words);
        let heads: Vec<_> = at.arcs().iter().map(|arc| arc.unwrap()).collect();
        let mut of_root = heads.iter().map(|&(head, name)| (head as usize == words, name as usize == relations));
        prop_assert!(of_root.all(|(head, name)| head == name));
        let heads: Vec<_> =
            heads.iter().map(|&(head, _)| Some(head as usize).filter(|&head| head < words)).collect();
        prop_assert!(words == 0 || is_tree(&heads));
    }
}
