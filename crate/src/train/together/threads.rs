//! The parts of a batch, a thread each.

use std::iter::zip;
use std::sync::Arc;
use std::thread;

use super::{Common, Found, together};
use crate::device::{Buffer, Cpu, Device, EngineError};
use crate::graph::Gradients;
use crate::model::Model;
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
    pub(in crate::train) fn learn(
        &mut self,
        device: &Device,
        common: &Common<'_>,
        touched: &Touched,
        gradients: &mut Gradients,
    ) -> Result<Found, EngineError> {
        let &Common { parts, model, .. } = common;
        let helping = parts.shares.len() - 1;
        let (_, options) = device.threads();
        while self.0.len() < helping {
            let gradients = vec![None; model.parameters().len()];
            self.0.push(Helper { cpu: Arc::new(Cpu::new(options)), gradients });
        }
        let found = thread::scope(|scope| {
            let threads: Vec<_> = zip(&mut self.0, 1..=helping)
                .map(|(helper, number)| scope.spawn(move || helper.learn(common, number)))
                .collect();
            let own = common.learn(device, 0, gradients);
            let rest = threads.into_iter().map(|thread| {
                // A panic goes on in the caller, as if it had learned from this part itself.
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            // All are waited for, whatever one of them gives.
            std::iter::once(own).chain(rest).collect::<Vec<_>>()
        });
        let found: Result<Vec<Found>, _> = found.into_iter().collect();
        // What some have learned of a batch that fails goes with them.
        let found = found.inspect_err(|_| self.0.clear())?;
        for helper in &mut self.0[..helping] {
            add(&mut helper.gradients, model, touched, gradients)?;
        }
        Ok(together(found, parts))
    }
}

impl Helper {
    fn learn(&mut self, common: &Common<'_>, number: usize) -> Result<Found, EngineError> {
        let device = Device::Cpu(self.cpu.clone());
        let mut gradients = Gradients::zeros(common.model.parameters());
        for ((id, _), slot) in zip(common.model.parameters().iter(), &mut self.gradients) {
            *gradients.get_mut(id) = slot.take().map(Buffer::Cpu);
        }
        let found = common.learn(&device, number, &mut gradients);
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
