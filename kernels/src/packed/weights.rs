//! How weights lie in memory: in panels, with 32 bits or with 16.

use std::ops::Range;

use half::bf16;

use crate::matmul::View;
use crate::registers::Register;

/// Outputs of a panel.
pub(super) const PANEL: usize = 16;

/// The weights of one input in a panel, on a cache line of their own.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Block([f32; PANEL]);

/// The weights of one input in a panel as bfloat16: of each the upper 16 bits.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub(super) struct Bf16Block([u16; PANEL]);

#[derive(Clone, Debug)]
pub(super) enum Blocks {
    F32(Vec<Block>),
    Bf16(Vec<Bf16Block>),
}

/// A matrix `[inputs, outputs]` to multiply from the left with rows.
#[derive(Clone, Debug)]
pub struct Packed {
    pub(super) blocks: Blocks,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

impl Packed {
    /// Copies `w`, `inputs` rows of `outputs` columns.
    pub fn new(w: View<'_>) -> Self {
        Self::within(Vec::new(), w)
    }

    /// No inputs and no outputs: what [`Self::instead_of`] begins with.
    pub fn empty() -> Self {
        Self { blocks: Blocks::F32(Vec::new()), inputs: 0, outputs: 0 }
    }

    /// [`Self::new`] in the memory of another one, whose pages the system need not clear.
    pub fn instead_of(other: Self, w: View<'_>) -> Self {
        match other.blocks {
            Blocks::F32(blocks) => Self::within(blocks, w),
            Blocks::Bf16(_) => Self::new(w),
        }
    }

    #[inline(never)]
    fn within(mut blocks: Vec<Block>, w: View<'_>) -> Self {
        let (inputs, outputs) = w.shape();
        blocks.resize(inputs * outputs.div_ceil(PANEL), Block([0.0; PANEL]));
        for (panel, blocks) in blocks.chunks_exact_mut(inputs.max(1)).enumerate() {
            let columns = panel * PANEL..outputs.min((panel + 1) * PANEL);
            if columns.len() < PANEL {
                blocks.fill(Block([0.0; PANEL]));
            }
            if w.row(0).is_none() {
                // SAFETY: a block is as many values as a panel has outputs, and nothing else.
                let values = unsafe {
                    std::slice::from_raw_parts_mut(blocks.as_mut_ptr().cast::<f32>(), blocks.len() * PANEL)
                };
                w.turn(0..inputs, columns, values, PANEL);
                continue;
            }
            for (k, block) in blocks.iter_mut().enumerate() {
                if let Some(row) = w.row(k) {
                    block.0[..columns.len()].copy_from_slice(&row[columns.clone()]);
                }
            }
        }
        Self { blocks: Blocks::F32(blocks), inputs, outputs }
    }

    /// With weights of 16 bits (bfloat16, rounded to the nearest), which take half the room. Products with a single row are
    /// limited by how fast weights come from memory where they fit no near cache.
    pub fn into_bf16(self) -> Self {
        let Blocks::F32(blocks) = self.blocks else { return self };
        let blocks = blocks.into_iter().map(|block| Bf16Block(block.0.map(|w| bf16::from_f32(w).to_bits())));
        Self { blocks: Blocks::Bf16(blocks.collect()), ..self }
    }

    /// Some panels of it, whose weights are `blocks`, with weights of 32 bits.
    pub(super) fn widened(&self, blocks: &[Bf16Block], panels: Range<usize>) -> Self {
        // Not `bf16::to_f32`, which looks for NaN: these are widened for every product.
        let widen = |bits: u16| f32::from_bits(u32::from(bits) << 16);
        let blocks = &blocks[panels.start * self.inputs..panels.end * self.inputs];
        let blocks = blocks.iter().map(|block| Block(block.0.map(widen))).collect();
        let outputs = self.outputs.min(panels.end * PANEL) - panels.start * PANEL;
        Self { blocks: Blocks::F32(blocks), inputs: self.inputs, outputs }
    }

    /// Columns of what is multiplied.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Columns of the product.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    pub(super) fn panels(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }
}

/// How a weight lies in memory.
pub(super) trait Stored: Copy {
    /// Whether there are tiles of several rows.
    const MANY: bool;

    /// The weights of register `c` of a panel, from those of register 0 on.
    ///
    /// # Safety
    /// The processor has the instructions of `V`; the panel's weights can be read, of 32 bits those of that register.
    unsafe fn register<V: Register>(from: *const Self, c: usize) -> V;
}

impl Stored for f32 {
    const MANY: bool = true;

    #[inline(always)]
    unsafe fn register<V: Register>(from: *const Self, c: usize) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::load(from.add(c * V::WIDTH)) }
    }
}

impl Stored for u16 {
    const MANY: bool = false;

    #[inline(always)]
    unsafe fn register<V: Register>(from: *const Self, c: usize) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::load_halves(from.add((c - c % 2) * V::WIDTH), c % 2 == 1) }
    }
}
