// What a workgroup of the soft kernels does in one launch: some steps of one sequence.

struct Place {
    // The number of the sequence.
    lane: u32,
    // The row of the first step, counted over all sequences.
    row: u32,
    // How many steps.
    steps: u32,
    // The number of the first step within the sequence.
    step: u32,
    // The sequence's noise.
    stream: u32,
}
