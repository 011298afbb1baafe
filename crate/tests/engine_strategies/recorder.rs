//! A program's steps as a graph's operations, over shared weights.

use pollster::block_on;
use saccade_rnn::device::{
    CellKind, Op, ParamId, Parameters, Pool, Real, Reduce, Semiring, Skim, SkimMode, Sru, WeightView,
};
use saccade_rnn::graph::{Expr, Graph};

use crate::common::{parameter, values};
use crate::program::{Source, Step};

/// Weights that all examples share, for values of `width` columns.
pub(crate) struct Weights {
    pub(crate) parameters: Parameters,
    pub(crate) table: ParamId,
    pub(crate) affine: [(ParamId, ParamId); 2],
    pub(crate) combine: ParamId,
    pub(crate) norm: (ParamId, ParamId),
    pub(crate) cells: Vec<(CellKind, ParamId, ParamId, ParamId)>,
    pub(crate) sru: [ParamId; 4],
    pub(crate) skims: Vec<(Skim, [ParamId; 3])>,
    pub(crate) classes: ParamId,
}

impl Weights {
    pub(crate) fn new(width: usize) -> Self {
        let mut parameters = Parameters::new();
        let mut add = |name: String, shape: &[usize]| parameter(&mut parameters, &name, shape);
        let cell = |add: &mut dyn FnMut(String, &[usize]) -> ParamId, cell: CellKind| {
            let (name, gates) = (format!("{cell:?}"), cell.gates() * width);
            let weight_ih = add(format!("{name}.ih"), &[gates, width]);
            (cell, weight_ih, add(format!("{name}.hh"), &[gates, width]), add(format!("{name}.b"), &[gates]))
        };
        let kinds = [CellKind::Lstm, CellKind::Gru, CellKind::ElmanTanh, CellKind::ElmanRelu];
        let cells: Vec<_> = kinds.into_iter().map(|kind| cell(&mut add, kind)).collect();
        let small = width / 2;
        let skims = cells[..2].iter().map(|&(cell, big_weight_ih, big_weight_hh, big_bias_hh)| {
            let (name, gates) = (format!("skim.{cell:?}"), cell.gates());
            let small_ih = add(format!("{name}.small_ih"), &[gates * small, width]);
            let small_hh = add(format!("{name}.small_hh"), &[gates * small, small]);
            let small_bias = add(format!("{name}.small_b"), &[gates * small]);
            let decision_weight = add(format!("{name}.decision"), &[2, 2 * width]);
            let skim = Skim {
                cell,
                hidden: width,
                small,
                small_reads: small,
                big_weight_ih,
                big_bias_ih: big_bias_hh,
                big_weight_hh,
                big_bias_hh,
                small_hh: (small > 0).then_some((small_hh, small_bias)),
                decision_weight,
                initial: false,
                mode: SkimMode::Hard { threshold: Real(0.5) },
                inspect: false,
            };
            (skim, [small_ih, small_bias, decision_weight])
        });
        let skims = skims.collect();
        Self {
            table: add("table".into(), &[6, width]),
            affine: ["a", "b"]
                .map(|name| (add(format!("{name}.w"), &[width, width]), add(format!("{name}.b"), &[width]))),
            combine: add("combine".into(), &[width, 2 * width]),
            norm: (add("norm.weight".into(), &[width]), add("norm.bias".into(), &[width])),
            cells,
            sru: [
                add("sru.k3".into(), &[width, 3 * width]),
                add("sru.k4".into(), &[width, 4 * width]),
                add("sru.weight_c".into(), &[2 * width]),
                add("sru.bias".into(), &[2 * width]),
            ],
            skims,
            classes: add("classes".into(), &[3, width]),
            parameters,
        }
    }
}

/// One example while it records itself.
pub(crate) struct Recorder<'g, 'w> {
    pub(crate) graph: &'g Graph,
    pub(crate) weights: &'w Weights,
    pub(crate) width: usize,
    /// A right operand of products, `width x width`.
    pub(crate) shared: Expr<'g>,
    /// Numbers the leaves, so that their values differ.
    pub(crate) leaves: u32,
    pub(crate) stack: Vec<Expr<'g>>,
    pub(crate) variables: Vec<Expr<'g>>,
    /// Every value that was on top, and those beside it.
    pub(crate) seen: Vec<Expr<'g>>,
}

impl<'g> Recorder<'g, '_> {
    fn push(&mut self, source: Source, rows: usize) -> Expr<'g> {
        self.leaves += 1;
        let numbers = values(self.leaves, rows * self.width, 1.0);
        match source {
            Source::Constant => self.graph.input(rows, self.width, numbers),
            Source::Variable => {
                self.variables.push(self.graph.variable(rows, self.width, numbers));
                self.variables[self.variables.len() - 1]
            }
            Source::Embedding => {
                let ids: Vec<u32> = (0..rows as u32).map(|i| (i * i + self.leaves) % 6).collect();
                self.graph.embedding(self.weights.table, &ids)
            }
        }
    }

    /// The value below the top, which is left; a variable of one row if there is none.
    fn below(&mut self) -> Expr<'g> {
        match self.stack.len() {
            0 => self.push(Source::Variable, 1),
            n => self.stack[n - 1],
        }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        if let Step::Push(source, rows) = *step {
            let x = self.push(source, rows);
            self.stack.push(x);
            self.seen.push(x);
            return;
        }
        let x = self.stack.pop().expect("a program begins with a push");
        let y = self.apply(step, x);
        self.stack.push(y);
        self.seen.push(y);
    }

    fn apply(&mut self, step: &Step, x: Expr<'g>) -> Expr<'g> {
        let (graph, w, width) = (self.graph, self.weights, self.width);
        match *step {
            Step::Push(..) => unreachable!("handled above"),
            Step::Tanh => x.tanh(),
            Step::Sigmoid => x.sigmoid(),
            Step::Relu => x.relu(),
            Step::Scale => x.scale(0.7),
            Step::Softmax => x.softmax(),
            Step::LogSoftmax => x.log_softmax().scale(0.5),
            // Rows that are nearly equal in all columns would magnify the order of sums.
            Step::LayerNorm => {
                let ramp: Vec<f32> = (0..x.shape().rows * width).map(|i| (i % width) as f32).collect();
                (x.tanh() + graph.input(x.shape().rows, width, ramp)).layer_norm(w.norm.0, w.norm.1)
            }
            Step::Exp => x.tanh().exp(),
            Step::Log => x.tanh().exp().log(),
            Step::Reduce(kind) => {
                let x = x.tanh();
                let made = match kind {
                    Reduce::Sum => x.sum_columns(),
                    Reduce::Mean => x.mean_columns(),
                    Reduce::LogSumExp => x.log_sum_exp(),
                    Reduce::Max => x.max_columns().0,
                };
                x * graph.concat_columns(&vec![made; width])
            }
            Step::AddRow => x + self.below().mean_rows().repeat(x.shape().rows),
            Step::Dropout(per_sequence) => x.dropout(0.3, per_sequence),
            Step::Affine(second) => {
                let (weight, bias) = w.affine[usize::from(second)];
                x.affine(weight, Some(bias))
            }
            Step::MatMul(true) => (x.matmul(self.shared) + x.tanh().matmul(self.shared)).scale(0.5),
            Step::MatMul(false) => {
                let right = graph.concat_rows(&vec![self.below().mean_rows().tanh(); width]);
                x.matmul(self.push(Source::Variable, width) - right).scale(0.5)
            }
            Step::Semiring(Semiring::Log, transposed) => x.tanh().log_product(w.affine[0].0, transposed),
            Step::Semiring(Semiring::Max, transposed) => x.tanh().max_product(w.affine[0].0, transposed).0,
            Step::Diamond => x.tanh() * x.sigmoid() - x,
            Step::Cell => {
                let (weight, bias) = w.affine[0];
                let cell = graph.cell("gate", [width, width], |_, [x, y]| {
                    let gate = x.affine(weight, Some(bias)).sigmoid();
                    [gate * y, (y - x.scale(0.5)).tanh()]
                });
                let [gated, other] = cell.expect("it makes rows of rows").call([x, x.tanh()]);
                self.seen.push(other);
                gated + other
            }
            Step::SwapColumns => {
                let middle = width / 2;
                graph.concat_columns(&[x.columns(middle..width), x.columns(0..middle)])
            }
            Step::Rows(ref numbers) => {
                let rows = x.shape().rows as u32;
                let numbers: Vec<u32> = numbers.iter().filter(|_| rows > 0).map(|n| n % rows).collect();
                x.rows(&numbers)
            }
            Step::ScatterAdd(rows, step) => {
                let numbers: Vec<u32> = (0..x.shape().rows as u32).map(|i| i * step % rows as u32).collect();
                x.scatter_add(&numbers, rows)
            }
            Step::Repeat(times) if x.shape().rows * times < 50 => x.repeat(times),
            Step::Repeat(_) => x,
            Step::ConcatRows => graph.concat_rows(&[self.below(), x]),
            Step::Pool(kind) => x.pool(kind),
            Step::Combine => {
                let children = [self.below().pool(Pool::Last), x.pool(Pool::Mean)];
                graph.concat_columns(&children).affine(w.combine, None).tanh()
            }
            Step::Recurrence(cell, reverse, initial) => self.recurrence(x, cell, reverse, initial),
            Step::Sru(k4, bidirectional) => self.sru(x, k4, bidirectional),
            Step::SkimSoft(cell, initial) => self.skim_soft(x, cell, initial),
            Step::SkimHard(cell, initial) if graph.is_training() => self.skim_soft(x, cell, initial),
            Step::SkimHard(cell, forced) => self.skim_hard(x, cell, forced),
            Step::Value => {
                block_on(x.value()).expect("nothing is wrong with the program");
                x
            }
        }
    }

    fn recurrence(&mut self, x: Expr<'g>, cell: CellKind, reverse: bool, initial: bool) -> Expr<'g> {
        let of_cell = |c: &&(CellKind, ParamId, ParamId, ParamId)| c.0 == cell;
        let &(_, ih, weight_hh, bias) =
            self.weights.cells.iter().find(of_cell).expect("every cell has weights");
        let mut operands = vec![x.affine(ih, None)];
        if initial {
            let state = self.below().pool(Pool::Mean);
            operands.extend([state, state.tanh()].iter().take(1 + usize::from(cell.has_memory())));
        }
        let op = Op::Recurrence {
            cell,
            weight_hh,
            bias_hh: (!reverse).then_some(bias),
            reverse,
            initial,
            inspect: false,
        };
        let out = self.graph.record(op, &operands, Vec::new());
        self.seen.extend([out[1], out[2]]);
        // All outputs matter to what follows: the last h twice, the last c if there is one.
        let last = if cell.has_memory() { vec![out[1], out[2]] } else { vec![out[1]] };
        self.graph.concat_rows(&[vec![out[0]], last].concat()).tanh()
    }

    fn sru(&mut self, x: Expr<'g>, k4: bool, bidirectional: bool) -> Expr<'g> {
        let [k3_weight, k4_weight, weight_c, bias] = self.weights.sru;
        let weight = if k4 { k4_weight } else { k3_weight };
        let u = x.affine_view(WeightView::input_major(self.graph.parameters(), weight), None);
        let dropout = Real(if self.graph.is_training() && bidirectional { 0.3 } else { 0.0 });
        let sru = Sru {
            weight_c: (!bidirectional || k4).then_some(weight_c),
            bias,
            scale: None,
            skip: !k4,
            initial: bidirectional,
            use_tanh: k4,
            bidirectional: bidirectional && self.width.is_multiple_of(2),
            dropout,
            inspect: false,
        };
        let mut operands = vec![u];
        operands.extend((!k4).then_some(x));
        if bidirectional {
            operands.push(self.below().pool(Pool::Sum).tanh());
        }
        let out = self.graph.record(Op::Sru(sru), &operands, Vec::new());
        self.graph.concat_rows(&[out[0], out[1].tanh()])
    }

    /// The recurrence's attributes, the small cell's product and the decision's.
    fn skim(&self, x: Expr<'g>, cell: CellKind) -> (Skim, Vec<Expr<'g>>) {
        let of_cell = |s: &&(Skim, [ParamId; 3])| s.0.cell == cell;
        let &(skim, [small_ih, small_bias, decision]) =
            self.weights.skims.iter().find(of_cell).expect("the gated cells have weights");
        let leading = WeightView::leading(self.graph.parameters(), decision, self.width);
        let mut products = Vec::new();
        products.extend((skim.small > 0).then(|| x.affine(small_ih, Some(small_bias))));
        products.push(x.affine_view(leading, None));
        (skim, products)
    }

    fn skim_soft(&mut self, x: Expr<'g>, cell: CellKind, initial: bool) -> Expr<'g> {
        let (skim, products) = self.skim(x, cell);
        let mut operands = vec![x.affine(skim.big_weight_ih, Some(skim.big_bias_ih))];
        operands.extend(products);
        if initial {
            let state = self.below().pool(Pool::Max).tanh();
            operands.extend([state, state].iter().take(1 + usize::from(cell.has_memory())));
        }
        let mode = SkimMode::Soft { temperature: Real(0.8), given_noise: false };
        let out = self.graph.record(Op::Skim(Skim { initial, mode, ..skim }), &operands, Vec::new());
        self.seen.extend([out[2], out[3], out[4]]);
        // The probability of skimming weighs the rows, so that it has a gradient.
        let side_by_side = vec![out[4]; self.width];
        self.graph.concat_rows(&[out[0] * self.graph.concat_columns(&side_by_side), out[1]])
    }

    fn skim_hard(&mut self, x: Expr<'g>, cell: CellKind, forced: bool) -> Expr<'g> {
        let (skim, products) = self.skim(x, cell);
        let operands = [vec![x], products].concat();
        let force = (0..x.shape().rows as u32).filter(|_| forced).map(|i| i % 3).collect();
        let out = self.graph.record(Op::Skim(skim), &operands, force);
        self.seen.extend([out[2], out[3], out[4]]);
        self.graph.concat_rows(&[out[0], out[1]])
    }
}
