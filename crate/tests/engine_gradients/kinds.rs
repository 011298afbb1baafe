//! The kinds of operation there are.

use saccade_rnn::device::{
    Binary, CellKind, Op, Pool, Reduce, Semiring, SemiringProduct, Skim, SkimMode, Sru, Unary, WeightView,
};

/// Declares the kinds of operation there are, as a match that must name every variant and every attribute.
macro_rules! kinds {
    ($($name:literal => $pattern:pat),* $(,)?) => {
        pub(crate) const KINDS: &[&str] = &[$($name),*];

        pub(crate) fn kind(op: &Op) -> &'static str {
            match op { $($pattern => $name),* }
        }
    };
}

// A new variant or attribute does not compile here until it is named, and a named kind without a case fails
// `every_kind_has_a_case`.
kinds! {
    "input" => Op::Input | Op::Held,
    "embedding" => Op::Embedding { table: _ },
    "affine" => Op::Affine {
        weight: WeightView { param: _, first: _, inputs: _, outputs: _, input_major: false }, bias: None
    },
    "affine bias" => Op::Affine {
        weight: WeightView { param: _, first: _, inputs: _, outputs: _, input_major: false }, bias: Some(_)
    },
    "affine input-major" => Op::Affine {
        weight: WeightView { param: _, first: _, inputs: _, outputs: _, input_major: true }, bias: None
    },
    "affine input-major bias" => Op::Affine {
        weight: WeightView { param: _, first: _, inputs: _, outputs: _, input_major: true }, bias: Some(_)
    },
    "matmul" => Op::MatMul,
    "log product" => Op::Semiring(SemiringProduct { semiring: Semiring::Log, weight: _, transposed: false }),
    "log product transposed" => Op::Semiring(SemiringProduct { semiring: Semiring::Log, weight: _, transposed: true }),
    "max product" => Op::Semiring(SemiringProduct { semiring: Semiring::Max, weight: _, transposed: false }),
    "max product transposed" => Op::Semiring(SemiringProduct { semiring: Semiring::Max, weight: _, transposed: true }),
    "tanh" => Op::Unary(Unary::Tanh),
    "sigmoid" => Op::Unary(Unary::Sigmoid),
    "relu" => Op::Unary(Unary::Relu),
    "scale" => Op::Unary(Unary::Scale(_)),
    "exp" => Op::Unary(Unary::Exp),
    "log" => Op::Unary(Unary::Log),
    "add" => Op::Binary(Binary::Add),
    "subtract" => Op::Binary(Binary::Subtract),
    "multiply" => Op::Binary(Binary::Multiply),
    "concat columns" => Op::ConcatColumns,
    "concat rows" => Op::ConcatRows,
    "columns" => Op::Columns { start: _, count: _ },
    "rows" => Op::Rows,
    "scatter add" => Op::ScatterAdd,
    "sum of columns" => Op::Reduce(Reduce::Sum),
    "mean of columns" => Op::Reduce(Reduce::Mean),
    "log sum exp" => Op::Reduce(Reduce::LogSumExp),
    "max of columns" => Op::Reduce(Reduce::Max),
    "last" => Op::Pool(Pool::Last),
    "sum" => Op::Pool(Pool::Sum),
    "mean" => Op::Pool(Pool::Mean),
    "max" => Op::Pool(Pool::Max),
    "dropout" => Op::Dropout { rate: _, per_sequence: false },
    "dropout per sequence" => Op::Dropout { rate: _, per_sequence: true },
    "softmax" => Op::Softmax,
    "log softmax" => Op::LogSoftmax,
    "cross entropy" => Op::CrossEntropy,
    "layer norm" => Op::LayerNorm { weight: _, bias: _ },
    "elman tanh" => Op::Recurrence {
        cell: CellKind::ElmanTanh, weight_hh: _, bias_hh: _, reverse: _, initial: _, inspect: _ },
    "elman relu" => Op::Recurrence {
        cell: CellKind::ElmanRelu, weight_hh: _, bias_hh: _, reverse: _, initial: _, inspect: _ },
    "lstm" => Op::Recurrence { cell: CellKind::Lstm, weight_hh: _, bias_hh: _, reverse: _, initial: _, inspect: _ },
    "gru" => Op::Recurrence { cell: CellKind::Gru, weight_hh: _, bias_hh: _, reverse: _, initial: _, inspect: _ },
    "sru" => Op::Sru(Sru {
        weight_c: _, bias: _, scale: _, skip: _, initial: _, use_tanh: _, bidirectional: _, dropout: _, inspect: _
    }),
    "skim soft" => Op::Skim(Skim {
        cell: _, hidden: _, small: _, small_reads: _, big_weight_ih: _, big_bias_ih: _, big_weight_hh: _,
        big_bias_hh: _, small_hh: _, decision_weight: _, initial: _,
        mode: SkimMode::Soft { temperature: _, given_noise: _ }, inspect: _
    }),
    "skim hard" => Op::Skim(Skim {
        cell: _, hidden: _, small: _, small_reads: _, big_weight_ih: _, big_bias_ih: _, big_weight_hh: _,
        big_bias_hh: _, small_hh: _, decision_weight: _, initial: _,
        mode: SkimMode::Hard { threshold: _ }, inspect: _
    }),
    "step" => Op::Step(_),
    "cell" => Op::Cell(_),
}
