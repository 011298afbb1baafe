// Gumbel noise for the soft mixture of Skim-RNN.
//
// CPU twin: `kernels/src/noise.rs`.

#import math
#import noise

// Standard Gumbel noise, `-log(-log(u))`.
fn noise_gumbel(seed: u32, stream: u32, element: u32) -> f32 {
    return -log_precise(-log_precise(noise_uniform(seed, stream, element)));
}
