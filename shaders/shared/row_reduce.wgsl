// Reductions over a row that `width` neighbouring invocations share; `width` is a power of two up to `GROUP`, the same for
// all. Every invocation of the workgroup must call them together.

#import grid

var<workgroup> row_parts: array<f32, GROUP>;

fn row_sum(value: f32, lane: u32, width: u32) -> f32 {
    workgroupBarrier();
    row_parts[lane] = value;
    workgroupBarrier();
    for (var step = width / 2u; step > 0u; step /= 2u) {
        if lane % width < step {
            row_parts[lane] += row_parts[lane + step];
        }
        workgroupBarrier();
    }
    return row_parts[lane - lane % width];
}

fn row_max(value: f32, lane: u32, width: u32) -> f32 {
    workgroupBarrier();
    row_parts[lane] = value;
    workgroupBarrier();
    for (var step = width / 2u; step > 0u; step /= 2u) {
        if lane % width < step {
            row_parts[lane] = max(row_parts[lane], row_parts[lane + step]);
        }
        workgroupBarrier();
    }
    return row_parts[lane - lane % width];
}
