// Counter-based random numbers: a pure function of (seed, stream, element).
//
// CPU twin: `kernels/src/noise.rs`.

fn scramble(value: u32) -> u32 {
    var x = value;
    x ^= x >> 16u;
    x *= 0x85ebca6bu;
    x ^= x >> 13u;
    x *= 0xc2b2ae35u;
    return x ^ (x >> 16u);
}

// 32 random bits.
fn noise_bits(seed: u32, stream: u32, element: u32) -> u32 {
    return scramble(scramble(scramble(seed ^ 0x9e3779b9u) + stream) + element);
}

// Uniform in (0, 1), a multiple of 2^-24: the same bits on every device.
fn noise_uniform(seed: u32, stream: u32, element: u32) -> f32 {
    return (f32(noise_bits(seed, stream, element) >> 9u) + 0.5) * (1.0 / 8388608.0);
}
