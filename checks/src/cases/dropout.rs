//! Cases of the kernel `dropout`.

use crate::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
