//! The tensors of a layer in somebody else's file, under the names that the layer has.
//!
//! What PyTorch and its users write is taken for what it means: a tensor that `safetensors.torch.save_model` stored once
//! for two names; a weight as direction and length (`weight_norm`, old and new); the raw weight of a weight drop; the
//! names of a single cell (`nn.LSTMCell`). Beside that, tensors and layer must agree as `load_state_dict` has it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::ModelError;
use super::error::Mismatch;
use super::header::{Entry, Header};
use crate::nn::{Tensor, Tensors};

/// The ending of a weight before weight drop.
const RAW: &str = "_raw";
/// Endings of a weight's direction and of its length: of `weight_norm`, and of its parametrisation.
const NORMED: [(&str, &str); 2] = [("_v", "_g"), (".original1", ".original0")];
const PARAMETRIZATIONS: &str = "parametrizations.";
/// The names of a single cell's tensors; a stack's have the number of the layer behind them.
const CELL: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
const FIRST: &str = "_l0";

/// A tensor of the file by its name there.
type Stored<'a> = (&'a str, &'a Entry);

/// The tensors whose names begin with a prefix.
pub(super) struct StateDict<'a> {
    header: &'a Header,
    prefix: &'a str,
    /// Whether the file has the names of a single cell.
    is_cell: bool,
    tensors: BTreeMap<String, Source<'a>>,
}

/// What a tensor is made of.
#[derive(Clone, Copy)]
enum Source<'a> {
    Whole(Stored<'a>),
    /// `length * direction / |direction|`, with the norm over the dimensions that the length has not.
    Normed {
        direction: Stored<'a>,
        length: Stored<'a>,
    },
}

impl<'a> Source<'a> {
    fn stored(&self) -> Stored<'a> {
        let (Self::Whole(stored) | Self::Normed { direction: stored, .. }) = *self;
        stored
    }
}

impl<'a> StateDict<'a> {
    /// The tensors under `prefix`, by their names without it. The raw weights of a weight drop may stand beside the
    /// `module.` that it wraps.
    pub(super) fn under(header: &'a Header, prefix: &'a str) -> Self {
        let mut stored = named(header, prefix);
        if let Some(outer) = prefix.strip_suffix("module.") {
            let beside = named(header, outer).into_iter();
            stored.extend(beside.filter(|(name, _)| name.ends_with(RAW) && !name.contains('.')));
        }
        let mut sources = Vec::new();
        for (&name, &whole) in &stored {
            // Of a weight that is there whole, too, what else there is of it is no part.
            let part = normed(name).filter(|(base, ..)| !stored.contains_key(base.as_str()));
            let part = part
                .and_then(|(base, other, is_length)| Some((base, *stored.get(other.as_str())?, is_length)));
            match part {
                Some((_, _, true)) => {}
                Some((base, length, false)) => {
                    sources.push((base, Source::Normed { direction: whole, length }));
                }
                // The raw weight follows the one that was last dropped from it, and replaces it.
                None => {
                    let name = name.strip_suffix(RAW).unwrap_or(name);
                    sources.push((name.to_owned(), Source::Whole(whole)));
                }
            }
        }
        let of_cell = |name: &str| CELL.contains(&name);
        let is_cell = sources.iter().any(|(name, _)| of_cell(name))
            && !sources.iter().any(|(name, _)| name.strip_suffix(FIRST).is_some_and(of_cell));
        // Renamed before they are in a tree, which would have to be balanced.
        let mut tensors = BTreeMap::new();
        for (mut name, source) in sources {
            if is_cell && of_cell(&name) {
                name.push_str(FIRST);
            }
            tensors.insert(name, source);
        }
        Self { header, prefix, is_cell, tensors }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    pub(super) fn shape(&self, name: &str) -> Option<&'a [usize]> {
        self.tensors.get(name).map(|source| source.stored().1.shape.0.as_slice())
    }

    /// The name that a tensor has in the file, or would have.
    pub(super) fn whole_name(&self, name: &str) -> String {
        let name = if self.is_cell { name.strip_suffix(FIRST).unwrap_or(name) } else { name };
        format!("{}{name}", self.prefix)
    }

    /// Holds names and shapes against those that a layer asks for.
    pub(super) fn check(&self, wanted: &[(String, Vec<usize>)]) -> Result<(), ModelError> {
        let mut mismatch = Mismatch::default();
        for (name, shape) in wanted {
            match self.shape(name) {
                None => mismatch.missing.push((self.whole_name(name), shape.clone())),
                Some(found) if found != shape => {
                    mismatch.shapes.push((self.whole_name(name), shape.clone(), found.to_vec()));
                }
                Some(_) => {}
            }
        }
        let mut names = BTreeSet::new();
        names.extend(wanted.iter().map(|(name, _)| name.as_str()));
        for (name, source) in self.tensors.iter().filter(|(name, _)| !names.contains(name.as_str())) {
            let (stored, entry) = source.stored();
            let name =
                if stored.starts_with(self.prefix) { stored.to_owned() } else { self.whole_name(name) };
            mismatch.unexpected.push((name, entry.shape.0.clone()));
        }
        if mismatch == Mismatch::default() { Ok(()) } else { Err(ModelError::Mismatch(Box::new(mismatch))) }
    }

    /// The numbers of all tensors.
    pub(super) fn tensors(&self, data: &[u8]) -> Result<Tensors, ModelError> {
        let decode = |(name, entry): Stored<'_>| self.header.finite(name, entry, data);
        let tensor = |source: &Source<'_>| match *source {
            Source::Whole(stored) => decode(stored),
            Source::Normed { direction, length } => fold(direction.0, decode(direction)?, &decode(length)?),
        };
        let mut tensors = Tensors::new();
        for (name, source) in &self.tensors {
            tensors.insert(name.clone(), tensor(source)?);
        }
        Ok(tensors)
    }
}

/// The tensors under a prefix, by their names without it; those that share another's numbers have no entry of their own,
/// and the metadata names the other.
fn named<'a>(header: &'a Header, prefix: &str) -> BTreeMap<&'a str, Stored<'a>> {
    let from = (Bound::Included(prefix), Bound::Unbounded);
    let under = header.entries.range::<str, _>(from).take_while(|(name, _)| name.starts_with(prefix));
    let under = under.filter(|(name, _)| header.scaled(name).is_none());
    let mut found = BTreeMap::new();
    found.extend(under.map(|(name, entry)| (&name[prefix.len()..], (name.as_str(), entry))));
    let shared = header.metadata.range::<str, _>(from).take_while(|(name, _)| name.starts_with(prefix));
    for (name, stored) in shared {
        if let (Some(name), Some((stored, entry))) =
            (name.strip_prefix(prefix), header.entries.get_key_value(stored))
        {
            found.entry(name).or_insert((stored, entry));
        }
    }
    found
}

/// Of a direction or a length: the name of its weight, that of its counterpart, and whether it is the length.
fn normed(name: &str) -> Option<(String, String, bool)> {
    NORMED
        .iter()
        .flat_map(|&(direction, length)| [(direction, length, false), (length, direction, true)])
        .find_map(|(ending, other, is_length)| {
            let stem = name.strip_suffix(ending)?;
            let base = if ending.starts_with('.') {
                let (scope, base) = stem.rsplit_once(PARAMETRIZATIONS)?;
                format!("{scope}{base}")
            } else {
                stem.to_owned()
            };
            Some((base, format!("{stem}{other}"), is_length))
        })
}

/// `length * direction / |direction|`, as `torch.nn.utils.weight_norm` computes it.
fn fold(name: &str, direction: Tensor, length: &Tensor) -> Result<Tensor, ModelError> {
    let Tensor { shape, mut values } = direction;
    // A length of no dimension is one for all.
    let of = if length.shape.is_empty() { vec![1; shape.len()] } else { length.shape.clone() };
    if of.len() != shape.len() || of.iter().zip(&shape).any(|(&l, &d)| l != d && l != 1) {
        let expected = format!("a length of each part of shape {shape:?}");
        return Err(ModelError::tensor(name, expected, format!("lengths of shape {:?}", length.shape)));
    }
    let part = |mut index: usize| {
        let (mut part, mut stride) = (0, 1);
        for (&l, &d) in of.iter().zip(&shape).rev() {
            part += if l == 1 { 0 } else { index % d * stride };
            index /= d;
            stride *= l;
        }
        part
    };
    let mut squares = vec![0.0_f64; length.values.len()];
    values.iter().enumerate().for_each(|(i, &v)| squares[part(i)] += f64::from(v) * f64::from(v));
    for (i, value) in values.iter_mut().enumerate() {
        let part = part(i);
        *value = (f64::from(*value) * f64::from(length.values[part]) / squares[part].sqrt()) as f32;
    }
    super::checkpoint::check_finite(name, &values)?;
    Ok(Tensor { shape, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(shapes: &[(&str, &[usize])], prefix: &str) -> Vec<String> {
        StateDict::under(&Header::of(shapes), prefix).names().map(str::to_owned).collect()
    }

    #[test]
    fn tensors_have_the_names_of_the_layer() {
        let cell: &[(&str, &[usize])] = &[("weight_ih", &[8, 3]), ("weight_hh", &[8, 2]), ("bias_ih", &[8])];
        assert_eq!(names(cell, ""), ["bias_ih_l0", "weight_hh_l0", "weight_ih_l0"]);
        let both: &[(&str, &[usize])] = &[("weight_ih", &[8, 3]), ("weight_ih_l0", &[8, 3])];
        assert_eq!(names(both, ""), ["weight_ih", "weight_ih_l0"]);
        let normed: &[(&str, &[usize])] = &[
            ("e.a_g", &[2, 1]),
            ("e.a_v", &[2, 3]),
            ("e.parametrizations.b.original0", &[1, 3]),
            ("e.parametrizations.b.original1", &[2, 3]),
        ];
        assert_eq!(names(normed, "e."), ["a", "b"]);
        assert_eq!(names(normed, ""), ["e.a", "e.b"]);
        // Half of a weight is none, and beside a whole one it is something else.
        assert_eq!(names(&[("a_g", &[2, 1]), ("b_v", &[2, 1])], ""), ["a_g", "b_v"]);
        let whole: &[(&str, &[usize])] = &[("a", &[2, 1]), ("a_g", &[2, 1]), ("a_v", &[2, 1])];
        assert_eq!(names(whole, ""), ["a", "a_g", "a_v"]);
    }

    #[test]
    fn the_raw_weight_of_a_weight_drop_is_the_weight() {
        let inside: &[(&str, &[usize])] = &[("module.w", &[1]), ("module.w_raw", &[2])];
        let around: &[(&str, &[usize])] = &[("module.w", &[1]), ("w_raw", &[2]), ("other.v_raw", &[3])];
        for file in [inside, around] {
            let header = Header::of(file);
            let found = StateDict::under(&header, "module.");
            assert_eq!((found.names().collect::<Vec<_>>(), found.shape("w")), (vec!["w"], Some(&[2][..])));
        }
    }

    #[test]
    fn a_tensor_that_shares_anothers_numbers_is_that_tensor() {
        let mut header = Header::of(&[("a.w", &[2, 3]), ("b.v", &[1])]);
        for (name, stored) in [("b.w", "a.w"), ("b.v", "a.w"), ("b.x", "nowhere"), ("format", "pt")] {
            header.metadata.insert(name.into(), stored.into());
        }
        let found = StateDict::under(&header, "b.");
        assert_eq!(found.names().collect::<Vec<_>>(), ["v", "w"]);
        assert_eq!((found.shape("v"), found.shape("w")), (Some(&[1][..]), Some(&[2, 3][..])));
    }

    #[test]
    fn all_that_differs_is_reported_under_its_name_in_the_file() {
        let header = Header::of(&[("e.weight_ih", &[8, 3]), ("e.weight_hh", &[8, 2]), ("e.more_raw", &[1])]);
        let wanted = [("weight_ih_l0", vec![8, 3]), ("weight_hh_l0", vec![8, 4]), ("bias_ih_l0", vec![8])];
        let wanted = wanted.map(|(name, shape)| (name.to_owned(), shape));
        let error = StateDict::under(&header, "e.").check(&wanted).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the tensors are not those of the layer: missing: \"e.bias_ih\" [8]; unexpected: \"e.more_raw\" [1]; \
             of another shape: \"e.weight_hh\" [8, 2] instead of [8, 4]"
        );
        assert_eq!(error.code(), "MODEL_TENSORS");
        let many: Vec<_> = (10..40).map(|i| (format!("w{i}"), vec![1])).collect();
        let error = StateDict::under(&header, "nothing.").check(&many).unwrap_err().to_string();
        assert!(error.ends_with("\"nothing.w17\" [1] and 22 more"), "{error}");
    }

    #[test]
    fn lengths_are_of_the_dimensions_that_they_have() {
        let direction = || Tensor { shape: vec![2, 2], values: vec![3.0, 4.0, 6.0, 8.0] };
        let folded = |shape: &[usize], values: &[f32]| {
            fold("w", direction(), &Tensor { shape: shape.to_vec(), values: values.to_vec() })
        };
        assert_eq!(folded(&[2, 1], &[1.0, -5.0]).unwrap().values, [0.6, 0.8, -3.0, -4.0]);
        let columns = folded(&[1, 2], &[45.0_f32.sqrt(), 80.0_f32.sqrt()]).unwrap().values;
        assert!(columns.iter().zip(direction().values).all(|(a, b)| (a - b).abs() < 1e-6), "{columns:?}");
        let all = folded(&[], &[125.0_f32.sqrt()]).unwrap().values;
        assert!(all.iter().zip(direction().values).all(|(a, b)| (a - b).abs() < 1e-6), "{all:?}");
        for shape in [&[2][..], &[2, 1, 1], &[3, 1]] {
            let error = folded(shape, &[1.0; 3][..shape.iter().product()]).unwrap_err();
            assert!(error.to_string().contains("a length of each part of shape [2, 2]"), "{error}");
        }
        let zeros = fold(
            "w",
            Tensor { shape: vec![1], values: vec![0.0] },
            &Tensor { shape: vec![1], values: vec![1.0] },
        );
        assert_eq!(zeros.unwrap_err().code(), "MODEL_INVALID");
    }
}
