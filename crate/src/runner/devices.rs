//! The GPU of this machine: when it is requested, and what follows when it fails.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::{Preference, Reason};
use crate::device::gpu::{Gpu, GpuOptions};
use crate::device::{EngineError, Failure};

/// The GPU of this machine. It is requested when it is first wanted, and once more after it failed.
#[derive(Debug, Default)]
pub struct Devices {
    options: GpuOptions,
    state: RefCell<State>,
    /// How often a failed GPU was asked for again.
    retries: Cell<u32>,
    /// Whether somebody asks; who comes meanwhile waits for the answer.
    asking: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

/// Ends the asking, also of a call that is given up.
struct Asking<'a>(&'a Devices);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.set(false);
        self.0.waiting.take().into_iter().for_each(Waker::wake);
    }
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

/// The device chosen for a call, and the reason.
#[derive(Debug)]
pub(super) struct Choice {
    /// The CPU if there is none.
    pub(super) gpu: Option<Rc<Gpu>>,
    pub(super) reason: Reason,
}

impl Choice {
    pub(super) fn cpu(reason: Reason) -> Self {
        Self { gpu: None, reason }
    }
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

    /// The GPU, or why there is none: the same for all who ask at the same time, as a buffer of one device is of no use
    /// to another.
    ///
    /// # Errors
    /// The reason, as an error says it.
    pub async fn gpu(&self) -> Result<Rc<Gpu>, String> {
        poll_fn(|context| {
            if self.asking.replace(true) {
                self.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        let _asking = Asking(self);
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

    /// The device that a preference names; for `auto` the CPU, for a reason of the caller's.
    ///
    /// # Errors
    /// Without a GPU where nothing else will do.
    pub(super) async fn choose(&self, preference: Preference, auto: Reason) -> Result<Choice, EngineError> {
        Ok(match preference {
            Preference::Auto => Choice::cpu(auto),
            Preference::Cpu => Choice::cpu(Reason::CpuAsked),
            Preference::WebGpu | Preference::WebGpuOnly => match self.gpu().await {
                Ok(gpu) => {
                    let reason = Reason::GpuAsked { adapter: gpu.adapter().to_string() };
                    Choice { gpu: Some(gpu), reason }
                }
                Err(why) if preference == Preference::WebGpuOnly => {
                    return Err(EngineError::unavailable(why));
                }
                Err(why) => Choice::cpu(Reason::NoGpu { why }),
            },
        })
    }

    /// Records that a call on the GPU failed; why the CPU goes on with it.
    ///
    /// # Errors
    /// The error, where nothing but the GPU will do.
    pub(super) fn fall_back(
        &self,
        gpu: &Rc<Gpu>,
        error: EngineError,
        preference: Preference,
    ) -> Result<Reason, EngineError> {
        self.failed(gpu, &error);
        match preference {
            Preference::WebGpuOnly => Err(error),
            _ => Ok(Reason::GpuFailed { error: error.to_string() }),
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
