//! The one way through a model: pieces of texts, recorded side by side on one graph.
//!
//! A whole text is one piece, a long text many, one after the other; a batch is pieces of many texts; text that is still
//! being written is a piece from where it changed. Whoever reads decides which pieces; what becomes of a piece is here: how
//! it is encoded, what its head gathers, which decisions are collected.

use std::ops::RangeInclusive;

use super::encoder::Dropouts;
use super::{Head, Model, Network, ReadError};
use crate::cpu::softmax::{log_softmax, softmax};
use crate::device::{Device, EngineError};
use crate::graph::{Expr, Graph, Held, Strategy};
use crate::nn::{Inspected, SkimControl, Trace};

/// About how long what runs in one go may take, in milliseconds: a page drops no more than a few frames, and whoever stops
/// a reading waits no longer.
pub(super) const PIECE_MS: f64 = 50.0;

/// A model on a device.
#[derive(Clone, Copy)]
pub(super) struct Session<'m> {
    pub(super) model: &'m Model,
    pub(super) device: &'m Device,
    /// Skim iff the probability exceeds this.
    pub(super) threshold: f32,
}

/// A piece of a text.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    /// Ids of its words.
    pub(super) ids: &'a [u32],
    /// Empty, or for every word 0 (free), 1 (read), 2 (skim).
    pub(super) force: &'a [u32],
    /// What came before it.
    pub(super) before: Before<'a>,
    /// If the text ends with it: how many words the text has.
    pub(super) ends: Option<usize>,
    /// Whether to tell what every cell did.
    pub(super) inspect: bool,
}

/// What came before a piece.
#[derive(Clone, Copy)]
pub(super) enum Before<'a> {
    /// Nothing: the text begins here.
    Nothing,
    /// The piece before left this on the device.
    Carried(&'a Carried),
    /// States of all cells, and the encoder's rows, of a reading that was traced.
    Traced {
        /// A row for each part of each cell's state.
        state: &'a [Vec<f32>],
        /// `rows x out`; none for a piece that does not end its text.
        rows: &'a [f32],
    },
}

/// What a piece leaves to the next, on the device.
#[derive(Debug)]
pub(super) struct Carried {
    state: Vec<Held>,
    gathered: Held,
}

/// What was found of a piece.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The logits of the text that ends with it; otherwise empty.
    pub(super) logits: Vec<f32>,
    /// Of every Skim layer, the decisions (1 skims, 0 reads) and the probabilities of skimming.
    pub(super) layers: Vec<(Vec<f32>, Vec<f32>)>,
    /// What the next piece of the text begins with; none after the last.
    pub(super) carried: Option<Carried>,
    /// Word vectors, then what every cell did, if that was to be told.
    pub(super) traces: Vec<Trace>,
}

impl Found {
    /// Checks that the computation did not overflow, which finite weights do not rule out.
    pub(super) fn check(&self) -> Result<(), ReadError> {
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        if !self.layers.iter().all(|(_, probabilities)| finite(probabilities)) {
            return Err(ReadError::Overflow("a skim probability"));
        }
        if !finite(&self.logits) {
            return Err(ReadError::Overflow("a score"));
        }
        Ok(())
    }

    /// Probabilities of the labels.
    pub(super) fn probabilities(&self) -> Vec<f32> {
        let mut scores = self.logits.clone();
        let columns = scores.len();
        softmax(&mut scores, columns);
        scores
    }

    /// Log-probabilities of the labels.
    pub(super) fn log_probabilities(&self) -> Vec<f32> {
        let mut scores = self.logits.clone();
        let columns = scores.len();
        log_softmax(&mut scores, columns);
        scores
    }
}

impl Session<'_> {
    /// Reads pieces of different texts together, with one exchange with the device.
    pub(super) async fn read(&self, pieces: &[Piece<'_>]) -> Result<Vec<Found>, EngineError> {
        let reason = match self.model.network().head {
            Head::Classify(_) | Head::Predict(_) => None,
            Head::Tag(_) => Some("the model's task is to tag words"),
            Head::Parse(_) => Some("the model's task is to parse sentences"),
            Head::Tree(_) => Some("the model's task is to label the nodes of trees"),
        };
        if let Some(reason) = reason {
            return Err(EngineError::Unsupported { op: "read", reason });
        }
        let graph = Graph::inference(self.model.parameters(), self.device, Strategy::Levels);
        let recorded: Vec<_> = pieces.iter().map(|piece| self.record(&graph, piece)).collect();
        let mut wanted = Vec::new();
        for Recorded { first, inspected, .. } in &recorded {
            wanted.push(*first);
            for skim in &inspected.output.skims {
                wanted.extend([skim.decisions, skim.logits.softmax().columns(1..2)]);
            }
            inspected.cells.iter().for_each(|cell| wanted.extend(cell.wanted()));
        }
        let mut values = graph.values(&wanted).await?.into_iter();
        let found = recorded.into_iter().zip(pieces).map(|(recorded, piece)| {
            let Recorded { gathered, inspected: Inspected { output, cells }, .. } = recorded;
            let mut next = || values.next().unwrap_or_default();
            let first = next();
            let layers = output.skims.iter().map(|_| (next(), next())).collect();
            let traces = cells.into_iter().map(|cell| cell.trace(&mut values)).collect();
            let (logits, carried) = match piece.ends {
                Some(_) => (first, None),
                None => {
                    let state = output.state.into_iter().map(Expr::hold).collect::<Result<_, _>>()?;
                    (Vec::new(), Some(Carried { state, gathered: gathered.hold()? }))
                }
            };
            Ok(Found { logits, layers, carried, traces })
        });
        found.collect()
    }

    fn record<'g>(&self, graph: &'g Graph, piece: &Piece<'_>) -> Recorded<'g> {
        let Network { encoder, head, .. } = self.model.network();
        let (state, before): (Vec<Expr<'g>>, _) = match piece.before {
            Before::Nothing => (Vec::new(), None),
            Before::Carried(Carried { state, gathered }) => {
                let held = |value: &Held| graph.held(value.clone());
                (state.iter().map(held).collect(), Some(held(gathered)))
            }
            Before::Traced { state, rows } => {
                let out = encoder.output_size();
                let state = state.iter().map(|row| graph.input(1, row.len(), row.clone())).collect();
                let rows = graph.input(rows.len() / out, out, rows.to_vec());
                (state, (rows.shape().rows > 0).then(|| head.gather_rows(rows)))
            }
        };
        let control = SkimControl::Decide { threshold: self.threshold, force: piece.force };
        let inspected = if piece.inspect {
            encoder.inspect(graph, piece.ids, state, control)
        } else {
            let output = encoder.encode(graph, piece.ids, state, control, Dropouts::default());
            Inspected { output, cells: Vec::new() }
        };
        let gathered = head.gather(before, &inspected.output);
        // Something is read back of every piece, so that it is done before the next one begins.
        let first = piece.ends.map_or(gathered, |tokens| head.logits(gathered, tokens, 0.0));
        Recorded { first, gathered, inspected }
    }
}

/// A piece on a graph.
struct Recorded<'g> {
    /// The logits if the text ends here, otherwise what the head has gathered.
    first: Expr<'g>,
    gathered: Expr<'g>,
    inspected: Inspected<'g>,
}

/// How many tokens run in one go, by how long those before took.
pub(super) struct Pace {
    pub(super) bounds: RangeInclusive<usize>,
    pub(super) tokens: usize,
}

impl Pace {
    /// For one text: of a network that is not causal all of it.
    pub(super) fn of_text(network: &Network) -> Self {
        if network.is_causal() {
            Self { bounds: 16..=8192, tokens: 256 }
        } else {
            Self { bounds: usize::MAX..=usize::MAX, tokens: usize::MAX }
        }
    }

    /// For many texts, none of which is cut.
    pub(super) fn of_texts() -> Self {
        Self { bounds: 256..=8192, tokens: 512 }
    }

    /// Takes note of how long so many tokens took. The time of one piece is hardly ever that of the next, so the length at
    /// most doubles.
    pub(super) fn took(&mut self, tokens: usize, ms: f64) {
        let fitting = (tokens as f64 * PIECE_MS / ms.max(1e-3)) as usize;
        let next = fitting.min(self.tokens.saturating_mul(2));
        self.tokens = next.clamp(*self.bounds.start(), *self.bounds.end());
    }
}
