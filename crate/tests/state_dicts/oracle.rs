//! What `load_state_dict(strict=True)` reports, in plain Rust: PyTorch's rule, and the names and shapes of its layers.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Names and shapes.
pub(crate) type Shapes = BTreeMap<String, Vec<usize>>;

/// A layer by its arguments, under the names of the original.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// `elman`, `lstm`, `gru`, `sru` or `skim`.
    pub(crate) kind: String,
    pub(crate) sizes: Map<String, Value>,
}

/// Names, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Report {
    pub(crate) missing: Vec<String>,
    pub(crate) unexpected: Vec<String>,
    /// Of another shape.
    pub(crate) shapes: Vec<String>,
}

/// What PyTorch finds wrong with tensors for a layer that has others.
pub(crate) fn report(layer: &Shapes, given: &Shapes) -> Report {
    let other = |name: &&String| given.get(*name).is_some_and(|shape| *shape != layer[*name]);
    Report {
        missing: layer.keys().filter(|name| !given.contains_key(*name)).cloned().collect(),
        unexpected: given.keys().filter(|name| !layer.contains_key(*name)).cloned().collect(),
        shapes: layer.keys().filter(other).cloned().collect(),
    }
}

impl Layer {
    fn size(&self, name: &str) -> usize {
        self.sizes.get(name).and_then(Value::as_u64).unwrap_or(0) as usize
    }

    fn is(&self, name: &str, default: bool) -> bool {
        self.sizes.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// Its `state_dict`.
    pub(crate) fn shapes(&self) -> Shapes {
        match self.kind.as_str() {
            "elman" => self.recurrent(1),
            "gru" => self.recurrent(3),
            "lstm" => self.recurrent(4),
            "sru" => self.sru(),
            "skim" => self.skim(),
            kind => panic!("no layer {kind}"),
        }
    }

    fn recurrent(&self, gates: usize) -> Shapes {
        let (hidden, projected) = (self.size("hidden_size"), self.size("proj_size"));
        let state = if projected > 0 { projected } else { hidden };
        let sides: &[&str] = if self.is("bidirectional", false) { &["", "_reverse"] } else { &[""] };
        let mut shapes = Shapes::new();
        for i in 0..self.size("num_layers") {
            let inputs = if i == 0 { self.size("input_size") } else { state * sides.len() };
            for side in sides {
                let mut add =
                    |name: &str, shape: &[usize]| shapes.insert(format!("{name}_l{i}{side}"), shape.to_vec());
                add("weight_ih", &[gates * hidden, inputs]);
                add("weight_hh", &[gates * hidden, state]);
                if self.is("bias", true) {
                    add("bias_ih", &[gates * hidden]);
                    add("bias_hh", &[gates * hidden]);
                }
                if projected > 0 {
                    add("weight_hr", &[projected, hidden]);
                }
            }
        }
        shapes
    }

    fn sru(&self) -> Shapes {
        let d = self.size("hidden_size") * if self.is("bidirectional", false) { 2 } else { 1 };
        let p = self.size("projection_size");
        let mut shapes = Shapes::new();
        for i in 0..self.size("num_layers") {
            let inputs = if i == 0 { self.size("input_size") } else { d };
            let matrices = if self.is("has_skip_term", true) && inputs != d { 4 } else { 3 };
            let is_projected = 0 < p && p < inputs && p < d;
            let mut add =
                |name: &str, shape: &[usize]| shapes.insert(format!("rnn_lst.{i}.{name}"), shape.to_vec());
            add("weight", &[if is_projected { p } else { inputs }, d * matrices]);
            if is_projected {
                add("weight_proj", &[inputs, p]);
            }
            add("weight_c", &[2 * d]);
            add("bias", &[2 * d]);
            add("scale_x", &[1]);
            if self.is("layer_norm", false) {
                add("layer_norm.weight", &[inputs]);
                add("layer_norm.bias", &[inputs]);
            }
        }
        shapes
    }

    fn skim(&self) -> Shapes {
        let text = |name: &str| self.sizes[name].as_str().unwrap_or_default();
        let (hidden, small, inputs) =
            (self.size("hidden_size"), self.size("small_size"), self.size("input_size"));
        let gates = if text("cell") == "lstm" { 4 } else { 3 };
        let mut shapes = Shapes::new();
        let mut add = |name: &str, shape: &[usize]| shapes.insert(name.to_owned(), shape.to_vec());
        let reads = if text("small_reads") == "all" { hidden } else { small };
        for (cell, rows, state) in [("big", gates * hidden, hidden), ("small", gates * small, reads)] {
            if rows > 0 {
                add(&format!("{cell}.weight_ih"), &[rows, inputs]);
                add(&format!("{cell}.weight_hh"), &[rows, state]);
                add(&format!("{cell}.bias_ih"), &[rows]);
                add(&format!("{cell}.bias_hh"), &[rows]);
            }
        }
        add("decision.weight", &[2, inputs + hidden]);
        add("decision.bias", &[2]);
        shapes
    }
}
