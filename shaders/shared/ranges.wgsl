// Rows of many matrices in one launch, whose workgroups have values of one matrix each. The importing kernel declares
// `ranges: array<Range>`, `rows: array<u32>` and `arguments.ranges`, how many there are.

// Rows of one matrix.
struct Range {
    // Its first workgroup.
    group: u32,
    // The number of values.
    size: u32,
    columns: u32,
    // Where the numbers of the rows begin in `rows`; `ALL` for all rows.
    rows: u32,
    // Its first value in each of the buffers in which the kernel has a matrix of this shape.
    first: vec4<u32>,
}

const ALL = 0xffffffffu;

// The range of a workgroup.
fn range_of(group: u32) -> u32 {
    var first = 0u;
    var end = arguments.ranges;
    while end - first > 1u {
        let middle = (first + end) / 2u;
        if ranges[middle].group <= group {
            first = middle;
        } else {
            end = middle;
        }
    }
    return first;
}

// The index in the matrix of value `i` of a range.
fn place(range: Range, i: u32) -> u32 {
    if range.rows == ALL {
        return i;
    }
    return rows[range.rows + i / range.columns] * range.columns + i % range.columns;
}
