//! Cases of the kernel `rows`.

use crate::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
