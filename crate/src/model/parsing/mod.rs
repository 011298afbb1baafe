//! Trees: a head for every word of a sentence.
//!
//! A parser reads sentences as a tagger does, and cuts text into them alike. The transitions of a batch's sentences run
//! together, as many times as the longest one has them.

mod configuration;

use super::encoder::Dropouts;
use super::head::Read;
use super::paced::paced;
use super::tagging::{Cut, best};
use super::{Head, Model, Network, Parse, ReadError, Spelled, Watch};
use crate::cpu::softmax::{log_softmax, softmax};
use crate::device::{Device, EngineError};
use crate::graph::{Graph, Strategy};
use crate::text::Span;
pub use configuration::{Configuration, SLOTS, Transition};

/// The relation of the root of a sentence.
pub const ROOT: &str = "root";

/// A word of a text, its tag, and the word that it depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedToken<'m> {
    /// Where it stands in the text.
    pub span: Span,
    /// The likeliest tag.
    pub tag: &'m str,
    /// The number of its head among the words of the text, from 0; none of the root of a sentence.
    pub head: Option<usize>,
    /// How it depends on it; [`ROOT`] of the root.
    pub relation: &'m str,
    /// The probability of the transition that gave it its head, among those that were possible; 1 where there was no other.
    pub probability: f32,
}

/// The tree of a sentence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Log-probabilities of the tags, `words x labels`.
    pub tags: Vec<f32>,
    /// The number of each word's head, from 0; the number of words stands for the root.
    pub heads: Vec<u32>,
    /// The number of each word's relation among the model's; of the root the number of relations.
    pub relations: Vec<u32>,
    /// See [`ParsedToken::probability`].
    pub probabilities: Vec<f32>,
}

impl Tree {
    /// The number of each word's head; the root has none.
    pub fn heads(&self) -> Vec<Option<usize>> {
        let head = |&head: &u32| Some(head as usize).filter(|&head| head < self.heads.len());
        self.heads.iter().map(head).collect()
    }
}

impl Network {
    /// Records a parser's reading of a sentence of one word or more; none of a network that does not parse.
    pub fn parse<'g>(
        &self,
        graph: &'g Graph,
        text: &Spelled,
        dropouts: Dropouts,
    ) -> Option<(&Parse, Read<'g>)> {
        match &self.head {
            Head::Parse(head) => Some((head, head.read(self.spelled_rows(graph, text, dropouts), dropouts))),
            Head::Classify(_) | Head::Predict(_) | Head::Tag(_) | Head::Tree(_) => None,
        }
    }
}

impl Model {
    /// Parses the sentences of a text.
    ///
    /// # Errors
    /// See [`ReadError`]; also for a model that is no parser.
    pub async fn parse(&self, device: &Device, text: &str) -> Result<Vec<ParsedToken<'_>>, ReadError> {
        Ok(self.parse_all(device, &[text], &mut ()).await?.pop().unwrap_or_default())
    }

    /// Parses the sentences of texts, which run together, in batches none of which takes long. `watch` hears after each
    /// batch how many words are parsed, and may stop.
    ///
    /// # Errors
    /// See [`Self::parse`].
    pub async fn parse_all<W: Watch>(
        &self,
        device: &Device,
        texts: &[&str],
        watch: &mut W,
    ) -> Result<Vec<Vec<ParsedToken<'_>>>, ReadError> {
        let cut = Cut::new(self, texts);
        let trees = self.parse_words(device, &cut.spelled, watch).await?;
        Ok(self.parsed_tokens(&cut, &trees))
    }

    /// The tokens of texts that were cut into sentences, by the sentences' trees.
    pub(super) fn parsed_tokens(&self, cut: &Cut, trees: &[Tree]) -> Vec<Vec<ParsedToken<'_>>> {
        let (labels, relations) = (self.config().task.labels(), self.config().task.relations());
        let mut parsed: Vec<Vec<ParsedToken<'_>>> = cut.tokens.iter().map(|_| Vec::new()).collect();
        for (&(owner, ref sentence), tree) in cut.places.iter().zip(trees) {
            let (start, words) = (sentence.start, sentence.len());
            let tags = tree.tags.chunks_exact(labels.len()).map(best);
            let arcs = tree.heads.iter().zip(&tree.relations).zip(&tree.probabilities);
            for ((token, tag), ((&head, &relation), &probability)) in
                cut.tokens[owner][sentence.clone()].iter().zip(tags).zip(arcs)
            {
                parsed[owner].push(ParsedToken {
                    span: token.span.clone(),
                    tag: &labels[tag],
                    head: ((head as usize) < words).then(|| start + head as usize),
                    relation: relations.get(relation as usize).map_or(ROOT, String::as_str),
                    probability,
                });
            }
        }
        parsed
    }

    /// The trees of sentences of words.
    ///
    /// # Errors
    /// See [`Self::parse`].
    pub async fn parse_words<W: Watch>(
        &self,
        device: &Device,
        sentences: &[Spelled],
        watch: &mut W,
    ) -> Result<Vec<Tree>, ReadError> {
        if !matches!(self.network().head, Head::Parse(_)) {
            return Err(
                EngineError::Unsupported { op: "parse", reason: "the model's task is another" }.into()
            );
        }
        // Sentences of one length run as one, so that a batch has no more transitions than each of them.
        let words = |&place: &usize| sentences[place].ids.len();
        let mut order: Vec<usize> = (0..sentences.len()).filter(|place| words(place) > 0).collect();
        order.sort_by_key(words);
        let lengths: Vec<usize> = order.iter().map(words).collect();
        let mut trees = vec![Tree::default(); sentences.len()];
        paced(&lengths, watch, async |texts| {
            let places = &order[texts];
            let texts: Vec<&Spelled> = places.iter().map(|&place| &sentences[place]).collect();
            for (&place, tree) in places.iter().zip(self.parse_batch(device, &texts).await?) {
                trees[place] = tree;
            }
            Ok(())
        })
        .await?;
        Ok(trees)
    }

    /// Parses sentences together: each is a loop of its own, and all loops wait for their scores at once.
    async fn parse_batch(&self, device: &Device, texts: &[&Spelled]) -> Result<Vec<Tree>, ReadError> {
        let graph = Graph::inference(self.parameters(), device, Strategy::Levels);
        let record = |text: &&Spelled| self.network().parse(&graph, text, Dropouts::default());
        let reads: Vec<_> = texts.iter().filter_map(record).collect();
        let programs = reads.iter().map(|(head, read)| async move {
            let mut probabilities = vec![1.0; read.words];
            let done = head.walk(read, |at, scores| {
                let (transition, probability) = likeliest(at, scores);
                if let (false, Some(&top)) = (transition == Transition::Shift, at.stack().last()) {
                    probabilities[top as usize] = probability;
                }
                transition
            });
            let (heads, relations) = done.await?.arcs().iter().flatten().copied().unzip();
            Ok::<_, EngineError>(Tree { tags: Vec::new(), heads, relations, probabilities })
        });
        let trees = graph.join(programs).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let tags: Vec<_> = reads.iter().map(|(_, read)| read.tags).collect();
        let labels = self.config().task.labels().len();
        let with_tags = trees.into_iter().zip(graph.values(&tags).await?).map(|(tree, mut tags)| {
            if !tags.iter().chain(&tree.probabilities).all(|value| value.is_finite()) {
                return Err(ReadError::Overflow("a score"));
            }
            log_softmax(&mut tags, labels);
            Ok(Tree { tags, ..tree })
        });
        with_tags.collect()
    }
}

/// The likeliest transition of those that are possible, and its probability among them.
fn likeliest(at: &Configuration, scores: &[f32]) -> (Transition, f32) {
    let possible = at.numbered().zip(scores).filter(|(transition, _)| at.allows(*transition));
    let (transitions, mut scores): (Vec<_>, Vec<f32>) = possible.map(|(t, &score)| (t, score)).unzip();
    let columns = scores.len();
    softmax(&mut scores, columns);
    let best = best(&scores);
    (transitions[best], scores[best])
}
