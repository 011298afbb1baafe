//! Training steps of language models, as `saccade train` takes them: forward, backward and gradient descent, with the state
//! carried from step to step.

use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;

use saccade_rnn::cpu::noise;
use saccade_rnn::device::Device;
use saccade_rnn::model::{
    Config, FORMAT, FreshOptions, LayerConfig, Model, Prediction, SruConfig, Storage, Task, Training,
};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{
    OptimizerName, OutputConfig, Predict, Reset, RunConfig, Texts, TrainConfig, TrainError, Trainer,
};

use crate::ready;

/// A text and the network that learns from it.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// Words, or characters, that are told apart.
    pub words: usize,
    /// The first word of every tail of the softmax; none for a softmax over all words.
    pub cutoffs: &'static [usize],
    /// Width of word vectors and states.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Texts side by side.
    pub lanes: usize,
    /// Words that a step reads of each.
    pub steps: usize,
    /// The step size.
    pub rate: f32,
    /// Steps of training in a turn.
    pub turn: usize,
}

/// Characters, by 128 and by 512 units; the Penn Treebank's sizes (Zaremba et al. 2014, small); 44,000 words with a softmax over all and an adaptive one.
pub const WORKLOADS: [Workload; 5] = [
    Workload {
        name: "characters",
        words: 65,
        cutoffs: &[],
        width: 128,
        layers: 1,
        lanes: 32,
        steps: 64,
        rate: 1.0,
        turn: 10,
    },
    Workload {
        name: "wide",
        words: 65,
        cutoffs: &[],
        width: 512,
        layers: 1,
        lanes: 32,
        steps: 64,
        rate: 1.0,
        turn: 2,
    },
    Workload {
        name: "treebank",
        words: 10_000,
        cutoffs: &[],
        width: 200,
        layers: 2,
        lanes: 20,
        steps: 20,
        rate: 1.0,
        turn: 4,
    },
    Workload {
        name: "full",
        words: 44_000,
        cutoffs: &[],
        width: 256,
        layers: 1,
        lanes: 20,
        steps: 20,
        rate: 1.0,
        turn: 1,
    },
    Workload {
        name: "adaptive",
        words: 44_000,
        cutoffs: &[2000, 10_000],
        width: 256,
        layers: 1,
        lanes: 20,
        steps: 20,
        rate: 0.25,
        turn: 10,
    },
];

/// What reads the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
    /// Simple recurrent unit, version 2.
    Sru,
}

/// In the order in which they are printed.
pub const CELLS: [Cell; 3] = [Cell::Lstm, Cell::Gru, Cell::Sru];

impl Workload {
    /// Its name and the cell's.
    pub fn name(&self, cell: Cell) -> String {
        format!("{} {cell:?}", self.name)
    }

    /// A text for so many steps of training, whose words follow Zipf's law.
    pub fn draw(&self, batches: usize) -> Vec<u32> {
        let words = (self.words + 1) as f32;
        let draw = |i: u32| (words.powf(noise::uniform(1, 2, i)) as u32).clamp(1, self.words as u32) - 1;
        (0..=(self.lanes * self.steps * batches) as u32).map(draw).collect()
    }

    fn encoder(&self, cell: Cell) -> Vec<LayerConfig> {
        let hidden_size = self.width;
        match cell {
            Cell::Lstm => vec![LayerConfig::Lstm { hidden_size, bidirectional: false }; self.layers],
            Cell::Gru => vec![LayerConfig::Gru { hidden_size, bidirectional: false }; self.layers],
            Cell::Sru => vec![LayerConfig::Sru(SruConfig::new(hidden_size, self.layers))],
        }
    }

    fn model(&self, cell: Cell) -> Result<Model, TrainError> {
        let config = Config {
            format: FORMAT,
            task: Task::Predict(Prediction::new(self.cutoffs)),
            tokenizer: Tokenizer::spaces(),
            vocabulary: ["<unk>".to_owned()]
                .into_iter()
                .chain((1..self.words).map(|id| id.to_string()))
                .collect(),
            embedding_size: self.width,
            encoder: self.encoder(cell),
            threshold: None,
            training: Training::default(),
        };
        Ok(Model::fresh(config, Default::default(), FreshOptions::default(), 1)?)
    }
}

/// A model that is being trained.
pub struct Learner {
    trainer: Trainer<Predict>,
    turn: usize,
    words: usize,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Of one step of training.
    pub seconds: f64,
    /// Nats a word, in the last step.
    pub loss: f32,
    /// Words that were learned from so far.
    pub words: usize,
}

impl Learner {
    /// Draws the weights. A text that ends is begun again.
    ///
    /// # Errors
    /// If the text has words that the workload has not, or is shorter than a step.
    pub fn new(workload: &Workload, cell: Cell, text: Vec<u32>) -> Result<Self, TrainError> {
        Self::of(workload, workload.model(cell)?, text)
    }

    fn of(workload: &Workload, model: Model, text: Vec<u32>) -> Result<Self, TrainError> {
        let train = TrainConfig::new(workload.lanes, usize::MAX, workload.rate);
        let train = TrainConfig { optimizer: OptimizerName::Sgd, ..train };
        let objective = Predict::new(&train, workload.steps, Reset::Epoch)?;
        let texts = Texts { train: vec![text], dev: vec![Vec::new()], test: Vec::new() };
        let config = RunConfig { seed: 1, train, output: OutputConfig::default() };
        let trainer = Trainer::new(&Device::cpu(), model, objective, texts, config)?;
        Ok(Self { trainer, turn: workload.turn, words: 0 })
    }

    /// One step of training; its loss.
    ///
    /// # Errors
    /// If the loss is no number.
    pub fn step(&mut self) -> Result<f32, TrainError> {
        self.words += self.trainer.words();
        let losses = ready(self.trainer.step())?;
        Ok(losses.first().map_or(f32::NAN, |loss| loss.value))
    }

    /// The steps of a turn.
    ///
    /// # Errors
    /// If the loss is no number.
    pub fn turn(&mut self) -> Result<Turn, TrainError> {
        let (mut loss, begun) = (f32::NAN, Instant::now());
        for _ in 0..self.turn {
            loss = self.step()?;
        }
        let seconds = begun.elapsed().as_secs_f64() / self.turn as f64;
        Ok(Turn { seconds, loss, words: self.words })
    }
}

/// Lets all workloads whose names contain `only` learn from drawn texts, a turn each in every round, and prints milliseconds
/// a step.
///
/// # Errors
/// None for the workloads above.
pub fn compare(rounds: usize, only: &str) -> Result<(), TrainError> {
    let mut learners = Vec::new();
    for workload in &WORKLOADS {
        for cell in CELLS.into_iter().filter(|&cell| workload.name(cell).contains(only)) {
            let mut learner = Learner::new(workload, cell, workload.draw(20))?;
            learner.step()?;
            learners.push((workload, cell, learner, Vec::new()));
        }
    }
    for _ in 0..rounds.max(1) {
        for (_, _, learner, turns) in &mut learners {
            turns.push(learner.turn()?);
        }
    }
    for (workload, cell, _, mut turns) in learners {
        let Turn { loss, words, .. } = turns[turns.len() - 1];
        turns.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let (median, least) = (turns[turns.len() / 2].seconds, turns[0].seconds);
        let rate = (workload.lanes * workload.steps) as f64 / median;
        println!(
            "{:<24} {:>10.4} ms {:>10.4} least {rate:>8.0} words/s, loss {loss:.4} after {words} words",
            workload.name(cell),
            median * 1e3,
            least * 1e3,
        );
    }
    Ok(())
}

/// Plays one side of `lm_peers.py`: lets the workload of this name learn from `text`, a file of ids as 32-bit numbers, begins by
/// writing its weights to `weights`, and takes a turn for every line that it reads.
///
/// # Errors
/// If there is no such workload, or a file cannot be read or written.
pub fn take_turns(name: &str, text: &Path, weights: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let all = WORKLOADS.iter().flat_map(|workload| CELLS.map(|cell| (workload, cell)));
    let (workload, cell) =
        all.into_iter().find(|(workload, cell)| workload.name(*cell) == name).ok_or("no such workload")?;
    let text = fs::read(text)?.as_chunks().0.iter().map(|&id| u32::from_le_bytes(id)).collect();
    let model = workload.model(cell)?;
    fs::write(weights, model.to_bytes(|_, _| Storage::F32)?)?;
    let mut learner = Learner::of(workload, model, text)?;
    println!("ready");
    for line in io::stdin().lock().lines() {
        line?;
        let Turn { seconds, loss, words } = learner.turn()?;
        println!("{} {loss} {words}", seconds * 1e3);
        io::stdout().flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_fall() {
        for workload in WORKLOADS {
            // A text that two steps read, over and over.
            let workload = Workload { lanes: 4, ..workload };
            let text = workload.draw(2);
            for cell in CELLS {
                let mut learner = Learner::new(&workload, cell, text.clone()).unwrap();
                let losses: Vec<f32> = (0..10).map(|_| learner.step().unwrap()).collect();
                assert!((losses[0] - (workload.words as f32).ln()).abs() < 1.0, "{losses:?}");
                let fell = losses[0] - losses[8];
                assert!(fell > 1e-3 && losses[9] < losses[1], "{} {losses:?}", workload.name(cell));
                assert_eq!(learner.words, 10 * workload.lanes * workload.steps);
            }
        }
    }
}
