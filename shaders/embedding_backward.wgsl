//! Sums of rows by id, `table[ids[k]] += sum of rows[order[i]]` for `i` in `starts[k]..starts[k + 1]`, each id once.
//!
//! CPU twin: `kernels/src/embedding.rs`.

#import each

struct Arguments {
    ids: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> starts: array<u32>;
// Row numbers, those of one id together.
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> rows: array<f32>;
@group(0) @binding(5) var<storage, read_write> table: array<f32>;

fn each(number: u32) {
    if number >= arguments.ids * arguments.columns {
        return;
    }
    let k = number / arguments.columns;
    let column = number % arguments.columns;
    let at = ids[k] * arguments.columns + column;
    var sum = table[at];
    for (var i = starts[k]; i < starts[k + 1u]; i += 1u) {
        sum += rows[order[i] * arguments.columns + column];
    }
    table[at] = sum;
}
