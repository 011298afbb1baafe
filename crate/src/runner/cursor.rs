//! A language model at a place in a text, on the CPU or on the GPU.

use std::rc::Rc;

use web_time::Instant;

use super::devices::Choice;
use super::{Preference, Reason, Runner};
use crate::device::{Device, EngineError};
use crate::model::{Monotone, Prefix, ReadError, Scores, Watch};
use crate::nn::{Answer, Ask};

/// Reads a text on where its preference says. When a GPU fails the CPU goes on: it reads again what was read.
#[derive(Debug)]
pub struct Cursor {
    runner: Rc<Runner>,
    preference: Preference,
    /// The device chosen, once something was asked.
    choice: Option<Choice>,
    prefix: Prefix,
    /// The text so far; `prefix` has read a part of it.
    ids: Vec<u32>,
    total_ms: f64,
}

impl Cursor {
    /// At the beginning of a text ([`Prefix::new`]).
    pub fn new(runner: Rc<Runner>, preference: Preference, asks: Scores, keeps: bool) -> Self {
        let prefix = Prefix::new(asks, keeps);
        Self { runner, preference, choice: None, prefix, ids: Vec::new(), total_ms: 0.0 }
    }

    /// What was found of the text.
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// Milliseconds that the last call took.
    pub fn total_ms(&self) -> f64 {
        self.total_ms
    }

    /// Where the last call ran, and why.
    pub fn device(&self) -> (&'static str, Option<&Reason>) {
        let choice = self.choice.as_ref();
        let gpu = choice.is_some_and(|choice| choice.gpu.is_some());
        (if gpu { "webgpu" } else { "cpu" }, choice.map(|choice| &choice.reason))
    }

    /// The text is `ids` now, if there are any, and a question about what comes next, if there is one. What is drawn is the
    /// text's next word.
    ///
    /// # Errors
    /// See [`Prefix::read`] and [`Prefix::next`].
    pub async fn ask<W: Watch>(
        &mut self,
        ids: Option<Vec<u32>>,
        ask: Option<Ask>,
        watch: &mut W,
    ) -> Result<Option<Answer>, ReadError> {
        let begun = Instant::now();
        self.ids = ids.unwrap_or_else(|| std::mem::take(&mut self.ids));
        let answer = self.answer(ask, &mut Monotone { watch, most: 0 }).await;
        self.total_ms = begun.elapsed().as_secs_f64() * 1e3;
        if let (Some(Ask::Draw { .. }), Ok(Some(answer))) = (ask, &answer) {
            self.ids.extend(answer.words.iter().map(|word| word.id));
        }
        answer
    }

    /// Reads what is left to be read and answers a question, if there is one.
    async fn answer<W: Watch>(
        &mut self,
        ask: Option<Ask>,
        watch: &mut W,
    ) -> Result<Option<Answer>, ReadError> {
        loop {
            let gpu = match &self.choice {
                Some(choice) => choice.gpu.clone(),
                None => {
                    let choice = self.runner.choose(self.preference, self.ids.len()).await?;
                    self.choice.insert(choice).gpu.clone()
                }
            };
            let device = gpu.as_ref().map_or_else(|| self.runner.cpu.clone(), |gpu| Device::Gpu(gpu.clone()));
            let answered = match self.prefix.read(&self.runner.model, &device, &self.ids, watch).await {
                Err(error) => Err(error),
                Ok(()) => match ask {
                    None => Ok(None),
                    Some(ask) => self.prefix.next(&self.runner.model, &device, ask).await.map(Some),
                },
            };
            match (answered, gpu) {
                (Err(ReadError::Engine(error @ EngineError::Device { .. })), Some(gpu)) => {
                    // What was read went with the GPU; a later call may find another.
                    self.prefix.forget();
                    self.choice = None;
                    let reason = self.runner.devices.fall_back(&gpu, error, self.preference)?;
                    self.choice = Some(Choice::cpu(reason));
                }
                (answered, _) => return answered,
            }
        }
    }
}
