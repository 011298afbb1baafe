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
            [op @ (5..=9 | 21 | 22), _, ref rest @ ..] => made([op, 0, 0], &words[1..2], rest),
            [op @ 11..=13, _, _, ref rest @ ..] => made([op, 0, 0], &words[1..3], rest),
            [3, _, weight, bias, ref rest @ ..] => made([3, weight, bias], &words[1..2], rest),
            [op @ 14, count, ..] => list(1).and_then(|(all, rest)| made([op, count, 0], all, rest)),
            [op @ 28, cell, ..] => list(2).and_then(|(all, rest)| made([op, cell, 0], all, rest)),
            [op @ 27, layer, _, count, ..] => {
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
        if let 0 | 1 = op {
            let (rows, columns) = (code.number()?, code.number()?);
            let values = code.values(rows.checked_mul(columns).ok_or_else(damaged)?)?.to_vec();
            return Ok(vec![match op {
                0 => graph.input(rows, columns, values),
                _ => graph.variable(rows, columns, values),
            }]);
        }
        match op {
            2 => {
                let table = id(code.number()?)?;
                return Ok(vec![graph.embedding(table, &code.list()?)]);
            }
            14 => return Ok(vec![graph.concat_columns(&all(code.list()?)?)]),
            15 => return Ok(vec![graph.concat_rows(&all(code.list()?)?)]),
            26 | 27 => {
                let layer = self.layers.get(code.number()?).ok_or_else(damaged)?;
                let x = at(code.number()?)?;
                return layer.run(x, all(code.list()?)?, op == 27);
            }
            28 => {
                let cell = self.cells.get(code.number()?).ok_or_else(damaged)?;
                let operands = all(code.list()?)?;
                return Ok(graph.record(Op::Cell(cell.clone()), &operands, Vec::new()));
            }
            _ => {}
        }
        let x = at(code.number()?)?;
        Ok(vec![match op {
            3 => {
                let weight = id(code.number()?)?;
                let bias = match code.word()? {
                    -1 => None,
                    bias => Some(id(usize::try_from(bias).map_err(|_| damaged())?)?),
                };
                x.affine(weight, bias)
            }
            4 => x.matmul(at(code.number()?)?),
            5 => x.tanh(),
            6 => x.sigmoid(),
            7 => x.relu(),
            8 => x.exp(),
            9 => x.log(),
            10 => x.scale(code.real()?),
            11 => x + at(code.number()?)?,
            12 => x - at(code.number()?)?,
            13 => x * at(code.number()?)?,
            16 => {
                let (start, count) = (code.number()?, code.number()?);
                x.columns(start..start.saturating_add(count))
            }
            17 => x.rows(&code.list()?),
            18 => {
                let rows = code.number()?;
                x.scatter_add(&code.list()?, rows)
            }
            19 => match code.word()? {
                0 => x.pool(Pool::Sum),
                1 => x.pool(Pool::Mean),
                2 => x.pool(Pool::Max),
                3 => x.pool(Pool::Last),
                _ => return Err(damaged()),
            },
            20 => match code.word()? {
                0 => x.sum_columns(),
                1 => x.mean_columns(),
                2 => x.log_sum_exp(),
                3 => {
                    let (value, column) = x.max_columns();
                    return Ok(vec![value, column]);
                }
                _ => return Err(damaged()),
            },
            21 => x.softmax(),
            22 => x.log_softmax(),
            23 => x.cross_entropy(&code.list()?),
            24 => {
                let per_sequence = code.word()? == 1;
                x.dropout(code.real()?, per_sequence)
            }
            25 => {
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
