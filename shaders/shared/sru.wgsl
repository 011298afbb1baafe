// What the forward and the backward kernel of the simple recurrent unit share: arguments, sequences and the order of
// rows.

#import grid
#import noise

struct Arguments {
    // Channels of both directions together, `n`.
    channels: u32,
    // Products a channel: candidate, forget, reset and, if 4, skip.
    products: u32,
    // Sequences of the call.
    lanes: u32,
    // Sequences that have a row in these steps.
    alive: u32,
    // The steps of this launch, the end excluded.
    first_step: u32,
    end_step: u32,
    // First elements within their buffers.
    u_first: u32,
    skip_first: u32,
    flags: u32,
    seed: u32,
    // The rate of dropout inside the highway.
    rate: f32,
    // The factor of the skip input if there are 3 products.
    scale: f32,
}

// Invocations of a workgroup.
const SIZE = 64u;

// The activation is tanh; otherwise it is the identity.
const TANH = 1u;
// The second half of the channels runs from the last row to the first.
const BIDIRECTIONAL = 2u;
// The gates read the memory: version 2.
const WEIGHT_C = 4u;
// There are 3 products and a skip input.
const SKIP = 8u;
// Forward: keep what the gradient needs.
const KEEP = 16u;
// Backward: there is a gradient of the rows.
const UPSTREAM = 32u;

struct Lane {
    number: u32,
    // Its first row, counted from that of the first sequence.
    first: u32,
    length: u32,
    // The stream of its noise.
    stream: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
// The sequences that have a row in these steps.
@group(0) @binding(1) var<storage, read> lanes: array<Lane>;
// The hoisted product, `products` values a channel.
@group(0) @binding(2) var<storage, read> u: array<f32>;
// `[v_f, v_r]`.
@group(0) @binding(3) var<storage, read> weight_c: array<f32>;

fn is_set(flag: u32) -> bool {
    return (arguments.flags & flag) != 0u;
}

// The row that channel `j` visits at step `t`.
fn row_at(lane: Lane, j: u32, t: u32) -> u32 {
    let backwards = is_set(BIDIRECTIONAL) && j >= arguments.channels / 2u;
    return lane.first + select(t, lane.length - 1u - t, backwards);
}

// `v_f` and `v_r` of a channel.
fn weights_of(j: u32) -> vec2<f32> {
    if is_set(WEIGHT_C) {
        return vec2(weight_c[j], weight_c[arguments.channels + j]);
    }
    return vec2(0.0);
}

fn mask_of(lane: Lane, j: u32) -> f32 {
    let dropped = noise_uniform(arguments.seed, lane.stream, j) < arguments.rate;
    return select(1.0 / (1.0 - arguments.rate), 0.0, dropped);
}

fn activation(c: f32) -> f32 {
    if is_set(TANH) {
        return tanh_bounded(c);
    }
    return c;
}
