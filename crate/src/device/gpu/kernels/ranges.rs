//! Rows of many matrices in one launch (`shaders/shared/ranges.wgsl`).

use saccade_shaders::shared::ranges::{ALL, Range};

use crate::device::Rows;
use crate::device::gpu::GpuBuffer;

/// Rows of matrices of one shape: a weight's, its gradient's, its moments'.
pub(in crate::device::gpu) struct Matrices<'a> {
    /// One matrix a binding of the kernel.
    pub(in crate::device::gpu) buffers: Vec<&'a GpuBuffer>,
    pub(in crate::device::gpu) rows: Rows<'a>,
    pub(in crate::device::gpu) columns: usize,
}

/// Matrices that one launch covers: the first ones lie in one buffer, so do the second ones, and so on.
pub(super) struct Together<'a> {
    /// What the bindings hold.
    pub(super) buffers: Vec<&'a GpuBuffer>,
    /// By their numbers.
    pub(super) members: Vec<usize>,
    /// Of every member.
    pub(super) ranges: Vec<Range>,
    /// The numbers of all listed rows.
    pub(super) rows: Vec<u32>,
    pub(super) groups: usize,
    /// The values of all.
    pub(super) size: usize,
}

/// The launches over all matrices, whose workgroups have so many values each. The order stays within a launch.
pub(super) fn together<'a>(all: &[Matrices<'a>], values: usize) -> Vec<Together<'a>> {
    let mut launches: Vec<Together<'a>> = Vec::new();
    for (number, Matrices { buffers, rows, columns }) in all.iter().enumerate() {
        let takes = |launch: &Together<'_>| {
            buffers.iter().zip(&launch.buffers).all(|(buffer, whole)| buffer.whole().is(whole))
        };
        let at = launches.iter().position(takes).unwrap_or_else(|| {
            let buffers = buffers.iter().map(|buffer| buffer.whole()).collect();
            let (members, ranges, rows) = Default::default();
            launches.push(Together { buffers, members, ranges, rows, groups: 0, size: 0 });
            launches.len() - 1
        });
        let launch = &mut launches[at];
        let mut first = [0; 4];
        buffers.iter().zip(&mut first).for_each(|(buffer, first)| *first = buffer.first() as u32);
        let (size, group) = (rows.count() * columns, launch.groups as u32);
        let numbers = match rows {
            Rows::All(_) => ALL,
            Rows::Listed(numbers) => {
                launch.rows.extend_from_slice(numbers);
                (launch.rows.len() - numbers.len()) as u32
            }
        };
        launch.members.push(number);
        launch.ranges.push(Range {
            group,
            size: size as u32,
            columns: *columns as u32,
            rows: numbers,
            first,
        });
        launch.groups += size.div_ceil(values);
        launch.size += size;
    }
    launches
}
