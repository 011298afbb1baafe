//! One fixture file: the case it describes and its tensors.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use saccade_rnn::nn::{Tensor, Tensors};
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;

/// What a reference was given and what it computed.
pub(crate) struct Fixture {
    /// `family/case`.
    pub(crate) name: String,
    config: serde_json::Value,
    reals: Tensors,
    integers: BTreeMap<String, Vec<u32>>,
}

impl Fixture {
    /// All files of a family whose names begin with `prefix`, of which there are at least `least`.
    pub(crate) fn all(family: &str, prefix: &str, least: usize) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(family);
        let mut found: Vec<Self> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
            .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
            .filter(|(case, _)| case.starts_with(prefix))
            .map(|(case, path)| Self::read(format!("{family}/{case}"), &path))
            .collect();
        assert!(found.len() >= least, "{family}/{prefix}*: {} files, expected {least}", found.len());
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    fn read(name: String, path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let case = &header.metadata().as_ref().expect("metadata")["case"];
        let mut config: serde_json::Value = serde_json::from_str(case).unwrap();
        config.as_object_mut().expect("an object").remove("versions").expect("versions of the references");
        let (mut reals, mut integers) = (Tensors::new(), BTreeMap::new());
        for (tensor, view) in SafeTensors::deserialize(&bytes).unwrap().iter() {
            let words = view.data().as_chunks::<4>().0.iter().copied();
            match view.dtype() {
                Dtype::F32 => {
                    let values = words.map(f32::from_le_bytes).collect();
                    reals.insert(tensor.to_owned(), Tensor { shape: view.shape().to_vec(), values });
                }
                Dtype::I32 => {
                    integers.insert(tensor.to_owned(), words.map(u32::from_le_bytes).collect());
                }
                other => panic!("{name}: {tensor} is stored as {other:?}"),
            }
        }
        Self { name, config, reals, integers }
    }

    /// The case's description.
    pub(crate) fn config<C: DeserializeOwned>(&self) -> C {
        serde_json::from_value(self.config.clone()).unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// The `state_dict`.
    pub(crate) fn state_dict(&self) -> Tensors {
        let named = |(name, tensor): (&String, &Tensor)| {
            Some((name.strip_prefix("param.")?.to_owned(), tensor.clone()))
        };
        self.reals.iter().filter_map(named).collect()
    }

    /// Shape and values of a tensor of real numbers.
    pub(crate) fn reals(&self, name: &str) -> Option<(&[usize], &[f32])> {
        self.reals.get(name).map(|tensor| (&tensor.shape[..], &tensor.values[..]))
    }

    /// Values of a tensor of integers.
    pub(crate) fn integers(&self, name: &str) -> Option<&[u32]> {
        self.integers.get(name).map(Vec::as_slice)
    }

    /// Names of all tensors that begin with `prefix`, without it.
    pub(crate) fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.reals.keys().chain(self.integers.keys()).filter_map(move |name| name.strip_prefix(prefix))
    }

    /// The values that a result should have; integers as real numbers.
    pub(crate) fn expected(&self, name: &str) -> Vec<f32> {
        match (self.reals.get(name), self.integers.get(name)) {
            (Some(tensor), _) => tensor.values.clone(),
            (None, Some(values)) => values.iter().map(|&v| v as f32).collect(),
            (None, None) => panic!("{} has no {name}", self.name),
        }
    }
}
