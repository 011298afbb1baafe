//! The gradient of a recorded function: its stages backwards, each with instructions that compute its values again and go
//! through them from the last to the first, and then the gradients of its products.

use std::collections::{BTreeMap, BTreeSet};

use super::Asked;
use super::lower::{Builder, Lower, Lowered, Piece};
use super::plan::{Matrix, Place, Plan, Product, Stage};
use crate::cpu::fused::Instruction;
use crate::device::{Binary, Unary};

impl Lowered {
    /// How the gradients of operands and parameters are computed from those of the outputs.
    pub(super) fn backward(&self, asked: &Asked) -> Plan {
        let mut written = BTreeSet::new();
        let needed = self.needed(&asked.wanted);
        let stages = (0..self.stages).rev().map(|number| {
            let mut gradient = Gradient::new(self, number, &needed);
            gradient.begin(asked, &written);
            gradient.run();
            let segment = gradient.finish(&mut written);
            let products = self.products(number).filter_map(|(mut product, multiplied)| {
                if !written.contains(&Place::Product(product.number)) {
                    return None;
                }
                let Product { terms, .. } = &mut product;
                for (term, v) in terms.iter_mut().zip(multiplied) {
                    term.add = needed[v].then(|| !written.insert(term.operand));
                }
                Some(product)
            });
            let products = products.collect();
            Stage { products, segment }
        });
        let stages = stages.collect();
        let written = (0..self.columns.inputs.len()).map(|i| written.contains(&Place::Input(i))).collect();
        Plan { stages, written, ..self.plan() }
    }

    /// The values whose gradients an operand's or a parameter's follows from.
    fn needed(&self, wanted: &[bool]) -> Vec<bool> {
        let mut needed: Vec<bool> = Vec::with_capacity(self.values.len());
        for value in &self.values {
            let is_needed = match &value.kind {
                Lower::Dead | Lower::Constant(_) => false,
                Lower::Input(i) => wanted[*i],
                Lower::Product(..) => true,
                Lower::Unary(_, x) | Lower::Columns(x, _) => needed[*x],
                Lower::Binary(_, x, y) => needed[*x] || needed[*y],
                Lower::Concat(parts) => parts.iter().any(|&part| needed[part]),
            };
            needed.push(is_needed);
        }
        needed
    }
}

/// The instructions of one stage's gradient.
struct Gradient<'a> {
    of: &'a Lowered,
    stage: usize,
    needed: &'a [bool],
    builder: Builder<'a>,
    /// Results that are gradients of pieces so far.
    of_pieces: BTreeMap<Piece, usize>,
}

impl<'a> Gradient<'a> {
    fn new(of: &'a Lowered, stage: usize, needed: &'a [bool]) -> Self {
        let mut builder = Builder::new(of, stage);
        // What no gradient needs is left out in the end.
        builder.compute();
        Self { of, stage, needed, builder, of_pieces: BTreeMap::new() }
    }

    /// Begins with the gradients of what the stage has stored.
    fn begin(&mut self, asked: &Asked, written: &BTreeSet<Place>) {
        for (number, value) in self.of.values.iter().enumerate() {
            if value.stage != self.stage {
                continue;
            }
            let outputs = self.of.outputs.iter().enumerate();
            let outputs = outputs.filter(|&(output, of)| *of == number && asked.given[output]);
            let outputs = outputs.map(|(output, _)| Place::Output(output));
            let kept = value.kept.map(Place::Kept).filter(|kept| written.contains(kept));
            for place in outputs.chain(kept) {
                let mut column = 0;
                for &piece in &value.pieces {
                    let (_, width) = self.of.extent(piece);
                    if self.needed[piece.value] {
                        let from = self.builder.read(Matrix::Gradient(place));
                        let given = self.builder.push(width, Instruction::Load { from, column });
                        self.add(piece, given);
                    }
                    column += width;
                }
            }
        }
    }

    /// Goes through the values that the stage computes, the last first.
    fn run(&mut self) {
        for (_, value) in self.builder.computed().rev() {
            for (i, piece) in value.pieces.iter().enumerate() {
                let Some(d) = self.of_pieces.remove(piece) else { continue };
                let (_, width) = self.of.extent(*piece);
                let y = self.builder.piece(piece.value, piece.number);
                match value.kind {
                    Lower::Unary(function, x) => {
                        let instruction = match function {
                            Unary::Tanh => Instruction::TanhBackward(d, y),
                            Unary::Sigmoid => Instruction::SigmoidBackward(d, y),
                            Unary::Relu => Instruction::ReluBackward(d, y),
                            Unary::Scale(s) => Instruction::Scale(d, s.0),
                            Unary::Exp => Instruction::Multiply(d, y),
                            Unary::Log => Instruction::Divide(d, self.builder.piece(x, i)),
                        };
                        self.pass(x, i, |builder| builder.push(width, instruction));
                    }
                    Lower::Binary(function, a, b) => match function {
                        Binary::Add => {
                            self.pass(a, i, |_| d);
                            self.pass(b, i, |_| d);
                        }
                        Binary::Subtract => {
                            self.pass(a, i, |_| d);
                            self.pass(b, i, |builder| builder.push(width, Instruction::Scale(d, -1.0)));
                        }
                        Binary::Multiply => {
                            for (to, other) in [(a, b), (b, a)] {
                                self.pass(to, i, |builder| {
                                    let other = builder.piece(other, i);
                                    builder.push(width, Instruction::Multiply(d, other))
                                });
                            }
                        }
                    },
                    _ => unreachable!("only these are computed"),
                }
            }
        }
    }

    /// Adds what `make` makes to the gradient of a piece of a value, by its position there, if that is needed.
    fn pass(&mut self, value: usize, position: usize, make: impl FnOnce(&mut Builder<'a>) -> usize) {
        let piece = self.of.values[value].pieces[position];
        if self.needed[piece.value] {
            let made = make(&mut self.builder);
            self.add(piece, made);
        }
    }

    fn add(&mut self, piece: Piece, gradient: usize) {
        let (_, width) = self.of.extent(piece);
        let sum = match self.of_pieces.get(&piece) {
            Some(&before) => self.builder.push(width, Instruction::Add(before, gradient)),
            None => gradient,
        };
        self.of_pieces.insert(piece, sum);
    }

    /// Stores the gradients of what the stage reads. The first to store one of a matrix stores all of its columns.
    fn finish(mut self, written: &mut BTreeSet<Place>) -> super::Segment {
        let mut values: Vec<usize> = self.of_pieces.keys().map(|piece| piece.value).collect();
        values.dedup();
        for number in values {
            let place = self.of.place(number);
            let is_first = written.insert(place);
            for &piece in &self.of.values[number].pieces {
                let (column, width) = self.of.extent(piece);
                let made = match self.of_pieces.get(&piece) {
                    Some(&made) => made,
                    None if is_first => self.builder.push(width, Instruction::Zero),
                    None => continue,
                };
                self.builder.store(width, made, Matrix::Gradient(place), column, !is_first);
            }
        }
        self.builder.finish()
    }
}
