//! Cases of the kernel `layer_norm`.

use crate::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
