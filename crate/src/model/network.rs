//! A network: an encoder, and the head of its task.

use super::encoder::{Dropouts, Encoder, FreshOptions};
use super::spelling::{Spelled, Spelling};
use super::{Config, Head};
use crate::graph::{Expr, Graph};
use crate::nn::{BuildError, Builder, Flops, SkimControl, SkimOutput};

/// Encoder and head.
#[derive(Clone, Debug)]
pub struct Network {
    /// Of a tagger or a parser: what the letters of words say; parameters `characters.…`.
    pub spelling: Option<Spelling>,
    /// Word vectors and layers.
    pub encoder: Encoder,
    /// What becomes of the encoder's rows.
    pub head: Head,
}

/// What a network computes for one text.
pub struct Classified<'g> {
    /// `1 x labels`.
    pub logits: Expr<'g>,
    /// Of every Skim layer, in order.
    pub skims: Vec<SkimOutput<'g>>,
}

impl Network {
    /// Builds the network of a valid config.
    ///
    /// # Errors
    /// See [`Builder::parameter`].
    pub fn new(
        builder: &mut Builder,
        config: &Config,
        dropouts: Dropouts,
        fresh: FreshOptions,
    ) -> Result<Self, BuildError> {
        // What shares its weights with the head comes after it.
        if config.ties() {
            let head = Head::new(builder, config, config.output_size(), dropouts, fresh)?;
            let encoder = Encoder::new(builder, config, head.softmax(), dropouts, fresh)?;
            return Ok(Self { spelling: None, encoder, head });
        }
        let spelling = config.task.tagging().and_then(|task| task.characters.as_ref());
        let spelling = spelling
            .map(|config| builder.scope("characters", |b| Spelling::new(b, config, fresh.forget_bias)))
            .transpose()?;
        let encoder = Encoder::new(builder, config, None, dropouts, fresh)?;
        let head = Head::new(builder, config, encoder.output_size(), dropouts, fresh)?;
        Ok(Self { spelling, encoder, head })
    }

    /// Records a tagger on a graph for one text: the logits of each word, `words x labels`.
    pub fn tag<'g>(&self, graph: &'g Graph, text: &Spelled, dropouts: Dropouts) -> Expr<'g> {
        let rows = self.spelled_rows(graph, text, dropouts);
        self.head.logits_at_every_row(rows.dropout(dropouts.head, false))
    }

    /// The encoder's rows of words and their letters.
    pub(super) fn spelled_rows<'g>(&self, graph: &'g Graph, text: &Spelled, dropouts: Dropouts) -> Expr<'g> {
        let control = SkimControl::Decide { threshold: 1.0, force: &[] };
        let spelled = self.spelling.as_ref().map(|spelling| spelling.forward(graph, &text.letters));
        self.encoder.encode_beside(graph, &text.ids, spelled, [], control, dropouts).rows
    }

    /// Records the network on a graph for one whole text.
    pub fn classify<'g>(
        &self,
        graph: &'g Graph,
        ids: &[u32],
        control: SkimControl<'_, 'g>,
        dropouts: Dropouts,
    ) -> Classified<'g> {
        let encoded = self.encoder.encode(graph, ids, Vec::new(), control, dropouts);
        let gathered = self.head.gather(None, &encoded);
        Classified { logits: self.head.logits(gathered, ids.len(), dropouts.head), skims: encoded.skims }
    }

    /// Whether a text may be read piece by piece ([`Encoder::is_causal`]).
    pub fn is_causal(&self) -> bool {
        self.encoder.is_causal()
    }

    /// The cost of a text ([`Encoder::flops`]).
    pub fn flops(&self, tokens: usize, skimmed: impl Iterator<Item = usize>) -> Flops {
        self.encoder.flops(tokens, skimmed)
    }
}
