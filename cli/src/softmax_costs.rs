//! What the parts of an adaptive softmax take on a device, measured on a grid of sizes; between its points times are
//! interpolated.

use std::time::Instant;

use saccade_rnn::device::{Device, EngineError, Parameters};
use saccade_rnn::graph::{Expr, Graph, Strategy};
use saccade_rnn::nn::{AdaptiveSoftmax, AdaptiveSoftmaxConfig, BuildError, Builder, Costs, Init};

/// Seconds that all runs at a point take together, if one does not take longer.
const SAMPLE: f64 = 0.02;

/// Why costs cannot be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CostError {
    /// Sizes that make no layer.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The device failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Workload {
    /// Columns of the softmax's input.
    pub(crate) hidden: usize,
    /// How many times narrower each tail is.
    pub(crate) div_value: f64,
    /// Rows of a training step, forward and backward; none for one row without a gradient, as in generation.
    pub(crate) batch: Option<usize>,
}

impl Workload {
    fn rows(&self) -> usize {
        self.batch.unwrap_or(1)
    }

    /// Columns of a tail; none for one that would have no column.
    fn size(&self, tail: usize) -> Option<usize> {
        let size = (self.hidden as f64 / self.div_value.powi(tail as i32 + 1)) as usize;
        (size > 0).then_some(size)
    }

    /// How many tails have a column, of at most so many.
    pub(crate) fn tails(&self, most: usize) -> usize {
        (0..most).take_while(|&tail| self.size(tail).is_some()).count()
    }

    fn graph(&self, parameters: &Parameters, device: &Device) -> Graph {
        match self.batch {
            Some(_) => Graph::training(parameters, device, Strategy::Levels, 0),
            None => Graph::inference(parameters, device, Strategy::Levels),
        }
    }

    fn input<'g>(&self, graph: &'g Graph, rows: usize) -> Expr<'g> {
        let values = (0..rows * self.hidden).map(|i| (i as f32 * 0.37).sin()).collect();
        graph.variable(rows, self.hidden, values)
    }

    /// Computes all that a step needs of logits.
    async fn finish(&self, logits: Expr<'_>) -> Result<(), EngineError> {
        match self.batch {
            Some(_) => {
                let (rows, columns) = (logits.shape().rows, logits.shape().columns);
                let targets: Vec<u32> = (0..rows).map(|row| (row * 7919 % columns) as u32).collect();
                let loss = logits.cross_entropy(&targets).mean_rows();
                loss.backward().await?;
                loss.value().await.map(drop)
            }
            None => logits.log_softmax().value().await.map(drop),
        }
    }

    /// Seconds of a product with `outputs` rows of weights, by way of `narrow` columns if there are.
    async fn time(
        &self,
        device: &Device,
        rows: usize,
        narrow: Option<usize>,
        outputs: usize,
    ) -> Result<f64, CostError> {
        let mut builder = Builder::fresh(1);
        let init = Init::Uniform(0.1);
        let first = narrow.map(|size| builder.parameter("narrow", &[size, self.hidden], init)).transpose()?;
        let inputs = narrow.unwrap_or(self.hidden);
        let weight = builder.parameter("weight", &[outputs, inputs], init)?;
        let parameters = builder.finish()?;
        let run = async || {
            let graph = self.graph(&parameters, device);
            let x = self.input(&graph, rows);
            let x = first.map_or(x, |first| x.affine(first, None));
            self.finish(x.affine(weight, None)).await
        };
        Ok(least(run).await?)
    }

    /// Seconds of a step with a whole softmax, on average over targets that are drawn by `target`.
    pub(crate) async fn time_whole(
        &self,
        device: &Device,
        words: usize,
        cutoffs: &[usize],
        mut target: impl FnMut() -> u32,
    ) -> Result<f64, CostError> {
        let mut builder = Builder::fresh(1);
        let config = AdaptiveSoftmaxConfig {
            div_value: self.div_value,
            ..AdaptiveSoftmaxConfig::new(self.hidden, words, cutoffs)
        };
        let softmax = AdaptiveSoftmax::new(&mut builder, config)?;
        let parameters = builder.finish()?;
        let step = async |targets: &[u32]| -> Result<f64, EngineError> {
            let begun = Instant::now();
            let graph = self.graph(&parameters, device);
            let x = self.input(&graph, self.rows());
            if self.batch.is_some() {
                let loss = softmax.cross_entropy(x, targets).mean_rows();
                loss.backward().await?;
                loss.value().await?;
            } else {
                softmax.distribution(x).await?.log_probability(targets[0]).await?;
            }
            drop(graph);
            Ok(begun.elapsed().as_secs_f64())
        };
        // Whoever is first to open a part packs its weights.
        for first in std::iter::once(0).chain(cutoffs.iter().copied()) {
            step(&vec![first as u32; self.rows()]).await?;
        }
        let draws = if self.batch.is_some() { 5 } else { 200 };
        let mut seconds = 0.0;
        for _ in 0..draws {
            let targets: Vec<u32> = (0..self.rows()).map(|_| target()).collect();
            seconds += step(&targets).await?;
        }
        Ok(seconds / f64::from(draws))
    }
}

/// The least time of runs after the first.
async fn least(run: impl AsyncFn() -> Result<(), EngineError>) -> Result<f64, EngineError> {
    run().await?;
    let (begun, mut least) = (Instant::now(), f64::INFINITY);
    loop {
        let start = Instant::now();
        run().await?;
        least = least.min(start.elapsed().as_secs_f64());
        if begun.elapsed().as_secs_f64() > SAMPLE {
            return Ok(least);
        }
    }
}

/// Times by rows and columns.
#[derive(Clone, Debug, PartialEq)]
struct Table {
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// Row by row.
    seconds: Vec<f64>,
}

impl Table {
    /// The time at a point of the grid or between four, linear in the logarithms.
    fn at(&self, rows: f64, columns: f64) -> f64 {
        let ((i, a), (j, b)) = (place(&self.rows, rows), place(&self.columns, columns));
        let log = |i: usize, j: usize| self.seconds[i * self.columns.len() + j].ln();
        let (next_i, next_j) = ((i + 1).min(self.rows.len() - 1), (j + 1).min(self.columns.len() - 1));
        let along = |i: usize| (1.0 - b) * log(i, j) + b * log(i, next_j);
        ((1.0 - a) * along(i) + a * along(next_i)).exp()
    }
}

/// The last point of a grid that is not above `x`, and how far beyond it `x` is on the way to the next.
fn place(grid: &[usize], x: f64) -> (usize, f64) {
    let above = grid.partition_point(|&point| point as f64 <= x);
    if above == 0 || above == grid.len() {
        return (above.saturating_sub(1), 0.0);
    }
    let [low, high] = [grid[above - 1], grid[above]].map(|point| (point as f64).ln());
    (above - 1, (x.ln() - low) / (high - low))
}

/// Measured costs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    batch: usize,
    head: Table,
    tails: Vec<Table>,
}

impl Measured {
    /// Measures heads and tails for at most so many words. `go_on` is asked after every point, with how many are done and how
    /// many there are; if it says no, nothing is returned.
    pub(crate) async fn new(
        workload: &Workload,
        device: &Device,
        words: usize,
        tails: usize,
        mut go_on: impl FnMut(usize, usize) -> bool,
    ) -> Result<Option<Self>, CostError> {
        let columns = geometric(16, words, 2);
        let wide = geometric(16, words, 4);
        let rows = geometric(1, workload.rows(), 4);
        let total = columns.len() + tails * rows.len() * wide.len();
        let mut done = 0;
        let mut head = Table { rows: vec![workload.rows()], columns, seconds: Vec::new() };
        for &outputs in &head.columns {
            head.seconds.push(workload.time(device, workload.rows(), None, outputs).await?);
            done += 1;
            if !go_on(done, total) {
                return Ok(None);
            }
        }
        let mut measured = Self { batch: workload.rows(), head, tails: Vec::new() };
        for tail in 0..tails {
            let mut table = Table { rows: rows.clone(), columns: wide.clone(), seconds: Vec::new() };
            for &rows in &rows {
                for &outputs in &wide {
                    let narrow = Some(workload.size(tail).unwrap_or(1));
                    table.seconds.push(workload.time(device, rows, narrow, outputs).await?);
                    done += 1;
                    if !go_on(done, total) {
                        return Ok(None);
                    }
                }
            }
            measured.tails.push(table);
        }
        Ok(Some(measured))
    }

    /// The table of the head: outputs, and seconds of a step.
    pub(crate) fn head_times(&self) -> impl Iterator<Item = (usize, f64)> {
        self.head.columns.iter().copied().zip(self.head.seconds.iter().copied())
    }
}

impl Costs for Measured {
    fn head(&self, outputs: usize) -> f64 {
        self.head.at(self.batch as f64, outputs as f64)
    }

    /// By how many rows of the batch are to be expected, if there are any.
    fn tail(&self, tail: usize, words: usize, share: f64) -> f64 {
        let any = 1.0 - (1.0 - share).powf(self.batch as f64);
        if any <= 0.0 {
            return 0.0;
        }
        any * self.tails[tail].at(self.batch as f64 * share / any, words as f64)
    }
}

/// Numbers from `first` to `last` that grow by a factor; both ends are among them.
fn geometric(first: usize, last: usize, factor: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    let mut next = first.min(last);
    while next < last {
        numbers.push(next);
        next *= factor;
    }
    numbers.push(last);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9 * b.abs()
    }

    #[test]
    fn times_between_points_lie_between_them() {
        // A power of rows times a power of columns is met everywhere.
        let (rows, columns) = (geometric(1, 100, 4), geometric(16, 5000, 4));
        let law = |rows: f64, columns: f64| 3e-6 * rows.powf(0.7) * columns.powf(0.9);
        let seconds =
            rows.iter().flat_map(|&r| columns.iter().map(move |&c| law(r as f64, c as f64))).collect();
        let table = Table { rows, columns, seconds };
        for (r, c) in [(1.0, 16.0), (1.5, 20.0), (37.0, 1000.0), (100.0, 5000.0), (99.0, 4999.0)] {
            assert!(close(table.at(r, c), law(r, c)), "{r} x {c}: {} not {}", table.at(r, c), law(r, c));
        }
        // Beyond the grid its edge stands.
        assert!(
            close(table.at(0.5, 3.0), law(1.0, 16.0)) && close(table.at(200.0, 9000.0), law(100.0, 5000.0))
        );
    }

    #[test]
    fn a_tail_costs_what_its_rows_do_if_there_are_any() {
        let table = |rows: Vec<usize>| Table {
            seconds: rows.iter().map(|&rows| rows as f64).collect(),
            columns: vec![100],
            rows,
        };
        let measured = Measured { batch: 1, head: table(vec![1]), tails: vec![table(vec![1])] };
        assert!(close(measured.tail(0, 100, 0.25), 0.25));
        assert_eq!(measured.tail(0, 100, 0.0), 0.0);
        let measured = Measured { batch: 64, head: table(vec![64]), tails: vec![table(vec![1, 4, 16, 64])] };
        // Sixteen of 64 rows, and hardly ever none.
        assert!(close(measured.tail(0, 100, 0.25), 16.0));
        assert!(close(measured.head(100), 64.0));
    }

    #[test]
    fn grids_have_both_ends() {
        assert_eq!(geometric(1, 64, 4), [1, 4, 16, 64]);
        assert_eq!(geometric(1, 100, 4), [1, 4, 16, 64, 100]);
        assert_eq!(geometric(16, 9, 2), [9]);
        assert_eq!(geometric(1, 1, 4), [1]);
    }

    #[test]
    fn parts_and_wholes_can_be_timed() {
        for batch in [None, Some(6)] {
            let workload = Workload { hidden: 8, div_value: 2.0, batch };
            assert_eq!(workload.tails(9), 3);
            let device = Device::cpu();
            let measured = pollster::block_on(Measured::new(&workload, &device, 40, 2, |_, _| true)).unwrap();
            let measured = measured.unwrap();
            assert_eq!(measured.head_times().map(|(outputs, _)| outputs).collect::<Vec<_>>(), [16, 32, 40]);
            assert!(measured.head(20) > 0.0 && measured.tail(1, 20, 0.1) > 0.0);
            let mut next = 0;
            let whole = workload.time_whole(&device, 40, &[5, 20], || {
                next = (next + 7) % 40;
                next
            });
            assert!(pollster::block_on(whole).unwrap() > 0.0);
        }
    }
}
