// Inverted dropout (CPU twin: cpu/dropout.rs): the factor of one element.

#import noise

fn dropout_mask(rate: f32, seed: u32, stream: u32, element: u32) -> f32 {
    return select(1.0 / (1.0 - rate), 0.0, noise_uniform(seed, stream, element) < rate);
}
