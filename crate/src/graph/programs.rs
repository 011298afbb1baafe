//! Programs that wait together.
//!
//! A program is a future that records on a graph and awaits values of it to decide what to record next: a loop over one
//! example. [`Graph::join`] polls any number of programs until none can go on; then everything recorded runs as one flush,
//! the values that programs wait for are read in one exchange, and the programs go on with them. Whatever the programs do
//! between two values is batched across all of them.
//!
//! A program may also await something else, such as a timer or a message from another program. The programs that wait for
//! values do not wait for it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::Graph;
use super::tape::Port;
use crate::cpu::noise;
use crate::device::EngineError;

/// A program of a graph, and how many nodes it has recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    /// A number of its own.
    number: u32,
    /// What its streams of noise are drawn from: the same in every order of waiting.
    seed: u32,
    /// How many nodes it has recorded, which numbers its streams of noise.
    recorded: u32,
    /// How many times it has joined programs of its own.
    joined: u32,
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

/// How often programs that go on are polled before others have their turn.
const MOST_PASSES: usize = 100;

/// The answer to one program.
type Answer = Result<Vec<Vec<f32>>, EngineError>;

/// Values that a program waits for.
struct Request {
    ports: Vec<Port>,
    answer: Cell<Option<Answer>>,
    waker: Cell<Option<Waker>>,
}

/// Requests of programs that wait. A request whose program was dropped is gone.
#[derive(Default)]
pub(super) struct Queue {
    requests: RefCell<Vec<Weak<Request>>>,
    /// How often programs were joined.
    joins: Cell<u32>,
    /// How many programs there were.
    programs: Cell<u32>,
}

impl Queue {
    /// Waits for values until they are answered.
    pub(super) async fn wait(&self, ports: Vec<Port>) -> Answer {
        let request = Rc::new(Request { ports, answer: Cell::new(None), waker: Cell::new(None) });
        self.requests.borrow_mut().push(Rc::downgrade(&request));
        poll_fn(|context| match request.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                request.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }

    /// A program that has recorded nothing.
    fn program(&self, seed: u32) -> Program {
        let number = self.programs.get();
        self.programs.set(number + 1);
        Program { number, seed, recorded: 0, joined: 0 }
    }

    /// Takes the requests that somebody still waits for.
    fn take(&self) -> Taken<'_> {
        let requests = self.requests.borrow_mut().drain(..).filter_map(|request| request.upgrade()).collect();
        Taken { queue: self, requests }
    }
}

/// Requests of all programs of a graph, which whoever joined some of them is about to answer. Those that are left when this is
/// dropped are put back, and their programs woken, so that whoever joined those answers.
struct Taken<'q> {
    queue: &'q Queue,
    requests: Vec<Rc<Request>>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for request in &self.requests {
            self.queue.requests.borrow_mut().push(Rc::downgrade(request));
            request.waker.take().into_iter().for_each(Waker::wake);
        }
    }
}

impl Request {
    fn answer(&self, answer: Answer) {
        self.answer.set(Some(answer));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Marks one joined program as ready, and wakes the task that polls all of them.
struct Flag {
    ready: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.ready.store(true, Ordering::Release);
        // Nothing panics while the lock is held.
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        outer.into_iter().for_each(Waker::wake);
    }
}

/// A joined program on its way to its output.
struct Running<F> {
    /// Where its output goes.
    place: usize,
    future: Pin<Box<F>>,
    program: Program,
    flag: Arc<Flag>,
}

/// Gives the graph back the program that was recording before, also when a program panics.
struct Restore<'g>(&'g Graph, Option<Program>);

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.0.program.set(self.1);
    }
}

impl Graph {
    /// Runs programs until all have finished; their outputs, in order.
    ///
    /// Inside a program, [`Expr::value`](super::Expr::value) and [`Graph::values`] wait until no program can go on. Then
    /// everything recorded so far runs as one flush, and one exchange with the device reads all values that are waited
    /// for. A mistake in recording, or an unknown id, fails the program that made it and no other; what the device refuses to
    /// run, the programs that wait for it; what it reports of the exchange, all that wait.
    ///
    /// Dropout and Gumbel noise of a node depend on its program's number and on how many nodes the program recorded before
    /// it, never on who waited when.
    ///
    /// Programs may join programs of their own. A program that is dropped leaves its nodes recorded and nothing else.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// // Doubles a number until it exceeds 100: each program decides by itself how often.
    /// let graph = &graph;
    /// let programs = [3.0, 40.0, 1.0].map(|start| async move {
    ///     let mut x = graph.input(1, 1, vec![start]);
    ///     let mut steps = 0;
    ///     while x.value().await?[0] <= 100.0 {
    ///         x = x.scale(2.0);
    ///         steps += 1;
    ///     }
    ///     Ok::<_, saccade_rnn::device::EngineError>(steps)
    /// });
    /// let steps: Vec<_> = graph.join(programs).await.into_iter().collect::<Result<_, _>>()?;
    /// assert_eq!(steps, [6, 2, 7]);
    /// // The upload and one batch for each step of the longest program.
    /// assert_eq!(graph.explain().batches().len(), 1 + 7);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    pub async fn join<F: Future>(&self, programs: impl IntoIterator<Item = F>) -> Vec<F::Output> {
        let parent = self.program.get();
        let family = match parent {
            Some(parent) => {
                self.program.set(Some(Program { joined: parent.joined + 1, ..parent }));
                noise::bits(parent.seed, parent.joined, 1)
            }
            None => {
                let joins = self.queue.joins.get();
                self.queue.joins.set(joins + 1);
                noise::bits(joins, 0, 2)
            }
        };
        let mut running: Vec<Running<F>> = programs
            .into_iter()
            .enumerate()
            .map(|(place, future)| Running {
                place,
                future: Box::pin(future),
                program: self.queue.program(noise::bits(family, place as u32, 3)),
                flag: Arc::new(Flag { ready: AtomicBool::new(true), outer: Mutex::new(None) }),
            })
            .collect();
        let mut outputs: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
        loop {
            poll_fn(|context| self.poll_programs(&mut running, &mut outputs, parent.is_some(), context))
                .await;
            if running.is_empty() {
                return outputs.into_iter().flatten().collect();
            }
            self.answer_requests().await;
        }
    }

    /// Polls the programs that may go on until none can, and lets go of those that finish. Ready when all have, or when there
    /// are requests to answer, which no longer wait for a program that wakes itself again and again; programs that are joined inside another program leave that to whoever joined the outermost ones.
    fn poll_programs<F: Future>(
        &self,
        running: &mut Vec<Running<F>>,
        outputs: &mut [Option<F::Output>],
        nested: bool,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        for _ in 0..MOST_PASSES {
            let mut progress = false;
            running.retain_mut(|program| {
                if !program.flag.ready.swap(false, Ordering::AcqRel) {
                    return true;
                }
                progress = true;
                *program.flag.outer.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(context.waker().clone());
                match self.poll_program(program) {
                    Poll::Ready(value) => {
                        outputs[program.place] = Some(value);
                        false
                    }
                    Poll::Pending => true,
                }
            });
            if !progress {
                break;
            }
        }
        if running.is_empty() || (!nested && !self.queue.requests.borrow().is_empty()) {
            return Poll::Ready(());
        }
        // Programs that wait for something else wake this task, and may have to be polled from another one then.
        for program in running.iter() {
            *program.flag.outer.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(context.waker().clone());
            if program.flag.ready.load(Ordering::Acquire) {
                context.waker().wake_by_ref();
            }
        }
        Poll::Pending
    }

    fn poll_program<F: Future>(&self, running: &mut Running<F>) -> Poll<F::Output> {
        let restore = Restore(self, self.program.replace(Some(running.program)));
        let waker = Waker::from(running.flag.clone());
        let polled = running.future.as_mut().poll(&mut Context::from_waker(&waker));
        running.program = self.program.get().unwrap_or(running.program);
        drop(restore);
        polled
    }

    /// Runs everything recorded and answers all requests with one exchange.
    async fn answer_requests(&self) {
        let mut taken = self.queue.take();
        self.run_all();
        taken.requests.retain(|request| {
            let checked = self.tape().check_values(&request.ports);
            checked.inspect_err(|error| request.answer(Err(error.clone()))).is_ok()
        });
        let answers = self.answers(&taken.requests).await;
        let requests = std::mem::take(&mut taken.requests);
        match answers {
            Ok(answers) => {
                requests.iter().zip(answers).for_each(|(request, answer)| request.answer(Ok(answer)));
            }
            Err(error) => requests.iter().for_each(|request| request.answer(Err(error.clone()))),
        }
    }

    async fn answers(&self, requests: &[Rc<Request>]) -> Result<Vec<Vec<Vec<f32>>>, EngineError> {
        let ports: Vec<Port> = requests.iter().flat_map(|request| &request.ports).copied().collect();
        let parts = self.located(&ports)?;
        let mut values = self.device.read(&parts).await?.into_iter();
        Ok(requests.iter().map(|request| values.by_ref().take(request.ports.len()).collect()).collect())
    }

    /// The noise stream of the node that is recorded next; outside of programs its number.
    pub(super) fn next_stream(&self, node: usize) -> u32 {
        match self.program.get() {
            Some(program) => {
                self.program.set(Some(Program { recorded: program.recorded + 1, ..program }));
                noise::bits(program.seed, program.recorded, 4)
            }
            None => node as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::device::{Device, Parameters};
    use crate::graph::Strategy;

    #[test]
    fn who_waits_is_answered_when_whoever_was_to_answer_is_dropped() {
        let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
        let flag = Arc::new(Flag { ready: AtomicBool::new(false), outer: Mutex::new(None) });
        let waker = Waker::from(flag.clone());
        let mut context = Context::from_waker(&waker);
        let mut waits = pin!(graph.queue.wait(vec![graph.input(1, 1, vec![2.0]).port]));
        assert!(waits.as_mut().poll(&mut context).is_pending());
        drop(graph.queue.take());
        assert!(flag.ready.load(Ordering::Acquire), "its program is woken");
        assert!(waits.as_mut().poll(&mut context).is_pending());
        pollster::block_on(graph.answer_requests());
        assert_eq!(waits.as_mut().poll(&mut context), Poll::Ready(Ok(vec![vec![2.0]])));
    }
}
