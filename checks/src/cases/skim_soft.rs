//! Cases of the kernel `skim_soft`.

use crate::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
