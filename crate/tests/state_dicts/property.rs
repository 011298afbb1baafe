//! Damaged `state_dict`s, made of a stream of choices, and what must hold for each. The fuzz target makes them of its bytes.

use saccade_rnn::model::{ModelError, SequenceLayer, StoredLayer};
use serde_json::{Map, Value, json};

use crate::oracle::{Layer, Report, Shapes, report};

/// A layer, and the tensors that a file has under a prefix.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) layer: Layer,
    pub(crate) prefix: &'static str,
    pub(crate) given: Shapes,
    /// The tensor whose numbers are of another type, and the type; F32 are all others.
    pub(crate) dtype: Option<(String, &'static str)>,
}

const PREFIXES: [&str; 4] = ["", "encoder.", "module.encoder.", "_orig_mod."];
/// With the bytes of a number.
const DTYPES: [(&str, usize); 10] = [
    ("F64", 8),
    ("F16", 2),
    ("BF16", 2),
    ("I64", 8),
    ("BOOL", 1),
    ("I8", 1),
    ("U8", 1),
    ("F8_E4M3", 1),
    ("C64", 8),
    ("Q9", 3),
];
const FLOATS: [&str; 3] = ["F64", "F16", "BF16"];

impl Case {
    /// A case of choices: `choose(n)` is below n.
    pub(crate) fn new(mut choose: impl FnMut(usize) -> usize) -> Self {
        let layer = layer(&mut choose);
        let mut given = layer.shapes();
        for _ in 0..choose(4) {
            damage(&mut given, &mut choose);
        }
        let named = |at: usize| given.keys().nth(at).cloned().unwrap_or_default();
        let dtype =
            (choose(3) == 0 && !given.is_empty()).then(|| (named(choose(given.len())), DTYPES[choose(10)].0));
        Self { prefix: PREFIXES[choose(PREFIXES.len())], layer, given, dtype }
    }

    /// The file, beside whose layer there is something else, unless its names have no prefix.
    fn file(&self) -> Vec<u8> {
        let mut end = 0;
        let mut header = Map::new();
        let mut add = |name: String, dtype: &str, shape: &[usize]| {
            let width = DTYPES.iter().find(|(name, _)| *name == dtype).map_or(4, |(_, width)| *width);
            let begin = end;
            end += width * shape.iter().product::<usize>();
            header.insert(name, json!({"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}));
        };
        for (name, shape) in &self.given {
            let other = self.dtype.as_ref().filter(|(other, _)| other == name);
            add(format!("{}{name}", self.prefix), other.map_or("F32", |(_, dtype)| dtype), shape);
        }
        if !self.prefix.is_empty() {
            add("norm.num_batches_tracked".into(), "I64", &[]);
        }
        let header = Value::Object(header).to_string();
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; end]].concat()
    }

    /// What PyTorch reports.
    pub(crate) fn expected(&self) -> Report {
        report(&self.layer.shapes(), &self.given)
    }

    /// The layer opens where PyTorch's own loader takes the tensors, and where not, the same is reported.
    pub(crate) fn check(&self) {
        let expected = self.expected();
        let is_read = |dtype: &str| FLOATS.contains(&dtype);
        let other_dtype = self.dtype.as_ref().is_some_and(|(_, dtype)| !is_read(dtype));
        let file = self.file();
        let stored: StoredLayer = serde_json::from_value(self.stored()).expect("arguments of the layer");
        match SequenceLayer::from_bytes(&file, self.prefix, &stored) {
            Ok(layer) => {
                assert_eq!((&expected, other_dtype), (&Report::default(), false), "{self:?} opens");
                assert_eq!(layer.input_size(), self.layer.sizes["input_size"].as_u64().unwrap_or(0) as usize);
            }
            Err(ModelError::Mismatch(found)) => {
                let names = |list: Vec<String>| {
                    let short = |name: String| name.strip_prefix(self.prefix).expect("its prefix").to_owned();
                    let mut names: Vec<String> = list.into_iter().map(short).collect();
                    names.sort();
                    names
                };
                let found = Report {
                    missing: names(found.missing.into_iter().map(|(name, _)| name).collect()),
                    unexpected: names(found.unexpected.into_iter().map(|(name, _)| name).collect()),
                    shapes: names(found.shapes.into_iter().map(|(name, ..)| name).collect()),
                };
                assert_eq!(found, expected, "{self:?}");
            }
            // Nothing that tells such a layer, or what tells another.
            Err(ModelError::NoLayer { .. }) => {
                assert!(
                    !(expected.missing.is_empty() && expected.shapes.is_empty()),
                    "{self:?} is not found"
                );
            }
            Err(error @ (ModelError::Dtype { .. } | ModelError::Tensor { .. })) => {
                assert_eq!((&expected, other_dtype), (&Report::default(), true), "{self:?}: {error}");
            }
            Err(error) => panic!("{self:?}: {error}"),
        }
        self.check_alone(&file, &expected, other_dtype);
    }

    /// With no size given, what opens is what the tensors are, no more and no less.
    fn check_alone(&self, file: &[u8], expected: &Report, other_dtype: bool) {
        let mut arguments = self.stored();
        if let Some(arguments) = arguments.as_object_mut() {
            // These say what no shape can.
            arguments.retain(|name, _| {
                name == "type"
                    || self.layer.kind == "sru" && (name == "bidirectional" || name == "hasSkipTerm")
            });
        }
        let stored: StoredLayer = serde_json::from_value(arguments).expect("arguments of the layer");
        match SequenceLayer::from_bytes(file, self.prefix, &stored) {
            Ok(mut layer) => {
                let parameters = layer.parameters_mut().iter();
                // A product of two weights has both their names.
                let own = parameters
                    .filter(|(_, p)| !p.name.contains(' '))
                    .map(|(_, p)| (p.name.clone(), p.shape.clone()));
                assert_eq!((own.collect::<Shapes>(), other_dtype), (self.given.clone(), false), "{self:?}");
            }
            Err(error) => {
                assert!(*expected != Report::default() || other_dtype, "{self:?}: {error}");
                assert!(error.code().starts_with("MODEL_") && error.to_string().len() < 4_000, "{error}");
            }
        }
    }

    /// The layer as ours, all its sizes given.
    fn stored(&self) -> Value {
        let mut arguments = Map::from_iter([("type".to_owned(), Value::from(self.layer.kind.clone()))]);
        for (name, value) in &self.layer.sizes {
            let mut words = name.split('_');
            let first = words.next().unwrap_or_default().to_owned();
            let camel = words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..]);
            arguments.insert(camel, value.clone());
        }
        Value::Object(arguments)
    }
}

fn layer(choose: &mut impl FnMut(usize) -> usize) -> Layer {
    let kind = ["elman", "lstm", "gru", "sru", "skim"][choose(5)];
    let (input_size, hidden_size, num_layers) = (1 + choose(4), 2 + choose(3), 1 + choose(3));
    let (one, two) = (choose(2) == 1, choose(2) == 1);
    let sizes = match kind {
        "sru" => json!({
            "input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers, "bidirectional": one,
            "layer_norm": two, "has_skip_term": choose(4) > 0, "projection_size": choose(3),
        }),
        "skim" => json!({
            "input_size": input_size, "hidden_size": hidden_size, "small_size": choose(hidden_size),
            "cell": if one { "lstm" } else { "gru" }, "small_reads": if two { "all" } else { "slice" },
        }),
        _ => json!({
            "input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers, "bidirectional": one,
            "bias": two, "proj_size": if kind == "lstm" { choose(hidden_size) } else { 0 },
        }),
    };
    Layer { kind: kind.to_owned(), sizes: sizes.as_object().cloned().unwrap_or_default() }
}

/// One thing that is not as it was: a tensor less, one more, one renamed, two exchanged, one of another shape.
fn damage(given: &mut Shapes, choose: &mut impl FnMut(usize) -> usize) {
    let Some(name) = given.keys().nth(choose(given.len().max(1))).cloned() else { return };
    let Some(shape) = given.get(&name).cloned() else { return };
    match choose(7) {
        0 => drop(given.remove(&name)),
        1 => drop(given.insert(format!("{name}{}", choose(10)), shape)),
        2 => {
            given.remove(&name);
            let renamed = [
                name.replace("_ih", "_hh"),
                name.replace("l0", "l1"),
                format!("{name}_reverse"),
                name.replace('0', "7"),
            ];
            given.insert(renamed[choose(4)].clone(), shape);
        }
        3 => {
            let other = given.keys().nth(choose(given.len())).cloned().unwrap_or_default();
            if let Some(others) = given.insert(other, shape) {
                given.insert(name, others);
            }
        }
        4 => drop(given.insert(name, shape.into_iter().rev().collect())),
        5 => drop(given.insert(name, shape.into_iter().map(|size| size + choose(2)).collect())),
        _ => drop(given.insert(name, [shape, vec![1; choose(8)]].concat())),
    }
}
