//! Cases of the kernel `recurrence`.

use crate::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
