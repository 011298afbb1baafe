//! What crosses between workers that have no memory in common: numbers in a row, floats by their bits.

use std::ops::Range;

use crate::train::carried::CarriedRows;

/// Writes a message.
#[derive(Default)]
pub(in crate::train) struct Writer(pub(in crate::train) Vec<u32>);

/// Reads one; what it gives is `None` where the message ends early.
pub(in crate::train) struct Reader<'m>(pub(in crate::train) &'m [u32]);

/// The elements of a matrix that cross: those of some of its rows, or all.
pub(in crate::train) fn elements(
    size: usize,
    columns: usize,
    rows: Option<&Vec<u32>>,
) -> impl Iterator<Item = Range<usize>> {
    let whole = rows.is_none().then_some(0..size);
    let of_row = move |&row: &u32| row as usize * columns..(row as usize + 1) * columns;
    whole.into_iter().chain(rows.into_iter().flatten().map(of_row))
}

impl Writer {
    pub(in crate::train) fn number(&mut self, number: usize) {
        self.0.push(number as u32);
    }

    pub(in crate::train) fn floats(&mut self, values: &[f32]) {
        self.0.extend(values.iter().map(|value| value.to_bits()));
    }

    pub(in crate::train) fn carried(&mut self, carried: &CarriedRows) {
        self.number(carried.len());
        for part in carried {
            self.number(part.len());
            for row in part {
                self.number(row.len());
                self.floats(row);
            }
        }
    }
}

impl Reader<'_> {
    pub(in crate::train) fn number(&mut self) -> Option<usize> {
        self.some(1).map(|numbers| numbers[0] as usize)
    }

    pub(in crate::train) fn floats(&mut self, count: usize) -> Option<impl Iterator<Item = f32>> {
        self.some(count).map(|bits| bits.iter().map(|&bits| f32::from_bits(bits)))
    }

    pub(in crate::train) fn carried(&mut self) -> Option<CarriedRows> {
        let mut carried = CarriedRows::new();
        for _ in 0..self.number()? {
            let mut part = Vec::new();
            for _ in 0..self.number()? {
                let count = self.number()?;
                part.push(self.floats(count)?.collect());
            }
            carried.push(part);
        }
        Some(carried)
    }

    fn some(&mut self, count: usize) -> Option<&[u32]> {
        let (some, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(some)
    }
}
