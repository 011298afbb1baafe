//! `saccade eyes`: a model's decisions beside where people's eyes rested.

mod class;
mod word;

use std::collections::HashMap;
use std::path::PathBuf;

use saccade_rnn::device::Device;
use saccade_rnn::model::Model;
use saccade_rnn::train::{Verdict, pass};
use serde::Serialize;

use crate::config::Part;
use crate::corpus::CorpusError;
use crate::data::{ReadSentence, read_fixations};
use crate::failure::Failure;
use crate::statistics::{RankCorrelations, bootstrap};
use crate::{labelled, output, source};
use class::Class;
use word::{Seen, Sentence, Word};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model file.
    #[arg(long)]
    model: PathBuf,
    /// The table of fixations: columns sst_split, word_index, word and fix_prob between tabs.
    #[arg(long, value_name = "FILE")]
    fixations: PathBuf,
    /// The text in which a word's frequency is counted: a path, a colon, and lines, imdb-tsv, ag-csv or sst-trees.
    #[arg(long, value_name = "PATH:FORMAT", value_parser = source::parse)]
    frequency: Part,
    /// Take the sentences of this part of the data set.
    #[arg(long, default_value = "test")]
    split: String,
    /// Skim iff the probability of skimming exceeds this; the model's own if absent.
    #[arg(long, allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Samples of the bootstrap.
    #[arg(long, value_name = "COUNT", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(40..))]
    samples: u32,
    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// An estimate and its 95 % interval.
type Interval = [f64; 2];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    sentences: usize,
    words: usize,
    /// The least number of people that gives all shares, which are of one sentence's readers each.
    readers: u32,
    correlation: f64,
    correlation_ci: Interval,
    /// How far the share looked at goes with what needs no network.
    baselines: Baselines,
    /// How far the network's probability goes with the same.
    network: Baselines,
    partial: f64,
    partial_ci: Interval,
    by_decision: ByDecision,
    by_class: Vec<OfClass>,
    by_length: Vec<OfLength>,
    method: String,
}

#[derive(Serialize)]
struct Baselines {
    length: f64,
    frequency: f64,
}

#[derive(Serialize)]
struct ByDecision {
    read: LookedAt,
    skim: LookedAt,
}

/// Some words, and the mean share of readers that looked at them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LookedAt {
    words: usize,
    looked_at: f64,
}

#[derive(Serialize)]
struct OfClass {
    class: Class,
    #[serde(flatten)]
    group: Group,
}

#[derive(Serialize)]
struct OfLength {
    length: usize,
    #[serde(flatten)]
    group: Group,
}

/// Some words, and the share of them that the network read.
#[derive(Serialize)]
struct Group {
    #[serde(flatten)]
    people: LookedAt,
    read: f64,
}

/// Words of so many letters and more are counted together.
const LONG: usize = 12;

pub(crate) fn run(args: &Arguments) -> Result<(), Failure> {
    let model = labelled::open_skimming(&args.model)?;
    let threshold = labelled::threshold(args.threshold, &model)?;
    let all = read_fixations(&args.fixations).map_err(CorpusError::from)?;
    let sentences: Vec<&ReadSentence> = all.iter().filter(|sentence| sentence.split == args.split).collect();
    if sentences.is_empty() {
        return Err(Failure::NoSentences { path: args.fixations.clone(), split: args.split.clone() });
    }
    let words = read(&model, threshold, &sentences, &frequencies(&args.frequency, &model)?)?;
    output::json(&report(args, &sentences, &words))
}

/// How often each token occurs in labelled texts, whose labels and phrases are left aside.
fn frequencies(part: &Part, model: &Model) -> Result<HashMap<String, u64>, Failure> {
    let mut counts = HashMap::new();
    let examples = part.format.read(&part.path).map_err(CorpusError::from)?;
    for example in examples.iter().filter(|example| !example.phrase) {
        for token in example.words(model.tokenizer()) {
            *counts.entry(token).or_default() += 1;
        }
    }
    Ok(counts)
}

/// Has the network read the sentences. The first Skim layer counts.
fn read(
    model: &Model,
    threshold: f32,
    sentences: &[&ReadSentence],
    frequencies: &HashMap<String, u64>,
) -> Result<Vec<Word>, Failure> {
    let sentences: Vec<Sentence<'_>> =
        sentences.iter().map(|sentence| Sentence::new(sentence, model.tokenizer())).collect();
    let ids = |sentence: &Sentence<'_>| -> Vec<u32> {
        sentence.tokens.iter().map(|token| model.vocabulary().id(&token.text)).collect()
    };
    let ids: Vec<Vec<u32>> = sentences.iter().map(ids).collect();
    let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
    let mut words = vec![Vec::new(); sentences.len()];
    let each = |number: usize, verdict: Verdict| {
        let layer = &verdict.skims[0];
        let seen =
            |(&skim_probability, &decision): (&f32, &f32)| Seen { skim_probability, skimmed: decision > 0.5 };
        let seen: Vec<Seen> = layer.probability.iter().zip(&layer.decisions).map(seen).collect();
        words[number] = sentences[number].words(number, &seen, frequencies);
    };
    pollster::block_on(pass(model, &Device::cpu(), &ids, threshold, each, |_| true))?;
    Ok(words.concat())
}

fn report(args: &Arguments, sentences: &[&ReadSentence], words: &[Word]) -> Report {
    // Columns of the table that is correlated.
    let [looked, network, length, frequency] = [0, 1, 2, 3];
    let partial = |r: &RankCorrelations<4>| r.partial(looked, network, &[length, frequency]);
    let whole = correlations(words.iter());
    let mut by_sentence = vec![Vec::new(); sentences.len()];
    words.iter().for_each(|word| by_sentence[word.sentence].push(*word));
    let [correlation_ci, partial_ci] = bootstrap(sentences.len(), args.samples, args.seed, |drawn| {
        let r = correlations(drawn.iter().flat_map(|&sentence| &by_sentence[sentence]));
        [r.between(looked, network), partial(&r)]
    });
    let baselines = |column| Baselines {
        length: whole.between(column, length),
        frequency: whole.between(column, frequency),
    };
    Report {
        sentences: sentences.len(),
        words: words.len(),
        readers: sentences.iter().map(|sentence| readers(sentence)).max().unwrap_or(0),
        correlation: whole.between(looked, network),
        correlation_ci,
        baselines: baselines(looked),
        network: baselines(network),
        partial: partial(&whole),
        partial_ci,
        by_decision: ByDecision {
            read: LookedAt::of(words.iter().filter(|word| word.read)),
            skim: LookedAt::of(words.iter().filter(|word| !word.read)),
        },
        by_class: (Class::ALL.into_iter())
            .filter_map(|class| Some(OfClass { class, group: Group::of(words, |word| word.class == class)? }))
            .collect(),
        by_length: (0..=LONG)
            .filter_map(|length| {
                let group = Group::of(words, |word| word.length.min(LONG) == length)?;
                Some(OfLength { length, group })
            })
            .collect(),
        method: method(args),
    }
}

/// Between share looked at, probability of reading, length and frequency.
fn correlations<'a>(words: impl Iterator<Item = &'a Word> + Clone) -> RankCorrelations<4> {
    let column = |of: fn(&Word) -> f64| words.clone().map(of).collect::<Vec<f64>>();
    RankCorrelations::of(&[
        column(|word| word.looked_at),
        column(|word| word.probability),
        column(|word| word.length as f64),
        column(|word| word.frequency as f64),
    ])
}

impl LookedAt {
    fn of<'a>(words: impl Iterator<Item = &'a Word> + Clone) -> Self {
        let count = words.clone().count();
        Self { words: count, looked_at: words.map(|word| word.looked_at).sum::<f64>() / count.max(1) as f64 }
    }
}

impl Group {
    /// Those of the words that are chosen, if any are.
    fn of(words: &[Word], chosen: impl Fn(&&Word) -> bool) -> Option<Self> {
        let words = words.iter().filter(chosen).collect::<Vec<_>>();
        let read = words.iter().filter(|word| word.read).count() as f64 / words.len() as f64;
        (!words.is_empty()).then(|| Self { people: LookedAt::of(words.iter().copied()), read })
    }
}

/// The least number of people of whom the shares of a sentence can be.
fn readers(sentence: &ReadSentence) -> u32 {
    let whole = |people: f64, share: f64| (share * people - (share * people).round()).abs() < 1e-6;
    let fits = |people: &u32| sentence.words.iter().all(|word| whole(f64::from(*people), word.share));
    (1..=1_000).find(fits).unwrap_or(0)
}

fn method(args: &Arguments) -> String {
    format!(
        "Spearman's rank correlation over words, between the share of readers that looked at a word and the network's \
         probability of reading it (of a word of several tokens, the likeliest; punctuation does not count). \
         Ci: 95 %, percentile bootstrap over sentences, {} samples, seed {}. Length: letters and digits, {LONG} for {LONG} and \
         more in byLength. Frequency: occurrences of the word's rarest token in the text of --frequency. Partial: length and frequency taken out of \
         both. Classes: by lists of closed-class words, content for all others.",
        args.samples, args.seed,
    )
}

#[cfg(test)]
mod tests {
    use crate::data::Fixated;

    use super::*;

    #[test]
    fn readers_are_the_fewest_that_give_the_shares() {
        let sentence = |shares: &[f64]| ReadSentence {
            split: String::new(),
            words: shares.iter().map(|&share| Fixated { word: String::new(), share }).collect(),
        };
        assert_eq!(readers(&sentence(&[0.25, 1.0 / 3.0, 1.0, 0.0])), 12);
        assert_eq!(readers(&sentence(&[0.181_818_181_818_181_82, 1.0])), 11);
        assert_eq!(readers(&sentence(&[0.0])), 1);
    }
}
