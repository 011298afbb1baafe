//! What products with few rows cost: GPU time a launch for 1 to 9 rows. Up to 8 have kernels that divide the sum of a
//! value; 9 are the first for which an invocation sums whole values.
//!
//! `cargo run --release -p saccade-checks --example few_rows`

use std::rc::Rc;

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};
use saccade_rnn::device::{Call, Device, Op, Operand, Parameters, WeightView};

const LAUNCHES: usize = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::var("SACCADE_ADAPTER").ok();
    let gpu = Rc::new(block_on(Gpu::request(&GpuOptions { name, ..Default::default() }))?);
    let device = Device::Gpu(gpu.clone());
    println!("{}, mean of {LAUNCHES} launches", gpu.adapter());
    for (inputs, outputs) in [(100, 400), (128, 512)] {
        for input_major in [false, true] {
            for rows in [1, 2, 4, 8, 9] {
                let mut random = Random::new(1);
                let mut parameters = Parameters::new();
                let shape = if input_major { [inputs, outputs] } else { [outputs, inputs] };
                let param = random.parameter(&mut parameters, &shape, 1.0);
                let weight = WeightView { param, first: 0, inputs, outputs, input_major };
                let buffer = device.upload(random.values(rows * inputs, 1.0))?;
                let call = Call {
                    op: &Op::Affine { weight, bias: None },
                    parameters: &parameters,
                    inputs: &[Operand { source: buffer.into(), columns: inputs, offsets: vec![0, rows] }],
                    streams: &[0],
                    indices: &[],
                    index_offsets: &[0, 0],
                    seed: 0,
                    keep: false,
                    weights_alone: false,
                };
                // The first makes the pipeline.
                for timed in [false, true] {
                    gpu.profile(timed);
                    let mut last = device.forward(&call)?;
                    for _ in 1..LAUNCHES {
                        last = device.forward(&call)?;
                    }
                    block_on(device.read(&[(last.outputs.remove(0), 0..1)]))?;
                }
                let order = if input_major { "[in, out]" } else { "[out, in]" };
                for time in gpu.take_profile()? {
                    let mean = time.nanoseconds as f64 / time.launches as f64 / 1e3;
                    println!("{rows} x {inputs} x {outputs} {order}: {mean:8.2} us  {}", time.kernel);
                }
            }
        }
    }
    Ok(())
}
