// Selects rows of a matrix: all of them (`arguments.listed` is 0), or those whose numbers are in `rows` (1). The
// importing kernel declares `arguments.columns` too.

// The index in the matrix of value `i` of the selected rows.
fn place(i: u32) -> u32 {
    if arguments.listed == 1u {
        return rows[i / arguments.columns] * arguments.columns + i % arguments.columns;
    }
    return i;
}
