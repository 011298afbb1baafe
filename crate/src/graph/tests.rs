//! What only the inside of a graph shows.

use pollster::block_on;

use super::{Expr, Graph, Port, Strategy};
use crate::device::{Device, Op, Parameters};

fn step(x: Expr<'_>) -> Expr<'_> {
    x.tanh().sigmoid().tanh()
}

/// How many nodes the second flush of a graph looks at, after a first one of so many chains.
fn looks_of_second_flush(strategy: Strategy, chains: usize) -> usize {
    let graph = Graph::training(&Parameters::new(), &Device::cpu(), strategy, 0);
    let first: Vec<_> = (0..chains).map(|_| step(graph.input(1, 1, vec![0.5]))).collect();
    block_on(graph.values(&first)).expect("nothing is wrong");
    let second: Vec<_> = first.iter().take(5).map(|x| step(x.tanh() + *x)).collect();
    let before = graph.tape.borrow().looks.replace(0);
    assert!(before > 3 * chains, "looks are counted");
    block_on(graph.values(&second)).expect("nothing is wrong");
    graph.tape.borrow().looks.get()
}

#[test]
fn a_flush_looks_at_new_nodes_only() {
    for strategy in [Strategy::Unbatched, Strategy::Depth, Strategy::Agenda, Strategy::Levels] {
        let looks = [10, 100, 10_000].map(|chains| looks_of_second_flush(strategy, chains));
        assert_eq!(looks, [looks[0]; 3], "{strategy:?}");
    }
}

#[test]
fn keys_and_buffers_may_be_as_many_as_nodes() {
    let (parameters, device) = (Parameters::new(), Device::cpu());
    let looks = |count: usize| {
        let graph = Graph::inference(&parameters, &device, Strategy::Levels);
        let x = graph.input(1, 1, vec![0.5]);
        for factor in 0..count {
            x.scale(factor as f32);
            x.columns(0..1);
        }
        let first = graph.tape.borrow().looks.take();
        let held = |i| {
            let graph = Graph::inference(&parameters, &device, Strategy::Levels);
            graph.input(1, 1, vec![i as f32]).hold().expect("nothing is wrong")
        };
        let again = Graph::inference(&parameters, &device, Strategy::Levels);
        let held: Vec<_> = (0..count).map(|i| again.held(held(i))).collect();
        again.tape.borrow().looks.take();
        block_on(again.values(&held)).expect("nothing is wrong");
        [first, again.tape.borrow().looks.take()]
    };
    let (some, more) = (looks(1_000), looks(4_000));
    // In proportion, but for the levels of a sort.
    assert!((0..2).all(|i| more[i] < 6 * some[i]), "{some:?} and {more:?} looks");
}

#[test]
fn a_node_is_recorded_again_with_operands_of_the_same_shapes() {
    let mut parameters = Parameters::new();
    let w = parameters.add("w", &[2, 2], vec![1.0, -1.0, 0.5, 2.0]).expect("it fits");
    let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Levels, 0);
    let [a, b] = [1.0, 3.0].map(|x| graph.variable(1, 2, vec![x, -x]));
    let known = a.affine(w, None);
    let node = graph.again(known.port.node, &[b.port]).expect("its operand has the same shape");
    let again = graph.at(Port { node, output: 0 });
    assert!(graph.takes(node, &[b.port]) && !graph.takes(node, &[a.port]));
    let values = block_on(graph.values(&[known, again, b.affine(w, None)])).expect("nothing is wrong");
    assert_eq!(values, [vec![2.0, -1.5], vec![6.0, -4.5], vec![6.0, -4.5]]);
    block_on(again.sum_columns().backward()).expect("nothing is wrong");
    assert_eq!(block_on(b.gradient()).expect("it has one"), [1.5, 1.0]);

    // Operands of another shape or number, indices, a leaf, and mistakes.
    let wide = graph.input(1, 3, vec![0.0; 3]);
    let picked = a.rows(&[0]);
    let mistaken = a.rows(&[7]);
    for (known, operands) in [
        (known, vec![wide]),
        (known, vec![]),
        (known, vec![a, b]),
        (picked, vec![b]),
        (a, vec![]),
        (known, vec![mistaken]),
    ] {
        let operands: Vec<Port> = operands.into_iter().map(|x| x.port).collect();
        assert_eq!(graph.again(known.port.node, &operands), None);
    }
}

#[test]
fn a_loop_is_checked_wherever_it_differs_from_the_round_before() {
    let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    fn round<'g>(a: Expr<'g>, b: Expr<'g>) -> Expr<'g> {
        (a + b).tanh()
    }
    let zeros = |rows, columns| graph.input(rows, columns, vec![0.0; rows * columns]);
    let [x, tall, wide] = [zeros(1, 2), zeros(3, 2), zeros(1, 3)];
    let rounds = [(x, x), (x, x), (tall, tall), (x, x), (wide, wide)].map(|(a, b)| round(a, b));
    let shapes = rounds.map(|made| made.shape().to_string());
    assert_eq!(shapes, ["1 x 2", "1 x 2", "3 x 2", "1 x 2", "1 x 3"]);
    block_on(graph.values(&rounds)).expect("nothing is wrong");

    // A mistake is told as itself, and is no pattern for the next round.
    let wrong = round(x, wide);
    let right = round(x, x);
    assert_eq!(right.shape().to_string(), "1 x 2");
    let error = block_on(right.value()).expect_err("a mistake was made").to_string();
    assert!(error.starts_with("add: ") && error.contains("tests.rs"), "{error}");
    let mistake_of = |x: Expr<'_>| graph.tape.borrow().mistake_of(x.port.node);
    assert_eq!([wrong, right].map(mistake_of), [Some(0), None]);

    // The numbers of another graph's values mean nothing here.
    let other = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    let foreign = round(x, other.input(1, 2, vec![0.0; 2]));
    assert_eq!(mistake_of(foreign), Some(1));
}

#[test]
fn rows_of_a_value_are_taken_from_where_it_lies() {
    for strategy in [Strategy::Depth, Strategy::Agenda, Strategy::Levels] {
        let graph = Graph::training(&Parameters::new(), &Device::cpu(), strategy, 0);
        let values: Vec<_> = [3, 50, 1].map(|rows| graph.variable(rows, 2, vec![0.5; 2 * rows])).to_vec();
        let texts: Vec<_> = values.iter().map(|x| x.tanh()).collect();
        let words: Vec<_> =
            texts.iter().flat_map(|x| (0..x.shape().rows as u32).rev().map(|row| x.rows(&[row]))).collect();
        block_on(graph.concat_rows(&words).mean_rows().sum_columns().backward()).expect("nothing is wrong");
        let tape = graph.tape.borrow();
        let batch = tape.batches.iter().find(|batch| tape.op(batch.nodes[0]) == &Op::Rows);
        let inputs = &batch.expect("rows were taken").inputs;
        assert_eq!(
            (batch.map(|batch| batch.nodes.len()), inputs[0].total_rows()),
            (Some(54), 54),
            "{strategy:?}"
        );
        drop(tape);
        for x in values {
            let gradient = block_on(x.gradient()).expect("nothing is wrong");
            let expected = (1.0 - 0.5f32.tanh().powi(2)) / 54.0;
            assert!(gradient.iter().all(|d| (d - expected).abs() < 1e-7), "{gradient:?}");
        }
    }
}

#[test]
fn held_values_stay_where_they_lie() {
    let (parameters, device) = (Parameters::new(), Device::cpu());
    let first = Graph::inference(&parameters, &device, Strategy::Levels);
    let rows: Vec<_> = [1.0, 2.0, 3.0].map(|x| first.input(1, 1, vec![x])).into();
    let (h, c): (Vec<_>, Vec<_>) = rows.iter().map(|x| (x.tanh(), x.sigmoid())).unzip();
    let hold = |x: &Expr<'_>| x.hold().expect("nothing is wrong");
    let held: Vec<_> = h.iter().zip(&c).flat_map(|(h, c)| [hold(h), hold(c)]).collect();
    let second = Graph::inference(&parameters, &device, Strategy::Levels);
    // Of `c` not the first row: it is copied.
    let again: Vec<_> = [0, 3, 2, 5, 4].map(|i| second.held(held[i].clone())).into();
    let values = block_on(second.values(&again)).expect("nothing is wrong");
    for (value, x) in values.iter().zip([h[0], c[1], h[1], c[2], h[2]]) {
        assert_eq!(*value, block_on(x.value()).expect("nothing is wrong"));
    }
    let place = |x: Expr<'_>| second.tape.borrow().locate(x.port).0;
    let of = |value| match value {
        crate::device::Value::Buffer(buffer) => buffer.identity(),
        crate::device::Value::Table(_) => std::ptr::null(),
    };
    let (h, c) = (of(place(again[0])), of(place(again[1])));
    assert_eq!([h, h], [of(place(again[2])), held[0].buffer.identity()], "the rows of `h` are its buffer");
    assert_eq!(c, of(place(again[3])));
    assert_ne!(c, held[1].buffer.identity());
}
