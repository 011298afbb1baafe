//! What the recurrent kernels ask of a cell: one step of one lane, forward and backward.
//!
//! WGSL twins: `shaders/recurrence.wgsl` and `shaders/recurrence_backward.wgsl`.

/// Runs `$body` with the type `$cell` set to the cell of a kind: what is generic over cells is compiled here, in the
/// package that is compiled for speed.
macro_rules! with_cell {
    ($kind:expr, $cell:ident => $body:expr) => {
        match $kind {
            $crate::cell::CellKind::ElmanTanh => {
                type $cell = $crate::elman::ElmanTanh;
                $body
            }
            $crate::cell::CellKind::ElmanRelu => {
                type $cell = $crate::elman::ElmanRelu;
                $body
            }
            $crate::cell::CellKind::Lstm => {
                type $cell = $crate::lstm::Lstm;
                $body
            }
            $crate::cell::CellKind::Gru => {
                type $cell = $crate::gru::Gru;
                $body
            }
        }
    };
}

pub(crate) use with_cell;

/// The cells a recurrence can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// Elman with tanh (PyTorch `nn.RNN`).
    ElmanTanh,
    /// Elman with ReLU.
    ElmanRelu,
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
}

impl CellKind {
    /// Blocks of `hidden` rows in the weight matrices.
    pub fn gates(self) -> usize {
        match self {
            CellKind::ElmanTanh | CellKind::ElmanRelu => 1,
            CellKind::Gru => 3,
            CellKind::Lstm => 4,
        }
    }

    /// Whether the cell carries a memory c beside its state h.
    pub fn has_memory(self) -> bool {
        self == CellKind::Lstm
    }

    /// Columns of the memory beside a state of `hidden` columns.
    pub fn memory(self, hidden: usize) -> usize {
        if self.has_memory() { hidden } else { 0 }
    }

    /// Blocks of `hidden` values that a step keeps for the backward step.
    pub fn saved(self) -> usize {
        with_cell!(self, C => C::SAVED)
    }

    /// How many operands its initial state takes, if there is one.
    pub fn states(self, initial: bool) -> usize {
        if initial { 1 + usize::from(self.has_memory()) } else { 0 }
    }
}

/// One step of a recurrent cell over slices of one lane.
///
/// `x` is the hoisted input product `W_ih x + b_ih` and `w` the recurrent product `W_hh h + b_hh`, both
/// `GATES * hidden` long. `saved` (`SAVED * hidden`) holds what the backward step needs; it may be empty where there will
/// be none. Cells without a memory receive empty slices for `c`.
pub(crate) trait Cell {
    /// Blocks of `hidden` rows in the weight matrices.
    const GATES: usize;
    /// Blocks of `hidden` values kept for the backward step.
    const SAVED: usize;
    /// Whether the cell carries a memory `c` beside `h`.
    const MEMORY: bool;

    /// Computes `(h, c)` from `(x, w, h_prev, c_prev)` and fills `saved`.
    fn forward(
        x: &[f32],
        w: &[f32],
        h_prev: &[f32],
        c_prev: &[f32],
        saved: &mut [f32],
        h: &mut [f32],
        c: &mut [f32],
    );

    /// Computes the gradients of `x` and `w` and *overwrites* those of the previous state with the part that does
    /// not pass through `w` (`dh_prev`, `dc_prev`).
    #[allow(clippy::too_many_arguments, reason = "the values of one step and their gradients")]
    fn backward(
        saved: &[f32],
        h_prev: &[f32],
        c_prev: &[f32],
        h: &[f32],
        c: &[f32],
        dh: &[f32],
        dc: &[f32],
        dx: &mut [f32],
        dw: &mut [f32],
        dh_prev: &mut [f32],
        dc_prev: &mut [f32],
    );
}
