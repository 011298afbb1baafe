//! A network: an encoder, and the head of its task.

use super::encoder::{Dropouts, Encoder, FreshOptions};
use super::{Config, Head};
use crate::graph::{Expr, Graph};
use crate::nn::{BuildError, Builder, Flops, SkimControl, SkimOutput};

/// Encoder and head.
#[derive(Clone, Debug)]
pub struct Network {
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
            let head = Head::new(builder, config, config.output_size())?;
            let encoder = Encoder::new(builder, config, head.softmax(), dropouts, fresh)?;
            return Ok(Self { encoder, head });
        }
        let encoder = Encoder::new(builder, config, None, dropouts, fresh)?;
        let head = Head::new(builder, config, encoder.output_size())?;
        Ok(Self { encoder, head })
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
