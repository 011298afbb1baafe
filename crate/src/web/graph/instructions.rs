//! Instructions: a list of numbers, each an operation, its operands and its choices, that records expressions.
//!
//! Every instruction makes one expression or more, which are numbered in the order they are made; operands are such numbers.
//! Numbers that are not whole come from a list of their own, in order. `js/src/graph/tape.ts` writes both.

use rustc_hash::FxHashMap;

use super::super::error::Failure;
use crate::device::{Function, Op, ParamId, Pool};
pub(super) use crate::graph::Port;
use crate::graph::{Expr, Graph};
use crate::nn::{Recurrent, Sru};

/// Operations by the numbers that begin their instructions: those of `Op` in `js/src/graph/tape.ts`.
mod op {
    pub(super) const INPUT: i32 = 0;
    pub(super) const VARIABLE: i32 = 1;
    pub(super) const EMBEDDING: i32 = 2;
    pub(super) const AFFINE: i32 = 3;
    pub(super) const MATMUL: i32 = 4;
    pub(super) const TANH: i32 = 5;
    pub(super) const SIGMOID: i32 = 6;
    pub(super) const RELU: i32 = 7;
    pub(super) const EXP: i32 = 8;
    pub(super) const LOG: i32 = 9;
    pub(super) const SCALE: i32 = 10;
    pub(super) const ADD: i32 = 11;
    pub(super) const SUBTRACT: i32 = 12;
    pub(super) const MULTIPLY: i32 = 13;
    pub(super) const CONCAT_COLUMNS: i32 = 14;
    pub(super) const CONCAT_ROWS: i32 = 15;
    pub(super) const COLUMNS: i32 = 16;
    pub(super) const ROWS: i32 = 17;
    pub(super) const SCATTER_ADD: i32 = 18;
    pub(super) const POOL: i32 = 19;
    pub(super) const REDUCE: i32 = 20;
    pub(super) const SOFTMAX: i32 = 21;
    pub(super) const LOG_SOFTMAX: i32 = 22;
    pub(super) const CROSS_ENTROPY: i32 = 23;
    pub(super) const DROPOUT: i32 = 24;
    pub(super) const LAYER_NORM: i32 = 25;
    pub(super) const LAYER: i32 = 26;
    pub(super) const STEP: i32 = 27;
    pub(super) const CALL: i32 = 28;
}

/// A layer by number.
#[derive(Clone)]
pub(super) enum Layer {
    /// Its parameters are used one by one.
    Plain,
    Recurrent(Recurrent),
    Sru(Sru),
}

/// What instructions speak of.
pub(super) struct Recorder<'a, 'g> {
    pub(super) graph: &'g Graph,
    pub(super) ids: &'a [ParamId],
    pub(super) layers: &'a [Layer],
    pub(super) cells: &'a [Function],
}

/// What instructions have made.
#[derive(Default)]
pub(super) struct Made {
    /// Expressions by number.
    pub(super) ports: Vec<Port>,
    /// The node that an instruction of a form has recorded last, if it is one with the instruction's operands, and how many of
    /// its outputs are expressions.
    known: FxHashMap<[i32; 3], (usize, usize)>,
    /// Operands of the instruction at hand; kept for their room.
    operands: Vec<Port>,
}

impl From<Vec<Port>> for Made {
    fn from(ports: Vec<Port>) -> Self {
        Self { ports, ..Self::default() }
    }
}

/// An instruction that records one node of its operands alone.
struct Form<'a> {
    /// The operation and its choices.
    name: [i32; 3],
    operands: [&'a [i32]; 2],
    rest: &'a [i32],
}

impl<'a> Form<'a> {
    /// The first instruction; none if it is of another kind.
    fn of(words: &'a [i32]) -> Option<Self> {
        let list = |at: usize| {
            let count = usize::try_from(*words.get(at)?).ok()?;
            words.get(at + 1..)?.split_at_checked(count)
        };
        let made = |name, operands, rest| Some(Self { name, operands: [operands, &[]], rest });
        match *words {
            [op @ (op::TANH..=op::LOG | op::SOFTMAX | op::LOG_SOFTMAX), _, ref rest @ ..] => {
                made([op, 0, 0], &words[1..2], rest)
            }
            [op @ op::ADD..=op::MULTIPLY, _, _, ref rest @ ..] => made([op, 0, 0], &words[1..3], rest),
            [op @ op::AFFINE, _, weight, bias, ref rest @ ..] => made([op, weight, bias], &words[1..2], rest),
            [op @ op::CONCAT_COLUMNS, count, ..] => {
                list(1).and_then(|(all, rest)| made([op, count, 0], all, rest))
            }
            [op @ op::CALL, cell, ..] => list(2).and_then(|(all, rest)| made([op, cell, 0], all, rest)),
            [op @ op::STEP, layer, _, count, ..] => {
                let (states, rest) = list(3)?;
                Some(Self { name: [op, layer, count], operands: [&words[2..3], states], rest })
            }
            _ => None,
        }
    }
}

/// Numbers that are yet to be read.
struct Code<'a> {
    words: &'a [i32],
    data: &'a [f32],
}

fn damaged() -> Failure {
    Failure::internal("the list of instructions is damaged")
}

impl<'a> Code<'a> {
    fn word(&mut self) -> Result<i32, Failure> {
        let (&first, rest) = self.words.split_first().ok_or_else(damaged)?;
        self.words = rest;
        Ok(first)
    }

    fn number(&mut self) -> Result<usize, Failure> {
        usize::try_from(self.word()?).map_err(|_| damaged())
    }

    /// As many numbers as the first says.
    fn list(&mut self) -> Result<Vec<u32>, Failure> {
        let count = self.number()?;
        let (list, rest) = self.words.split_at_checked(count).ok_or_else(damaged)?;
        self.words = rest;
        list.iter().map(|&word| u32::try_from(word).map_err(|_| damaged())).collect()
    }

    fn values(&mut self, count: usize) -> Result<&'a [f32], Failure> {
        let (values, rest) = self.data.split_at_checked(count).ok_or_else(damaged)?;
        self.data = rest;
        Ok(values)
    }

    fn real(&mut self) -> Result<f32, Failure> {
        Ok(self.values(1)?[0])
    }
}

impl<'g> Recorder<'_, 'g> {
    /// Records all instructions; `made` has the expressions before them and receives theirs.
    pub(super) fn record(&self, made: &mut Made, words: &[i32], data: &[f32]) -> Result<(), Failure> {
        let mut code = Code { words, data };
        while !code.words.is_empty() {
            let form = Form::of(code.words);
            if let Some(form) = &form
                && self.repeat(form, made)
            {
                code.words = form.rest;
                continue;
            }
            let next = self.next(&mut code, &made.ports)?;
            let first = made.ports.len();
            made.ports.extend(next.into_iter().map(Expr::port));
            if let Some(form) = form {
                self.learn(&form, made, first);
            }
        }
        Ok(())
    }

    /// Records an instruction as one of its form was recorded before; whether that could be done.
    fn repeat(&self, form: &Form<'_>, made: &mut Made) -> bool {
        let Made { ports, known, operands } = made;
        let Some(&(node, outputs)) = known.get(&form.name) else { return false };
        operands.clear();
        for &word in form.operands.into_iter().flatten() {
            let Some(&port) = usize::try_from(word).ok().and_then(|number| ports.get(number)) else {
                return false;
            };
            operands.push(port);
        }
        let Some(node) = self.graph.again(node, operands) else { return false };
        ports.extend((0..outputs).map(|output| Port { node, output }));
        true
    }

    /// Remembers what an instruction has recorded, whose expressions are those from `first` on.
    fn learn(&self, form: &Form<'_>, made: &mut Made, first: usize) {
        let Made { ports, known, operands } = made;
        operands.clear();
        operands.extend(form.operands.into_iter().flatten().map(|&word| ports[word as usize]));
        let new = &ports[first..];
        let Some(&Port { node, .. }) = new.first() else { return };
        if new.iter().enumerate().all(|(output, port)| *port == Port { node, output })
            && self.graph.takes(node, operands)
        {
            known.insert(form.name, (node, new.len()));
        }
    }

    fn next(&self, code: &mut Code<'_>, made: &[Port]) -> Result<Vec<Expr<'g>>, Failure> {
        let graph = self.graph;
        let at = |number: usize| made.get(number).map(|&port| graph.at(port)).ok_or_else(damaged);
        let all = |list: Vec<u32>| {
            list.into_iter().map(|number| at(number as usize)).collect::<Result<Vec<_>, _>>()
        };
        let id = |number: usize| self.ids.get(number).copied().ok_or_else(damaged);
        let op = code.word()?;
        if let op::INPUT | op::VARIABLE = op {
            let (rows, columns) = (code.number()?, code.number()?);
            let values = code.values(rows.checked_mul(columns).ok_or_else(damaged)?)?.to_vec();
            return Ok(vec![match op {
                op::INPUT => graph.input(rows, columns, values),
                _ => graph.variable(rows, columns, values),
            }]);
        }
        match op {
            op::EMBEDDING => {
                let table = id(code.number()?)?;
                return Ok(vec![graph.embedding(table, &code.list()?)]);
            }
            op::CONCAT_COLUMNS => return Ok(vec![graph.concat_columns(&all(code.list()?)?)]),
            op::CONCAT_ROWS => return Ok(vec![graph.concat_rows(&all(code.list()?)?)]),
            op::LAYER | op::STEP => {
                let layer = self.layers.get(code.number()?).ok_or_else(damaged)?;
                let x = at(code.number()?)?;
                return layer.run(x, all(code.list()?)?, op == op::STEP);
            }
            op::CALL => {
                let cell = self.cells.get(code.number()?).ok_or_else(damaged)?;
                let operands = all(code.list()?)?;
                return Ok(graph.record(Op::Cell(cell.clone()), &operands, Vec::new()));
            }
            _ => {}
        }
        let x = at(code.number()?)?;
        Ok(vec![match op {
            op::AFFINE => {
                let weight = id(code.number()?)?;
                let bias = match code.word()? {
                    -1 => None,
                    bias => Some(id(usize::try_from(bias).map_err(|_| damaged())?)?),
                };
                x.affine(weight, bias)
            }
            op::MATMUL => x.matmul(at(code.number()?)?),
            op::TANH => x.tanh(),
            op::SIGMOID => x.sigmoid(),
            op::RELU => x.relu(),
            op::EXP => x.exp(),
            op::LOG => x.log(),
            op::SCALE => x.scale(code.real()?),
            op::ADD => x + at(code.number()?)?,
            op::SUBTRACT => x - at(code.number()?)?,
            op::MULTIPLY => x * at(code.number()?)?,
            op::COLUMNS => {
                let (start, count) = (code.number()?, code.number()?);
                x.columns(start..start.saturating_add(count))
            }
            op::ROWS => x.rows(&code.list()?),
            op::SCATTER_ADD => {
                let rows = code.number()?;
                x.scatter_add(&code.list()?, rows)
            }
            op::POOL => match code.word()? {
                0 => x.pool(Pool::Sum),
                1 => x.pool(Pool::Mean),
                2 => x.pool(Pool::Max),
                3 => x.pool(Pool::Last),
                _ => return Err(damaged()),
            },
            op::REDUCE => match code.word()? {
                0 => x.sum_columns(),
                1 => x.mean_columns(),
                2 => x.log_sum_exp(),
                3 => {
                    let (value, column) = x.max_columns();
                    return Ok(vec![value, column]);
                }
                _ => return Err(damaged()),
            },
            op::SOFTMAX => x.softmax(),
            op::LOG_SOFTMAX => x.log_softmax(),
            op::CROSS_ENTROPY => x.cross_entropy(&code.list()?),
            op::DROPOUT => {
                let per_sequence = code.word()? == 1;
                x.dropout(code.real()?, per_sequence)
            }
            op::LAYER_NORM => {
                let (weight, bias) = (id(code.number()?)?, id(code.number()?)?);
                x.layer_norm(weight, bias)
            }
            _ => return Err(damaged()),
        }])
    }
}

impl Layer {
    /// The rows of a sequence, or of a step, and the states after it.
    fn run<'g>(&self, x: Expr<'g>, states: Vec<Expr<'g>>, step: bool) -> Result<Vec<Expr<'g>>, Failure> {
        match self {
            Self::Plain => Err(damaged()),
            Self::Recurrent(layer) => {
                let states = layer.states(&mut states.into_iter());
                let run = if step { Recurrent::step } else { Recurrent::forward };
                let output = run(layer, x, states.as_ref());
                Ok([vec![output.rows], output.states.into_rows()].concat())
            }
            Self::Sru(layer) => {
                let states = (!states.is_empty()).then_some(&states[..]);
                let run = if step { Sru::step } else { Sru::forward };
                let output = run(layer, x, states);
                Ok([vec![output.rows], output.c].concat())
            }
        }
    }
}
