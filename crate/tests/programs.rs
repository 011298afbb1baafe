//! Programs that wait together: batches, failures of one among many, other things that a program may await.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use pollster::block_on;
use saccade_rnn::device::{CellKind, Device, EngineError, ParamId, Parameters};
use saccade_rnn::graph::{Expr, Graph, Strategy};
use saccade_rnn::nn::{Builder, Linear, Recurrent, RecurrentConfig, Sru, SruConfig};

#[cfg(feature = "gpu")]
#[path = "common/gpu.rs"]
mod gpu;

/// Programs of different kinds side by side.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

const WORDS: usize = 12;
const END: usize = 0;

/// A language model small enough to be run greedily many times.
struct Greedy {
    parameters: Parameters,
    table: ParamId,
    lstm: Recurrent,
    head: Linear,
}

impl Greedy {
    fn new() -> Self {
        let mut builder = Builder::fresh(11);
        let init = saccade_rnn::nn::Init::Uniform(1.5);
        let table = builder.parameter("table", &[WORDS, 5], init).unwrap();
        let lstm = builder.scope("lstm", |b| Recurrent::lstm(b, RecurrentConfig::new(5, 7), 1.0)).unwrap();
        let head = builder.scope("head", |b| Linear::new(b, 7, WORDS)).unwrap();
        Self { parameters: builder.finish().unwrap(), table, lstm, head }
    }

    /// The words that follow `first`, each the likeliest, until the end or `most`.
    async fn generate(&self, graph: &Graph, first: u32, most: usize) -> Result<Vec<usize>, EngineError> {
        let (mut word, mut states, mut words) = (first, None, Vec::new());
        while words.len() < most {
            let out = self.lstm.step(graph.embedding(self.table, &[word]), states.as_ref());
            let scores = self.head.forward(out.rows).value().await?;
            let best = (0..WORDS).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
            if best == END {
                break;
            }
            words.push(best);
            (word, states) = (best as u32, Some(out.states));
        }
        Ok(words)
    }
}

fn greedy_loops_share_their_batches(device: &Device) {
    let model = Greedy::new();
    let lengths = [1, 9, 4, 0, 17, 2, 30, 3];
    let alone: Vec<Vec<usize>> = (1..)
        .zip(lengths)
        .map(|(first, most)| {
            let graph = Graph::inference(&model.parameters, device, Strategy::Levels);
            block_on(model.generate(&graph, first, most)).unwrap()
        })
        .collect();
    let graph = Graph::inference(&model.parameters, device, Strategy::Levels);
    let programs = (1..).zip(lengths).map(|(first, most)| model.generate(&graph, first, most));
    let together: Vec<_> = block_on(graph.join(programs)).into_iter().map(Result::unwrap).collect();
    assert_eq!(together, alone);
    let longest = alone.iter().map(Vec::len).max().unwrap();
    assert!(longest >= 17, "the longest loop is {longest} steps");
    // Of a step: the word, the layer and the head; one loop more may decide that it has ended.
    let batches = graph.explain().batches().len();
    assert!(batches <= 3 * (longest + 1), "{batches} batches for {longest} steps");
}

#[test]
fn a_step_of_a_layer_is_one_node() {
    let mut builder = Builder::fresh(3);
    let config = RecurrentConfig { num_layers: 2, ..RecurrentConfig::new(4, 4) };
    let lstm = builder.scope("lstm", |b| Recurrent::lstm(b, config, 1.0)).unwrap();
    let gru = builder.scope("gru", |b| Recurrent::gru(b, config)).unwrap();
    let elman = builder.scope("elman", |b| Recurrent::new(b, CellKind::ElmanTanh, config)).unwrap();
    let sru = builder.scope("sru", |b| Sru::new(b, SruConfig::new(4, 4, 2))).unwrap();
    let graph = Graph::inference(&builder.finish().unwrap(), &Device::cpu(), Strategy::Levels);
    let sequences = [3, 1, 2].map(|steps| {
        let mut last = [None, None, None];
        let mut c: Option<Vec<Expr<'_>>> = None;
        for t in 0..steps {
            let x = graph.input(1, 4, vec![0.1 * t as f32; 4]);
            for (layer, last) in [&lstm, &gru, &elman].into_iter().zip(&mut last) {
                *last = Some(layer.step(x, last.as_ref()).states);
            }
            c = Some(sru.step(x, c.as_deref()).c);
        }
        last.into_iter()
            .flatten()
            .flat_map(|states| states.into_rows())
            .chain(c.into_iter().flatten())
            .collect()
    });
    let sequences: [Vec<Expr<'_>>; 3] = sequences;
    block_on(graph.values(&sequences.concat())).unwrap();
    for op in ["lstm_step", "gru_step", "elman_step", "sru_step"] {
        let report = graph.explain();
        let mut lanes: Vec<_> =
            report.batches().iter().filter(|batch| batch.op == op).map(|batch| batch.lanes).collect();
        lanes.sort_unstable();
        // Two layers of three steps, the first of each from zeros.
        assert_eq!(lanes, [1, 1, 2, 2, 3, 3], "{op}");
    }
    let others = graph.explain().batches().iter().filter(|batch| !batch.op.ends_with("_step")).count();
    assert_eq!(others, 1, "the inputs, as one batch: {}", graph.explain());
}

#[test]
fn greedy_loops_share_their_batches_on_the_cpu() {
    greedy_loops_share_their_batches(&Device::cpu());
}

#[cfg(feature = "gpu")]
#[test]
fn greedy_loops_share_their_batches_on_the_gpu() {
    let device = gpu::gpu();
    greedy_loops_share_their_batches(&device);
    let reads = |device: &Device| device.gpu().unwrap().statistics().reads;
    let before = reads(&device);
    let graph = Graph::inference(&Parameters::new(), &device, Strategy::Levels);
    let programs = [1, 5, 3].map(|rounds| {
        let graph = &graph;
        async move {
            let mut x = graph.input(1, 1, vec![1.0]);
            for _ in 0..rounds {
                x.value().await.unwrap();
                x = x.scale(2.0);
            }
        }
    });
    block_on(graph.join(programs));
    assert_eq!(reads(&device) - before, 5, "one exchange serves all that wait");
}

/// A program that doubles until it exceeds a bound.
async fn double(graph: &Graph, start: f32) -> Result<u32, EngineError> {
    let (mut x, mut steps) = (graph.input(1, 1, vec![start]), 0);
    while x.value().await?[0] < 1000.0 {
        x = x.scale(2.0);
        steps += 1;
    }
    Ok(steps)
}

fn empty() -> Graph {
    Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels)
}

#[test]
fn no_programs_and_programs_that_ask_for_nothing_finish() {
    let graph = empty();
    assert_eq!(block_on(graph.join(std::iter::empty::<std::future::Ready<()>>())), []);
    assert_eq!(block_on(graph.join((0..3).map(|i| async move { i }))), [0, 1, 2]);
    let thousand = block_on(graph.join((0..1000).map(|i| double(&graph, 1.0 + i as f32))));
    assert_eq!(thousand[0], Ok(10));
    assert_eq!(thousand[999], Ok(0));
}

#[test]
fn a_mistake_fails_its_program_alone_and_names_the_line() {
    let graph = empty();
    let line = Cell::new(0);
    let wrong = async {
        double(&graph, 500.0).await?;
        line.set(line!() + 1);
        let sum = graph.input(1, 2, vec![1.0, 2.0]) + graph.input(1, 3, vec![1.0; 3]);
        sum.tanh().value().await.map(|_| 0)
    };
    let programs: Vec<Boxed<'_, Result<u32, EngineError>>> =
        vec![Box::pin(double(&graph, 1.0)), Box::pin(wrong), Box::pin(double(&graph, 250.0))];
    let outcomes = block_on(graph.join(programs));
    assert_eq!((&outcomes[0], &outcomes[2]), (&Ok(10), &Ok(2)));
    let error = outcomes[1].clone().unwrap_err();
    assert!(matches!(error.without_location(), EngineError::Shape { op: "add", .. }), "{error}");
    assert!(error.to_string().contains(&format!("programs.rs:{}:", line.get())), "{error}");
    // Nor is it anybody else's afterwards.
    assert_eq!(block_on(graph.input(1, 1, vec![3.0]).value()), Ok(vec![3.0]));
}

#[test]
fn what_depends_on_a_mistake_has_it_and_what_does_not_runs() {
    let graph = empty();
    let outside = RefCell::new(None);
    let failed = block_on(graph.join([async {
        let wrong = graph.input(2, 2, vec![0.0; 3]);
        *outside.borrow_mut() = Some(wrong.sigmoid());
        wrong.value().await
    }]));
    assert!(failed[0].is_err());
    let wrong: Expr<'_> = outside.borrow().unwrap();
    let fine = graph.input(1, 1, vec![0.5]);
    assert_eq!(block_on(fine.value()), Ok(vec![0.5]));
    assert!(block_on(graph.values(&[fine, wrong])).is_err());
    assert!(wrong.hold().is_err());
}

#[test]
fn what_cannot_run_fails_the_programs_that_wait_for_it() {
    let graph = empty();
    // Three of these, which run together, would have more values than an address can tell.
    let half = 1 << (usize::BITS / 2 - 2);
    let wide = || async {
        let product = graph.input(2 * half, 0, Vec::new()).matmul(graph.input(0, half / 2, Vec::new()));
        product.tanh().value().await.map(|_| 0)
    };
    let programs: Vec<Boxed<'_, Result<u32, EngineError>>> =
        vec![Box::pin(wide()), Box::pin(double(&graph, 1.0)), Box::pin(wide()), Box::pin(wide())];
    let outcomes = block_on(graph.join(programs));
    assert_eq!(outcomes[1], Ok(10));
    for outcome in [&outcomes[0], &outcomes[2], &outcomes[3]] {
        assert!(matches!(outcome, Err(EngineError::Shape { op: "matmul", .. })), "{outcome:?}");
    }
}

/// A message from one program to another.
#[derive(Default)]
struct Channel {
    message: Cell<Option<f32>>,
    waker: Cell<Option<Waker>>,
}

impl Channel {
    fn send(&self, message: f32) {
        self.message.set(Some(message));
        self.waker.take().into_iter().for_each(Waker::wake);
    }

    async fn receive(&self) -> f32 {
        poll_fn(|context| match self.message.take() {
            Some(message) => Poll::Ready(message),
            None => {
                self.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }
}

#[test]
fn programs_may_wait_for_each_other() {
    let graph = empty();
    let channel = Channel::default();
    let receiver = async {
        let x = graph.input(1, 1, vec![channel.receive().await]);
        x.scale(10.0).value().await.unwrap()[0]
    };
    let sender = async {
        let sum = graph.input(1, 1, vec![1.0]) + graph.input(1, 1, vec![2.0]);
        channel.send(sum.value().await.unwrap()[0]);
        0.0
    };
    let programs: Vec<Boxed<'_, f32>> = vec![Box::pin(receiver), Box::pin(sender)];
    assert_eq!(block_on(graph.join(programs)), [30.0, 0.0]);
}

#[test]
fn a_program_that_wakes_itself_until_another_has_its_value_keeps_nobody_from_it() {
    let graph = empty();
    let sum = Cell::new(None);
    let watching = async {
        poll_fn(|context| {
            context.waker().wake_by_ref();
            if sum.get().is_some() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        0.0
    };
    let adding = async {
        let x = graph.input(1, 1, vec![1.0]) + graph.input(1, 1, vec![2.0]);
        sum.set(Some(x.value().await.unwrap()[0]));
        3.0
    };
    let programs: Vec<Boxed<'_, f32>> = vec![Box::pin(watching), Box::pin(adding)];
    assert_eq!(block_on(graph.join(programs)), [0.0, 3.0]);
    assert_eq!(sum.get(), Some(3.0));
}

#[test]
fn a_timer_in_a_program_holds_nobody_up() {
    let graph = empty();
    let (send, receive) = std::sync::mpsc::channel::<Waker>();
    let (done, ended) = std::sync::mpsc::channel::<()>();
    // Wakes the slow one once both others have ended, or, if it holds them up, after a minute.
    let timer = std::thread::spawn(move || {
        let waker = receive.recv().unwrap();
        let _ = (0..2).try_for_each(|_| ended.recv_timeout(std::time::Duration::from_secs(60)));
        waker.wake();
    });
    let finished = Cell::new(0);
    let slow = async {
        let mut asked = false;
        poll_fn(|context| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            send.send(context.waker().clone()).unwrap();
            Poll::Pending
        })
        .await;
        assert_eq!(finished.get(), 2, "the others have finished meanwhile");
        double(&graph, 250.0).await
    };
    let quick = |start| {
        let (graph, finished, done) = (&graph, &finished, &done);
        async move {
            let steps = double(graph, start).await;
            finished.set(finished.get() + 1);
            done.send(()).unwrap();
            steps
        }
    };
    let programs: Vec<Boxed<'_, Result<u32, EngineError>>> =
        vec![Box::pin(slow), Box::pin(quick(1.0)), Box::pin(quick(2.0))];
    let steps = block_on(graph.join(programs));
    assert_eq!(steps, [Ok(2), Ok(10), Ok(9)]);
    timer.join().unwrap();
}

#[test]
fn programs_may_join_programs() {
    let graph = empty();
    let outer = |starts: [f32; 2]| {
        let graph = &graph;
        async move {
            let steps = graph.join(starts.map(|start| double(graph, start))).await;
            steps.into_iter().map(Result::unwrap).sum::<u32>() + double(graph, 500.0).await.unwrap()
        }
    };
    assert_eq!(block_on(graph.join([outer([1.0, 250.0]), outer([2.0, 4.0])])), [10 + 2 + 1, 9 + 8 + 1]);
    // The inner programs share an upload and ten steps; each outer one then uploads and steps when its own have ended.
    assert_eq!(graph.explain().batches().len(), 1 + 10 + 2 + 2, "{}", graph.explain());
}

#[test]
fn a_join_that_is_dropped_leaves_the_graph_usable() {
    let graph = empty();
    {
        let mut join = pin!(graph.join([async {
            graph.input(1, 1, vec![1.0]).value().await.unwrap();
            poll_fn(|_| Poll::<()>::Pending).await;
        }]));
        let mut context = Context::from_waker(Waker::noop());
        assert!(join.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(block_on(graph.join([double(&graph, 250.0)])), [Ok(2)]);
    assert_eq!(block_on(graph.input(1, 1, vec![2.0]).value()), Ok(vec![2.0]));
}

#[test]
fn a_program_that_panics_leaves_the_graph_to_the_others() {
    let graph = Rc::new(empty());
    let joined = graph.clone();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        block_on(joined.join([async {
            joined.input(1, 1, vec![1.0]).value().await.unwrap();
            panic!("a program's own mistake");
        }]))
    }));
    assert!(outcome.is_err());
    // Recorded outside of programs again.
    assert_eq!(block_on(graph.input(1, 1, vec![2.0]).scale(2.0).value()), Ok(vec![4.0]));
    assert_eq!(block_on(graph.join([double(&graph, 250.0)])), [Ok(2)]);
}

#[cfg(feature = "train")]
mod training {
    use super::*;

    /// A program that waits for values in between, or does not, and drops out of its input.
    async fn dropped(graph: &Graph, waits: bool) -> Vec<f32> {
        let mut x = graph.input(1, 40, vec![1.0; 40]);
        for _ in 0..3 {
            x = x.dropout(0.3, false);
            if waits {
                x.value().await.unwrap();
            }
        }
        x.value().await.unwrap()
    }

    #[test]
    fn noise_does_not_depend_on_who_waited_when() {
        let run = |waits: [bool; 3]| {
            let graph = Graph::training(&Parameters::new(), &Device::cpu(), Strategy::Levels, 5);
            block_on(graph.join(waits.map(|waits| dropped(&graph, waits))))
        };
        let expected = run([false; 3]);
        assert_ne!(expected[0], expected[1], "programs have noise of their own");
        for waits in [[true; 3], [true, false, false], [false, true, true]] {
            assert_eq!(run(waits), expected);
        }
    }

    #[test]
    fn losses_of_programs_are_differentiated_together() {
        let mut parameters = Parameters::new();
        let w = parameters.add("w", &[1, 2], vec![0.5, -0.25]).unwrap();
        let inputs = [[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]];
        for strategy in [Strategy::Unbatched, Strategy::Depth, Strategy::Levels] {
            let graph = Graph::training(&parameters, &Device::cpu(), strategy, 0);
            let programs = inputs.map(|x| {
                let graph = &graph;
                async move {
                    let y = graph.input(1, 2, x.to_vec()).affine(w, None).tanh();
                    // A decision in between.
                    if y.value().await.unwrap()[0] > 0.0 { y } else { y.scale(2.0) }
                }
            });
            let losses = block_on(graph.join(programs));
            let total = graph.concat_rows(&losses).pool(saccade_rnn::device::Pool::Sum);
            let gradients = block_on(total.backward()).unwrap();
            let found = block_on(gradients.read(&Device::cpu(), &parameters, w)).unwrap().unwrap();
            let mut expected = [0.0; 2];
            for x in inputs {
                let y = (0.5 * x[0] - 0.25 * x[1]).tanh();
                let factor = if y > 0.0 { 1.0 } else { 2.0 };
                (0..2).for_each(|i| expected[i] += factor * (1.0 - y * y) * x[i]);
            }
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "{strategy:?}: {found} and {expected}");
            }
        }
    }
}
