// Values of some rows of a matrix, or of all: for kernels with `arguments.listed` (1 or 0), `arguments.columns` and the
// numbers of `rows`.

// Where value `i` of those meant lies in the matrix.
fn place(i: u32) -> u32 {
    if arguments.listed == 1u {
        return rows[i / arguments.columns] * arguments.columns + i % arguments.columns;
    }
    return i;
}
