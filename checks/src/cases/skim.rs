//! Cases of the kernel `skim`.

use crate::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
