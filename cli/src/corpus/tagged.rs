//! Sentences with a tag on every word, read from treebanks.

use std::collections::BTreeMap;
use std::path::Path;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Model, ReadError, Watch};
use saccade_rnn::train::{TaggedData, TaggedExample, TaggedExamples, TaggedSets, TaggedText};
use serde::Serialize;

use super::CorpusError;
use crate::config::Treebank;
use crate::data::conllu::{self, Sentence};

/// The sentences of a treebank, by the name of its file.
pub type Sentences = TaggedExamples<Sentence>;

/// Reads a treebank.
///
/// # Errors
/// If the file cannot be read.
pub fn read(path: &Path) -> Result<Sentences, CorpusError> {
    Ok(Sentences { name: path.display().to_string(), examples: conllu::read(path)? })
}

/// Reads the sentences of a run below `root`: those to learn from, to choose by and to report on. Of what the config names no file
/// for there are none.
///
/// # Errors
/// If a file cannot be read.
pub fn read_sets(data: &TaggedData<Treebank>, root: &Path) -> Result<TaggedSets<Sentence>, CorpusError> {
    let read = |Treebank(path): &Treebank| read(&root.join(path));
    let given = |file: &Option<Treebank>| file.as_ref().map(read).transpose().map(Option::unwrap_or_default);
    Ok(TaggedSets { train: read(&data.train)?, dev: given(&data.dev)?, test: given(&data.test)? })
}

/// The words and the tags of sentences.
pub fn examples(sentences: &Sentences) -> TaggedExamples {
    let example = |Sentence { words, line, .. }: &Sentence| TaggedExample {
        words: words.iter().map(|word| word.form.clone()).collect(),
        tags: words.iter().map(|word| word.tag.clone()).collect(),
        line: *line,
    };
    let examples = sentences.examples.iter().map(example).collect();
    TaggedExamples { name: sentences.name.clone(), examples }
}

/// Numbers words, letters and tags. The words are those of the treebank, not cut anew.
///
/// # Errors
/// If there is a tag that the model has not.
pub fn number(sentences: &Sentences, model: &Model) -> Result<Vec<TaggedText>, CorpusError> {
    Ok(examples(sentences).items(model)?)
}

/// What a tagger makes of sentences that it cuts into words itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct FromText {
    /// Words of the treebank.
    pub n: usize,
    /// Words that the tokenizer cuts out.
    pub words: usize,
    /// The share of the treebank's words that it cuts out, with the same bytes.
    pub found: f64,
    /// The share of the treebank's words that it cuts out and tags rightly.
    pub accuracy: f64,
}

/// Tags the texts of sentences.
///
/// # Errors
/// If the engine fails, or `watch` stops it.
pub fn cut<W: Watch>(
    sentences: &[Sentence],
    model: &Model,
    device: &Device,
    watch: &mut W,
) -> Result<FromText, ReadError> {
    let texts: Vec<&str> = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    let tagged = pollster::block_on(model.tag_all(device, &texts, watch))?;
    let mut counts = [0; 4];
    for (sentence, tagged) in sentences.iter().zip(tagged) {
        let cut: BTreeMap<_, _> =
            tagged.iter().map(|word| ((word.span.bytes.start, word.span.bytes.end), word.tag)).collect();
        counts[1] += cut.len();
        for word in &sentence.words {
            let found = cut.get(&(word.span.start, word.span.end));
            let right = found.is_some_and(|tag| *tag == word.tag);
            counts = [
                counts[0] + 1,
                counts[1],
                counts[2] + usize::from(found.is_some()),
                counts[3] + usize::from(right),
            ];
        }
    }
    let [n, words, found, right] = counts;
    let share = |count: usize| count as f64 / n.max(1) as f64;
    Ok(FromText { n, words, found: share(found), accuracy: share(right) })
}
