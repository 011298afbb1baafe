//! Cases of the kernel `sru`.

use crate::Case;

pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
