// Sequences that a workgroup runs side by side, so that a read of a recurrent weight serves them all. They are sorted
// by decreasing length, so that the first of a tile is its longest. The importing kernel declares `arguments` (with
// `alive` and `flags`) and `lanes`. Variants: `single` and `narrow`, one sequence a workgroup; otherwise four.

struct Lane {
    // Its row in the states.
    number: u32,
    // Its first row.
    start: u32,
    // The number of its rows.
    length: u32,
}

// Sequences of a workgroup.
#if single narrow
const LANES = 1u;
alias Lanes = f32;

fn of_lane(values: Lanes, l: u32) -> f32 {
    return values;
}

fn with_lane(values: Lanes, l: u32, value: f32) -> Lanes {
    return value;
}
#else
const LANES = 4u;
// One value a sequence.
alias Lanes = vec4<f32>;

fn of_lane(values: Lanes, l: u32) -> f32 {
    return values[l];
}

fn with_lane(values: Lanes, l: u32, value: f32) -> Lanes {
    return select(values, Lanes(value), vec4(0u, 1u, 2u, 3u) == vec4(l));
}
#endif

// Values that workgroup memory holds at most.
const MEMORY = 4096u;
#if single tile narrow narrow_tile
// Values for each sequence in workgroup memory. A host asks for no more than the layer needs: what is there is zeroed
// by browsers, and SwiftShader compiles a store for every value.
override SHARED: u32 = MEMORY / LANES;
#endif

// A bit of `arguments.flags`: sequences run from the last row to the first.
const REVERSE = 1u;

// The sequence at a place among the first `arguments.alive`; an empty one beyond them.
fn lane_at(place: u32) -> Lane {
    if place < arguments.alive {
        return lanes[place];
    }
    return Lane(0u, 0u, 0u);
}

// The row of a sequence that step `t` computes.
fn row_at(lane: Lane, t: u32) -> u32 {
    return lane.start + select(t, lane.length - 1u - t, (arguments.flags & REVERSE) != 0u);
}
