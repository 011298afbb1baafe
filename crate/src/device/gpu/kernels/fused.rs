//! WGSL for the elementwise instructions of a recorded function: an invocation for each row and column, so that a segment is
//! one launch, and memory is read once and written once.
//!
//! CPU twin: `kernels/src/fused.rs`.

use std::fmt::Write as _;

use saccade_shaders::functions::{EXP_LOG, GRID, MATH};

use crate::cpu::fused::{Instruction, Line};
use crate::device::cell::{Columns, Matrix, Place, Segment};

/// A buffer that a kernel is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Input(usize),
    Output(usize),
    OutputGradient(usize),
    InputGradient(usize),
    /// All matrices of a kind, one after the other. Those that have a buffer of their own, above, share one as well where
    /// there would be more buffers than a kernel may be given.
    Inputs,
    Outputs,
    OutputGradients,
    InputGradients,
    Constants,
    Products,
    Kept,
    ProductGradients,
    KeptGradients,
}

/// The storage buffers that WebGPU promises a kernel.
const MOST_BUFFERS: usize = 8;
/// Invocations of a workgroup, as in `shared/grid.wgsl`.
const GROUP: usize = 256;

/// Where the matrices of a call lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout<'a> {
    pub(super) columns: &'a Columns,
    pub(super) constants: &'a [Vec<f32>],
    /// Whether operands, outputs and their gradients share buffers.
    pub(super) packed: bool,
}

impl Layout<'_> {
    /// The buffer of a matrix, and how many values of each row of that buffer lie before it.
    pub(super) fn place(&self, matrix: Matrix) -> (Bound, usize) {
        let Columns { inputs, products, kept, outputs } = self.columns;
        let before = |columns: &[usize], i: usize| columns[..i].iter().sum::<usize>();
        let own = |all: Bound, own: Bound, columns: &[usize], i| match self.packed {
            true => (all, before(columns, i)),
            false => (own, 0),
        };
        match matrix {
            Matrix::Value(Place::Input(i)) => own(Bound::Inputs, Bound::Input(i), inputs, i),
            Matrix::Value(Place::Output(i)) => own(Bound::Outputs, Bound::Output(i), outputs, i),
            Matrix::Gradient(Place::Input(i)) => {
                own(Bound::InputGradients, Bound::InputGradient(i), inputs, i)
            }
            Matrix::Gradient(Place::Output(i)) => {
                own(Bound::OutputGradients, Bound::OutputGradient(i), outputs, i)
            }
            Matrix::Value(Place::Product(i)) => (Bound::Products, before(products, i)),
            Matrix::Gradient(Place::Product(i)) => (Bound::ProductGradients, before(products, i)),
            Matrix::Value(Place::Kept(i)) => (Bound::Kept, before(kept, i)),
            Matrix::Gradient(Place::Kept(i)) => (Bound::KeptGradients, before(kept, i)),
            Matrix::Value(Place::Constant(i)) | Matrix::Gradient(Place::Constant(i)) => {
                (Bound::Constants, self.constants[..i].iter().map(Vec::len).sum())
            }
        }
    }

    fn columns_of(&self, matrix: Matrix) -> usize {
        let (Matrix::Value(place) | Matrix::Gradient(place)) = matrix;
        match place {
            Place::Input(i) => self.columns.inputs[i],
            Place::Output(i) => self.columns.outputs[i],
            Place::Product(i) => self.columns.products[i],
            Place::Kept(i) => self.columns.kept[i],
            Place::Constant(i) => self.constants[i].len(),
        }
    }

    /// The buffers that the instructions read and write, in the order of their bindings, and whether they write each.
    pub(super) fn bindings(&self, segment: &Segment) -> Vec<(Bound, bool)> {
        let mut bindings: Vec<(Bound, bool)> = Vec::new();
        for instruction in segment.lines.iter().flat_map(Line::instructions) {
            let (matrix, writes) = match *instruction {
                Instruction::Load { from, .. } => (segment.reads[from], false),
                Instruction::Store { to, .. } => (segment.writes[to], true),
                _ => continue,
            };
            let (bound, _) = self.place(matrix);
            match bindings.iter_mut().find(|(known, _)| *known == bound) {
                Some((_, written)) => *written |= writes,
                None => bindings.push((bound, writes)),
            }
        }
        bindings
    }

    /// Whether the instructions need no more buffers than a kernel may be given.
    pub(super) fn fits(&self, segment: &Segment) -> bool {
        self.bindings(segment).len() <= MOST_BUFFERS
    }

    /// The kernel. Its uniform has the rows, and for every buffer its first value.
    pub(super) fn source(&self, segment: &Segment) -> String {
        let bindings = self.bindings(segment);
        let mut source = format!("{GRID}\n{MATH}\n{EXP_LOG}\nstruct Arguments {{ rows: u32");
        // Writing to a `String` cannot fail.
        for i in 1..=bindings.len() {
            let _ = write!(source, ", first_{i}: u32");
        }
        source += " }\n@group(0) @binding(0) var<uniform> arguments: Arguments;\n";
        for (i, (_, writes)) in bindings.iter().enumerate() {
            let (i, access) = (i + 1, if *writes { "read_write" } else { "read" });
            let _ = writeln!(source, "@group(0) @binding({i}) var<storage, {access}> m{i}: array<f32>;");
        }
        for (number, line) in segment.lines.iter().enumerate() {
            let _ = writeln!(source, "fn line_{number}(row: u32, column: u32) {{");
            for (result, instruction) in line.instructions().iter().enumerate() {
                source += &self.statement(segment, &bindings, result, *instruction);
            }
            source += "}\n";
        }
        let _ = write!(
            source,
            "@compute @workgroup_size({GROUP})\nfn main(@builtin(workgroup_id) group: vec3<u32>, \
             @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {{\n\
             let i = group_number(group, groups) * GROUP + lane;\nlet row = i / {0}u;\nlet column = i % {0}u;\n\
             if row >= arguments.rows {{ return; }}\n",
            width(segment),
        );
        let mut end = 0;
        for (number, line) in segment.lines.iter().enumerate() {
            let start = end;
            end += line.width();
            let _ = writeln!(
                source,
                "if column >= {start}u && column < {end}u {{ line_{number}(row, column - {start}u); }}"
            );
        }
        source + "}\n"
    }

    fn statement(
        &self,
        segment: &Segment,
        bindings: &[(Bound, bool)],
        result: usize,
        instruction: Instruction,
    ) -> String {
        use Instruction as I;
        let at = |matrix: Matrix, first: usize| {
            let (bound, before) = self.place(matrix);
            let i = 1 + bindings.iter().take_while(|(known, _)| *known != bound).count();
            if bound == Bound::Constants {
                return format!("m{i}[arguments.first_{i} + {}u + column]", before + first);
            }
            let columns = self.columns_of(matrix);
            let start = format!("arguments.first_{i} + arguments.rows * {before}u");
            format!("m{i}[{start} + row * {columns}u + {first}u + column]")
        };
        let value = match instruction {
            I::Store { value, to, column, add } => {
                let sign = if add { "+=" } else { "=" };
                return format!("{} {sign} r{value};\n", at(segment.writes[to], column));
            }
            I::Zero => "0.0".to_string(),
            I::Load { from, column } => at(segment.reads[from], column),
            I::Tanh(x) => format!("keep_nan(tanh_bounded(r{x}), r{x})"),
            I::Sigmoid(x) => format!("keep_nan(sigmoid(r{x}), r{x})"),
            I::Relu(x) => format!("keep_nan(max(r{x}, 0.0), r{x})"),
            I::Exp(x) => format!("exp_total(r{x})"),
            I::Log(x) => format!("log_total(r{x})"),
            I::Scale(x, s) => format!("r{x} * of_bits({}u)", s.to_bits()),
            I::Add(x, y) => format!("r{x} + r{y}"),
            I::Subtract(x, y) => format!("r{x} - r{y}"),
            I::Multiply(x, y) => format!("r{x} * r{y}"),
            I::Divide(x, y) => format!("r{x} / r{y}"),
            I::TanhBackward(d, y) => format!("r{d} * (1.0 - r{y} * r{y})"),
            I::SigmoidBackward(d, y) => format!("r{d} * r{y} * (1.0 - r{y})"),
            I::ReluBackward(d, y) => format!("select(0.0, r{d}, r{y} > 0.0)"),
        };
        format!("let r{result} = {value};\n")
    }
}

/// Columns of all lines of a segment together: the invocations for a row.
pub(super) fn width(segment: &Segment) -> usize {
    segment.lines.iter().map(Line::width).sum()
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;
    use crate::device::Parameters;
    use crate::device::cell::Plan;
    use crate::graph::Cell;

    /// Every kernel of a plan is valid with nothing beyond what every WebGPU device has.
    fn check(plan: &Plan) -> usize {
        let apart = Layout { columns: &plan.columns, constants: &plan.constants, packed: false };
        let packed = plan.stages.iter().any(|stage| !apart.fits(&stage.segment));
        let segments = plan.stages.iter().map(|stage| &stage.segment);
        let segments = segments.filter(|segment| !segment.lines.is_empty());
        let layout = Layout { packed, ..apart };
        segments.fold(0, |count, segment| {
            assert!(layout.fits(segment), "{:?}", layout.bindings(segment));
            let source = layout.source(segment);
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|error| panic!("{}\n{source}", error.emit_to_string(&source)));
            let valid = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module);
            let info = valid.unwrap_or_else(|error| panic!("{}\n{source}", error.emit_to_string(&source)));
            let used = info.get_entry_point(0);
            assert!(module.global_variables.iter().all(|(handle, _)| !used[handle].is_empty()), "{source}");
            count + 1
        })
    }

    #[test]
    fn generated_kernels_are_valid() {
        let mut p = Parameters::new();
        let w = p.add("w", &[6, 3], vec![0.0; 18]).unwrap();
        let cell = Cell::new("every", &p, [3, 3, 3, 3], |graph, [a, b, c, d]| {
            let sum = a.affine(w, None) + b.affine(w, None);
            let ones = graph.input(1, 3, vec![1.0; 3]);
            let left = (sum.columns(0..3).sigmoid() * c).tanh().exp().log() - ones;
            let right = left.affine(w, None).columns(2..5).relu().scale(f32::INFINITY) + d;
            [left, graph.concat_columns(&[right, c]), d, a + b]
        });
        let function = cell.unwrap().function().clone();
        assert_eq!(check(function.forward()), 2);
        for asked in 0..256 {
            let bits = |from: u32| (0..4).map(|i| asked >> (from + i) & 1 == 1).collect::<Vec<bool>>();
            check(&function.backward(bits(0), &bits(4)));
        }
        let inputs = [1; 20];
        let many = Cell::new("many", &p, inputs, |_, x: [_; 20]| x.map(|y| y * x[0])).unwrap();
        assert_eq!(check(many.function().forward()), 1);
        assert_eq!(check(&many.function().backward(vec![true; 20], &[true; 20])), 1);
    }
}
