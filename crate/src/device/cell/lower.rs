//! From a recorded function to products and elementwise instructions.
//!
//! Columns that are taken apart or put together are moved by nobody: every value is cut into pieces such that what it is
//! made of and what is made of it have the same cuts, and an instruction works on a piece.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Columns, Matrix, Place, Plan, Product, Segment, Stage, Term};
use super::{Body, Kind, MOST_PIECES};
use crate::cpu::fused::{Instruction, Line};
use crate::device::{Binary, Op, ParamId, Unary, WeightView};

/// A value of a function.
pub(super) struct Value {
    pub(super) kind: Lower,
    pub(super) columns: usize,
    /// Where its pieces begin, and where the last ends.
    cuts: Vec<usize>,
    /// Each piece, or of columns that were only moved the piece of another value that it is.
    pub(super) pieces: Vec<Piece>,
    /// The stage that has it.
    pub(super) stage: usize,
    /// Its number among the kept values, if later stages need it.
    pub(super) kept: Option<usize>,
}

/// A piece of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Piece {
    pub(super) value: usize,
    pub(super) number: usize,
}

/// What a value is.
pub(super) enum Lower {
    /// Nothing needs it.
    Dead,
    Input(usize),
    Constant(usize),
    /// The sum of products of values with weights, by its number.
    Product(usize, Vec<(usize, WeightView, Option<ParamId>)>),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    /// Columns of a value from the first on.
    Columns(usize, usize),
    Concat(Vec<usize>),
}

/// A function whose values are cut and numbered.
pub(super) struct Lowered {
    pub(super) values: Vec<Value>,
    pub(super) outputs: Vec<usize>,
    pub(super) stages: usize,
    pub(super) columns: Columns,
    constants: Vec<Vec<f32>>,
}

impl Lowered {
    /// `None` if there are too many pieces.
    pub(super) fn new(body: &Body) -> Option<Self> {
        let mut constants = Vec::new();
        let mut kinds = kinds(body, &mut constants);
        add_up(&mut kinds, &body.outputs);
        bury(&mut kinds, &body.outputs);
        let cuts = cuts(body, &kinds)?;
        let values = kinds.into_iter().zip(cuts).zip(&body.nodes);
        let values = values.map(|((kind, cuts), node)| Value {
            kind,
            columns: node.columns,
            cuts: cuts.into_iter().collect(),
            pieces: Vec::new(),
            stage: 0,
            kept: None,
        });
        let columns = Columns { inputs: body.inputs.clone(), ..Columns::default() };
        let (values, outputs) = (values.collect(), body.outputs.clone());
        let mut lowered = Self { values, outputs, stages: 0, columns, constants };
        lowered.resolve();
        lowered.keep();
        let of_output = |&value: &usize| lowered.values[value].columns;
        lowered.columns.outputs = lowered.outputs.iter().map(of_output).collect();
        Some(lowered)
    }

    /// Finds the pieces and the stage of every value, and numbers products.
    fn resolve(&mut self) {
        for number in 0..self.values.len() {
            let value = &self.values[number];
            let of = |v: usize, start: usize, columns: usize| {
                let source = &self.values[v];
                let within = move |cut: usize| cut >= start && cut < start + columns;
                let pieces = source.pieces.iter().zip(&source.cuts);
                pieces.filter(move |(_, cut)| within(**cut)).map(|(piece, _)| *piece)
            };
            let pieces: Vec<Piece> = match &value.kind {
                Lower::Columns(v, start) => of(*v, *start, value.columns).collect(),
                Lower::Concat(parts) => {
                    parts.iter().flat_map(|&v| of(v, 0, self.values[v].columns)).collect()
                }
                _ => (1..value.cuts.len()).map(|i| Piece { value: number, number: i - 1 }).collect(),
            };
            let stage_of = |v: usize| self.values[v].stage;
            let stage = match &value.kind {
                Lower::Product(_, terms) => {
                    // What multiplies an operand need not wait for anything.
                    let after = |&(v, ..): &(usize, WeightView, Option<ParamId>)| match self.values[v].kind {
                        Lower::Input(_) => 0,
                        _ => stage_of(v) + 1,
                    };
                    terms.iter().map(after).max().unwrap_or(0)
                }
                kind => operands(kind).into_iter().map(stage_of).max().unwrap_or(0),
            };
            let value = &mut self.values[number];
            (value.pieces, value.stage) = (pieces, stage);
            if let Lower::Product(product, _) = &mut value.kind {
                *product = self.columns.products.len();
                self.columns.products.push(value.columns);
            }
            self.stages = self.stages.max(stage + 1);
        }
    }

    /// Numbers the values that products multiply or later stages read.
    fn keep(&mut self) {
        let mut kept = BTreeSet::new();
        let read = |kept: &mut BTreeSet<usize>, values: &[Value], piece: Piece, stage: usize| {
            let root = &values[piece.value];
            if root.is_computed() && root.stage < stage {
                kept.insert(piece.value);
            }
        };
        for value in &self.values {
            match &value.kind {
                Lower::Product(_, terms) => {
                    let multiplied = terms.iter().map(|term| term.0);
                    kept.extend(multiplied.filter(|&v| !matches!(self.values[v].kind, Lower::Input(_))));
                }
                kind => {
                    for piece in operands(kind).into_iter().flat_map(|v| &self.values[v].pieces) {
                        read(&mut kept, &self.values, *piece, value.stage);
                    }
                }
            }
        }
        for number in kept {
            self.values[number].kept = Some(self.columns.kept.len());
            self.columns.kept.push(self.values[number].columns);
        }
    }

    /// How the values are computed.
    pub(super) fn forward(&self) -> Plan {
        let mut stages: Vec<Stage> = (0..self.stages).map(|_| Stage::default()).collect();
        for (number, stage) in stages.iter_mut().enumerate() {
            stage.products = self.products(number).map(|(product, _)| product).collect();
            let mut builder = Builder::new(self, number);
            builder.compute();
            for value in self.values.iter().filter(|value| value.stage == number) {
                if let Some(kept) = value.kept {
                    builder.store_value(value, Place::Kept(kept));
                }
            }
            for (output, &value) in self.outputs.iter().enumerate() {
                if self.values[value].stage == number {
                    builder.store_value(&self.values[value], Place::Output(output));
                }
            }
            stage.segment = builder.finish();
        }
        Plan { stages, written: Vec::new(), ..self.plan() }
    }

    /// A plan without stages.
    pub(super) fn plan(&self) -> Plan {
        let (columns, constants) = (self.columns.clone(), self.constants.clone());
        Plan { columns, constants, ..Plan::default() }
    }

    /// The products of a stage, and the values that their terms multiply.
    pub(super) fn products(&self, stage: usize) -> impl Iterator<Item = (Product, Vec<usize>)> {
        let of_stage = self.values.iter().filter(move |value| value.stage == stage);
        of_stage.filter_map(|value| {
            let Lower::Product(number, terms) = &value.kind else { return None };
            let term = |&(v, weight, bias): &(usize, WeightView, Option<ParamId>)| Term {
                operand: self.operand(v),
                weight,
                bias,
                add: None,
            };
            let product = Product { number: *number, terms: terms.iter().map(term).collect() };
            Some((product, terms.iter().map(|term| term.0).collect()))
        })
    }

    /// Where a value of an earlier stage lies that instructions read.
    pub(super) fn place(&self, number: usize) -> Place {
        match self.values[number].kind {
            Lower::Product(product, _) => Place::Product(product),
            Lower::Constant(i) => Place::Constant(i),
            _ => self.operand(number),
        }
    }

    /// Where a value lies that a product multiplies.
    fn operand(&self, number: usize) -> Place {
        let value = &self.values[number];
        match (&value.kind, value.kept) {
            (Lower::Input(i), _) => Place::Input(*i),
            (_, Some(kept)) => Place::Kept(kept),
            _ => unreachable!("what later stages read is kept"),
        }
    }

    /// Where a piece begins in its value, and how many columns it has.
    pub(super) fn extent(&self, piece: Piece) -> (usize, usize) {
        let cuts = &self.values[piece.value].cuts;
        (cuts[piece.number], cuts[piece.number + 1] - cuts[piece.number])
    }
}

impl Value {
    /// Whether instructions make it.
    pub(super) fn is_computed(&self) -> bool {
        matches!(self.kind, Lower::Unary(..) | Lower::Binary(..))
    }
}

/// The values that elementwise operations make one of.
fn operands(kind: &Lower) -> Vec<usize> {
    match kind {
        Lower::Dead | Lower::Input(_) | Lower::Constant(_) => Vec::new(),
        Lower::Product(_, terms) => terms.iter().map(|term| term.0).collect(),
        Lower::Unary(_, x) | Lower::Columns(x, _) => vec![*x],
        Lower::Binary(_, x, y) => vec![*x, *y],
        Lower::Concat(parts) => parts.clone(),
    }
}

fn kinds(body: &Body, constants: &mut Vec<Vec<f32>>) -> Vec<Lower> {
    let mut kind = |kind: &Kind| match kind {
        Kind::Input(i) => Lower::Input(*i),
        Kind::Constant(row) => {
            constants.push(row.iter().map(|value| value.0).collect());
            Lower::Constant(constants.len() - 1)
        }
        Kind::Op(op, of) => match *op {
            Op::Affine { weight, bias } => Lower::Product(0, vec![(of[0], weight, bias)]),
            Op::Unary(function) => Lower::Unary(function, of[0]),
            Op::Binary(function) => Lower::Binary(function, of[0], of[1]),
            Op::Columns { start, .. } => Lower::Columns(of[0], start),
            Op::ConcatColumns => Lower::Concat(of.clone()),
            _ => unreachable!("recording refuses every other operation"),
        },
    };
    body.nodes.iter().map(|node| kind(&node.kind)).collect()
}

/// Makes one product of a sum of products that nothing else uses: each is added to what the one before left.
fn add_up(kinds: &mut [Lower], outputs: &[usize]) {
    let mut uses = vec![0; kinds.len()];
    outputs.iter().for_each(|&output| uses[output] += 1);
    kinds.iter().flat_map(operands).for_each(|operand| uses[operand] += 1);
    for number in 0..kinds.len() {
        let Lower::Binary(Binary::Add, a, b) = kinds[number] else { continue };
        let is_own = |v: usize| uses[v] == 1 && matches!(kinds[v], Lower::Product(..));
        if !(is_own(a) && is_own(b)) {
            continue;
        }
        let mut terms = Vec::new();
        for v in [a, b] {
            if let Lower::Product(_, of) = std::mem::replace(&mut kinds[v], Lower::Dead) {
                terms.extend(of);
            }
        }
        kinds[number] = Lower::Product(0, terms);
    }
}

/// Forgets what no output depends on.
fn bury(kinds: &mut [Lower], outputs: &[usize]) {
    let mut needed = vec![false; kinds.len()];
    outputs.iter().for_each(|&output| needed[output] = true);
    for number in (0..kinds.len()).rev() {
        if needed[number] {
            operands(&kinds[number]).into_iter().for_each(|operand| needed[operand] = true);
        } else {
            kinds[number] = Lower::Dead;
        }
    }
}

/// Where every value is cut, such that each operation finds the same cuts in what it reads and what it makes. A product
/// reads all of its operand and needs none.
fn cuts(body: &Body, kinds: &[Lower]) -> Option<Vec<BTreeSet<usize>>> {
    let mut cuts: Vec<BTreeSet<usize>> = Vec::new();
    cuts.extend(body.nodes.iter().map(|node| BTreeSet::from([0, node.columns])));
    loop {
        let before: usize = cuts.iter().map(BTreeSet::len).sum();
        for (number, kind) in kinds.iter().enumerate() {
            match kind {
                Lower::Unary(_, x) => share(&mut cuts, number, 0, *x, 0, body.nodes[number].columns),
                Lower::Binary(_, x, y) => {
                    // The second time for what the second operand has and the first has not.
                    for operand in [*x, *y, *x] {
                        share(&mut cuts, number, 0, operand, 0, body.nodes[number].columns);
                    }
                }
                Lower::Columns(x, start) => {
                    share(&mut cuts, number, 0, *x, *start, body.nodes[number].columns);
                }
                Lower::Concat(parts) => {
                    let mut at = 0;
                    for &part in parts {
                        share(&mut cuts, number, at, part, 0, body.nodes[part].columns);
                        at += body.nodes[part].columns;
                    }
                }
                _ => {}
            }
        }
        let after: usize = cuts.iter().map(BTreeSet::len).sum();
        if after > MOST_PIECES + 2 * body.nodes.len() {
            return None;
        }
        if after == before {
            return Some(cuts);
        }
    }
}

/// Gives `columns` of two values, from a column of each on, the cuts of both.
fn share(cuts: &mut [BTreeSet<usize>], a: usize, a_start: usize, b: usize, b_start: usize, columns: usize) {
    let within = |cuts: &BTreeSet<usize>, start: usize| -> BTreeSet<usize> {
        cuts.range(start..=start + columns).map(|cut| cut - start).collect()
    };
    let mut all = &within(&cuts[a], a_start) | &within(&cuts[b], b_start);
    all.extend([0, columns]);
    cuts[a].extend(all.iter().map(|cut| cut + a_start));
    cuts[b].extend(all.iter().map(|cut| cut + b_start));
}

/// The instructions of a stage while they are collected.
pub(super) struct Builder<'a> {
    of: &'a Lowered,
    stage: usize,
    segment: Segment,
    /// By how many columns each is for.
    lines: BTreeMap<usize, Vec<Instruction>>,
    /// Results that are pieces, in the line for as many columns as each has.
    made: BTreeMap<Piece, usize>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(of: &'a Lowered, stage: usize) -> Self {
        Self { of, stage, segment: Segment::default(), lines: BTreeMap::new(), made: BTreeMap::new() }
    }

    /// Adds an instruction for so many columns; the number of its result.
    pub(super) fn push(&mut self, width: usize, instruction: Instruction) -> usize {
        let line = self.lines.entry(width).or_default();
        line.push(instruction);
        line.len() - 1
    }

    /// Values that this stage computes, in order.
    pub(super) fn computed(&self) -> impl DoubleEndedIterator<Item = (usize, &'a Value)> + use<'a> {
        let stage = self.stage;
        let all = self.of.values.iter().enumerate();
        all.filter(move |(_, value)| value.stage == stage && value.is_computed())
    }

    /// Adds the instructions of all values that this stage computes.
    pub(super) fn compute(&mut self) {
        for (_, value) in self.computed() {
            for (i, &piece) in value.pieces.iter().enumerate() {
                let (_, width) = self.of.extent(piece);
                let instruction = match value.kind {
                    Lower::Unary(function, x) => unary(function, self.piece(x, i)),
                    Lower::Binary(function, x, y) => binary(function, self.piece(x, i), self.piece(y, i)),
                    _ => unreachable!("only these are computed"),
                };
                let made = self.push(width, instruction);
                self.made.insert(piece, made);
            }
        }
    }

    /// The result that is a piece of a value, by its position in the value.
    pub(super) fn piece(&mut self, value: usize, position: usize) -> usize {
        let piece = self.of.values[value].pieces[position];
        if let Some(&made) = self.made.get(&piece) {
            return made;
        }
        let (column, width) = self.of.extent(piece);
        let from = self.read(Matrix::Value(self.of.place(piece.value)));
        let made = self.push(width, Instruction::Load { from, column });
        self.made.insert(piece, made);
        made
    }

    /// The number of a matrix to read.
    pub(super) fn read(&mut self, matrix: Matrix) -> usize {
        number(&mut self.segment.reads, matrix)
    }

    /// Stores all pieces of a value.
    fn store_value(&mut self, value: &Value, place: Place) {
        let mut column = 0;
        for &piece in &value.pieces {
            let (_, width) = self.of.extent(piece);
            let made = self.piece(piece.value, piece.number);
            self.store(width, made, Matrix::Value(place), column, false);
            column += width;
        }
    }

    pub(super) fn store(&mut self, width: usize, value: usize, matrix: Matrix, column: usize, add: bool) {
        let to = number(&mut self.segment.writes, matrix);
        self.push(width, Instruction::Store { value, to, column, add });
    }

    /// All that was collected and leads to something stored.
    pub(super) fn finish(self) -> Segment {
        let lines = self.lines.into_iter().filter(|(width, _)| *width > 0);
        let lines = lines.map(|(width, instructions)| Line::new(width, instructions));
        let lines = lines.filter(|line| !line.instructions().is_empty()).collect();
        Segment { lines, ..self.segment }
    }
}

/// The number of a matrix in a list that it is added to.
fn number(list: &mut Vec<Matrix>, matrix: Matrix) -> usize {
    list.iter().position(|known| *known == matrix).unwrap_or_else(|| {
        list.push(matrix);
        list.len() - 1
    })
}

fn unary(function: Unary, x: usize) -> Instruction {
    match function {
        Unary::Tanh => Instruction::Tanh(x),
        Unary::Sigmoid => Instruction::Sigmoid(x),
        Unary::Relu => Instruction::Relu(x),
        Unary::Scale(s) => Instruction::Scale(x, s.0),
        Unary::Exp => Instruction::Exp(x),
        Unary::Log => Instruction::Log(x),
    }
}

fn binary(function: Binary, x: usize, y: usize) -> Instruction {
    match function {
        Binary::Add => Instruction::Add(x, y),
        Binary::Subtract => Instruction::Subtract(x, y),
        Binary::Multiply => Instruction::Multiply(x, y),
    }
}
