//! A device chosen while the program runs. What is generic over devices is compiled once for it, instead of once for
//! each: half of the graph, the layers and the readings in the browser's binary.

use std::ops::Range;
#[cfg(feature = "gpu")]
use std::rc::Rc;

use super::{Call, Cpu, Device, EngineError, Forward, Op, Operand, ParamGradients, Parameters};
#[cfg(feature = "gpu")]
use super::{gpu::Gpu, gpu::GpuBuffer};

/// One of the devices there are.
#[derive(Clone, Debug)]
pub enum Place {
    /// The host's processor.
    Cpu,
    /// A GPU.
    #[cfg(feature = "gpu")]
    Gpu(Rc<Gpu>),
}

/// A buffer of the device that made it; others refuse it.
#[derive(Clone, Debug)]
pub enum Placed {
    /// In the host's memory.
    Cpu(<Cpu as Device>::Buffer),
    /// In a GPU's.
    #[cfg(feature = "gpu")]
    Gpu(GpuBuffer),
}

/// A device as one of the places.
trait Resident: Device {
    fn own(buffer: Placed) -> Option<Self::Buffer>;
    fn own_mut(buffer: &mut Placed) -> Option<&mut Self::Buffer>;
    fn place(buffer: Self::Buffer) -> Placed;
}

/// Implements [`Resident`] for the device of a variant.
macro_rules! resident {
    ($device:ident) => {
        impl Resident for $device {
            fn own(buffer: Placed) -> Option<Self::Buffer> {
                match buffer {
                    Placed::$device(buffer) => Some(buffer),
                    #[allow(unreachable_patterns, reason = "without a GPU there is one variant")]
                    _ => None,
                }
            }

            fn own_mut(buffer: &mut Placed) -> Option<&mut Self::Buffer> {
                match buffer {
                    Placed::$device(buffer) => Some(buffer),
                    #[allow(unreachable_patterns, reason = "without a GPU there is one variant")]
                    _ => None,
                }
            }

            fn place(buffer: Self::Buffer) -> Placed {
                Placed::$device(buffer)
            }
        }
    };
}

resident!(Cpu);
#[cfg(feature = "gpu")]
resident!(Gpu);

/// Runs `$body` with `$device` bound to the device of a place.
macro_rules! on {
    ($place:expr, $device:ident => $body:expr) => {
        match $place {
            Place::Cpu => {
                let $device = &Cpu;
                $body
            }
            #[cfg(feature = "gpu")]
            Place::Gpu(gpu) => {
                let $device = &**gpu;
                $body
            }
        }
    };
}

fn foreign() -> EngineError {
    EngineError::Unsupported { op: "place", reason: "a value lies on another device" }
}

fn own<D: Resident>(_: &D, buffer: &Placed) -> Result<D::Buffer, EngineError> {
    D::own(buffer.clone()).ok_or_else(foreign)
}

fn own_whole<D: Resident>(_: &D, buffer: Placed) -> Option<D::Buffer> {
    D::own(buffer)
}

fn own_all<D: Resident>(device: &D, buffers: &[Placed]) -> Result<Vec<D::Buffer>, EngineError> {
    buffers.iter().map(|buffer| own(device, buffer)).collect()
}

fn place<D: Resident>(_: &D, buffer: D::Buffer) -> Placed {
    D::place(buffer)
}

fn place_all<D: Resident>(buffers: Vec<D::Buffer>) -> Vec<Placed> {
    buffers.into_iter().map(D::place).collect()
}

fn operands<D: Resident>(
    device: &D,
    inputs: &[Operand<Placed>],
) -> Result<Vec<Operand<D::Buffer>>, EngineError> {
    let operand = |input: &Operand<Placed>| {
        let Operand { ref buffer, columns, ref offsets } = *input;
        Ok(Operand { buffer: own(device, buffer)?, columns, offsets: offsets.clone() })
    };
    inputs.iter().map(operand).collect()
}

/// A call with operands of a device's own.
fn with_inputs<'a, B>(call: &Call<'a, Placed>, inputs: &'a [Operand<B>]) -> Call<'a, B> {
    let Call { op, parameters, streams, indices, index_offsets, seed, keep, words, .. } = *call;
    Call { op, parameters, inputs, streams, indices, index_offsets, seed, keep, words }
}

fn gather<D: Resident>(
    device: &D,
    columns: usize,
    parts: &[(&Placed, Range<usize>)],
) -> Result<Placed, EngineError> {
    let buffers: Vec<_> = parts.iter().map(|(buffer, _)| own(device, buffer)).collect::<Result<_, _>>()?;
    let parts: Vec<_> = buffers.iter().zip(parts).map(|(buffer, (_, rows))| (buffer, rows.clone())).collect();
    device.gather(columns, &parts).map(D::place)
}

fn add<D: Resident>(
    device: &D,
    target: &mut Placed,
    at: usize,
    source: &Placed,
    rows: Range<usize>,
    columns: usize,
) -> Result<(), EngineError> {
    let source = own(device, source)?;
    device.add(D::own_mut(target).ok_or_else(foreign)?, at, &source, rows, columns)
}

fn forward<D: Resident>(device: &D, call: &Call<'_, Placed>) -> Result<Forward<Placed>, EngineError> {
    let inputs = operands(device, call.inputs)?;
    let Forward { outputs, saved } = device.forward(&with_inputs(call, &inputs))?;
    Ok(Forward { outputs: place_all::<D>(outputs), saved: place_all::<D>(saved) })
}

fn backward<D: Resident>(
    device: &D,
    call: &Call<'_, Placed>,
    forward: &Forward<Placed>,
    upstream: &[Option<Placed>],
    wanted: &[bool],
    gradients: &mut ParamGradients<Placed>,
) -> Result<Vec<Option<Placed>>, EngineError> {
    let inputs = operands(device, call.inputs)?;
    let forward =
        Forward { outputs: own_all(device, &forward.outputs)?, saved: own_all(device, &forward.saved)? };
    let upstream: Vec<_> = upstream
        .iter()
        .map(|gradient| gradient.as_ref().map(|buffer| own(device, buffer)).transpose())
        .collect::<Result<_, _>>()?;
    // Moved, not shared: a gradient that nobody else holds is added to in place.
    let mut own_gradients = gradients.drain(..).map(|slot| slot.and_then(D::own)).collect();
    let call = with_inputs(call, &inputs);
    let downstream = device.backward(&call, &forward, &upstream, wanted, &mut own_gradients);
    gradients.extend(own_gradients.into_iter().map(|slot| slot.map(D::place)));
    Ok(downstream?.into_iter().map(|gradient| gradient.map(D::place)).collect())
}

async fn read<D: Resident>(
    device: &D,
    parts: &[(Placed, Range<usize>)],
) -> Result<Vec<Vec<f32>>, EngineError> {
    let part = |(buffer, range): &(Placed, Range<usize>)| Ok((own(device, buffer)?, range.clone()));
    let parts: Vec<_> = parts.iter().map(part).collect::<Result<_, EngineError>>()?;
    device.read(&parts).await
}

impl Device for Place {
    type Buffer = Placed;

    fn name(&self) -> &'static str {
        on!(self, device => device.name())
    }

    fn upload(&self, values: Vec<f32>) -> Result<Placed, EngineError> {
        on!(self, device => Ok(place(device, device.upload(values)?)))
    }

    fn zeros(&self, size: usize) -> Result<Placed, EngineError> {
        on!(self, device => Ok(place(device, device.zeros(size)?)))
    }

    fn gather(&self, columns: usize, parts: &[(&Placed, Range<usize>)]) -> Result<Placed, EngineError> {
        on!(self, device => gather(device, columns, parts))
    }

    fn add(
        &self,
        target: &mut Placed,
        at: usize,
        source: &Placed,
        rows: Range<usize>,
        columns: usize,
    ) -> Result<(), EngineError> {
        on!(self, device => add(device, target, at, source, rows, columns))
    }

    fn forward(&self, call: &Call<'_, Placed>) -> Result<Forward<Placed>, EngineError> {
        on!(self, device => forward(device, call))
    }

    fn backward(
        &self,
        call: &Call<'_, Placed>,
        forward: &Forward<Placed>,
        upstream: &[Option<Placed>],
        wanted: &[bool],
        gradients: &mut ParamGradients<Placed>,
    ) -> Result<Vec<Option<Placed>>, EngineError> {
        on!(self, device => backward(device, call, forward, upstream, wanted, gradients))
    }

    fn reads_words(&self, op: &Op, parameters: &Parameters) -> bool {
        on!(self, device => device.reads_words(op, parameters))
    }

    fn reclaim(&self, buffer: Placed) {
        on!(self, device => {
            // What is another device's is dropped.
            if let Some(buffer) = own_whole(device, buffer) {
                device.reclaim(buffer);
            }
        });
    }

    async fn read(&self, parts: &[(Placed, Range<usize>)]) -> Result<Vec<Vec<f32>>, EngineError> {
        on!(self, device => read(device, parts).await)
    }
}
