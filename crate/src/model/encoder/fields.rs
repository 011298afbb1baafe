//! A layer as it is spelled: one flat record with the fields of all kinds. A type tagged from within would be read into
//! a tree first and from there once more, since its tag may come last.

use super::{Cell, LayerConfig, Nonlinearity, SmallReads, SruConfig};
use crate::record::{self, choice, optional, record};

#[derive(Clone, Copy)]
enum Kind {
    Elman,
    Lstm,
    Gru,
    Sru,
    Skim,
}

choice!(Kind { "elman" => Elman, "lstm" => Lstm, "gru" => Gru, "sru" => Sru, "skim" => Skim });

/// The fields of every kind of layer.
pub(super) struct Fields {
    kind: Kind,
    hidden_size: Option<usize>,
    bidirectional: Option<bool>,
    nonlinearity: Option<Nonlinearity>,
    cell: Option<Cell>,
    small_size: Option<usize>,
    small_reads: Option<SmallReads>,
    num_layers: Option<usize>,
    v1: Option<bool>,
    rescale: Option<bool>,
    has_skip_term: Option<bool>,
    use_tanh: Option<bool>,
    layer_norm: Option<bool>,
    normalize_after: Option<bool>,
    projection_size: Option<usize>,
    proj_input_to_hidden_first: Option<bool>,
}

record!(Fields {
    "type" as kind: record::needed,
    hidden_size: optional,
    bidirectional: optional,
    nonlinearity: optional,
    cell: optional,
    small_size: optional,
    small_reads: optional,
    num_layers: optional,
    v1: optional,
    rescale: optional,
    has_skip_term: optional,
    use_tanh: optional,
    layer_norm: optional,
    normalize_after: optional,
    projection_size: optional,
    proj_input_to_hidden_first: optional,
});

impl Fields {
    /// The first field that nothing has taken.
    fn left(&self) -> Option<&'static str> {
        let fields = [
            ("hidden_size", self.hidden_size.is_some()),
            ("bidirectional", self.bidirectional.is_some()),
            ("nonlinearity", self.nonlinearity.is_some()),
            ("cell", self.cell.is_some()),
            ("small_size", self.small_size.is_some()),
            ("small_reads", self.small_reads.is_some()),
            ("num_layers", self.num_layers.is_some()),
            ("v1", self.v1.is_some()),
            ("rescale", self.rescale.is_some()),
            ("has_skip_term", self.has_skip_term.is_some()),
            ("use_tanh", self.use_tanh.is_some()),
            ("layer_norm", self.layer_norm.is_some()),
            ("normalize_after", self.normalize_after.is_some()),
            ("projection_size", self.projection_size.is_some()),
            ("proj_input_to_hidden_first", self.proj_input_to_hidden_first.is_some()),
        ];
        fields.into_iter().find(|(_, is_there)| *is_there).map(|(name, _)| name)
    }
}

/// A field that a kind of layer cannot be without.
fn needed<T>(field: &mut Option<T>, name: &str) -> Result<T, String> {
    field.take().ok_or_else(|| format!("missing field `{name}`"))
}

impl TryFrom<Fields> for LayerConfig {
    type Error = String;

    fn try_from(mut fields: Fields) -> Result<Self, String> {
        let f = &mut fields;
        let hidden_size = needed(&mut f.hidden_size, "hidden_size")?;
        let layer = match f.kind {
            Kind::Elman => Self::Elman {
                hidden_size,
                nonlinearity: needed(&mut f.nonlinearity, "nonlinearity")?,
                bidirectional: needed(&mut f.bidirectional, "bidirectional")?,
            },
            Kind::Lstm => {
                Self::Lstm { hidden_size, bidirectional: needed(&mut f.bidirectional, "bidirectional")? }
            }
            Kind::Gru => {
                Self::Gru { hidden_size, bidirectional: needed(&mut f.bidirectional, "bidirectional")? }
            }
            Kind::Sru => Self::Sru(SruConfig {
                hidden_size,
                num_layers: needed(&mut f.num_layers, "num_layers")?,
                bidirectional: f.bidirectional.take().unwrap_or_default(),
                v1: f.v1.take().unwrap_or_default(),
                rescale: f.rescale.take().unwrap_or_default(),
                has_skip_term: f.has_skip_term.take().unwrap_or(true),
                use_tanh: f.use_tanh.take().unwrap_or_default(),
                layer_norm: f.layer_norm.take().unwrap_or_default(),
                normalize_after: f.normalize_after.take().unwrap_or_default(),
                projection_size: f.projection_size.take().unwrap_or_default(),
                proj_input_to_hidden_first: f.proj_input_to_hidden_first.take().unwrap_or_default(),
            }),
            Kind::Skim => Self::Skim {
                cell: needed(&mut f.cell, "cell")?,
                hidden_size,
                small_size: needed(&mut f.small_size, "small_size")?,
                small_reads: needed(&mut f.small_reads, "small_reads")?,
            },
        };
        match fields.left() {
            Some(name) => Err(format!("unknown field `{name}`")),
            None => Ok(layer),
        }
    }
}
