//! A layer by itself: a PyTorch `state_dict` that belongs to no text model, rows of numbers in, rows of numbers out.

use std::collections::BTreeMap;

use super::encoder::{Dropouts, FreshOptions, build_layer};
use super::header::Header;
use super::model::from_build;
use super::place;
use super::reading::force_list;
use super::state_dict::StateDict;
use super::{Decision, LayerShape, ModelError, ReadError, StoredLayer};
use crate::device::{Device, EngineError, Parameters};
use crate::graph::{Expr, Graph, Strategy};
use crate::nn::{BuildError, Builder, Flops, Layer, SkimControl, Tensors};

/// A layer with its weights.
#[derive(Debug)]
pub struct SequenceLayer {
    layer: Layer,
    parameters: Parameters,
    input_size: usize,
    state_parts: &'static str,
    /// Of every row of its state.
    state_columns: Vec<usize>,
}

/// What a layer is to compute.
#[derive(Clone, Debug, Default)]
pub struct Sequences {
    /// How many rows each sequence has.
    pub lengths: Vec<usize>,
    /// The states to begin with, `[cells][sequences][columns]` (of each cell as many as it has) in the order of [`Computed::state`]; empty for zeros.
    pub state: Vec<f32>,
    /// Of a Skim layer: skim iff the probability exceeds this.
    pub threshold: f32,
    /// Of a Skim layer: decisions imposed on rows, by number.
    pub force: BTreeMap<usize, Decision>,
}

/// What a layer computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Computed {
    /// `rows x output_size`, rows of all sequences end to end.
    pub output: Vec<f32>,
    /// Last states, `[cells][sequences][columns]`. Cells as PyTorch orders them, layer by layer, forward then
    /// backward; the h of all, then the c of all, where a cell has both. An SRU has c alone.
    pub state: Vec<f32>,
    /// Of a Skim layer: `rows x 2`, read and skim; empty for others.
    pub logits: Vec<f32>,
    /// Of a Skim layer: 1 where it skimmed, otherwise 0; empty for others.
    pub decisions: Vec<f32>,
    /// What it cost.
    pub flops: Flops,
}

/// Rows that a layer cannot compute.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// An argument has the wrong length.
    #[error("{what}: expected {expected}, found {found}")]
    Length {
        /// Which one.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: usize,
    },
    /// A decision for a row that is not there.
    #[error(transparent)]
    Force(#[from] ReadError),
    /// The engine reports a mistake or a failing device.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl LayerError {
    /// A name for the kind of error that stays the same between versions: `OPTION_INVALID`, or as
    /// [`EngineError::code`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "OPTION_INVALID",
            Self::Force(error) => error.code(),
            Self::Engine(error) => error.code(),
        }
    }
}

fn fresh(builder: &mut Builder, shape: &LayerShape) -> Result<Layer, BuildError> {
    build_layer(builder, shape, Dropouts::default(), FreshOptions::default())
}

/// The tensors of a layer: names and shapes are those of the parameters that `build` asks for. They are checked before any
/// tensor is decoded, and all that differ are told at once.
pub(super) fn checked(
    found: &StateDict<'_>,
    data: &[u8],
    build: &mut dyn FnMut(&mut Builder) -> Result<(), BuildError>,
) -> Result<Tensors, ModelError> {
    let mut listing = Builder::listing();
    build(&mut listing).map_err(from_build)?;
    found.check(&listing.listed())?;
    found.tensors(data)
}

impl SequenceLayer {
    /// A layer with freshly drawn weights.
    ///
    /// # Errors
    /// If a size is out of its range.
    pub fn random(shape: &LayerShape, seed: u32) -> Result<Self, ModelError> {
        shape.validate()?;
        Self::build(shape, Builder::fresh(seed))
    }

    /// A layer with the weights of a safetensors file. Its tensors are those whose names begin with `prefix`; without one,
    /// the file must have only one such layer. No other tensor is looked at. Their shapes tell the sizes.
    ///
    /// Takes also what PyTorch makes of such a layer: a single cell, weight norm (folded into the weights), a weight drop (by
    /// its raw weights), tensors shared by `safetensors.torch.save_model`, and a layer in `nn.DataParallel` or
    /// `torch.compile` by the prefix that it had before.
    ///
    /// # Errors
    /// If the file is none, or the tensors are not those of the layer: [`ModelError::NoLayer`], [`ModelError::Mismatch`].
    /// F64 is rounded to f32; a dtype that no layer has is [`ModelError::Dtype`], a number that is not a finite f32
    /// [`ModelError::Value`].
    pub fn from_bytes(bytes: &[u8], prefix: &str, stored: &StoredLayer) -> Result<Self, ModelError> {
        let (header, data) = Header::read(bytes)?;
        let prefix = place::find(&header, prefix, stored.kind())?;
        let found = StateDict::under(&header, &prefix);
        let mut shape = stored.shape(&found)?;
        shape.validate()?;
        let tensors = checked(&found, data, &mut |builder| fresh(builder, &shape).map(drop))?;
        stored.learn(&mut shape, &tensors);
        Self::build(&shape, Builder::stored(tensors))
    }

    fn build(shape: &LayerShape, mut builder: Builder) -> Result<Self, ModelError> {
        let layer = fresh(&mut builder, shape).map_err(from_build)?;
        let parameters = builder.finish().map_err(from_build)?;
        let (input_size, state_parts) = (shape.input_size, shape.state_parts());
        Ok(Self { state_columns: layer.state_columns(), layer, parameters, input_size, state_parts })
    }

    /// Its weights, to change them or how they are kept.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Columns of the input.
    pub fn input_size(&self) -> usize {
        self.input_size
    }

    /// Columns of the output.
    pub fn output_size(&self) -> usize {
        self.layer.output_size()
    }

    /// The parts of a state, in the order in which [`Sequences::state`] and [`Computed::state`] have them: `hc`, `h` or
    /// `c`.
    pub fn state_parts(&self) -> &'static str {
        self.state_parts
    }

    /// The columns of every part of a state.
    pub fn state_columns(&self) -> impl Iterator<Item = usize> {
        let cells = self.state_columns.len() / self.state_parts.len();
        self.state_columns.iter().copied().step_by(cells.max(1))
    }

    /// Runs all sequences as one batch; `x` has their rows end to end, `rows x input_size`.
    ///
    /// # Errors
    /// See [`LayerError`].
    pub async fn forward(
        &self,
        device: &Device,
        mut x: Vec<f32>,
        given: &Sequences,
    ) -> Result<Computed, LayerError> {
        let force = self.check(&x, given)?;
        let lanes = given.lengths.len();
        let graph = Graph::inference(&self.parameters, device, Strategy::Levels);
        let (mut wanted, mut states, mut skims) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = 0;
        for (lane, &n) in given.lengths.iter().enumerate() {
            let rows = first * self.input_size..(first + n) * self.input_size;
            let x = if rows.len() == x.len() { std::mem::take(&mut x) } else { x[rows].to_vec() };
            let mut state: Vec<Expr<'_>> = Vec::new();
            if !given.state.is_empty() {
                let mut rest = &given.state[..];
                state.extend(self.state_columns.iter().map(|&columns| {
                    let (cell, others) = rest.split_at(lanes * columns);
                    rest = others;
                    graph.input(1, columns, cell[lane * columns..][..columns].to_vec())
                }));
            }
            let force = force.get(first..first + n).unwrap_or_default();
            let control = SkimControl::Decide { threshold: given.threshold, force };
            let x = graph.input(n, self.input_size, x);
            let out = self.layer.forward(x, &mut state.into_iter(), control);
            wanted.push(out.rows);
            skims.extend(out.skims.iter().flat_map(|skim| [skim.logits, skim.decisions]));
            states.extend(out.state);
            first += n;
        }
        wanted.append(&mut states);
        wanted.append(&mut skims);
        Ok(self.computed(lanes, first, graph.values(&wanted).await?))
    }

    /// Checks every length; the forced decisions as the kernel takes them.
    fn check(&self, x: &[f32], given: &Sequences) -> Result<Vec<u32>, LayerError> {
        let length = |what, expected: usize, of: String, found: usize| {
            if expected == found {
                return Ok(());
            }
            Err(LayerError::Length { what, expected: format!("{expected} ({of})"), found })
        };
        let rows: usize = given.lengths.iter().fold(0, |sum, &n| sum.saturating_add(n));
        let of = format!("{rows} rows x {} columns", self.input_size);
        length("x", rows.saturating_mul(self.input_size), of, x.len())?;
        if !given.state.is_empty() {
            let (lanes, columns) = (given.lengths.len(), self.state_columns.iter().sum::<usize>());
            let of = format!("{lanes} sequences x {columns} columns of all cells");
            length("state", lanes * columns, of, given.state.len())?;
        }
        Ok(force_list(&given.force, rows)?)
    }

    /// Puts together the rows of every lane, the states of every lane, and of a Skim layer every lane's logits and
    /// decisions.
    fn computed(&self, lanes: usize, rows: usize, values: Vec<Vec<f32>>) -> Computed {
        let cells = self.state_columns.len();
        let mut values = values.into_iter();
        let (mut output, mut state) = (Vec::new(), Vec::new());
        for mut rows in values.by_ref().take(lanes) {
            if output.is_empty() {
                output = rows;
            } else {
                output.append(&mut rows);
            }
        }
        let by_lane: Vec<Vec<f32>> = values.by_ref().take(cells * lanes).collect();
        for cell in 0..cells {
            for lane in by_lane.chunks_exact(cells) {
                state.extend_from_slice(&lane[cell]);
            }
        }
        let (mut logits, mut decisions, mut skimmed) = (Vec::new(), Vec::new(), 0);
        while let (Some(l), Some(d)) = (values.next(), values.next()) {
            skimmed += d.iter().filter(|d| **d > 0.5).count();
            logits.extend(l);
            decisions.extend(d);
        }
        let flops = self.layer.flops(rows, &mut std::iter::once(skimmed));
        Computed { output, state, logits, decisions, flops }
    }
}
