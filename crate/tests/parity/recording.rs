//! A fixture's sequences on a graph: its tensors cut into one expression per sequence and state, and results joined
//! again in the order in which the file stores them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use saccade_rnn::device::Pool;
use saccade_rnn::graph::{Expr, Graph};

use crate::fixture::Fixture;

/// Values by tensor name, without the prefix that says what they are.
pub(crate) type Results = BTreeMap<String, Vec<f32>>;

/// Expressions by tensor name, in stored order.
type Pieces<'g> = BTreeMap<&'static str, Vec<Expr<'g>>>;

/// A case as it is being recorded.
pub(crate) struct Recording<'g> {
    /// Where.
    pub(crate) graph: &'g Graph,
    fixture: &'g Fixture,
    variables: Pieces<'g>,
    outputs: Pieces<'g>,
    /// Names of the `input.*` tensors that were read.
    used: RefCell<BTreeSet<&'static str>>,
}

impl<'g> Recording<'g> {
    /// Nothing recorded.
    pub(crate) fn new(graph: &'g Graph, fixture: &'g Fixture) -> Self {
        let (variables, outputs, used) = Default::default();
        Self { graph, fixture, variables, outputs, used }
    }

    fn reals(&self, name: &'static str) -> Option<(&'g [usize], &'g [f32])> {
        self.used.borrow_mut().insert(name);
        self.fixture.reals(&format!("input.{name}"))
    }

    /// `input.<name>`, integers.
    pub(crate) fn integers(&self, name: &'static str) -> Option<&'g [u32]> {
        self.used.borrow_mut().insert(name);
        self.fixture.integers(&format!("input.{name}"))
    }

    /// Rows of every sequence.
    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.integers("lengths").expect("lengths").iter().map(|&length| length as usize).collect()
    }

    /// How many rows `input.<name>` has.
    pub(crate) fn rows(&self, name: &'static str) -> usize {
        self.reals(name).map_or(0, |(shape, _)| shape[0])
    }

    /// `input.<name> [sum of lengths, columns]`, a variable per sequence.
    pub(crate) fn sequences(&mut self, name: &'static str, lengths: &[usize]) -> Vec<Expr<'g>> {
        let (shape, values) = self.reals(name).unwrap_or_else(|| panic!("no input.{name}"));
        let pieces: Vec<_> = cut(values, lengths, shape[1])
            .map(|(rows, part)| self.graph.variable(rows, shape[1], part.to_vec()))
            .collect();
        self.variables.insert(name, pieces.clone());
        pieces
    }

    /// `input.<name> [sum of lengths, columns]`, a constant per sequence: it has no gradient.
    pub(crate) fn constants(&self, name: &'static str, lengths: &[usize]) -> Vec<Expr<'g>> {
        let (shape, values) = self.reals(name).unwrap_or_else(|| panic!("no input.{name}"));
        cut(values, lengths, shape[1])
            .map(|(rows, part)| self.graph.input(rows, shape[1], part.to_vec()))
            .collect()
    }

    /// `input.<name> [states, sequences, columns]`, if it is given: for every sequence a variable per state.
    pub(crate) fn states(&mut self, name: &'static str) -> Option<Vec<Vec<Expr<'g>>>> {
        let (shape, values) = self.reals(name)?;
        let pieces: Vec<_> =
            values.chunks(shape[2]).map(|row| self.graph.variable(1, shape[2], row.to_vec())).collect();
        self.variables.insert(name, pieces.clone());
        let of_sequence = |b: usize| pieces.iter().skip(b).step_by(shape[1]).copied().collect();
        Some((0..shape[1]).map(of_sequence).collect())
    }

    /// `output.<name>`, a piece per sequence.
    pub(crate) fn emit(&mut self, name: &'static str, pieces: Vec<Expr<'g>>) {
        self.outputs.insert(name, pieces);
    }

    /// `output.<name> [states, sequences, columns]`: for every sequence a piece per state.
    pub(crate) fn emit_states(&mut self, name: &'static str, sequences: &[Vec<Expr<'g>>]) {
        let of_state = |state: usize| sequences.iter().map(move |states| states[state]);
        self.emit(name, (0..sequences[0].len()).flat_map(of_state).collect());
    }

    /// Values of all that was emitted.
    pub(crate) async fn outputs(&self) -> Results {
        let given: BTreeSet<_> = self.fixture.names("input.").collect();
        let unread: Vec<_> = given.difference(&self.used.borrow()).copied().collect();
        assert!(unread.is_empty(), "{}: nobody read {unread:?}", self.fixture.name);
        let mut results = Results::new();
        for (name, pieces) in &self.outputs {
            let joined: &mut Vec<f32> = results.entry((*name).to_owned()).or_default();
            for piece in pieces {
                joined.extend(piece.value().await.unwrap());
            }
        }
        results
    }

    /// The fixture's loss, `Σ` over `weight.*` of `sum(output ⊙ weight)`, differentiated with respect to every
    /// variable and every parameter that is trained (`param.<name>`).
    pub(crate) async fn gradients(&self) -> Results {
        let mut terms = Vec::new();
        for name in self.fixture.names("weight.") {
            let (_, mut weights) = self.fixture.reals(&format!("weight.{name}")).unwrap();
            for &piece in &self.outputs[name] {
                let shape = piece.shape();
                let (part, rest) = weights.split_at(shape.rows * shape.columns);
                weights = rest;
                terms.push(sum(piece * self.graph.input(shape.rows, shape.columns, part.to_vec())));
            }
            assert!(weights.is_empty(), "{}: {name} has too few values", self.fixture.name);
        }
        let gradients = self.graph.concat_rows(&terms).pool(Pool::Sum).backward().await.unwrap();
        let mut results = Results::new();
        for (name, pieces) in &self.variables {
            let joined: &mut Vec<f32> = results.entry((*name).to_owned()).or_default();
            for piece in pieces {
                joined.extend(piece.gradient().await.unwrap());
            }
        }
        let parameters = self.graph.parameters();
        for (id, parameter) in parameters.iter().filter(|(_, parameter)| parameter.trainable) {
            let gradient = gradients.read(self.graph.device(), parameters, id).await.unwrap();
            let values = gradient.unwrap_or_else(|| vec![0.0; parameter.values.len()]);
            results.insert(format!("param.{}", parameter.name), values);
        }
        results
    }
}

/// Rows taken apart: for every length, so many rows of `columns` values.
fn cut<'v>(
    mut values: &'v [f32],
    lengths: &[usize],
    columns: usize,
) -> impl Iterator<Item = (usize, &'v [f32])> {
    assert_eq!(values.len(), lengths.iter().sum::<usize>() * columns, "rows of all sequences");
    lengths.iter().map(move |&rows| {
        let (part, rest) = values.split_at(rows * columns);
        values = rest;
        (rows, part)
    })
}

/// The sum of all values: `1 x 1`.
pub(crate) fn sum<'g>(x: Expr<'g>) -> Expr<'g> {
    let row = x.pool(Pool::Sum);
    let columns: Vec<_> = (0..row.shape().columns).map(|j| row.columns(j..j + 1)).collect();
    x.graph().concat_rows(&columns).pool(Pool::Sum)
}
