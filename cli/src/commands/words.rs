//! `saccade words`: which words of labelled texts a model skims, and which it reads.

use std::num::NonZeroUsize;

use saccade_rnn::train::{Verdict, pass};
use serde::Serialize;

use crate::device::{self, threads};
use crate::failure::Failure;
use crate::labelled::{self, Labelled};
use crate::letters::letters;
use crate::output;
use crate::progress::Progress;
use crate::statistics::wilson_lower;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: Labelled,
    /// Skim iff the probability of skimming exceeds this; the model's own if absent.
    #[arg(long, allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Occurrences that a word needs to be listed.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    min_count: u32,
    /// Words in each list, at most.
    #[arg(long, value_name = "COUNT", default_value_t = 40)]
    top: usize,
    /// How many threads texts are dealt to. The figures do not depend on it.
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = threads)]
    threads: NonZeroUsize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Words<'a> {
    tokens: usize,
    skim_rate: f64,
    min_count: u32,
    unknown: Tally,
    skimmed: Vec<Word<'a>>,
    read: Vec<Word<'a>>,
}

/// How often a word occurs, and how often it was skimmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Tally {
    count: u32,
    skimmed: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Word<'a> {
    word: &'a str,
    #[serde(flatten)]
    tally: Tally,
}

pub(crate) fn run(args: &Arguments) -> Result<(), Failure> {
    let model = labelled::open_skimming(&args.on.model)?;
    let threshold = labelled::threshold(args.threshold, &model)?;
    let items = args.on.items(&model)?;
    let texts: Vec<&[u32]> = items.iter().map(|item| item.ids.as_slice()).collect();
    let words = model.vocabulary().words();
    let mut tallies = vec![Tally::default(); words.len()];
    let count = |text: usize, verdict: Verdict| {
        for (&id, decision) in texts[text].iter().zip(&verdict.skims[0].decisions) {
            let tally = &mut tallies[id as usize];
            tally.count += 1;
            tally.skimmed += u32::from(*decision > 0.5);
        }
    };
    let progress = Progress::of(texts.len(), "texts")?;
    let go_on = |done| progress.at(done);
    let whole =
        pollster::block_on(pass(&model, &device::cpu(args.threads), &texts, threshold, count, go_on))?;
    progress.end();
    if !whole {
        return Err(Failure::Cancelled("nothing was counted".into()));
    }
    let tokens: usize = texts.iter().map(|ids| ids.len()).sum();
    let skimmed: u64 = tallies.iter().map(|tally| u64::from(tally.skimmed)).sum();
    // The unknown word is the first; it is many.
    let known = words.iter().zip(&tallies).skip(1).map(|(word, &tally)| Word { word, tally });
    let listed = |word: &Word<'_>| word.tally.count >= args.min_count && letters(word.word) > 0;
    let (skimmed_more, read_more): (Vec<_>, Vec<_>) =
        known.filter(listed).partition(|Word { tally, .. }| tally.skimmed * 2 > tally.count);
    output::json(&Words {
        tokens,
        skim_rate: skimmed as f64 / tokens.max(1) as f64,
        min_count: args.min_count,
        unknown: tallies[0],
        skimmed: leading(skimmed_more, args.top, |tally| tally.skimmed),
        read: leading(read_more, args.top, |tally| tally.count - tally.skimmed),
    })
}

/// The words of which surely the greatest share were `hits`; among equals, in alphabetical order.
fn leading(mut words: Vec<Word<'_>>, top: usize, hits: impl Fn(Tally) -> u32) -> Vec<Word<'_>> {
    let share = |word: &Word<'_>| wilson_lower(hits(word.tally), word.tally.count);
    words.sort_by(|a, b| share(b).total_cmp(&share(a)).then(a.word.cmp(b.word)));
    words.truncate(top);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_word_does_not_lead() {
        let word = |word, count, skimmed| Word { word, tally: Tally { count, skimmed } };
        let words = vec![word("rare", 5, 5), word("often", 200, 190), word("b", 9, 6), word("a", 9, 6)];
        let names = |words: Vec<Word<'static>>| words.iter().map(|w| w.word).collect::<Vec<_>>();
        assert_eq!(names(leading(words.clone(), 9, |tally| tally.skimmed)), ["often", "rare", "a", "b"]);
        assert_eq!(names(leading(words, 2, |tally| tally.count - tally.skimmed)), ["a", "b"]);
    }
}
