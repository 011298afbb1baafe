//! Tags: one for every word of a text.
//!
//! A tagger reads sentences. Text is cut into words by the model's tokenizer, and into sentences by simple rules; words that
//! somebody has cut may be given as they are.

use std::ops::Range;

use super::encoder::Dropouts;
use super::paced::paced;
use super::{Head, Model, ReadError, Spelled, Watch};
use crate::cpu::softmax::log_softmax;
use crate::device::{Device, EngineError};
use crate::graph::{Graph, Strategy};
use crate::nn::follow;
use crate::text::{Span, Token, is_ignored, sentences};

/// So many letters are read of either end of a word that is longer than both.
const END: usize = 256;

/// A word of a text, and its tag.
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedToken<'m> {
    /// Where it stands in the text.
    pub span: Span,
    /// Its tag, see [`Tags::best`].
    pub tag: &'m str,
    /// Its number among the model's.
    pub number: usize,
    /// Its probability.
    pub probability: f32,
}

/// The tags of a sentence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tags {
    /// The number of each word's tag: the likeliest, or that of the likeliest tags of the whole sentence if they are scored
    /// together.
    pub best: Vec<usize>,
    /// The logarithms of the probabilities of every word's tags, `words x labels`.
    pub log_probabilities: Vec<f32>,
}

impl Model {
    /// Words as a tagger sees them, as they stand in a text: without what its [`Tokenizer`](crate::text::Tokenizer) reads past; of
    /// a word of more than 512 letters, the first and the last 256.
    pub fn spell<'t>(&self, words: impl IntoIterator<Item = &'t str>) -> Spelled {
        let mut spelled = Spelled::default();
        for word in words {
            let form = self.tokenizer().form(word);
            spelled.ids.push(self.vocabulary().id(&form));
            let letter = |c: char| self.alphabet().map(|known| known.id(c.encode_utf8(&mut [0; 4])));
            let mut letters: Vec<u32> = word.chars().filter(|&c| !is_ignored(c)).filter_map(letter).collect();
            // Every letter takes some kilobytes of the network's states; what tells a word's tag are its ends.
            if letters.len() > 2 * END {
                letters.drain(END..letters.len() - END);
            }
            spelled.letters.push(letters);
        }
        spelled
    }

    /// Tags the words of a text.
    ///
    /// # Errors
    /// See [`ReadError`]; also for a model that is no tagger.
    pub async fn tag(&self, device: &Device, text: &str) -> Result<Vec<TaggedToken<'_>>, ReadError> {
        Ok(self.tag_all(device, &[text], &mut ()).await?.pop().unwrap_or_default())
    }

    /// Tags the words of texts, whose sentences run together, in batches none of which takes long. `watch` hears after
    /// each batch how many words are tagged, and may stop.
    ///
    /// # Errors
    /// See [`Self::tag`].
    pub async fn tag_all<W: Watch>(
        &self,
        device: &Device,
        texts: &[&str],
        watch: &mut W,
    ) -> Result<Vec<Vec<TaggedToken<'_>>>, ReadError> {
        let Cut { tokens, places, spelled } = Cut::new(self, texts);
        let found = self.tag_words(device, &spelled, watch).await?;
        let labels = self.config().task.labels();
        let mut tagged: Vec<Vec<TaggedToken<'_>>> = texts.iter().map(|_| Vec::new()).collect();
        for ((owner, sentence), Tags { best, log_probabilities }) in places.into_iter().zip(found) {
            let rows = log_probabilities.chunks_exact(labels.len());
            for (token, (number, row)) in tokens[owner][sentence].iter().zip(best.into_iter().zip(rows)) {
                let (span, tag, probability) =
                    (token.span.clone(), labels[number].as_str(), row[number].exp());
                tagged[owner].push(TaggedToken { span, tag, number, probability });
            }
        }
        Ok(tagged)
    }

    /// The tags of sentences of words.
    ///
    /// # Errors
    /// See [`Self::tag`].
    pub async fn tag_words<W: Watch>(
        &self,
        device: &Device,
        sentences: &[Spelled],
        watch: &mut W,
    ) -> Result<Vec<Tags>, ReadError> {
        let Head::Tag(head) = &self.network().head else {
            return Err(EngineError::Unsupported { op: "tag", reason: "the model's task is another" }.into());
        };
        let labels = self.config().task.labels().len();
        let lengths: Vec<usize> = sentences.iter().map(|sentence| sentence.ids.len()).collect();
        let mut found = Vec::with_capacity(sentences.len());
        paced(&lengths, watch, async |texts| {
            let graph = Graph::inference(self.parameters(), device, Strategy::Levels);
            let record = |text| self.network().tag(&graph, text, Dropouts::default());
            let logits: Vec<_> = sentences[texts].iter().map(record).collect();
            let Some(crf) = head.crf() else {
                for rows in graph.values(&logits).await? {
                    let log_probabilities = normalised(rows, labels)?;
                    let best = log_probabilities.chunks_exact(labels).map(best).collect();
                    found.push(Tags { best, log_probabilities });
                }
                return Ok(());
            };
            let marginals: Vec<_> = logits.iter().map(|&scores| crf.marginals(scores)).collect();
            let paths: Vec<Vec<_>> = logits.iter().map(|&scores| crf.best(scores).before).collect();
            let all: Vec<_> = marginals.iter().chain(paths.iter().flatten()).copied().collect();
            let mut values = graph.values(&all).await?;
            let mut before = values.split_off(marginals.len()).into_iter();
            for (rows, path) in values.into_iter().zip(&paths) {
                let log_probabilities = normalised(rows, labels)?;
                let path: Vec<_> = before.by_ref().take(path.len()).collect();
                found.push(Tags { best: follow(&path), log_probabilities });
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }
}

/// Scores as logarithms of probabilities, each of so many `labels`.
fn normalised(mut rows: Vec<f32>, labels: usize) -> Result<Vec<f32>, ReadError> {
    if !rows.iter().all(|value| value.is_finite()) {
        return Err(ReadError::Overflow("a score"));
    }
    log_softmax(&mut rows, labels);
    Ok(rows)
}

/// Texts cut into sentences of words.
pub(super) struct Cut {
    /// The tokens of each text.
    pub(super) tokens: Vec<Vec<Token>>,
    /// Of each sentence, the number of its text and its tokens there.
    pub(super) places: Vec<(usize, Range<usize>)>,
    /// The words of each sentence.
    pub(super) spelled: Vec<Spelled>,
}

impl Cut {
    pub(super) fn new(model: &Model, texts: &[&str]) -> Self {
        let tokens: Vec<Vec<Token>> = texts.iter().map(|text| model.tokenizer().tokenize(text)).collect();
        let (mut places, mut spelled) = (Vec::new(), Vec::new());
        for (number, (text, tokens)) in texts.iter().zip(&tokens).enumerate() {
            for sentence in sentences(text, tokens) {
                let words = tokens[sentence.clone()].iter().map(|token| &text[token.span.bytes.clone()]);
                spelled.push(model.spell(words));
                places.push((number, sentence));
            }
        }
        Self { tokens, places, spelled }
    }
}

/// The place of the greatest score, of equal ones the last.
pub(super) fn best(scores: &[f32]) -> usize {
    (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0)
}
