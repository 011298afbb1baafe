//! Where a model runs: on the CPU, on the GPU, or on whichever of the two answers sooner.
//!
//! A call that fails on the GPU is finished on the CPU: the text is read again there from its beginning, the reason is
//! reported, and the GPU is asked for once more by a later call.

mod cost;
mod cursor;
mod devices;
mod layers;
mod reason;
mod steps;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::device::gpu::Gpu;
use crate::device::{Device, EngineError};
use crate::model::{Model, Monotone, Prefix, ReadError, ReadOptions, Reading, Scores, Watch};
use crate::nn::Ask;
pub use cost::{Cost, Costs};
pub use cursor::Cursor;
use devices::Choice;
pub use devices::Devices;
pub use layers::{GpuWork, LayerRun, LayerRunner};
pub use reason::Reason;
pub use steps::{Replay, Steps};

/// Where a reading is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preference {
    /// On the device that is expected to be done first, by what [`Runner::calibrate`] measured.
    #[default]
    Auto,
    /// On the CPU.
    Cpu,
    /// On the GPU; where there is none, where it fails half way, and while [`Runner::prepare`] makes it ready, on the
    /// CPU.
    WebGpu,
    /// On the GPU or not at all.
    #[serde(rename = "webgpu-only")]
    WebGpuOnly,
}

/// A reading, and why it was made where it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The reading.
    #[serde(flatten)]
    pub reading: Reading,
    /// Why it ran on `timing.device`.
    pub device_reason: Reason,
}

/// A model with the devices that it may run on.
#[derive(Debug)]
pub struct Runner {
    model: Rc<Model>,
    cpu: Device,
    devices: Rc<Devices>,
    costs: Rc<RefCell<Option<Costs>>>,
    /// Ids of the text read last, on which devices are measured.
    sample: Rc<RefCell<Vec<u32>>>,
    /// How many calls of [`Self::prepare`] are under way.
    preparing: Cell<u32>,
}

impl Runner {
    /// A model that may run on `cpu`, which keeps what it derives from the weights, or on the GPU of `devices`.
    pub fn new(model: Rc<Model>, cpu: Device, devices: Rc<Devices>) -> Self {
        Self { model, cpu, devices, costs: Rc::default(), sample: Rc::default(), preparing: Cell::default() }
    }

    /// The same model with what is measured of it, on another CPU.
    pub fn with_cpu(&self, cpu: Device) -> Self {
        let Self { model, devices, costs, sample, .. } = self;
        let (model, devices) = (Rc::clone(model), Rc::clone(devices));
        let (costs, sample) = (Rc::clone(costs), Rc::clone(sample));
        Self { model, cpu, devices, costs, sample, preparing: Cell::default() }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The CPU that the model runs on.
    pub fn cpu(&self) -> &Device {
        &self.cpu
    }

    /// What both devices were measured to take, once [`Self::calibrate`] has run.
    pub fn costs(&self) -> Option<Costs> {
        self.costs.borrow().clone()
    }

    /// Reads a text where `preference` says.
    ///
    /// # Errors
    /// See [`ReadError`]. A GPU that fails is not an error, except with [`Preference::WebGpuOnly`].
    pub async fn read<W: Watch>(
        &self,
        text: &str,
        options: &ReadOptions,
        preference: Preference,
        watch: &mut W,
    ) -> Result<Run, ReadError> {
        let tokens = self.model.tokenizer().tokenize(text);
        let ids = self.model.ids(&tokens);
        self.sample.borrow_mut().clone_from(&ids);
        let mut watch = Monotone { watch, most: 0 };
        let Choice { gpu, mut reason } = self.choose(preference, tokens.len()).await?;
        if let Some(gpu) = gpu {
            let device = Device::Gpu(gpu.clone());
            match self.model.read_ids(&device, tokens.clone(), &ids, options, &mut watch).await {
                Err(ReadError::Engine(error @ EngineError::Device { .. })) => {
                    reason = self.devices.fall_back(&gpu, error, preference)?;
                }
                outcome => return Ok(Run { reading: outcome?, device_reason: reason }),
            }
        }
        let reading = self.model.read_ids(&self.cpu, tokens, &ids, options, &mut watch).await?;
        Ok(Run { reading, device_reason: reason })
    }

    /// Reads texts together where `preference` says ([`Model::read_all`]). When a GPU fails half way, the CPU reads all.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub async fn read_all<W: Watch>(
        &self,
        texts: &[String],
        options: &ReadOptions,
        preference: Preference,
        watch: &mut W,
    ) -> Result<Vec<Run>, ReadError> {
        let texts: Vec<_> = texts.iter().map(|text| self.model.tokenizer().tokenize(text)).collect();
        let mut watch = Monotone { watch, most: 0 };
        let tokens = texts.iter().map(Vec::len).sum();
        let Choice { gpu, mut reason } = self.choose(preference, tokens).await?;
        let runs = |readings: Vec<Reading>, reason: Reason| {
            readings.into_iter().map(|reading| Run { reading, device_reason: reason.clone() }).collect()
        };
        if let Some(gpu) = gpu {
            match self.model.read_all(&Device::Gpu(gpu.clone()), texts.clone(), options, &mut watch).await {
                Err(ReadError::Engine(error @ EngineError::Device { .. })) => {
                    reason = self.devices.fall_back(&gpu, error, preference)?;
                }
                outcome => return Ok(runs(outcome?, reason)),
            }
        }
        Ok(runs(self.model.read_all(&self.cpu, texts, options, &mut watch).await?, reason))
    }

    /// Makes the GPU ready for the model: its kernels are compiled and its weights cross by running it there, on texts
    /// of several lengths, which take other kernels. What is asked of [`Preference::WebGpu`] meanwhile is answered by
    /// the CPU; a GPU that is not there, or fails, is left to the calls that follow, which say so. `watch` is asked
    /// between runs.
    ///
    /// # Errors
    /// If `watch` stopped it.
    pub async fn prepare<W: Watch>(&self, watch: &mut W) -> Result<(), ReadError> {
        let Ok(gpu) = self.devices.gpu().await else { return Ok(()) };
        let _preparing = Counted::new(&self.preparing);
        let watch = &mut Monotone { watch, most: 0 };
        match self.run_once(&Device::Gpu(gpu.clone()), watch).await {
            Err(stopped @ ReadError::Cancelled { .. }) => return Err(stopped),
            Err(ReadError::Engine(error @ EngineError::Device { .. })) => self.devices.failed(&gpu, &error),
            _ => {}
        }
        Ok(())
    }

    /// Runs all of the model on texts of every length that has kernels of its own.
    async fn run_once<W: Watch>(&self, device: &Device, watch: &mut W) -> Result<(), ReadError> {
        for tokens in [32, 8, 128, 4, 2] {
            let ids = self.sample(tokens);
            if self.model.network().head.softmax().is_some() {
                let mut prefix = Prefix::new(Scores::Total, false);
                prefix.read(&self.model, device, &ids, watch).await?;
                prefix.next(&self.model, device, Ask::Top(1)).await?;
            } else {
                self.model.time(device, &ids, &[], 0.0, watch).await?;
            }
        }
        Ok(())
    }

    async fn choose(&self, preference: Preference, tokens: usize) -> Result<Choice, EngineError> {
        if preference == Preference::WebGpu && self.preparing.get() > 0 {
            return Ok(Choice::cpu(Reason::GpuStarting));
        }
        let (Preference::Auto, Some(costs)) = (preference, self.costs()) else {
            return self.devices.choose(preference, Reason::Unmeasured).await;
        };
        let reason = costs.reason(tokens);
        if !costs.prefers_gpu(tokens) {
            return Ok(Choice::cpu(reason));
        }
        Ok(match self.devices.gpu().await {
            Ok(gpu) => Choice { gpu: Some(gpu), reason },
            Err(why) => Choice::cpu(Reason::NoGpu { why }),
        })
    }

    /// Measures both devices on the text read last, so that `auto` can choose. Takes some tenths of a second; a device
    /// that fails meanwhile counts as absent. `watch` is asked between samples.
    ///
    /// # Errors
    /// If the model cannot run on the CPU, or `watch` stopped it.
    pub async fn calibrate<W: Watch>(&self, watch: &mut W) -> Result<Costs, ReadError> {
        let watch = &mut Monotone { watch, most: 0 };
        let cpu = self.cost_on(&self.cpu, watch).await?;
        let gpu = match self.devices.gpu().await {
            Err(reason) => Err(reason),
            Ok(gpu) => match self.cost_on(&Device::Gpu(gpu.clone()), watch).await {
                Ok(cost) => Ok(cost),
                Err(stopped @ ReadError::Cancelled { .. }) => return Err(stopped),
                Err(error) => {
                    if let ReadError::Engine(error) = &error {
                        self.devices.failed(&gpu, error);
                    }
                    Err(error.to_string())
                }
            },
        };
        let costs = Costs { cpu, gpu };
        *self.costs.borrow_mut() = Some(costs.clone());
        Ok(costs)
    }

    async fn cost_on<W: Watch>(&self, device: &Device, watch: &mut W) -> Result<Cost, ReadError> {
        let mut points = [(0.0, 0.0); 2];
        for (point, tokens) in points.iter_mut().zip(cost::LENGTHS) {
            let ids = self.sample(tokens);
            *point = (tokens as f64, self.fastest(device, &ids, &[], watch).await?);
        }
        Ok(Cost::through(points))
    }

    /// Milliseconds of reading words by their ids: the fastest of several samples, since whatever else the machine does
    /// can only make them longer.
    async fn fastest<W: Watch>(
        &self,
        device: &Device,
        ids: &[u32],
        force: &[u32],
        watch: &mut W,
    ) -> Result<f64, ReadError> {
        // The first time compiles and uploads.
        self.model.time(device, ids, force, 0.0, watch).await?;
        let mut fastest = f64::INFINITY;
        for _ in 0..cost::SAMPLES {
            fastest = fastest.min(self.model.time(device, ids, force, cost::SAMPLE_MS, watch).await?);
        }
        Ok(fastest)
    }

    /// What one read and one skimmed token cost where `preference` says, on the text read last. `watch` is asked
    /// between samples.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn steps<W: Watch>(&self, preference: Preference, watch: &mut W) -> Result<Steps, ReadError> {
        let watch = &mut Monotone { watch, most: 0 };
        // Not within the call: a borrow must not last while others have their turn.
        let tokens = self.sample.borrow().len();
        let Choice { gpu, .. } = self.choose(preference, tokens).await?;
        if let Some(gpu) = gpu {
            match self.steps_on_gpu(&gpu, watch).await {
                Err(ReadError::Engine(error @ EngineError::Device { .. })) => {
                    self.devices.fall_back(&gpu, error, preference)?;
                }
                outcome => return outcome,
            }
        }
        self.steps_on(&self.cpu, watch).await
    }

    async fn steps_on_gpu<W: Watch>(&self, gpu: &Rc<Gpu>, watch: &mut W) -> Result<Steps, ReadError> {
        let device = Device::Gpu(gpu.clone());
        let steps = self.steps_on(&device, watch).await?;
        gpu.profile(true);
        let timed = self.model.time(&device, &self.sample(steps::LENGTHS[1]), &[], 0.0, watch).await;
        gpu.profile(false);
        timed?;
        Ok(Steps { kernels: gpu.take_profile().ok(), ..steps })
    }

    async fn steps_on<W: Watch>(&self, device: &Device, watch: &mut W) -> Result<Steps, ReadError> {
        let [short, long] = steps::LENGTHS;
        let mut step_us = [0.0; 2];
        for (us, forced) in step_us.iter_mut().zip([1, 2]) {
            let mut ms = [0.0; 2];
            for (ms, tokens) in ms.iter_mut().zip([short, long]) {
                let ids = self.sample(tokens);
                let force = if self.model.skims() { vec![forced; tokens] } else { Vec::new() };
                *ms = self.fastest(device, &ids, &force, watch).await?;
            }
            *us = ((ms[1] - ms[0]) * 1e3 / (long - short) as f64).max(0.0);
        }
        Ok(Steps::new(device.name(), step_us, self.model.skims()))
    }

    /// As many ids as `tokens`, from the text read last, repeated.
    fn sample(&self, tokens: usize) -> Vec<u32> {
        let sample = self.sample.borrow();
        if sample.is_empty() {
            vec![0; tokens]
        } else {
            sample.iter().copied().cycle().take(tokens).collect()
        }
    }
}

/// One more, until it is dropped.
struct Counted<'a>(&'a Cell<u32>);

impl<'a> Counted<'a> {
    fn new(count: &'a Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
