//! The networks: weights, and one example recorded with them.

use saccade_rnn::device::{CellKind, EngineError, ParamId};
use saccade_rnn::graph::{Expr, Graph};
use saccade_rnn::nn::{
    BinaryTreeLstm, BuildError, Builder, Embedding, Init, Recurrent, RecurrentConfig, Sru, SruConfig,
    TreeState,
};

use super::examples::{LABELS, LETTERS, TAGS, WORDS, Word};

/// Widths: of words, of a tree's states, of a tagger's, of its hidden layer, of letters.
const WORD: usize = 128;
const TREE: usize = 128;
const STATE: usize = 50;
const HIDDEN: usize = 32;
const LETTER: usize = 20;
/// Transitions of a parser, and its hidden layer.
const TRANSITIONS: usize = 3;
const PARSER: usize = 64;

/// Weights of a network.
pub(super) enum Layers {
    Tree(TreeLstm),
    Cells(TreeOfCells),
    Tagger(Box<Tagger>),
    Sequence(Sequence),
    Parser(GreedyParser),
}

pub(super) struct TreeOfCells {
    pub(super) words: Embedding,
    lstm: BinaryTreeLstm,
    output: ParamId,
}

pub(super) struct TreeLstm {
    pub(super) words: Embedding,
    /// i, o and u of a leaf, and of an inner node.
    leaf: [ParamId; 3],
    inner: [ParamId; 3],
    /// The forget gates of both children.
    forget: [ParamId; 2],
    /// Of i, o, u and f.
    bias: [ParamId; 4],
    output: ParamId,
}

pub(super) struct Tagger {
    pub(super) words: Embedding,
    pub(super) letters: Option<(Embedding, Reader)>,
    reader: Reader,
    hidden: ParamId,
    output: ParamId,
}

/// A layer over sentences whose states are as wide as words.
pub(super) struct Sequence {
    pub(super) words: Embedding,
    layer: Layer,
    output: ParamId,
}

enum Layer {
    Lstm(Recurrent),
    Sru(Sru),
}

pub(super) struct GreedyParser {
    words: Embedding,
    reader: Recurrent,
    /// Stands for a word that is not there.
    nobody: ParamId,
    hidden: ParamId,
    bias: ParamId,
    output: ParamId,
}

/// An LSTM in both directions.
pub(super) enum Reader {
    Whole(Recurrent),
    Steps([Recurrent; 2]),
}

impl TreeLstm {
    pub(super) fn new(builder: &mut Builder) -> Result<Self, BuildError> {
        let words = Embedding::new(builder, WORDS as usize, WORD)?;
        let mut weight = |name: String, rows, columns| {
            let bound = (6.0 / (rows + columns) as f32).sqrt();
            builder.parameter(&name, &[rows, columns], Init::Uniform(bound))
        };
        let mut three = |name: &str, columns| -> Result<[ParamId; 3], BuildError> {
            let mut gate = |gate| weight(format!("{name}.{gate}"), TREE, columns);
            Ok([gate('i')?, gate('o')?, gate('u')?])
        };
        let (leaf, inner) = (three("leaf", WORD)?, three("inner", 2 * TREE)?);
        let forget = [weight("left.f".into(), TREE, TREE)?, weight("right.f".into(), TREE, TREE)?];
        let output = weight("output".into(), LABELS, TREE)?;
        let mut bias = |name: &str| builder.parameter(name, &[TREE], Init::Constant(0.0));
        let bias = [bias("bias.i")?, bias("bias.o")?, bias("bias.u")?, bias("bias.f")?];
        Ok(Self { words, leaf, inner, forget, bias, output })
    }

    pub(super) fn record<'g>(
        &self,
        graph: &'g Graph,
        nodes: &[(u32, Option<u32>)],
        losses: &mut Vec<Expr<'g>>,
    ) {
        let mut states: Vec<[Expr<'g>; 2]> = Vec::new();
        for &(label, word) in nodes {
            let children = if word.is_some() { Vec::new() } else { states.split_off(states.len() - 2) };
            let (weights, x) = match word {
                Some(word) => (&self.leaf, self.words.forward(graph, &[word])),
                None => (&self.inner, graph.concat_columns(&[children[0][0], children[1][0]])),
            };
            let gate = |i: usize| x.affine(weights[i], Some(self.bias[i]));
            let (i, o, u) = (gate(0).sigmoid(), gate(1).sigmoid(), gate(2).tanh());
            let kept = children.iter().zip(self.forget);
            let kept = kept.map(|([h, c], forget)| h.affine(forget, Some(self.bias[3])).sigmoid() * *c);
            let c = kept.fold(i * u, |c, kept| c + kept);
            let h = o * c.tanh();
            losses.push(h.affine(self.output, None).cross_entropy(&[label]));
            states.push([h, c]);
        }
    }
}

impl TreeOfCells {
    pub(super) fn new(builder: &mut Builder) -> Result<Self, BuildError> {
        let words = Embedding::new(builder, WORDS as usize, WORD)?;
        let lstm = builder.scope("lstm", |builder| BinaryTreeLstm::new(builder, WORD, TREE))?;
        let output = builder.parameter("output", &[LABELS, TREE], Init::Uniform(0.2))?;
        Ok(Self { words, lstm, output })
    }

    pub(super) fn record<'g>(
        &self,
        graph: &'g Graph,
        nodes: &[(u32, Option<u32>)],
        losses: &mut Vec<Expr<'g>>,
    ) {
        let mut states: Vec<TreeState<'g>> = Vec::new();
        for &(label, word) in nodes {
            let state = match word {
                Some(word) => self.lstm.leaf(self.words.forward(graph, &[word])),
                None => {
                    let children = states.split_off(states.len() - 2);
                    self.lstm.inner([children[0], children[1]])
                }
            };
            losses.push(state.h.affine(self.output, None).cross_entropy(&[label]));
            states.push(state);
        }
    }
}

impl Reader {
    fn new(
        builder: &mut Builder,
        name: &str,
        whole: bool,
        input: usize,
        hidden: usize,
    ) -> Result<Self, BuildError> {
        let config = RecurrentConfig { bidirectional: whole, ..RecurrentConfig::new(input, hidden) };
        let mut lstm =
            |name: String| builder.scope(&name, |builder| Recurrent::new(builder, CellKind::Lstm, config));
        Ok(match whole {
            true => Self::Whole(lstm(name.into())?),
            false => Self::Steps([lstm(format!("{name}.there"))?, lstm(format!("{name}.back"))?]),
        })
    }

    /// The states after every row, in the order of the rows, of both directions.
    fn steps<'g>(lstms: &[Recurrent; 2], rows: &[Expr<'g>]) -> [Vec<Expr<'g>>; 2] {
        let read = |lstm: &Recurrent, rows: &mut dyn Iterator<Item = &Expr<'g>>| {
            let mut states = None;
            let step = |&row: &Expr<'g>| {
                let output = lstm.step(row, states.as_ref());
                states = Some(output.states);
                output.rows
            };
            rows.map(step).collect::<Vec<_>>()
        };
        let mut back = read(&lstms[1], &mut rows.iter().rev());
        back.reverse();
        [read(&lstms[0], &mut rows.iter()), back]
    }
}

impl Tagger {
    pub(super) fn new(builder: &mut Builder, letters: bool, whole: bool) -> Result<Self, BuildError> {
        let words = builder.scope("words", |builder| Embedding::new(builder, WORDS as usize, WORD))?;
        let letters = match letters {
            true => Some((
                builder.scope("letters", |builder| Embedding::new(builder, LETTERS as usize, LETTER))?,
                Reader::new(builder, "spelling", whole, LETTER, WORD / 2)?,
            )),
            false => None,
        };
        let reader = Reader::new(builder, "reader", whole, WORD, STATE)?;
        let mut weight = |name: &str, rows, columns| {
            let bound = (6.0 / (rows + columns) as f32).sqrt();
            builder.parameter(name, &[rows, columns], Init::Uniform(bound))
        };
        let (hidden, output) = (weight("hidden", HIDDEN, 2 * STATE)?, weight("output", TAGS, HIDDEN)?);
        Ok(Self { words, letters, reader, hidden, output })
    }

    pub(super) fn record<'g>(&self, graph: &'g Graph, words: &[Word], losses: &mut Vec<Expr<'g>>) {
        let scores = |rows: Expr<'g>| rows.affine(self.hidden, None).tanh().affine(self.output, None);
        match &self.reader {
            Reader::Whole(lstm) => {
                // Words that follow one another in the table are looked up as one value.
                let groups = words.chunk_by(|a, b| self.spelled(a).is_none() && self.spelled(b).is_none());
                let rows: Vec<Expr<'g>> = groups
                    .map(|group| match self.spelled(&group[0]) {
                        Some((table, reader)) => spell(graph, table, reader, &group[0].letters),
                        None => {
                            let ids: Vec<u32> = group.iter().map(|word| word.id).collect();
                            self.words.forward(graph, &ids)
                        }
                    })
                    .collect();
                let x = if rows.len() == 1 { rows[0] } else { graph.concat_rows(&rows) };
                let tags: Vec<u32> = words.iter().map(|word| word.tag).collect();
                losses.push(scores(lstm.forward(x, None).rows).cross_entropy(&tags));
            }
            Reader::Steps(lstms) => {
                let row = |word: &Word| match self.spelled(word) {
                    Some((table, reader)) => spell(graph, table, reader, &word.letters),
                    None => self.words.forward(graph, &[word.id]),
                };
                let rows: Vec<Expr<'g>> = words.iter().map(row).collect();
                let [there, back] = Reader::steps(lstms, &rows);
                for ((there, back), word) in there.into_iter().zip(back).zip(words) {
                    let both = graph.concat_columns(&[there, back]);
                    losses.push(scores(both).cross_entropy(&[word.tag]));
                }
            }
        }
    }

    /// What reads a word letter by letter, if it is read so.
    fn spelled(&self, word: &Word) -> Option<&(Embedding, Reader)> {
        self.letters.as_ref().filter(|_| !word.letters.is_empty())
    }
}

impl Sequence {
    pub(super) fn new(builder: &mut Builder, sru: bool) -> Result<Self, BuildError> {
        let words = builder.scope("words", |builder| Embedding::new(builder, WORDS as usize, WORD))?;
        let layer = builder.scope("reader", |builder| match sru {
            true => Sru::new(builder, SruConfig::new(WORD, WORD, 1)).map(Layer::Sru),
            false => {
                let config = RecurrentConfig::new(WORD, WORD);
                Recurrent::new(builder, CellKind::Lstm, config).map(Layer::Lstm)
            }
        })?;
        let output = builder.parameter("output", &[TAGS, WORD], Init::Uniform(0.2))?;
        Ok(Self { words, layer, output })
    }

    pub(super) fn record<'g>(&self, graph: &'g Graph, words: &[Word], losses: &mut Vec<Expr<'g>>) {
        let ids: Vec<u32> = words.iter().map(|word| word.id).collect();
        let tags: Vec<u32> = words.iter().map(|word| word.tag).collect();
        let x = self.words.forward(graph, &ids);
        let rows = match &self.layer {
            Layer::Lstm(lstm) => lstm.forward(x, None).rows,
            Layer::Sru(sru) => sru.forward(x, None).rows,
        };
        losses.push(rows.affine(self.output, None).cross_entropy(&tags));
    }
}

impl GreedyParser {
    pub(super) fn new(builder: &mut Builder) -> Result<Self, BuildError> {
        let words = builder.scope("words", |builder| Embedding::new(builder, WORDS as usize, WORD))?;
        let config = RecurrentConfig { bidirectional: true, ..RecurrentConfig::new(WORD, STATE) };
        let reader = builder.scope("reader", |builder| Recurrent::new(builder, CellKind::Lstm, config))?;
        let mut weight = |name: &str, rows, columns| {
            let bound = (6.0 / (rows + columns) as f32).sqrt();
            builder.parameter(name, &[rows, columns], Init::Uniform(bound))
        };
        let nobody = weight("nobody", 1, 2 * STATE)?;
        let (hidden, output) = (weight("hidden", PARSER, 6 * STATE)?, weight("output", TRANSITIONS, PARSER)?);
        let bias = builder.parameter("bias", &[PARSER], Init::Constant(0.0))?;
        Ok(Self { words, reader, nobody, hidden, bias, output })
    }

    /// Parses a sentence by arc-standard transitions, the best of those that are allowed at a time; how many it took.
    pub(super) async fn parse(&self, graph: &Graph, words: &[Word]) -> Result<usize, EngineError> {
        let ids: Vec<u32> = words.iter().map(|word| word.id).collect();
        let rows = self.reader.forward(self.words.forward(graph, &ids), None).rows;
        let row = |word: Option<u32>| match word {
            Some(word) => rows.rows(&[word]),
            None => graph.embedding(self.nobody, &[0]),
        };
        let (mut stack, mut next, mut taken) = (Vec::new(), 0, 0);
        while (next as usize) < words.len() || stack.len() > 1 {
            let below = stack.len().checked_sub(2).map(|at| stack[at]);
            let first = Some(next).filter(|&word| (word as usize) < words.len());
            let slots = [below, stack.last().copied(), first].map(row);
            let hidden = graph.concat_columns(&slots).affine(self.hidden, Some(self.bias)).tanh();
            let scores = hidden.affine(self.output, None).value().await?;
            let allowed = [first.is_some(), below.is_some(), below.is_some()];
            let among = (0..TRANSITIONS).filter(|&transition| allowed[transition]);
            match among.max_by(|&a, &b| scores[a].total_cmp(&scores[b])) {
                Some(1) => drop(stack.remove(stack.len() - 2)),
                Some(2) => drop(stack.pop()),
                _ => {
                    stack.push(next);
                    next += 1;
                }
            }
            taken += 1;
        }
        Ok(taken)
    }
}

fn spell<'g>(graph: &'g Graph, table: &Embedding, reader: &Reader, letters: &[u32]) -> Expr<'g> {
    match reader {
        Reader::Whole(lstm) => lstm.last(&lstm.forward(table.forward(graph, letters), None)),
        Reader::Steps(lstms) => {
            let letters: Vec<_> = letters.iter().map(|&letter| table.forward(graph, &[letter])).collect();
            let [there, back] = Reader::steps(lstms, &letters);
            graph.concat_columns(&[there[there.len() - 1], back[0]])
        }
    }
}
