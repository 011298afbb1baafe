//! What the recurrent kernels ask of a cell: one step of one lane, forward and backward.

/// One step of a recurrent cell over slices of one lane.
///
/// `x` is the hoisted input product `W_ih x + b_ih` and `w` the recurrent product `W_hh h + b_hh`, both
/// `GATES * hidden` long. `saved` (`SAVED * hidden`) holds what the backward step needs. Cells without a memory
/// receive empty slices for `c`.
pub trait Cell {
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
