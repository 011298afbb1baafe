//! The GPU of this machine: when it is requested, and what follows when it fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::device::gpu::{Gpu, GpuOptions};
use crate::device::{EngineError, Failure};

/// The GPU of this machine. It is requested when it is first wanted, and once more after it failed.
#[derive(Debug, Default)]
pub struct Devices {
    options: GpuOptions,
    state: RefCell<State>,
    /// How often a failed GPU was asked for again.
    retries: Cell<u32>,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Unasked,
    Ready(Rc<Gpu>),
    /// It failed, for this reason; another request may succeed.
    Failed(String),
    /// There is none, for this reason, and there will be none.
    Unavailable(String),
}

const MOST_RETRIES: u32 = 1;

impl Devices {
    /// Devices whose GPU is requested with these options.
    pub fn new(options: GpuOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Makes every later request fail with this reason, and never asks the host for a GPU: in some hosts asking is an
    /// error.
    pub fn forbid_gpu(&self, reason: String) {
        *self.state.borrow_mut() = State::Unavailable(reason);
    }

    /// The GPU, or why there is none.
    ///
    /// # Errors
    /// The reason, as an error says it.
    pub async fn gpu(&self) -> Result<Rc<Gpu>, String> {
        let state = self.state.borrow().clone();
        let state = match state {
            // A device can be lost between two calls.
            State::Ready(gpu) => match gpu.failure() {
                None => return Ok(gpu),
                Some(error) => {
                    self.failed(&gpu, &error);
                    self.state.borrow().clone()
                }
            },
            other => other,
        };
        let failed = match state {
            State::Unasked => None,
            State::Failed(reason) => {
                if self.retries.get() >= MOST_RETRIES {
                    *self.state.borrow_mut() = State::Unavailable(reason.clone());
                    return Err(reason);
                }
                self.retries.set(self.retries.get() + 1);
                Some(reason)
            }
            State::Unavailable(reason) => return Err(reason),
            State::Ready(gpu) => return Ok(gpu),
        };
        match Gpu::request(&self.options).await {
            Ok(gpu) => {
                let gpu = Rc::new(gpu);
                *self.state.borrow_mut() = State::Ready(gpu.clone());
                Ok(gpu)
            }
            Err(error) => {
                let reason = failed.map_or_else(
                    || error.to_string(),
                    |before| format!("{before}, and when asked for again: {error}"),
                );
                *self.state.borrow_mut() = State::Unavailable(reason.clone());
                Err(reason)
            }
        }
    }

    /// The GPU, if it was asked for and is there.
    pub fn ready(&self) -> Option<Rc<Gpu>> {
        match &*self.state.borrow() {
            State::Ready(gpu) => Some(gpu.clone()),
            _ => None,
        }
    }

    /// Records that a call on the GPU failed. A call that was only too large leaves the GPU in use.
    pub(super) fn failed(&self, gpu: &Rc<Gpu>, error: &EngineError) {
        if matches!(error, EngineError::Device { kind: Failure::TooLarge, .. }) {
            return;
        }
        let mut state = self.state.borrow_mut();
        if matches!(&*state, State::Ready(current) if Rc::ptr_eq(current, gpu)) {
            *state = State::Failed(error.to_string());
        }
    }
}
