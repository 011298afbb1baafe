//! Learning from a teacher: its probabilities of the labels beside the label (Hinton, Vinyals, Dean 2015).

use serde::{Deserialize, Serialize};

use super::config::{ConfigError, check_number, unchanged};
use super::objective::Item;
use super::pass::pass;
use crate::cpu::softmax::softmax;
use crate::device::{Device, EngineError};
use crate::graph::Expr;
use crate::model::{Model, ModelError, Task, Verdict};

/// How a model learns from a teacher.
///
/// The loss of a text is `(1 - weight) CE(label) + weight T² CE(q)`, q being `softmax(z / T)` of the teacher's logits z and
/// compared with the same of the model's.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Distill {
    /// A model that tells the same labels apart, by a name that whoever prepares the run can find it by.
    pub teacher: String,
    /// Share of the teacher in the loss, above 0 and at most 1.
    pub weight: f32,
    /// T: above 1, labels that the teacher thinks little of count for more.
    #[serde(default = "unchanged")]
    pub temperature: f32,
}

impl Distill {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let Self { weight, temperature, .. } = *self;
        let shares = weight > 0.0 && weight <= 1.0;
        check_number("train.distill.weight", shares, "above 0, at most 1", weight)?;
        let warms = temperature > 0.0 && temperature.is_finite();
        check_number("train.distill.temperature", warms, "a positive number", temperature)
    }

    /// The loss of a text, `1 x 1`, by the loss of its label.
    pub(super) fn loss<'g>(&self, logits: Expr<'g>, of_label: Expr<'g>, teacher: &[f32]) -> Expr<'g> {
        let Self { weight, temperature, .. } = *self;
        let mut soft: Vec<f32> = teacher.iter().map(|log_p| log_p / temperature).collect();
        let columns = soft.len();
        softmax(&mut soft, columns);
        let soft = logits.graph().input(1, columns, soft);
        let log_p = logits.scale(1.0 / temperature).log_softmax();
        let of_teacher = (log_p * soft).sum_columns();
        of_label.scale(1.0 - weight) + of_teacher.scale(-weight * temperature * temperature)
    }
}

/// A teacher cannot teach.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TeacherError {
    /// It tells other labels apart, or none.
    #[error("the teacher tells {found:?} apart, this model {expected:?}")]
    Labels {
        /// The model's, in the order of its scores.
        expected: Vec<String>,
        /// The teacher's.
        found: Vec<String>,
    },
    /// Its file is no model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Has a teacher score texts that a model is to learn from; `pupil` says which words and labels their numbers stand for. `go_on`
/// hears how many texts are done, and stops the teacher by returning false: the result is then false.
///
/// # Errors
/// If the teacher has other labels; if the engine fails.
pub async fn teach(
    teacher: &Model,
    device: &Device,
    pupil: &Model,
    items: &mut [Item],
    go_on: impl FnMut(usize) -> bool,
) -> Result<bool, TeacherError> {
    let labels = |model: &Model| match &model.config().task {
        Task::Classify(task) => task.labels.clone(),
        _ => Vec::new(),
    };
    let (expected, found) = (labels(pupil), labels(teacher));
    if expected != found {
        return Err(TeacherError::Labels { expected, found });
    }
    // A word has another number there.
    let numbers: Vec<u32> =
        pupil.vocabulary().words().iter().map(|word| teacher.vocabulary().id(word)).collect();
    let texts: Vec<Vec<u32>> =
        items.iter().map(|item| item.ids.iter().map(|&id| numbers[id as usize]).collect()).collect();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let mut scores = vec![Vec::new(); items.len()];
    let keep = |text: usize, Verdict { log_p, .. }: Verdict| scores[text] = log_p;
    let done = pass(teacher, device, &texts, teacher.threshold(), keep, go_on).await?;
    if done {
        items.iter_mut().zip(scores).for_each(|(item, log_p)| item.teacher = Some(log_p));
    }
    Ok(done)
}
