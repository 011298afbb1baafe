//! Adaptive input (Baevski & Auli 2019): word vectors of which rare words have fewer columns.
//!
//! ```text
//! words in order of decreasing frequency, in bands; word w of band i has a row E_i[w] of floor(size / div_value^i) columns
//! x = P_i E_i[w]
//! ```
//! The names are fairseq's: `embeddings.{i}.0.weight` is E_i, `embeddings.{i}.1.weight` is P_i.
//!
//! Bands cut like those of an [`AdaptiveSoftmax`] may be tied to it: E_0 is then the head's rows of words, E_{i+1} the V of
//! tail i, and, if projections are tied too, P_{i+1} the transpose of its U.

use super::bands::Bands;
use super::{AdaptiveSoftmax, Alias, BuildError, Builder, Flops, Init};
#[cfg(feature = "train")]
use crate::cpu::order::distinct;
use crate::device::{ParamId, WeightView};
use crate::graph::{Expr, Graph};

/// Sizes of an adaptive input.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveInputConfig {
    /// Words, numbered in order of decreasing frequency.
    pub words: usize,
    /// The first word of every band but the first, increasing.
    pub cutoffs: Vec<usize>,
    /// Columns of the first band.
    pub size: usize,
    /// How many times narrower each band is than the one before it, at least 1.
    pub div_value: f64,
    /// Columns of the output.
    pub output_size: usize,
}

impl AdaptiveInputConfig {
    /// The numbers in the tables and in the projections; none if the sizes make no layer.
    pub fn weights(&self) -> [u64; 2] {
        let Ok(bands) = Bands::new(self.words, &self.cutoffs, self.size, self.div_value) else {
            return [0; 2];
        };
        (0..bands.len()).fold([0; 2], |[tables, projections], band| {
            let size = bands.size(band) as u64;
            [tables + size * bands.range(band).len() as u64, projections + size * self.output_size as u64]
        })
    }
}

/// Word vectors in bands.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{AdaptiveInput, AdaptiveSoftmax, AdaptiveSoftmaxConfig, Builder};
/// # pollster::block_on(async {
/// let mut builder = Builder::fresh(0);
/// let softmax = AdaptiveSoftmax::new(&mut builder, AdaptiveSoftmaxConfig::new(16, 100, &[10, 40]))?;
/// let input = AdaptiveInput::tied_with_projections(&mut builder, &softmax)?;
/// let parameters = builder.finish()?;
/// // The one weight that the softmax has not: the projection of the first band.
/// let own: Vec<_> = parameters.iter().filter(|(_, p)| p.name.starts_with("embeddings.")).collect();
/// assert_eq!(own.len(), 1);
/// let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
/// assert_eq!(input.forward(&graph, &[99, 3, 50, 3]).shape().to_string(), "4 x 16");
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct AdaptiveInput {
    bands: Bands,
    /// Of every band its table, whose first rows are the vectors of its words, and its projection.
    tables: Vec<(ParamId, WeightView)>,
    /// Names under which other layers' weights are this layer's too.
    aliases: Vec<Alias>,
}

/// The names of a band's table and projection.
fn names(band: usize) -> [String; 2] {
    [0, 1].map(|part| format!("embeddings.{band}.{part}.weight"))
}

impl AdaptiveInput {
    /// Weights of its own: `embeddings.{i}.0.weight [words, size]`, normally small as those of an
    /// [`Embedding`](super::Embedding), and `embeddings.{i}.1.weight [output, size]`.
    ///
    /// # Errors
    /// See [`Builder::parameter`]; also if the cut-offs do not increase or lie outside the vocabulary, or a band would have
    /// no column.
    pub fn new(builder: &mut Builder, config: AdaptiveInputConfig) -> Result<Self, BuildError> {
        let AdaptiveInputConfig { words, cutoffs, size, div_value, output_size } = config;
        let bands = Bands::new(words, &cutoffs, size, div_value)?;
        let mut tables = Vec::new();
        for band in 0..bands.len() {
            let [table, _] = names(band);
            let init = Init::Uniform(0.1 * 3f32.sqrt());
            let table = builder.parameter(&table, &[bands.range(band).len(), bands.size(band)], init)?;
            tables.push((table, projection(builder, &bands, band, output_size)?));
        }
        Ok(Self { bands, tables, aliases: Vec::new() })
    }

    /// Vectors that are the weights of a softmax over the same words, with projections of its own to `output_size`.
    ///
    /// # Errors
    /// See [`Builder::parameter`] and [`Builder::alias`].
    pub fn tied(
        builder: &mut Builder,
        softmax: &AdaptiveSoftmax,
        output_size: usize,
    ) -> Result<Self, BuildError> {
        Self::of_softmax(builder, softmax, output_size, false)
    }

    /// Vectors and projections that are the weights of a softmax over the same words. The output has as many columns as
    /// the softmax's input. The first band, which the softmax does not project, has a projection of its own.
    ///
    /// # Errors
    /// See [`Self::tied`].
    pub fn tied_with_projections(
        builder: &mut Builder,
        softmax: &AdaptiveSoftmax,
    ) -> Result<Self, BuildError> {
        Self::of_softmax(builder, softmax, softmax.bands().size(0), true)
    }

    fn of_softmax(
        builder: &mut Builder,
        softmax: &AdaptiveSoftmax,
        output_size: usize,
        projections: bool,
    ) -> Result<Self, BuildError> {
        let bands = softmax.bands().clone();
        let (head, tails) = softmax.weights();
        let (mut tables, mut aliases) = (Vec::new(), Vec::new());
        for band in 0..bands.len() {
            let [name, projected] = names(band);
            let tail = band.checked_sub(1).map(|tail| tails[tail]);
            let table = tail.map_or(head, |(_, words)| words);
            aliases.push(builder.alias(&name, table, bands.range(band).len())?);
            let view = match tail {
                Some((narrow, _)) if projections => {
                    aliases.push(builder.transposed_alias(&projected, narrow)?);
                    WeightView::input_major(builder.parameters(), narrow)
                }
                _ => projection(builder, &bands, band, output_size)?,
            };
            tables.push((table, view));
        }
        Ok(Self { bands, tables, aliases })
    }

    /// How many words there are.
    pub fn words(&self) -> usize {
        self.bands.words()
    }

    /// Columns of the output.
    pub fn output_size(&self) -> usize {
        self.tables[0].1.outputs
    }

    /// The tables of all bands; those of a tied layer are the softmax's.
    pub fn tables(&self) -> impl Iterator<Item = ParamId> {
        self.tables.iter().map(|&(table, _)| table)
    }

    /// The names that this layer's weights have beside those that they are stored under.
    pub fn aliases(&self) -> &[Alias] {
        &self.aliases
    }

    /// The rows of tables that nothing reads but these words, in increasing order; no table of a tied layer is one.
    #[cfg(feature = "train")]
    pub fn own_rows(&self, ids: &[u32]) -> Vec<(ParamId, Vec<u32>)> {
        if !self.aliases.is_empty() {
            return Vec::new();
        }
        let routed = self.bands.route("adaptive_input", ids).unwrap_or_default();
        let rows = routed.iter().map(|band| distinct(&band.words));
        self.tables().zip(rows).collect()
    }

    /// The vectors of words, `ids.len() x output_size`. A band without a word among them is not computed.
    #[track_caller]
    pub fn forward<'g>(&self, graph: &'g Graph, ids: &[u32]) -> Expr<'g> {
        let routed = match self.bands.route("adaptive_input", ids) {
            Ok(routed) => routed,
            Err(mistake) => return graph.mistaken(mistake),
        };
        let (mut parts, mut places) = (Vec::new(), vec![0; ids.len()]);
        let mut place = 0;
        for (band, &(table, projection)) in routed.iter().zip(&self.tables) {
            if band.rows.is_empty() && !ids.is_empty() {
                continue;
            }
            parts.push(graph.embedding(table, &band.words).affine_view(projection, None));
            for &row in &band.rows {
                places[row as usize] = place;
                place += 1;
            }
        }
        // Words of one band are in their order.
        if parts.len() == 1 { parts[0] } else { graph.concat_rows(&parts).rows(&places) }
    }

    /// `2 size output` for every word, by the size of its band; a word that does not exist counts as one of the last.
    pub fn flops(&self, ids: &[u32]) -> Flops {
        let of_word = |&id: &u32| 2 * self.bands.size(self.bands.of(id)) * self.output_size();
        ids.iter().map(|id| Flops::per_row(of_word(id), 1)).sum()
    }
}

/// A projection of a band's own, drawn so that it keeps the size of a vector (Glorot & Bengio 2010, as in fairseq).
fn projection(
    builder: &mut Builder,
    bands: &Bands,
    band: usize,
    output_size: usize,
) -> Result<WeightView, BuildError> {
    let [_, name] = names(band);
    let size = bands.size(band);
    let init = Init::Uniform((6.0 / (size + output_size) as f32).sqrt());
    let projection = builder.parameter(&name, &[output_size, size], init)?;
    Ok(WeightView::whole(builder.parameters(), projection))
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::device::{Device, Parameters};
    use crate::graph::Strategy;
    use crate::nn::{AdaptiveSoftmaxConfig, Tensors};

    const WORDS: [u32; 6] = [9, 0, 3, 2, 9, 1];

    /// A tied layer and its softmax, of 10 words in bands of 2, 3 and 5.
    fn tied(
        builder: &mut Builder,
        projections: bool,
    ) -> Result<(AdaptiveSoftmax, AdaptiveInput), BuildError> {
        let config = AdaptiveSoftmaxConfig { div_value: 2.0, ..AdaptiveSoftmaxConfig::new(8, 10, &[2, 5]) };
        let softmax = builder.scope("head", |b| AdaptiveSoftmax::new(b, config))?;
        let input = builder.scope("embedding", |b| match projections {
            true => AdaptiveInput::tied_with_projections(b, &softmax),
            false => AdaptiveInput::tied(b, &softmax, 5),
        })?;
        Ok((softmax, input))
    }

    fn vectors(parameters: &Parameters, layer: &AdaptiveInput, ids: &[u32]) -> Vec<f32> {
        let graph = Graph::inference(parameters, &Device::cpu(), Strategy::Levels);
        block_on(layer.forward(&graph, ids).value()).expect("the words exist")
    }

    /// All tensors, the aliases' too, as another program would have them.
    fn export(parameters: &Parameters, layer: &AdaptiveInput) -> Tensors {
        let own = parameters.iter().map(|(_, p)| {
            (p.name.clone(), crate::nn::Tensor { shape: p.shape.clone(), values: p.values.clone() })
        });
        own.chain(layer.aliases().iter().map(|alias| (alias.name.clone(), alias.tensor(parameters))))
            .collect()
    }

    #[test]
    fn a_word_has_the_row_of_its_band_projected() -> Result<(), BuildError> {
        let config =
            AdaptiveInputConfig { words: 10, cutoffs: vec![2, 5], size: 8, div_value: 2.0, output_size: 3 };
        let mut builder = Builder::fresh(1);
        let layer = AdaptiveInput::new(&mut builder, config)?;
        let parameters = builder.finish()?;
        let all = vectors(&parameters, &layer, &WORDS);
        let shapes: Vec<_> = parameters.iter().map(|(_, p)| p.shape.clone()).collect();
        assert_eq!(shapes, [[2, 8], [3, 8], [3, 4], [3, 4], [5, 2], [3, 2]]);
        for (row, &word) in WORDS.iter().enumerate() {
            let (band, first) =
                [(0, 0), (0, 0), (1, 2), (1, 2), (1, 2), (2, 5), (2, 5), (2, 5), (2, 5), (2, 5)]
                    [word as usize];
            let get = |part: usize| {
                let id = parameters.id(&format!("embeddings.{band}.{part}.weight")).expect("it exists");
                parameters.get(id)
            };
            let (table, projection) = (get(0), get(1));
            let vector = &table.values[(word as usize - first) * table.columns()..][..table.columns()];
            for (i, weights) in projection.values.chunks(table.columns()).enumerate() {
                let expected: f32 = vector.iter().zip(weights).map(|(a, b)| a * b).sum();
                assert!((all[3 * row + i] - expected).abs() < 1e-6, "word {word}, column {i}");
            }
            // Alone, and beside words of other bands.
            assert_eq!(vectors(&parameters, &layer, &[word]), all[3 * row..3 * row + 3]);
        }
        assert_eq!(layer.flops(&WORDS), Flops::fixed(2 * 3 * (2 * 8 + 2 * 4 + 2 * 2)));
        assert!(vectors(&parameters, &layer, &[]).is_empty());
        Ok(())
    }

    #[test]
    fn a_tied_layer_is_one_with_the_same_weights_of_its_own() -> Result<(), BuildError> {
        for (projections, output_size) in [(true, 8), (false, 5)] {
            let mut builder = Builder::fresh(3);
            let (_, layer) = tied(&mut builder, projections)?;
            let parameters = builder.finish()?;
            let all = export(&parameters, &layer);
            let own = all.iter().filter_map(|(name, tensor)| {
                Some((name.strip_prefix("embedding.")?.to_owned(), tensor.clone()))
            });
            let mut builder = Builder::stored(own.collect());
            let config =
                AdaptiveInputConfig { words: 10, cutoffs: vec![2, 5], size: 8, div_value: 2.0, output_size };
            let untied = AdaptiveInput::new(&mut builder, config)?;
            let copies = builder.finish()?;
            assert_eq!(layer.output_size(), output_size);
            let (ours, theirs) = (vectors(&parameters, &layer, &WORDS), vectors(&copies, &untied, &WORDS));
            assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-6), "{ours:?} {theirs:?}");
        }
        Ok(())
    }

    #[test]
    fn tied_weights_are_stored_once_and_written_under_both_names() -> Result<(), BuildError> {
        let mut builder = Builder::fresh(3);
        let (_, layer) = tied(&mut builder, true)?;
        let parameters = builder.finish()?;
        let stored: Vec<_> = parameters.iter().map(|(_, p)| p.name.as_str()).collect();
        assert_eq!(
            stored,
            [
                "head.head.weight",
                "head.tail.0.0.weight",
                "head.tail.0.1.weight",
                "head.tail.1.0.weight",
                "head.tail.1.1.weight",
                "embedding.embeddings.0.1.weight"
            ]
        );
        let all = export(&parameters, &layer);
        assert_eq!(all["embedding.embeddings.0.0.weight"].shape, [2, 8]);
        assert_eq!(all["embedding.embeddings.0.0.weight"].values[..], all["head.head.weight"].values[..16]);
        assert_eq!(all["embedding.embeddings.1.0.weight"], all["head.tail.0.1.weight"]);
        assert_eq!(all["embedding.embeddings.2.1.weight"].shape, [8, 2]);
        // Read with both names, and with one.
        for tensors in
            [all.clone(), parameters.iter().map(|(_, p)| (p.name.clone(), all[&p.name].clone())).collect()]
        {
            let mut builder = Builder::stored(tensors);
            tied(&mut builder, true)?;
            assert_eq!(builder.finish()?, parameters);
        }
        // Weights that are said to be one and are two.
        for name in ["embedding.embeddings.0.0.weight", "embedding.embeddings.2.1.weight"] {
            let mut other = all.clone();
            other.entry(name.into()).and_modify(|tensor| tensor.values[1] += 1.0);
            let error = tied(&mut Builder::stored(other), true).err();
            assert!(
                matches!(&error, Some(BuildError::Tied { name: found, .. }) if found == name),
                "{error:?}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_word_beyond_the_vocabulary_is_a_mistake() -> Result<(), BuildError> {
        let mut builder = Builder::fresh(3);
        let (_, layer) = tied(&mut builder, true)?;
        let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
        let error = block_on(layer.forward(&graph, &[3, 10]).value()).expect_err("there are ten words");
        assert!(error.to_string().starts_with("adaptive_input: index 10 is not below 10"), "{error}");
        Ok(())
    }
}
