//! The parts of a batch, a thread each.

use std::iter::zip;
use std::sync::Arc;
use std::thread;

use super::{Common, Found, shares, together};
use crate::device::{Buffer, Cpu, Device, EngineError};
use crate::graph::Gradients;
use crate::model::Model;
use crate::train::carried::CarriedRows;
use crate::train::objective::Objective;
use crate::train::optimizer::Touched;

/// A thread's processor and gradients, kept from batch to batch. The gradients are zero between two batches.
struct Helper {
    cpu: Arc<Cpu>,
    gradients: Slots,
}

/// The gradient of every parameter, to be sent to another thread.
type Slots = Vec<Option<Arc<Vec<f32>>>>;

/// The threads beside the caller's.
#[derive(Default)]
pub(in crate::train) struct Helpers(Vec<Helper>);

impl Helpers {
    /// Adds the gradients of all parts to those that are there; the losses are means over all parts, each by its weight.
    ///
    /// # Errors
    /// The first, in the order of the parts.
    #[allow(clippy::too_many_arguments, reason = "what a step of learning depends on")]
    pub(in crate::train) fn learn<O: Objective>(
        &mut self,
        device: &Device,
        objective: &O,
        model: &Model,
        parts: Vec<O::Batch>,
        carried: &CarriedRows,
        (seed, step): (u32, u64),
        touched: &Touched,
        gradients: &mut Gradients,
    ) -> Result<Found, EngineError> {
        let shares = shares(objective, &parts);
        let (_, options) = device.threads();
        while self.0.len() + 1 < parts.len() {
            let gradients = vec![None; model.parameters().len()];
            self.0.push(Helper { cpu: Arc::new(Cpu::new(options)), gradients });
        }
        let common = Common { objective, model, carried, seed, step };
        let helping = parts.len() - 1;
        let mut parts = zip(parts, &shares).enumerate();
        let own = parts.next();
        let found = thread::scope(|scope| {
            let threads: Vec<_> = zip(&mut self.0, parts)
                .map(|(helper, (number, (part, &share)))| {
                    let common = &common;
                    scope.spawn(move || helper.learn(common, number, &part, share))
                })
                .collect();
            let own =
                own.map(|(number, (part, &share))| common.learn(device, number, &part, share, gradients));
            let rest = threads.into_iter().map(|thread| {
                // A panic goes on in the caller, as if it had learned from this part itself.
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            // All are waited for, whatever one of them gives.
            own.into_iter().chain(rest).collect::<Vec<_>>()
        });
        let found: Vec<Found> = found.into_iter().collect::<Result<_, _>>()?;
        for helper in &mut self.0[..helping] {
            add(&mut helper.gradients, model, touched, gradients)?;
        }
        Ok(together(found, &shares))
    }
}

impl Helper {
    fn learn<O: Objective>(
        &mut self,
        common: &Common<'_, O>,
        number: usize,
        part: &O::Batch,
        share: f32,
    ) -> Result<Found, EngineError> {
        let device = Device::Cpu(self.cpu.clone());
        let mut gradients = Gradients::zeros(common.model.parameters());
        for ((id, _), slot) in zip(common.model.parameters().iter(), &mut self.gradients) {
            *gradients.get_mut(id) = slot.take().map(Buffer::Cpu);
        }
        let found = common.learn(&device, number, part, share, &mut gradients);
        for ((id, _), slot) in zip(common.model.parameters().iter(), &mut self.gradients) {
            *slot = match gradients.get_mut(id).take() {
                Some(Buffer::Cpu(values)) => Some(values),
                _ => None,
            };
        }
        found
    }
}

/// Adds a thread's gradients to the others and sets them to zero; of a table of which only some rows were read those.
fn add(
    slots: &mut Slots,
    model: &Model,
    touched: &Touched,
    gradients: &mut Gradients,
) -> Result<(), EngineError> {
    for ((id, parameter), slot) in zip(model.parameters().iter(), slots) {
        let Some(values) = slot else { continue };
        let from = Arc::make_mut(values);
        let Some(to) = gradients.get_mut(id) else {
            *gradients.get_mut(id) = Some(Buffer::Cpu(Arc::new(std::mem::take(from))));
            *slot = None;
            continue;
        };
        let to = Arc::make_mut(to.on_cpu_mut()?);
        let columns = parameter.columns();
        let mut add = |range: std::ops::Range<usize>| {
            for (to, from) in zip(&mut to[range.clone()], &mut from[range]) {
                *to += std::mem::take(from);
            }
        };
        match touched.get(&id) {
            Some(rows) => rows.iter().map(|&row| row as usize * columns).for_each(|at| add(at..at + columns)),
            None => add(0..parameter.values.len()),
        }
    }
    Ok(())
}
