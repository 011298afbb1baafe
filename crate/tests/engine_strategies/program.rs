//! Random programs over several examples.

use proptest::prelude::*;
use saccade_rnn::device::{CellKind, Pool, Reduce, Semiring};

/// What a program does to the value on top of its stack, a sequence of the program's width.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A fresh sequence on top, of so many rows: constant, variable or looked up.
    Push(Source, usize),
    Tanh,
    Sigmoid,
    Relu,
    Scale,
    Softmax,
    LogSoftmax,
    LayerNorm,
    Exp,
    Log,
    /// The rows times what one operation makes of each.
    Reduce(Reduce),
    /// The rows plus one row.
    AddRow,
    Dropout(bool),
    /// One of two shared weights.
    Affine(bool),
    /// A product with a matrix of the example's own, or with one that all examples share.
    MatMul(bool),
    /// A product in a semiring, with a shared weight as it is or transposed.
    Semiring(Semiring, bool),
    /// The top, used by two operations that meet again.
    Diamond,
    /// The columns taken apart and put together the other way round.
    SwapColumns,
    /// Rows by number, modulo how many there are.
    Rows(Vec<u32>),
    /// Rows added up to so many, every so manieth to the same.
    ScatterAdd(usize, u32),
    /// All rows so many times.
    Repeat(usize),
    /// The top after the value below it.
    ConcatRows,
    Pool(Pool),
    /// Two rows combined to one, as a tree combines children.
    Combine,
    /// A recorded function of the top and of what another makes of it.
    Cell,
    Recurrence(CellKind, bool, bool),
    Sru(bool, bool),
    SkimSoft(CellKind, bool),
    /// Where gradients are asked for, as `SkimSoft`.
    SkimHard(CellKind, bool),
    /// Asks for the top's value: everything recorded so far runs.
    Value,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Constant,
    Variable,
    Embedding,
}

/// Several examples over shared parameters.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) width: usize,
    pub(crate) examples: Vec<Vec<Step>>,
}

fn any_pool() -> impl Strategy<Value = Pool> {
    prop_oneof![Just(Pool::Last), Just(Pool::Sum), Just(Pool::Mean), Just(Pool::Max)]
}

fn any_reduce() -> impl Strategy<Value = Reduce> {
    prop_oneof![Just(Reduce::Sum), Just(Reduce::Mean), Just(Reduce::LogSumExp), Just(Reduce::Max)]
}

fn any_semiring() -> impl Strategy<Value = Semiring> {
    prop_oneof![Just(Semiring::Log), Just(Semiring::Max)]
}

fn any_cell() -> impl Strategy<Value = CellKind> {
    prop_oneof![
        Just(CellKind::Lstm),
        Just(CellKind::Gru),
        Just(CellKind::ElmanTanh),
        Just(CellKind::ElmanRelu)
    ]
}

fn any_push() -> impl Strategy<Value = Step> {
    let source = prop_oneof![Just(Source::Constant), Just(Source::Variable), Just(Source::Embedding)];
    (source, prop_oneof![Just(0usize), Just(1), 2..7usize])
        .prop_map(|(source, rows)| Step::Push(source, rows))
}

fn any_step() -> impl Strategy<Value = Step> {
    let gated = || prop_oneof![Just(CellKind::Lstm), Just(CellKind::Gru)];
    let plain = prop_oneof![
        Just(Step::Tanh),
        Just(Step::Sigmoid),
        Just(Step::Relu),
        Just(Step::Scale),
        Just(Step::Softmax),
        Just(Step::LogSoftmax),
        Just(Step::LayerNorm),
        Just(Step::Exp),
        Just(Step::Log),
        any_reduce().prop_map(Step::Reduce),
        Just(Step::AddRow),
        any::<bool>().prop_map(Step::Dropout),
        any::<bool>().prop_map(Step::Affine),
        any::<bool>().prop_map(Step::MatMul),
        (any_semiring(), any::<bool>()).prop_map(|(semiring, turned)| Step::Semiring(semiring, turned)),
        Just(Step::Diamond),
        Just(Step::Cell),
        Just(Step::SwapColumns),
    ];
    let shaping = prop_oneof![
        prop::collection::vec(0..8u32, 0..5).prop_map(Step::Rows),
        (1..5usize, 1..4u32).prop_map(|(rows, step)| Step::ScatterAdd(rows, step)),
        (0..3usize).prop_map(Step::Repeat),
        Just(Step::ConcatRows),
        any_pool().prop_map(Step::Pool),
        Just(Step::Combine),
        Just(Step::Value),
    ];
    let recurrent = prop_oneof![
        (any_cell(), any::<bool>(), any::<bool>()).prop_map(|(cell, r, i)| Step::Recurrence(cell, r, i)),
        any::<(bool, bool)>().prop_map(|(k4, two)| Step::Sru(k4, two)),
        (gated(), any::<bool>()).prop_map(|(cell, initial)| Step::SkimSoft(cell, initial)),
        (gated(), any::<bool>()).prop_map(|(cell, forced)| Step::SkimHard(cell, forced)),
    ];
    prop_oneof![2 => any_push(), 4 => plain, 4 => shaping, 4 => recurrent]
}

/// Examples draw from a few templates, so that batches form, with steps of their own around them.
pub(crate) fn any_program() -> impl Strategy<Value = Program> {
    let template = prop::collection::vec(any_step(), 1..8);
    let example = (any_push(), any::<prop::sample::Index>(), prop::collection::vec(any_step(), 0..4));
    let width = prop_oneof![1 => Just(1usize), 3 => Just(4usize)];
    (width, prop::collection::vec(template, 1..4), prop::collection::vec(example, 1..7)).prop_map(
        |(width, templates, examples)| {
            let steps = |(push, template, own): (Step, prop::sample::Index, Vec<Step>)| {
                [vec![push], template.get(&templates).clone(), own].concat()
            };
            Program { width, examples: examples.into_iter().map(steps).collect() }
        },
    )
}
