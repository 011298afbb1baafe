//! Tagging texts: what must hold whatever the weights.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::ops::ControlFlow;

use pollster::block_on;
use proptest::prelude::*;
use saccade_rnn::device::Device;
use saccade_rnn::model::{
    Dropouts, FreshOptions, Model, ReadError, ReadOptions, Storage, TaggedToken, Task, Watch,
};

use saccade_rnn::text::{Tokenizer, TokenizerKind};
use saccade_rnn::train::{Known, TaggedExamples};

mod support;
use support::{model, skim, tagger};

fn tag<'m>(model: &'m Model, texts: &[&str]) -> Vec<Vec<TaggedToken<'m>>> {
    block_on(model.tag_all(&Device::cpu(), texts, &mut ())).unwrap()
}

/// Equal but for what other products round otherwise.
fn agree(a: &[TaggedToken<'_>], b: &[TaggedToken<'_>]) -> bool {
    let near = |(a, b): (&TaggedToken<'_>, &TaggedToken<'_>)| {
        (&a.span, a.tag) == (&b.span, b.tag) && (a.probability - b.probability).abs() < 1e-5
    };
    a.len() == b.len() && a.iter().zip(b).all(near)
}

#[test]
fn tokens_are_slices_of_the_text_and_a_batch_is_its_texts() {
    let texts = ["A good film, “naïve” 🎬 don't!", "", "  \n", "dog", "a a a a. Good? (film) good\n\nfilm"];
    for spells in [true, false] {
        let model = tagger(spells);
        let together = tag(&model, &texts);
        for (text, tagged) in texts.iter().zip(&together) {
            assert!(agree(&block_on(model.tag(&Device::cpu(), text)).unwrap(), tagged), "{text:?}");
            let units: Vec<u16> = text.encode_utf16().collect();
            for token in tagged {
                let slice = String::from_utf16(&units[token.span.utf16.clone()]).unwrap();
                assert_eq!(slice, text[token.span.bytes.clone()]);
                assert_eq!(model.config().task.labels()[token.number], token.tag);
                assert!((1.0 / 3.0..=1.0).contains(&token.probability), "the likeliest of three");
            }
        }
        assert_eq!(together.iter().map(Vec::len).collect::<Vec<_>>(), [11, 0, 0, 1, 11]);
    }
}

/// A tag depends on the letters of its word and on the words around it, as far as the sentence goes.
#[test]
fn letters_and_neighbours_matter() {
    let model = tagger(true);
    let spell = |words: &[&str]| model.spell(words.iter().copied());
    let sentences = [
        spell(&["dog", "film"]),
        spell(&["god", "film"]),
        spell(&["dog", "good"]),
        spell(&["DOG", "film"]),
        spell(&["zzz", "film"]),
        spell(&["zzy", "film"]),
    ];
    assert!(sentences.iter().all(|words| words.ids[0] == 0), "the vocabulary has neither");
    let scores = block_on(model.tag_words(&Device::cpu(), &sentences, &mut ())).unwrap();
    for other in [1, 2, 3] {
        let first = |sentence: usize| &scores[sentence].log_probabilities[..3];
        assert_ne!(first(0), first(other), "{other}");
    }
    assert_eq!(scores[4], scores[5], "letters that the alphabet lacks are one");
    let plain = tagger(false);
    let [dog, god] = ["dog", "god"].map(|word| plain.spell([word, "film"]));
    let scores = block_on(plain.tag_words(&Device::cpu(), &[dog, god], &mut ())).unwrap();
    assert_eq!(scores[0], scores[1], "without letters unknown words are one");
}

/// In a text, in words that somebody has cut, and where words are learned.
#[test]
fn what_a_tokenizer_reads_past_says_nothing_to_a_tagger() {
    let (plain, marked) = ("A dog, a god.", "\u{feff}A d\u{ad}o\u{200b}g, \u{200f}a\u{200e} go\u{2060}d.");
    for spells in [true, false] {
        let model = tagger(spells);
        let said =
            |text| tag(&model, &[text]).remove(0).into_iter().map(|token| (token.tag, token.probability));
        assert_eq!(said(marked).collect::<Vec<_>>(), said(plain).collect::<Vec<_>>());
        let [plain, marked] = [plain, marked].map(|text| model.spell(text.split(' ')));
        assert_eq!(plain, marked);
    }
    let tokenizer = Tokenizer::new(TokenizerKind::Universal, true);
    let known = |text: &str| {
        let mut examples = TaggedExamples::default();
        examples.push_text(text, &["X".to_owned(), "Y".to_owned()], &tokenizer, 1).unwrap();
        // A file may hold a word of nothing else.
        examples.examples[0].words.push("\u{200b}".into());
        Known::of(&examples.examples, &tokenizer, 1)
    };
    assert_eq!(known("co\u{ad}op\u{ad}er\u{ad}a\u{ad}tion \u{200f}begins"), known("cooperation begins"));
    assert_eq!(known("a b").words.words(), ["<unk>", "a", "b"]);
}

/// Sentences end where the rules say, and what stands in another does not matter.
#[test]
fn sentences_do_not_see_one_another() {
    let model = tagger(true);
    let alone = tag(&model, &["Good film!", "A dog."]);
    let marked = "Good film!\u{ad}?\u{200f}\"\u{200f} A dog.";
    for text in ["Good film! A dog.", "Good film!\" A dog.", "Good film!\n\nA dog.", marked] {
        let together = tag(&model, &[text]).remove(0);
        let last: Vec<_> = together[together.len() - 3..].iter().map(|token| token.probability).collect();
        let expected: Vec<_> = alone[1].iter().map(|token| token.probability).collect();
        assert!(last.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{text:?}");
    }
}

#[test]
fn a_file_holds_the_tagger() {
    let model = tagger(true);
    let again = Model::from_bytes(&model.to_bytes(|_, _| Storage::F32).unwrap()).unwrap();
    let names: Vec<_> = again.parameters().iter().map(|(_, p)| p.name.clone()).collect();
    for name in
        ["characters.embedding.weight", "characters.lstm.weight_hh_l0_reverse", "encoder.0.weight_ih_l0"]
    {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    assert_eq!(tag(&again, &["a good dog"]), tag(&model, &["a good dog"]));
}

/// Neighbours that never meet, though each word alone would have them; without transitions what each word would have.
#[test]
fn tags_of_a_sentence_may_be_scored_together() {
    let alone = tagger(true);
    let mut config = alone.config().clone();
    let Task::Tag(task) = &mut config.task else { panic!("a tagger") };
    task.crf = true;
    let mut together = Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).unwrap();
    let transitions = ["start_transitions", "end_transitions", "transitions"]
        .map(|name| together.parameters().id(&format!("head.crf.{name}")).expect(name));
    for id in transitions {
        together.parameters_mut().get_mut(id).values.fill(0.0);
    }
    let texts = ["A good film, “naïve” 🎬 don't!", "", "dog", "a a a a. Good? (film) good\n\nfilm"];
    let expected = tag(&alone, &texts);
    assert!(expected.iter().zip(tag(&together, &texts)).all(|(a, b)| agree(a, &b)));
    let likes_itself = |tagged: &[TaggedToken<'_>]| tagged.windows(2).any(|pair| pair[0].tag == pair[1].tag);
    assert!(likes_itself(&expected[0]));
    for tag in 0..3 {
        together.parameters_mut().get_mut(transitions[2]).values[tag * 4] = -1e4;
    }
    let apart = tag(&together, &texts);
    assert!(!likes_itself(&apart[0]) && agree(&apart[2], &expected[2]), "{apart:?}");
    let again = Model::from_bytes(&together.to_bytes(|_, _| Storage::F32).unwrap()).unwrap();
    assert_eq!(tag(&again, &texts), apart);
}

#[test]
fn another_task_is_refused_and_so_is_reading_a_tagger() {
    let said = |error: ReadError| error.to_string();
    let classifier = model(vec![skim()]);
    assert!(said(block_on(classifier.tag(&Device::cpu(), "a")).unwrap_err()).contains("task"));
    let read = block_on(tagger(true).read(&Device::cpu(), "a", &ReadOptions::default(), &mut ()));
    assert!(said(read.unwrap_err()).contains("tag words"));
    let small = tagger(true).with_words(&[2]).unwrap();
    assert_eq!((small.vocabulary().len(), tag(&small, &["a good film"])[0].len()), (2, 3));
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
    let model = tagger(true);
    let text = "a good film . ".repeat(400);
    let mut watch = Stop(usize::MAX, Vec::new());
    block_on(model.tag_all(&Device::cpu(), &[&text, "dog"], &mut watch)).unwrap();
    assert_eq!(watch.1.last(), Some(&(1601, 1601)));
    let mut watch = Stop(1, Vec::new());
    let stopped = block_on(model.tag_all(&Device::cpu(), &[&text], &mut watch));
    assert!(matches!(stopped, Err(ReadError::Cancelled { total: 1600, .. })), "{stopped:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_tags(text in "[ a-zäA-Z.!?\"'()\n🎬\u{ad}-]{0,80}") {
        let mut end = 0;
        let model = tagger(true);
        for token in tag(&model, &[&text]).remove(0) {
            let bytes = token.span.bytes;
            prop_assert!(end <= bytes.start && bytes.start < bytes.end && token.probability > 0.3);
            end = bytes.end;
        }
    }
}
