//! Rows of several sequences laid end to end.
//!
//! No WGSL twin: a shader reads row numbers from a buffer of its own.

/// A row-major matrix whose rows belong to lanes: lane `i` owns rows `offsets[i]..offsets[i + 1]`.
///
/// `offsets` is absolute within `values`, so a view into a larger buffer needs no copy.
#[derive(Clone, Copy, Debug)]
pub struct Ragged<'a> {
    /// The buffer that holds the rows.
    pub values: &'a [f32],
    /// Columns of every row.
    pub columns: usize,
    /// `lanes + 1` row numbers, never decreasing.
    pub offsets: &'a [usize],
}

impl<'a> Ragged<'a> {
    /// How many lanes there are.
    pub fn lanes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Rows of one lane.
    pub fn rows(&self, lane: usize) -> usize {
        self.offsets[lane + 1] - self.offsets[lane]
    }

    /// Rows of all lanes together.
    pub fn total_rows(&self) -> usize {
        self.offsets[self.lanes()] - self.offsets[0]
    }

    /// The values of all lanes, `total_rows() * columns` long.
    pub fn all(&self) -> &'a [f32] {
        &self.values[self.offsets[0] * self.columns..self.offsets[self.lanes()] * self.columns]
    }

    /// The values of one lane.
    pub fn lane(&self, lane: usize) -> &'a [f32] {
        &self.values[self.offsets[lane] * self.columns..self.offsets[lane + 1] * self.columns]
    }

    /// Row number `row` counted from the first row of lane 0.
    pub fn row(&self, row: usize) -> &'a [f32] {
        let start = (self.offsets[0] + row) * self.columns;
        &self.values[start..start + self.columns]
    }

    /// Row number, counted from the first row of lane 0, at which a lane begins.
    pub fn start(&self, lane: usize) -> usize {
        self.offsets[lane] - self.offsets[0]
    }
}
