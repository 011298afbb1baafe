//! Elementwise instructions in a straight line, run over pieces of the rows that stay in the nearest cache: however many
//! instructions there are, memory is read once and written once.
//!
//! No WGSL twin: a GPU runs a shader that is generated from the same instructions (`crate/src/device/gpu/kernels/fused.rs`).

use crate::math;
use crate::registers::with_registers;

/// One instruction, for every value of a piece. Operands are results of earlier instructions, by their position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instruction {
    /// Zeros.
    Zero,
    /// Columns of a matrix, from `column` on.
    Load {
        /// Which of the matrices to read.
        from: usize,
        /// First column.
        column: usize,
    },
    /// `tanh(x)`
    Tanh(usize),
    /// `sigmoid(x)`
    Sigmoid(usize),
    /// `max(x, 0)`
    Relu(usize),
    /// `exp(x)`
    Exp(usize),
    /// `ln(x)`
    Log(usize),
    /// `s x`
    Scale(usize, f32),
    /// `a + b`
    Add(usize, usize),
    /// `a - b`
    Subtract(usize, usize),
    /// `a b`
    Multiply(usize, usize),
    /// `a / b`
    Divide(usize, usize),
    /// `d (1 - y²)`: through `y = tanh(x)`.
    TanhBackward(usize, usize),
    /// `d y (1 - y)`: through `y = sigmoid(x)`.
    SigmoidBackward(usize, usize),
    /// `d`, 0 where `y` is: through `y = max(x, 0)`.
    ReluBackward(usize, usize),
    /// Writes a result to columns of a matrix, or adds it to them.
    Store {
        /// The result.
        value: usize,
        /// Which of the matrices to write.
        to: usize,
        /// First column.
        column: usize,
        /// Whether it is added to what is there.
        add: bool,
    },
}

impl Instruction {
    /// The results that it reads.
    fn operands_mut(&mut self) -> [Option<&mut usize>; 2] {
        use Instruction as I;
        match self {
            I::Zero | I::Load { .. } => [None, None],
            I::Tanh(x) | I::Sigmoid(x) | I::Relu(x) | I::Exp(x) | I::Log(x) | I::Scale(x, _) => {
                [Some(x), None]
            }
            I::Add(a, b)
            | I::Subtract(a, b)
            | I::Multiply(a, b)
            | I::Divide(a, b)
            | I::TanhBackward(a, b)
            | I::SigmoidBackward(a, b)
            | I::ReluBackward(a, b) => [Some(a), Some(b)],
            I::Store { value, .. } => [Some(value), None],
        }
    }

    fn operands(mut self) -> impl Iterator<Item = usize> {
        self.operands_mut().map(|operand| operand.copied()).into_iter().flatten()
    }
}

/// Instructions over the same number of columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    width: usize,
    instructions: Vec<Instruction>,
    /// Where each result is kept until it was read last.
    slots: Vec<usize>,
    slot_count: usize,
}

impl Line {
    /// The instructions that something stored depends on, of those given.
    pub fn new(width: usize, mut all: Vec<Instruction>) -> Self {
        let mut used = vec![false; all.len()];
        for (number, instruction) in all.iter().enumerate().rev() {
            used[number] |= matches!(instruction, Instruction::Store { .. });
            if used[number] {
                instruction.operands().for_each(|operand| used[operand] = true);
            }
        }
        let mut renumbered = vec![0; all.len()];
        let mut instructions = Vec::new();
        for (number, mut instruction) in all.drain(..).enumerate().filter(|(number, _)| used[*number]) {
            renumbered[number] = instructions.len();
            for operand in instruction.operands_mut().into_iter().flatten() {
                *operand = renumbered[*operand];
            }
            instructions.push(instruction);
        }
        let (slots, slot_count) = slots(&instructions);
        Self { width, instructions, slots, slot_count }
    }

    /// How many columns each instruction is for.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The instructions in order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }
}

/// A slot for every result, and how many there are: a result takes the place of one that nothing reads any more.
fn slots(instructions: &[Instruction]) -> (Vec<usize>, usize) {
    let mut last_read = vec![0; instructions.len()];
    for (number, instruction) in instructions.iter().enumerate() {
        instruction.operands().for_each(|operand| last_read[operand] = number);
    }
    let (mut slots, mut free, mut count) = (vec![0; instructions.len()], Vec::new(), 0);
    for (number, instruction) in instructions.iter().enumerate() {
        let mut ends: Vec<usize> = instruction.operands().filter(|&o| last_read[o] == number).collect();
        ends.dedup();
        free.extend(ends.iter().map(|&operand| slots[operand]));
        if !matches!(instruction, Instruction::Store { .. }) {
            slots[number] = free.pop().unwrap_or_else(|| {
                count += 1;
                count - 1
            });
        }
    }
    (slots, count)
}

/// A matrix to read.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// Its values.
    pub values: &'a [f32],
    /// From a row to the next; 0 if all rows are the same.
    pub stride: usize,
}

/// A matrix to write.
#[derive(Debug)]
pub struct Write<'a> {
    /// Its values.
    pub values: &'a mut [f32],
    /// From a row to the next.
    pub stride: usize,
}

/// Values of a piece, for all slots together: 32 KiB.
const CACHED: usize = 1 << 13;
/// A slot is a multiple of so many values: as many as the widest register has.
const WIDEST: usize = 16;

/// Runs the instructions for every row.
///
/// # Panics
/// If a matrix is too small.
pub fn run(line: &Line, rows: usize, reads: &[Read<'_>], writes: &mut [Write<'_>]) {
    if rows == 0 || line.width == 0 || line.instructions.is_empty() {
        return;
    }
    let most = (CACHED / line.slot_count.max(1) / WIDEST * WIDEST).max(WIDEST);
    let slot = most.min((rows * line.width).next_multiple_of(WIDEST));
    let (rows_of_piece, columns_of_piece) =
        if line.width >= slot { (1, slot) } else { (slot / line.width, line.width) };
    let mut scratch = vec![0.0; line.slot_count * slot];
    let mut places = vec![std::ptr::null(); line.instructions.len()];
    for row in (0..rows).step_by(rows_of_piece) {
        for column in (0..line.width).step_by(columns_of_piece) {
            let piece = Piece {
                row,
                rows: rows_of_piece.min(rows - row),
                column,
                columns: columns_of_piece.min(line.width - column),
            };
            run_piece(line, &piece, reads, writes, &mut scratch, slot, &mut places);
        }
    }
}

/// Rows and columns that are worked on in one go; their values fit a slot.
struct Piece {
    row: usize,
    rows: usize,
    column: usize,
    columns: usize,
}

impl Piece {
    /// Where a row of the piece begins within a matrix.
    fn start(&self, row: usize, stride: usize, column: usize) -> usize {
        (self.row + row) * stride + column + self.column
    }

    /// The values of a matrix, if they lie end to end as they do in a slot.
    fn adjacent<'a>(&self, from: &Read<'a>, column: usize) -> Option<&'a [f32]> {
        let adjacent = self.rows == 1 || from.stride == self.columns;
        adjacent.then(|| &from.values[self.start(0, from.stride, column)..][..self.rows * self.columns])
    }
}

with_registers! {
    /// `slot` values of scratch for each slot, a multiple of the widest register; a place for each instruction.
    fn run_piece<V>(
        line: &Line,
        piece: &Piece,
        reads: &[Read<'_>],
        writes: &mut [Write<'_>],
        scratch: &mut [f32],
        slot: usize,
        places: &mut [*const f32],
    ) {
        use Instruction as I;
        let count = piece.rows * piece.columns;
        // What is behind the values of a slot is calculated along with them and never stored.
        let padded = count.next_multiple_of(V::WIDTH);
        assert!(padded <= slot && line.slot_count * slot <= scratch.len(), "a piece fits its slots");
        let scratch = scratch.as_mut_ptr();
        for (number, instruction) in line.instructions.iter().enumerate() {
            // SAFETY: there is a slot for every result.
            let out = unsafe { scratch.add(line.slots[number] * slot) };
            // SAFETY, of all three: the body is compiled for the register's instructions, and every place that a result
            // lies in has `padded` values.
            macro_rules! unary {
                ($x:expr, |$a:ident| $result:expr) => {{
                    let x = places[$x];
                    for i in (0..padded).step_by(V::WIDTH) {
                        unsafe {
                            let $a = V::load(x.add(i));
                            ($result).store(out.add(i));
                        }
                    }
                }};
            }
            macro_rules! binary {
                ($x:expr, $y:expr, |$a:ident, $b:ident| $result:expr) => {{
                    let (x, y) = (places[$x], places[$y]);
                    for i in (0..padded).step_by(V::WIDTH) {
                        unsafe {
                            let ($a, $b) = (V::load(x.add(i)), V::load(y.add(i)));
                            ($result).store(out.add(i));
                        }
                    }
                }};
            }
            macro_rules! each {
                ($x:expr, $y:expr, |$a:ident, $b:ident| $result:expr) => {{
                    let (x, y) = (places[$x], places[$y]);
                    for i in 0..count {
                        unsafe {
                            let ($a, $b) = (*x.add(i), *y.add(i));
                            *out.add(i) = $result;
                        }
                    }
                }};
            }
            places[number] = out;
            match *instruction {
                I::Zero => {
                    // SAFETY: as above.
                    unsafe { std::slice::from_raw_parts_mut(out, padded) }.fill(0.0);
                }
                I::Load { from, column } => {
                    let from = &reads[from];
                    match piece.adjacent(from, column) {
                        Some(values) if padded == count => places[number] = values.as_ptr(),
                        Some(values) => {
                            // SAFETY: as above.
                            unsafe { std::slice::from_raw_parts_mut(out, count) }.copy_from_slice(values);
                        }
                        None => {
                            for row in 0..piece.rows {
                                let start = piece.start(row, from.stride, column);
                                let values = &from.values[start..start + piece.columns];
                                // SAFETY: as above.
                                unsafe {
                                    let to = out.add(row * piece.columns);
                                    std::slice::from_raw_parts_mut(to, piece.columns).copy_from_slice(values);
                                }
                            }
                        }
                    }
                }
                I::Tanh(x) => unary!(x, |a| math::tanh(a)),
                I::Sigmoid(x) => unary!(x, |a| math::sigmoid(a)),
                I::Relu(x) => unary!(x, |a| math::relu(a)),
                I::Exp(x) => each!(x, x, |a, _b| a.exp()),
                I::Log(x) => each!(x, x, |a, _b| a.ln()),
                I::Scale(x, s) => unary!(x, |a| a.mul(V::splat(s))),
                I::Add(x, y) => binary!(x, y, |a, b| a.add(b)),
                I::Subtract(x, y) => binary!(x, y, |a, b| a.sub(b)),
                I::Multiply(x, y) => binary!(x, y, |a, b| a.mul(b)),
                I::Divide(x, y) => binary!(x, y, |a, b| a.div(b)),
                I::TanhBackward(d, y) => binary!(d, y, |d, y| d.mul(y.like(&1.0).sub(y.mul(y)))),
                I::SigmoidBackward(d, y) => binary!(d, y, |d, y| d.mul(y).mul(y.like(&1.0).sub(y))),
                I::ReluBackward(d, y) => each!(d, y, |d, y| if y > 0.0 { d } else { 0.0 }),
                I::Store { value, to, column, add } => {
                    let to = &mut writes[to];
                    for row in 0..piece.rows {
                        let start = piece.start(row, to.stride, column);
                        let target = &mut to.values[start..start + piece.columns];
                        // SAFETY: as above.
                        let values = unsafe {
                            std::slice::from_raw_parts(places[value].add(row * piece.columns), piece.columns)
                        };
                        if add {
                            target.iter_mut().zip(values).for_each(|(t, v)| *t += v);
                        } else {
                            target.copy_from_slice(values);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `out[c] = tanh(a[c + 1]) * b[c]`, `sum += a[c + 1]`, over rows that lie apart.
    #[test]
    fn rows_apart_and_rows_that_are_all_the_same() {
        use Instruction as I;
        for (rows, width) in [(0, 3), (1, 1), (1, 40), (7, 3), (1000, 5), (3, 5000)] {
            let line = Line::new(
                width,
                vec![
                    I::Load { from: 0, column: 1 },
                    I::Load { from: 1, column: 0 },
                    I::Exp(1),
                    I::Tanh(0),
                    I::Multiply(3, 1),
                    I::Store { value: 4, to: 0, column: 2, add: false },
                    I::Store { value: 0, to: 1, column: 0, add: true },
                ],
            );
            assert_eq!(line.instructions().len(), 6, "nothing needs the exponential");
            assert!(line.slot_count <= 3, "{}", line.slot_count);
            let (stride, a) = (width + 2, |i: usize| (i as f32 * 0.7).sin());
            let values: Vec<f32> = (0..rows * stride).map(a).collect();
            let same: Vec<f32> = (0..width).map(|i| i as f32).collect();
            let (mut out, mut sum) = (vec![9.0; rows * (width + 3)], vec![1.0; rows * width]);
            run(
                &line,
                rows,
                &[Read { values: &values, stride }, Read { values: &same, stride: 0 }],
                &mut [
                    Write { values: &mut out, stride: width + 3 },
                    Write { values: &mut sum, stride: width },
                ],
            );
            for row in 0..rows {
                assert!([0, 1, width + 2].iter().all(|c| out[row * (width + 3) + c] == 9.0));
                for c in 0..width {
                    let x = a(row * stride + c + 1);
                    let y = out[row * (width + 3) + 2 + c];
                    assert!((y - x.tanh() * c as f32).abs() < 1e-6 * (1.0 + c as f32), "{row} {c}: {y}");
                    assert_eq!(sum[row * width + c], 1.0 + x);
                }
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_functions() {
        use Instruction as I;
        let line = Line::new(
            1,
            vec![
                I::Load { from: 0, column: 0 },
                I::Load { from: 0, column: 1 },
                I::TanhBackward(0, 1),
                I::SigmoidBackward(0, 1),
                I::ReluBackward(0, 1),
                I::Zero,
                I::Divide(0, 1),
                I::Store { value: 2, to: 0, column: 0, add: false },
                I::Store { value: 3, to: 0, column: 1, add: false },
                I::Store { value: 4, to: 0, column: 2, add: false },
                I::Store { value: 5, to: 0, column: 3, add: false },
                I::Store { value: 6, to: 0, column: 4, add: false },
            ],
        );
        let mut out = [9.0; 10];
        run(
            &line,
            2,
            &[Read { values: &[3.0, 0.5, 3.0, -2.0], stride: 2 }],
            &mut [Write { values: &mut out, stride: 5 }],
        );
        assert_eq!(out, [2.25, 0.75, 3.0, 0.0, 6.0, -9.0, -18.0, 0.0, 0.0, -1.5]);
    }
}
