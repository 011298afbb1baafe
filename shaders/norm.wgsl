//! The root of a sum of squares, in two stages that always add in the same order.
//! variants: squares root
//!
//! CPU twin: `kernels/src/norm.rs`.
//!
//! In `squares` a workgroup adds up the squares of `CHUNK` values; in `root` one workgroup adds up those sums. A value
//! that is not finite makes the result NaN. The kernel tells it by its bits, because WGSL may assume that every float
//! is finite.

#import grid

struct Arguments {
#if squares
    // How many ranges there are.
    ranges: u32,
    // The first sum to write.
    first: u32,
#else
    // The number of sums.
    size: u32,
#endif
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
// Bits of floats.
@group(0) @binding(1) var<storage, read> x: array<u32>;
#if squares
// The first values are those of `x`.
@group(0) @binding(2) var<storage, read> ranges: array<Range>;
@group(0) @binding(3) var<storage, read> rows: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<u32>;

#import ranges
#else
@group(0) @binding(2) var<storage, read_write> out: array<u32>;
#endif

// Values whose squares one workgroup adds up.
const CHUNK = 4096u;
const EXPONENT = 0x7f800000u;
const NOT_A_NUMBER = 0x7fc00000u;

var<workgroup> sums: array<f32, GROUP>;
var<workgroup> wild: atomic<u32>;

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    if lane == 0u {
        atomicStore(&wild, 0u);
    }
    workgroupBarrier();
    let number = group_number(group, groups);
#if squares
    let range = ranges[range_of(number)];
    let first = min((number - range.group) * CHUNK, range.size);
    let end = min(first + CHUNK, range.size);
#else
    let first = 0u;
    let end = arguments.size;
#endif
    var sum = 0.0;
    for (var i = first + lane; i < end; i += GROUP) {
#if squares
        let bits = x[range.first.x + place(range, i)];
#else
        let bits = x[i];
#endif
        if (bits & EXPONENT) == EXPONENT {
            atomicStore(&wild, 1u);
        } else {
            let value = bitcast<f32>(bits);
#if squares
            sum += value * value;
#else
            sum += value;
#endif
        }
    }
    sums[lane] = sum;
    workgroupBarrier();
    for (var stride = GROUP / 2u; stride > 0u; stride /= 2u) {
        if lane < stride {
            sums[lane] += sums[lane + stride];
        }
        workgroupBarrier();
    }
    if lane == 0u {
#if squares
        let result = sums[0];
        let inside = first < end;
        let at = arguments.first + number;
#else
        let result = sqrt(sums[0]);
        let inside = number == 0u;
        let at = 0u;
#endif
        if inside {
            out[at] = select(bitcast<u32>(result), NOT_A_NUMBER, atomicLoad(&wild) == 1u);
        }
    }
}
