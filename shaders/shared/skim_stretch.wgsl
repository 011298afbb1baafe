// The steps of one sequence that a workgroup of the soft kernels runs in one launch.

struct Stretch {
    // The number of the sequence.
    lane: u32,
    // The row of the first step, counted over all sequences.
    row: u32,
    // The number of steps.
    steps: u32,
    // The number of the first step within the sequence.
    step: u32,
    // The stream of the sequence's noise.
    stream: u32,
}
