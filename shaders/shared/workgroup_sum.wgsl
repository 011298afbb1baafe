// The sum over a workgroup of `SIZE` invocations, a multiple of 16, always in the same order.

var<workgroup> workgroup_shares: array<vec2<f32>, SIZE>;

// Every invocation receives the sum. There must be a barrier between two sums.
fn workgroup_sum(lane: u32, share: vec2<f32>) -> vec2<f32> {
    workgroup_shares[lane] = share;
    workgroupBarrier();
    if lane < 16u {
        var sum = share;
        for (var i = lane + 16u; i < SIZE; i += 16u) {
            sum += workgroup_shares[i];
        }
        workgroup_shares[lane] = sum;
    }
    workgroupBarrier();
    var sum = vec2(0.0);
    for (var i = 0u; i < 16u; i += 1u) {
        sum += workgroup_shares[i];
    }
    return sum;
}
