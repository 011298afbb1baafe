//! The attributes of operations in words, for reports.

use crate::device::{CellKind, Op, ParamId, Parameters, Pool, SemiringProduct, Skim, SkimMode, Sru, Unary};

/// What differs between two operations of a name, of each with its value in it.
pub(super) fn differing(parameters: &Parameters, this: &Op, other: &Op) -> [String; 2] {
    let of = |op| {
        let mut list = List { parameters, all: Vec::new() };
        list.add(op);
        list.all
    };
    let [this, other] = [of(this), of(other)];
    let without = |all: &[Attribute], others: &[Attribute]| {
        let own = all.iter().filter(|attribute| !others.contains(attribute));
        own.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    };
    let said = [without(&this, &other), without(&other, &this)];
    // Cells of a name.
    if said[0] == said[1] { ["one function of this name", "another"].map(str::to_owned) } else { said }
}

type Attribute = (&'static str, String);

/// Every attribute has a value, so that two operations of a name that differ in one differ in its value alone.
struct List<'p> {
    parameters: &'p Parameters,
    all: Vec<Attribute>,
}

impl List<'_> {
    fn put(&mut self, name: &'static str, value: impl ToString) {
        self.all.push((name, value.to_string()));
    }

    fn parameter(&mut self, name: &'static str, id: impl Into<Option<ParamId>>) {
        let value = id.into().map_or("none", |id| &self.parameters.get(id).name);
        self.all.push((name, value.to_owned()));
    }

    fn flag(&mut self, name: &'static str, is_so: bool) {
        self.put(name, if is_so { "yes" } else { "no" });
    }

    fn add(&mut self, op: &Op) {
        match op {
            Op::Embedding { table } => self.parameter("table", *table),
            Op::Affine { weight, bias } => {
                self.parameter("weight", weight.param);
                self.put("first input", weight.first);
                self.put("inputs", weight.inputs);
                self.flag("inputs by rows", weight.input_major);
                self.parameter("bias", *bias);
            }
            Op::Semiring(SemiringProduct { weight, transposed, .. }) => {
                self.parameter("weight", *weight);
                self.flag("transposed", *transposed);
            }
            Op::Unary(Unary::Scale(factor)) => self.put("factor", factor.0),
            Op::Columns { start, count } => {
                self.put("first column", start);
                self.put("columns", count);
            }
            Op::Pool(pool) => {
                let rows = match pool {
                    Pool::Last => "last row",
                    Pool::Sum => "sum",
                    Pool::Mean => "mean",
                    Pool::Max => "maximum",
                };
                self.put("the", rows);
            }
            Op::Dropout { rate, per_sequence } => {
                self.put("rate", rate.0);
                self.flag("one mask for all rows", *per_sequence);
            }
            Op::LayerNorm { weight, bias } => {
                self.parameter("weight", *weight);
                self.parameter("bias", *bias);
            }
            Op::Recurrence { cell, weight_hh, bias_hh, reverse, initial, inspect } => {
                self.flag("ReLU", *cell == CellKind::ElmanRelu);
                self.parameter("recurrent weight", *weight_hh);
                self.parameter("recurrent bias", *bias_hh);
                self.flag("from the last row", *reverse);
                self.states(*initial, *inspect);
            }
            Op::Sru(sru) => self.sru(sru),
            Op::Skim(skim) => self.skim(skim),
            Op::Step(step) => {
                self.add(&step.product);
                self.add(&step.recurrence);
            }
            _ => {}
        }
    }

    fn states(&mut self, initial: bool, inspect: bool) {
        self.flag("initial state", initial);
        self.flag("gates put out", inspect);
    }

    fn sru(&mut self, sru: &Sru) {
        self.parameter("memory's weight", sru.weight_c);
        self.parameter("gates' bias", sru.bias);
        self.parameter("scale", sru.scale);
        self.flag("skip input", sru.skip);
        self.flag("tanh", sru.use_tanh);
        self.flag("both directions", sru.bidirectional);
        self.put("dropout", sru.dropout.0);
        self.states(sru.initial, sru.inspect);
    }

    fn skim(&mut self, skim: &Skim) {
        self.flag("LSTM", skim.cell == CellKind::Lstm);
        self.put("hidden size", skim.hidden);
        self.put("small size", skim.small);
        self.put("values that the small cell reads", skim.small_reads);
        self.parameter("input weight", skim.big_weight_ih);
        self.parameter("input bias", skim.big_bias_ih);
        self.parameter("recurrent weight", skim.big_weight_hh);
        self.parameter("recurrent bias", skim.big_bias_hh);
        self.parameter("small weight", skim.small_hh.map(|(weight, _)| weight));
        self.parameter("small bias", skim.small_hh.map(|(_, bias)| bias));
        self.parameter("decision's weight", skim.decision_weight);
        match skim.mode {
            SkimMode::Hard { threshold } => self.put("threshold", threshold.0),
            SkimMode::Soft { temperature, given_noise } => {
                self.put("temperature", temperature.0);
                self.flag("noise given", given_noise);
            }
        }
        self.states(skim.initial, skim.inspect);
    }
}
