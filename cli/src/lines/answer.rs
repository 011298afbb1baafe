//! What a model makes of a chunk of lines: a record for each.

use std::collections::BTreeMap;

use saccade_rnn::device::Device;
use saccade_rnn::model::{
    FlopsReading, Model, ParsedToken, Prefix, ReadError, ReadOptions, Reading, Score, Scores, TaggedToken,
    Task, TokenReading, TreeNode,
};
use saccade_rnn::text::{Span, Token, Tree, TreeError};
use serde::Serialize;
use serde_json::value::RawValue;

use super::input::{Chunk, TooLong};

/// How a line has its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// As it stands.
    Text,
    /// As JSON: a string, or an object that has the text under `text`. Its `id`, if it has one, is the record's.
    Json,
}

/// What is asked of each text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Its label, and what reading it cost.
    Read,
    /// Its words with their tags.
    Tag,
    /// Its words with their heads.
    Parse,
    /// The nodes of a tree with their labels.
    Label,
    /// How probable its words are.
    Score,
}

impl Question {
    /// The command that asks it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read | Self::Label => "read",
            Self::Tag => "tag",
            Self::Parse => "parse",
            Self::Score => "score",
        }
    }

    /// What `read` asks of a text, by the task of the model; a language model's words are scored.
    pub(crate) fn of(task: &Task) -> Self {
        match task {
            Task::Classify(_) => Self::Read,
            Task::Tag(_) => Self::Tag,
            Task::Parse(_) => Self::Parse,
            Task::Tree(_) => Self::Label,
            Task::Predict(_) => Self::Score,
        }
    }
}

/// Has a record for every line.
pub(crate) struct Answers {
    pub(crate) model: Model,
    pub(crate) question: Question,
    pub(crate) format: Format,
    /// For readings.
    pub(crate) options: ReadOptions,
    /// Whether a reading's record has its tokens.
    pub(crate) tokens: bool,
}

/// The records of a chunk.
pub(super) struct Answered {
    /// A line each.
    pub(super) records: Vec<u8>,
    /// How many.
    pub(super) lines: u64,
    /// How many of them tell of a mistake.
    pub(super) mistakes: u64,
}

/// What is written of a line.
#[derive(Serialize)]
struct Record<'a> {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(flatten)]
    found: Found<'a>,
}

/// What was found of a text, under the names that `saccade read --json` has for it.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Found<'a> {
    Reading {
        label: String,
        scores: Vec<Score>,
        token_count: usize,
        skim_rate: f64,
        flops: FlopsReading,
        #[serde(skip_serializing_if = "Option::is_none")]
        tokens: Option<Vec<TokenReading>>,
    },
    Words {
        tokens: Vec<Word<'a>>,
    },
    Nodes {
        text: String,
        nodes: Vec<Node<'a>>,
    },
    Scored {
        log_probability: f64,
        token_count: usize,
        /// None without words.
        perplexity: Option<f64>,
    },
    Mistake {
        error: Mistake,
    },
}

#[derive(Serialize)]
struct Word<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    tag: &'a str,
    #[serde(flatten)]
    arc: Option<Arc<'a>>,
    probability: f32,
}

#[derive(Serialize)]
struct Arc<'a> {
    head: Option<usize>,
    relation: &'a str,
}

#[derive(Serialize)]
struct Node<'a> {
    text: String,
    start: usize,
    end: usize,
    children: Option<[usize; 2]>,
    label: &'a str,
    probabilities: BTreeMap<&'a str, f32>,
}

/// Why there is nothing else of a line.
#[derive(Clone, Debug, Serialize)]
struct Mistake {
    code: &'static str,
    message: String,
}

impl From<TooLong> for Mistake {
    fn from(error: TooLong) -> Self {
        Self { code: "LINE_TOO_LONG", message: error.to_string() }
    }
}

impl From<ReadError> for Mistake {
    fn from(error: ReadError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<TreeError> for Mistake {
    fn from(error: TreeError) -> Self {
        Self { code: "DATA_INVALID", message: error.to_string() }
    }
}

/// The text of a line, and what it is called.
struct Entry {
    /// As the line has it, to the digit.
    id: Option<Box<RawValue>>,
    text: Result<String, Mistake>,
}

impl Format {
    fn parse(self, line: Result<Vec<u8>, TooLong>) -> Entry {
        match line.map_err(Mistake::from).and_then(utf8) {
            Ok(line) if self == Self::Json => Entry::of_json(line.trim_start_matches('\u{feff}')),
            text => Entry { id: None, text },
        }
    }
}

impl Entry {
    /// Of a line in JSON. What it has beside the text and its name is passed over, whatever it holds.
    fn of_json(line: &str) -> Self {
        let without = |message: &str| Mistake { code: "LINE_WITHOUT_TEXT", message: message.to_owned() };
        let named = serde_json::from_str(line).map_err(not_json).and_then(|line: &RawValue| {
            match line.get().as_bytes() {
                [b'"', ..] => Ok((None, string(line))),
                [b'{', ..] => {
                    let fields: BTreeMap<String, &RawValue> =
                        serde_json::from_str(line.get()).map_err(not_json)?;
                    let text = match fields.get("text") {
                        Some(text) if text.get().starts_with('"') => string(text),
                        Some(_) => Err(without("the line's \"text\" is no string")),
                        None => Err(without("the line has no \"text\"")),
                    };
                    Ok((fields.get("id").map(|&id| id.to_owned()), text))
                }
                _ => Err(without("the line is neither a string nor an object with a \"text\"")),
            }
        });
        let (id, text) = named.unwrap_or_else(|mistake| (None, Err(mistake)));
        Self { id, text }
    }
}

fn not_json(error: serde_json::Error) -> Mistake {
    // It says which line of its text, and that is this one.
    let message = error.to_string().replace(&format!(" at line {} column ", error.line()), " at column ");
    Mistake { code: "LINE_NOT_JSON", message: format!("the line is not JSON: {message}") }
}

fn string(value: &RawValue) -> Result<String, Mistake> {
    serde_json::from_str(value.get()).map_err(not_json)
}

fn utf8(line: Vec<u8>) -> Result<String, Mistake> {
    String::from_utf8(line).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Mistake {
            code: "LINE_NOT_UTF8",
            message: format!("the line is not UTF-8: its byte {at} begins no character"),
        }
    })
}

/// A record has the text of every node, which of a deep tree is quadratic in its line: no more bytes than this.
const MOST_OF_NODES: usize = 32 << 20;

fn tree(text: &str) -> Result<Tree, Mistake> {
    let tree = Tree::parse(text)?;
    let bytes: usize = (0..tree.nodes()).map(|node| tree.source(node).len()).sum();
    if bytes <= MOST_OF_NODES {
        return Ok(tree);
    }
    let message =
        format!("the tree's nodes have {bytes} bytes of text, and a record has at most {MOST_OF_NODES}");
    Err(Mistake { code: "LINE_TOO_LONG", message })
}

/// Longer texts are read by themselves, piece by piece, so that memory stays bounded.
const LONG: usize = 4096;

impl Answers {
    /// The records of a chunk: bytes that depend on the lines alone.
    pub(super) fn chunk(&self, device: &Device, chunk: Chunk) -> Answered {
        let Chunk { first, lines } = chunk;
        let entries: Vec<Entry> = lines.into_iter().map(|line| self.format.parse(line)).collect();
        let texts: Vec<&str> = entries.iter().filter_map(|entry| entry.text.as_deref().ok()).collect();
        let mut found = self.found(device, &texts).into_iter();
        let mut answered = Answered { records: Vec::new(), lines: 0, mistakes: 0 };
        for (line, entry) in (first..).zip(&entries) {
            let found = match &entry.text {
                Ok(_) => found.next().unwrap_or_else(|| Err(ReadError::Overflow("a score").into())),
                Err(mistake) => Err(mistake.clone()),
            };
            let found = found.unwrap_or_else(|error| {
                answered.mistakes += 1;
                Found::Mistake { error }
            });
            answered.lines += 1;
            let record = Record { line, id: entry.id.as_deref(), found };
            // Writing to memory does not fail, and the keys are strings.
            let _ = serde_json::to_writer(&mut answered.records, &record);
            answered.records.push(b'\n');
        }
        answered
    }

    fn found<'a>(&'a self, device: &Device, texts: &[&'a str]) -> Vec<Result<Found<'a>, Mistake>> {
        match self.question {
            Question::Read => self.readings(device, texts),
            Question::Tag => each(texts, |texts| {
                let tagged = pollster::block_on(self.model.tag_all(device, texts, &mut ()))?;
                let words = |(&text, tokens): (&&'a str, Vec<_>)| Found::Words {
                    tokens: tokens
                        .into_iter()
                        .map(|token: TaggedToken<'a>| {
                            word(text, &token.span, token.tag, None, token.probability)
                        })
                        .collect(),
                };
                Ok(texts.iter().zip(tagged).map(words).collect())
            }),
            Question::Parse => each(texts, |texts| {
                let parsed = pollster::block_on(self.model.parse_all(device, texts, &mut ()))?;
                let words = |(&text, tokens): (&&'a str, Vec<_>)| Found::Words {
                    tokens: tokens
                        .into_iter()
                        .map(|token: ParsedToken<'a>| {
                            let arc = Arc { head: token.head, relation: token.relation };
                            word(text, &token.span, token.tag, Some(arc), token.probability)
                        })
                        .collect(),
                };
                Ok(texts.iter().zip(parsed).map(words).collect())
            }),
            Question::Label => self.labelled(device, texts),
            Question::Score => texts.iter().map(|text| Ok(self.score(device, text)?)).collect(),
        }
    }

    /// Texts of similar length are read together.
    fn readings<'a>(&self, device: &Device, texts: &[&'a str]) -> Vec<Result<Found<'a>, Mistake>> {
        let tokens: Vec<Vec<Token>> =
            texts.iter().map(|text| self.model.tokenizer().tokenize(text)).collect();
        let length = |&place: &usize| tokens[place].len();
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(length);
        let (short, long) = order.split_at(order.partition_point(|place| length(place) <= LONG));
        let together = |places: &[usize]| {
            let texts = places.iter().map(|&place| tokens[place].clone()).collect();
            pollster::block_on(self.model.read_all(device, texts, &self.options, &mut ()))
        };
        let alone = |place: &usize| {
            let tokens = tokens[*place].clone();
            pollster::block_on(self.model.read_tokens(device, tokens, &self.options, &mut ()))
        };
        let mut readings = each(short, together);
        readings.extend(long.iter().map(|place| alone(place).map_err(Mistake::from)));
        let mut sorted: Vec<_> = order.iter().copied().zip(readings).collect();
        sorted.sort_by_key(|(place, _)| *place);
        sorted.into_iter().map(|(_, reading)| Ok(self.reading(reading?))).collect()
    }

    /// A reading without what another reading of the same text would not have.
    fn reading<'a>(&self, reading: Reading) -> Found<'a> {
        let Reading { label, scores, tokens, skim_rate, flops, timing: _ } = reading;
        let token_count = tokens.len();
        Found::Reading { label, scores, token_count, skim_rate, flops, tokens: self.tokens.then_some(tokens) }
    }

    fn labelled<'a>(&'a self, device: &Device, texts: &[&'a str]) -> Vec<Result<Found<'a>, Mistake>> {
        let trees: Vec<Result<Tree, Mistake>> = texts.iter().map(|text| tree(text)).collect();
        let good: Vec<Tree> = trees.iter().flatten().cloned().collect();
        let labels = self.model.config().task.labels();
        let mut labelled = each(&good, |trees| {
            let all = pollster::block_on(self.model.label_trees(device, trees, &mut ()))?;
            let nodes = trees.iter().zip(all).map(|(tree, nodes)| {
                let node = |(number, node): (usize, TreeNode<'a>)| Node {
                    text: tree.source(number).to_owned(),
                    start: node.span.utf16.start,
                    end: node.span.utf16.end,
                    children: tree.children(number),
                    label: node.label,
                    probabilities: labels.iter().map(String::as_str).zip(node.probabilities).collect(),
                };
                let nodes = nodes.into_iter().enumerate().map(node).collect();
                Found::Nodes { text: tree.text().to_owned(), nodes }
            });
            Ok(nodes.collect())
        })
        .into_iter();
        let of = |tree: Result<Tree, Mistake>| match tree {
            Ok(_) => labelled.next().unwrap_or_else(|| Err(ReadError::Overflow("a score").into())),
            Err(mistake) => Err(mistake),
        };
        trees.into_iter().map(of).collect()
    }

    fn score<'a>(&self, device: &Device, text: &str) -> Result<Found<'a>, ReadError> {
        let ids: Vec<u32> = self
            .model
            .tokenizer()
            .tokenize(text)
            .iter()
            .map(|t| self.model.vocabulary().id(&t.text))
            .collect();
        let mut prefix = Prefix::new(Scores::Total, false);
        pollster::block_on(prefix.read(&self.model, device, &ids, &mut ()))?;
        let total = prefix.total();
        if !total.log_probability.is_finite() {
            return Err(ReadError::Overflow("a score"));
        }
        let perplexity = Some(total.perplexity()).filter(|perplexity| perplexity.is_finite());
        Ok(Found::Scored { log_probability: total.log_probability, token_count: total.words, perplexity })
    }
}

fn word<'a>(text: &'a str, span: &Span, tag: &'a str, arc: Option<Arc<'a>>, probability: f32) -> Word<'a> {
    let (start, end) = (span.utf16.start, span.utf16.end);
    Word { text: &text[span.bytes.clone()], start, end, tag, arc, probability }
}

/// What is found of texts together; of each by itself where one of them has no answer.
fn each<T, R>(texts: &[T], together: impl Fn(&[T]) -> Result<Vec<R>, ReadError>) -> Vec<Result<R, Mistake>> {
    if let Ok(found) = together(texts) {
        return found.into_iter().map(Ok).collect();
    }
    let alone = |text| {
        let found = together(std::slice::from_ref(text))?;
        found.into_iter().next().ok_or_else(|| ReadError::Overflow("a score").into())
    };
    texts.iter().map(alone).collect()
}
